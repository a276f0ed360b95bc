"""The example image: real daemons, one boot for all tests but the last, which stops one of its own."""

import time

import pytest
from container.box import Boot, Box
from waiting import until

DAEMONS = ("nginx", "redis", "echo")

TALK = "import socket; s = socket.create_connection(('127.0.0.1', {})); s.send(b'{}'); print(s.recv(99))"
SPEAK = {
    "nginx": (TALK.format(80, r"GET / HTTP/1.0\r\n\r\n"), "200 OK"),
    "redis": (TALK.format(6379, r"PING\r\n"), "PONG"),
    "echo": (TALK.format(7, "hello"), "hello"),
}


def answers(box: Box, service: str) -> bool:
    """Whether the daemon does its work."""
    program, expected = SPEAK[service]
    code, output = box.run("python3", "-c", program)
    return code == 0 and expected in output


@pytest.mark.parametrize("service", DAEMONS)
def test_every_daemon_is_up_and_works(box: Box, service: str) -> None:
    box.up(service)
    until(lambda: answers(box, service), f"{service} answers")


def test_svstat_lists_all(box: Box) -> None:
    for service in DAEMONS:
        box.up(service)
    listing = box.ask("svstat").splitlines()
    states = {line.partition(":")[0].removeprefix("/service/"): line for line in listing}
    assert {"nginx", "redis", "echo", "snapshot"} <= set(states)
    assert ": down " in states["snapshot"]
    assert "normally up" not in states["snapshot"]


@pytest.mark.parametrize("service", DAEMONS)
def test_a_killed_daemon_comes_back_and_works(box: Box, service: str) -> None:
    old = box.up(service)
    until(lambda: answers(box, service), f"{service} answers")
    box.shell(f"kill -9 {old}")
    until(lambda: box.pid(service) not in (0, old), f"{service} up again")
    until(lambda: answers(box, service), f"{service} answers again")


def test_a_killed_nginx_leaves_no_worker_on_the_port(box: Box) -> None:
    old = box.up("nginx")
    until(lambda: answers(box, "nginx"), "nginx answers")
    box.shell(f"kill -9 {old}")
    until(lambda: box.pid("nginx") not in (0, old), "nginx up again")
    masters = "grep -h '^[0-9]* (nginx) . 1 ' /proc/[0-9]*/stat | cut -d' ' -f1"
    until(lambda: box.shell(masters).split() == [str(box.pid("nginx"))], "only the new master is a child of PID 1")
    until(lambda: answers(box, "nginx"), "nginx answers again")


def test_a_job_on_demand_runs_once(box: Box) -> None:
    until(lambda: answers(box, "redis"), "redis answers")
    box.ask("svc", "-o", "snapshot")
    until(lambda: box.run("test", "-s", "/var/lib/redis/snapshot.rdb")[0] == 0, "the job has run")
    until(lambda: ": down " in box.ask("svstat", "snapshot"), "the job is over")
    until(lambda: "snapshot: " in box.stdout(), "the job's output is logged")


def test_a_logger_of_its_own_gets_the_log(box: Box) -> None:
    until(lambda: answers(box, "echo"), "echo answers")
    assert box.pid("/service/echo/log")
    until(lambda: "127.0.0.1" in box.ask("cat", "/service/echo/log/main/current"), "the connection is logged")
    first = box.ask("head", "-n", "1", "/service/echo/log/main/current")
    assert first.startswith("@4000")
    assert box.ask("stat", "-c", "%U", "/service/echo/log/main/current") == "nobody\n"
    assert not any(line.startswith("echo: ") for line in box.stdout().splitlines())


def test_docker_logs_shows_names(box: Box) -> None:
    until(lambda: answers(box, "nginx"), "nginx answers")
    until(lambda: 'nginx: 127.0.0.1 "GET / HTTP/1.0" 200' in box.stdout(), "the request is logged")
    for line in box.stdout().splitlines():
        assert line.startswith(("nginx: ", "redis: ", "snapshot: ")), line


def test_it_is_healthy(box: Box) -> None:
    """Says HEALTHCHECK's command, which Docker runs every two seconds."""
    for service in DAEMONS:
        box.up(service)
    box.docker.reload()
    assert box.docker.attrs["Config"]["Healthcheck"]["Test"][0] == "CMD-SHELL"
    assert box.run("sh", "-c", box.docker.attrs["Config"]["Healthcheck"]["Test"][1]) == (0, "")


def test_it_stops_in_good_order(boot: Boot, example: str) -> None:
    box = boot({}, image=example)
    for service in DAEMONS:
        until(lambda: answers(box, service), f"{service} answers")
    start = time.monotonic()
    assert box.stop() == 0
    assert time.monotonic() - start < 1.0
    assert "Redis is now ready to exit" in box.stdout()
    assert "killed" not in box.stderr()
