"""Daemons that Debian packages, each ready in its own way. What needs one of them uses it as soon as it starts."""

import pytest
from container.box import Boot, Box
from waiting import until

SCRIPT = "#!/bin/sh\n"
POSTGRES = f"""{SCRIPT}cd /usr/lib/postgresql/*/bin
main=$(echo /var/lib/postgresql/*/main)
exec setuidgid postgres ./postgres -D "$main" -c config_file=/etc${{main#/var/lib}}/postgresql.conf \\
    -c ssl=off -c unix_socket_directories=/tmp
"""
PHP = f"""{SCRIPT}sleep 0.5
sed -i 's|^listen = .*|listen = /service/web/php.sock|' /etc/php/*/fpm/pool.d/www.conf
exec /usr/sbin/php-fpm* -F -O
"""

SERVICES = {
    "notify": (
        {"run": f"{SCRIPT}sleep 0.5; exec redis-server --supervised systemd --daemonize no --port 7001\n"},
        "notify",
        "redis-cli -p 7001 ping",
        "PONG",
    ),
    "systemd-notify": (
        {"run": f"{SCRIPT}sleep 0.5; touch /tmp/flag; systemd-notify --ready --status=here; exec sleep 100000\n"},
        "notify",
        "ls /tmp/flag",
        "/tmp/flag",
    ),
    "port": (
        {"run": f"{SCRIPT}sleep 0.5; exec redis-server --port 7002\n"},
        "port 7002",
        "redis-cli -p 7002 ping",
        "PONG",
    ),
    "log of nginx": (
        {"run": f"{SCRIPT}sleep 0.5; exec nginx -g 'daemon off; error_log stderr notice;'\n"},
        "log start worker process ",
        "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1/",
        "200",
    ),
    "log of postgres": (
        {"run": POSTGRES, "down-signal": "INT"},
        "log database system is ready to accept connections",
        "setuidgid postgres psql -h /tmp -t -A -c 'select 6 * 7'",
        "42",
    ),
    "check": (
        {"run": POSTGRES, "down-signal": "INT", "check": f"{SCRIPT}exec pg_isready -q -h /tmp\n"},
        "check",
        "setuidgid postgres psql -h /tmp -t -A -c 'select 6 * 7'",
        "42",
    ),
    "unix": (
        {"run": PHP, "down-signal": "QUIT"},
        "unix php.sock",
        "[ -S /service/web/php.sock ] && echo there",
        "there",
    ),
    "fd": (
        {"run": f"{SCRIPT}sleep 0.5; exec s6-ipcserver -1 /tmp/socket echo hello >&3\n"},
        "fd 3",
        "s6-ipcclient /tmp/socket sh -c 'cat <&6'",
        "hello",
    ),
    "file": (
        {"run": f"{SCRIPT}sleep 0.5; exec redis-server --port 7003 --pidfile /tmp/pid --daemonize no\n"},
        "file /tmp/pid",
        "redis-cli -p 7003 ping",
        "PONG",
    ),
    "after": ({"run": f"{SCRIPT}exec redis-server --port 7004\n"}, "after 2s", "redis-cli -p 7004 ping", "PONG"),
}


def answer(box: Box) -> str:
    return box.run("cat", "/tmp/answer")[1].strip() if box.run("test", "-s", "/tmp/answer")[0] == 0 else ""


@pytest.mark.parametrize("kind", SERVICES)
def test_a_daemon_can_be_used_when_it_is_ready(boot: Boot, daemons: str, kind: str) -> None:
    files, ready, use, expected = SERVICES[kind]
    client = f"{SCRIPT}{use} >/tmp/answer 2>&1\nexec sleep 100000\n"
    box = boot({"web": {**files, "ready": f"{ready}\n"}, "client": {"run": client, "needs": "web\n"}}, image=daemons)
    until(lambda: answer(box), lambda: f"an answer: {box.stderr()} {box.stdout()}", 60)
    assert answer(box) == expected
    assert box.stop() == 0
    assert "warning" not in box.stderr()


def test_a_page_is_asked_for(boot: Boot, daemons: str) -> None:
    web = {
        "run": f"{SCRIPT}touch /var/www/html/health; exec nginx -g 'daemon off;'\n",
        "ready": "port 80\n",
        "health": "http 80/health every 300ms timeout 1s failures 2\n",
    }
    box = boot({"web": web}, image=daemons)
    pid = box.up("web")
    until(lambda: "ready" in box.stderr(), box.stderr)
    until(lambda: box.run("grep", "-c", "GET /health .* 200", "/var/log/nginx/access.log")[0] == 0, box.stderr)
    assert box.pid("web") == pid
    box.shell("rm /var/www/html/health")
    until(lambda: box.pid("web") not in (0, pid), lambda: f"it to be restarted: {box.stderr()}", 30)
    assert box.stop() == 0
