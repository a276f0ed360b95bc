"""What pyinit does for services in a container, seen through docker exec, docker logs and docker stop."""

import re
import time

from container.box import Boot, Box
from waiting import until

STEADY = {"run": "#!/bin/sh\nexec /programs/steady\n"}
STUBBORN = {"run": "#!/bin/sh\nexec /programs/stubborn\n"}


def finished_after(box: Box, timeout: int = 20) -> tuple[int, float]:
    """docker stop: (exit code, seconds it took)."""
    start = time.monotonic()
    code = box.stop(timeout)
    return code, time.monotonic() - start


def zombies(box: Box) -> list[str]:
    stats = box.shell("cat /proc/[0-9]*/stat 2>/dev/null || :").splitlines()
    return [stat for stat in stats if stat.rpartition(") ")[2].startswith("Z")]


# --- control


def test_svc_svstat_svok(boot: Boot) -> None:
    box = boot({"a": STEADY, "b": STEADY})
    first = box.up("a")
    other = box.up("b")
    assert box.run("svok", "/service/a") == (0, "")
    assert box.run("svok", "/service") == (100, "")

    box.ask("svc", "-d", "a")
    until(lambda: re.fullmatch(r"a: down \d seconds, normally up\n", box.ask("svstat", "a")), "a down")
    assert box.shell(f"kill -0 {first} 2>&1 || :") != ""
    box.ask("svc", "-u", "/service/a")
    second = box.up("a")
    assert second != first
    box.ask("svc", "-t", "/service/a")
    until(lambda: box.pid("a") not in (0, second), "a started again")
    assert box.pid("b") == other


def test_c_programs_drive_our_services(boot: Boot) -> None:
    box = boot({"a": STEADY})
    pid = box.up("a")
    assert box.run("/c/usr/bin/svok", "/service/a") == (0, "")
    assert re.fullmatch(rf"/service/a: up \(pid {pid}\) \d+ seconds\n", box.ask("/c/usr/bin/svstat", "/service/a"))
    assert box.ask("/c/usr/bin/svc", "-d", "/service/a") == ""
    until(lambda: box.ask("/c/usr/bin/svstat", "/service/a").startswith("/service/a: down "), "a down")
    box.ask("/c/usr/bin/svc", "-u", "/service/a")
    until(lambda: "/service/a: up (pid " in box.ask("/c/usr/bin/svstat", "/service/a"), "a up")
    box.ask("/c/usr/bin/svc", "-p", "/service/a")
    until(lambda: ", paused" in box.ask("/c/usr/bin/svstat", "/service/a"), "a paused")
    both = 'test "$(svstat /service/a)" = "$(/c/usr/bin/svstat /service/a)"'
    until(lambda: box.run("sh", "-c", both)[0] == 0, "ours and theirs say the same within one second")


def test_a_service_is_added_and_removed(boot: Boot) -> None:
    box = boot({})
    box.shell("mkdir -p /srv/late && cp /programs/steady /srv/late/run && ln -s /srv/late /service/late")
    box.up("late")
    box.shell("mkdir /service/direct && cp /programs/steady /service/direct/run")
    box.up("direct")
    pid = box.pid("late")
    box.shell("cd /service/late && rm /service/late && svc -dx .")
    until(lambda: box.run("svok", "/srv/late")[0] == 100, "late is let go")
    assert box.run("sh", "-c", f"kill -0 {pid}")[0] != 0
    assert box.pid("direct")
    box.shell("ln -s /srv/late /service/late")
    box.up("late")


def test_a_bad_service_is_named_and_disturbs_nobody(boot: Boot) -> None:
    box = boot({"good": STEADY, "mode": {"run": "not executable"}, "none": {"down.later": ""}})
    box.up("good")
    for name in ("mode", "none"):
        until(lambda: f"{name}/run" in box.stderr(), f"{name} is reported")
    assert box.stderr().count("mode/run") == 1


# --- logs


def test_lines_are_whole_and_named(boot: Boot) -> None:
    box = boot({name: {"run": "#!/bin/sh\nexec /programs/halves 500\n"} for name in "abc"})
    until(lambda: box.stdout().count("done") == 3, "all lines are out")
    lines = box.stdout().splitlines()
    for name in "abc":
        expected = [f"{name}: line {n} begins and {n} ends" for n in range(500)] + [f"{name}: done"]
        assert [line for line in lines if line.startswith(f"{name}: ")] == expected
    assert len(lines) == 3 * 501


def test_stderr_is_logged_too(boot: Boot) -> None:
    box = boot({"a": {"run": "#!/bin/sh\necho to stderr >&2\nexec sleep 100000\n"}})
    until(lambda: "a: to stderr\n" in box.stdout(), "the line")


STREAM = {
    "run": "#!/bin/sh\nseq -f 'this is line number %.0f of many, and it is not a short one' 20000\nexec sleep 100000\n"
}


def test_a_volume_gets_rotated_logs(boot: Boot) -> None:
    """A megabyte goes through the default size and number of files."""
    box = boot({"a": STREAM}, env={"PYINIT_LOG": "volume", "PYINIT_LOG_DIR": "/logs"}, tmpfs={"/logs": ""})
    until(lambda: "number 20000 of" in box.shell("cat /logs/a/current 2>/dev/null || :"), "the last line")
    names = box.ask("ls", "/logs/a").split()
    old = [name for name in names if name.startswith("@")]
    assert len(old) >= 3
    assert all(re.fullmatch(r"@[0-9a-f]{24}\.s", name) for name in old)
    assert box.stdout() == ""
    lines = box.shell("cat /logs/a/@* /logs/a/current").splitlines()
    numbers = [int(match[1]) for line in lines if (match := re.fullmatch(r"@[0-9a-f]{24} .* number (\d+) of .*", line))]
    assert numbers == list(range(20001 - len(lines), 20001))
    assert max(map(int, box.ask("stat", "-c", "%s", *(f"/logs/a/{name}" for name in old)).split())) <= 99999


def test_both_logs(boot: Boot) -> None:
    box = boot({"a": STEADY}, env={"PYINIT_LOG": "both"})
    until(lambda: "a: ready\n" in box.stdout(), "the line on stdout")
    until(lambda: " ready\n" in box.shell("cat /var/log/services/a/current 2>/dev/null || :"), "the line on disk")


def test_logs_outlive_the_container_on_a_volume(volume: str, boot: Boot) -> None:
    options = {"volumes": [(volume, "/var/log/services", "rw")], "env": {"PYINIT_LOG": "volume"}}
    first = boot({"a": STEADY}, **options)
    first.up("a")
    until(lambda: "ready" in first.shell("cat /var/log/services/a/current 2>/dev/null || :"), "the first line")
    assert first.stop() == 0
    second = boot({"a": STEADY}, **options)
    log = "cat /var/log/services/a/* 2>/dev/null || :"
    until(lambda: second.shell(log).count(" ready\n") == 2, "the second line")
    assert " last words\n" in second.shell(log)


# --- orphans


def test_a_storm_of_orphans_leaves_no_zombie(boot: Boot) -> None:
    box = boot({"storm": {"run": "#!/bin/sh\nexec /programs/orphans 1000\n"}, "a": STEADY})
    until(lambda: "storm: 1000 orphans\n" in box.stdout(), "all orphans are made", 30)
    # each has ended, and none is left: neither as a process nor as a zombie
    until(lambda: box.shell("ls -d /proc/[0-9]* | wc -l").strip() and not zombies(box), "no zombie", 10)
    until(lambda: "sleep 0.1" not in box.shell("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '"), "no orphan")
    assert zombies(box) == []
    assert box.pid("a")


# --- the end


def test_well_behaved_services_end_within_a_second_and_are_heard(boot: Boot) -> None:
    own = {**STEADY, "log/run": "#!/bin/sh\nexec multilog t /tmp/own\n"}
    box = boot({"a": STEADY, "b": STEADY, "own": own})
    for name in ("a", "b", "own"):
        box.up(name)
    until(lambda: box.stdout().count(": ready") == 2, "all are ready")
    until(lambda: " ready\n" in box.shell("cat /tmp/own/current 2>/dev/null || :"), "own is ready")
    code, took = finished_after(box)
    assert (code, took < 1.0) == (0, True), (code, took)
    assert sorted(box.stdout().splitlines()) == ["a: last words", "a: ready", "b: last words", "b: ready"]
    assert re.fullmatch(r"pyinit: ready services=3 in \d+\.\d+s\n", box.stderr())
    archive = b"".join(box.docker.get_archive("/tmp/own/current")[0])
    assert b" last words\n" in archive


def test_a_stubborn_service_is_killed_at_the_deadline_and_named(boot: Boot) -> None:
    box = boot({"mule": STUBBORN, "a": STEADY}, env={"PYINIT_STOP_TIMEOUT": "2"})
    until(lambda: "mule: ready\n" in box.stdout() and "a: ready\n" in box.stdout(), "both are ready")
    code, took = finished_after(box)
    assert code == 0
    assert 2.0 <= took < 4.0
    assert re.search(r"killed mule \(pid \d+\)", box.stderr())
    assert "killed a " not in box.stderr()
    assert "a: last words\n" in box.stdout()


def test_the_default_deadline_is_below_dockers(boot: Boot) -> None:
    box = boot({"mule": STUBBORN})
    until(lambda: "mule: ready\n" in box.stdout(), "it is ready")
    code, took = finished_after(box, timeout=10)
    assert code == 0
    assert 8.0 <= took < 10.0
    assert "killed mule " in box.stderr()


def test_every_stop_signal_ends_in_order(boot: Boot) -> None:
    for signal in ("SIGTERM", "SIGINT", "SIGQUIT"):
        box = boot({"a": STEADY})
        until(lambda: "a: ready\n" in box.stdout(), "it is ready")
        box.docker.kill(signal=signal)
        assert box.exit_code() == 0
        assert "a: last words\n" in box.stdout()


def test_the_main_command_gives_the_exit_code(boot: Boot) -> None:
    for script, code in (("exit 3", 3), ("kill -9 $$", 128 + 9), ("exit 0", 0)):
        box = boot({"a": STEADY}, command=["sh", "-c", f"until svok /service/a; do sleep 0.1; done; {script}"])
        assert box.exit_code() == code
        assert "warning" not in box.stderr()


def test_wrong_usage_ends_at_once(boot: Boot) -> None:
    box = boot({}, env={"PYINIT_STOP_TIMEOUT": "soon"})
    assert box.exit_code() == 100
    assert "PYINIT_STOP_TIMEOUT" in box.stderr()
    missing = boot({}, env={"PYINIT_SERVICE_DIR": "/nowhere"})
    assert missing.exit_code() == 111
    assert "/nowhere: file does not exist" in missing.stderr()


# --- health


def test_health_follows_the_services(boot: Boot) -> None:
    second = 1_000_000_000
    check = {"interval": second, "timeout": 5 * second, "retries": 1, "start_period": 0}
    box = boot({"a": STEADY, "spare": {**STEADY, "down": ""}}, healthcheck=check)
    until(lambda: box.health() == "healthy", "healthy", 20)
    box.ask("svc", "-d", "a")
    until(lambda: box.health() == "unhealthy", "unhealthy", 20)
    assert "a: down" in box.docker.attrs["State"]["Health"]["Log"][-1]["Output"]
    box.ask("svc", "-u", "a")
    until(lambda: box.health() == "healthy", "healthy again", 20)
    box.ask("svc", "-x", "a")
    box.ask("svc", "-d", "a")


def test_the_images_own_check_is_quick(boot: Boot) -> None:
    """Healthy within 4 seconds of readiness; unhealthy within 12 once it had been healthy."""
    box = boot({"a": STEADY})
    until(lambda: "pyinit: ready " in box.stderr(), "readiness")
    until(lambda: box.health() == "healthy", "healthy", 4)
    box.ask("svc", "-d", "a")
    until(lambda: box.health() == "unhealthy", "unhealthy", 12)


def test_a_service_that_ran_out_of_memory_is_told_as_such(boot: Boot) -> None:
    hungry = "#!/bin/sh\nwhile [ ! -e /go ]; do sleep 0.1; done; rm /go\nexec python3 -c 'x = bytearray(200 << 20)'\n"
    box = boot({"hungry": {"run": hungry}, "a": STEADY}, mem_limit="80m", memswap_limit="80m")
    pid, other = box.up("hungry"), box.up("a")
    box.ask("touch", "/go")
    text = f"supervise: warning: hungry (pid {pid}) was killed: the container is out of memory\n"
    until(lambda: text in box.stderr(), "the kill to be told")
    assert box.up("hungry") != pid
    assert box.up("a") == other
    box.ask("sh", "-c", f"kill -9 {other}")
    until(lambda: box.up("a") != other, "a to be back")
    assert "a (pid" not in box.stderr(), "a kill is not always want of memory"
