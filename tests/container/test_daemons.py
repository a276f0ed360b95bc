"""Daemons that Debian packages, with the signals that they ask for: postgres, nginx and php-fpm."""

from container.box import Boot, Box
from waiting import until

POSTGRES = {
    "run": """#!/bin/sh
cd /usr/lib/postgresql/*/bin
main=$(echo /var/lib/postgresql/*/main)
exec setuidgid postgres ./postgres -D "$main" -c config_file=/etc${main#/var/lib}/postgresql.conf \\
    -c ssl=off -c unix_socket_directories=/tmp
""",
    "down-signal": "INT",
    "kill-mode": "mixed",
}
NGINX = {
    "run": "#!/bin/sh\nexec nginx -g 'daemon off;'\n",
    "down-signal": "QUIT",
    "reload-signal": "USR1",
    "kill-mode": "mixed",
}
PHP = {
    "run": "#!/bin/sh\nmkdir -p /run/php\nexec /usr/sbin/php-fpm* -F -O\n",
    "down-signal": "QUIT",
    "reload-signal": "USR2",
    "kill-mode": "mixed",
}


def times(box: Box, text: str) -> int:
    """How often the container's log says it."""
    return box.stdout().count(text)


def test_postgres_shuts_down_cleanly_by_its_signal(boot: Boot, daemons: str) -> None:
    """TERM would wait for the session that is open."""
    box = boot({"db": POSTGRES}, image=daemons)
    until(lambda: times(box, "database system is ready to accept connections") == 1, "postgres", 60)
    session = ["setuidgid", "postgres", "psql", "-h", "/tmp", "-c", "select pg_sleep(1000)"]
    box.docker.exec_run(session, detach=True)
    until(lambda: "pg_sleep" in box.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), "a session")

    first = box.pid("db")
    box.ask("svc", "-d", "db")
    until(lambda: box.ask("svstat", "db").startswith("db: down "), "postgres to be down", 30)
    assert times(box, "received fast shutdown request") == 1
    assert times(box, "database system is shut down") == 1
    assert "postgres:" not in box.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"), "no worker is left"

    box.ask("svc", "-u", "db")
    until(lambda: times(box, "database system is ready to accept connections") == 2, "postgres again", 60)
    assert box.pid("db") != first
    assert times(box, "recovery") == times(box, "not properly shut down") == 0
    assert box.stop() == 0
    assert times(box, "received fast shutdown request") == 2
    assert "killed" not in box.stderr()


def test_nginx_reopens_its_log(boot: Boot, daemons: str) -> None:
    box = boot({"web": NGINX}, image=daemons)
    until(lambda: box.run("curl", "-s", "http://127.0.0.1/first")[0] == 0, "nginx", 30)
    pid = box.pid("web")
    log = "/var/log/nginx/access.log"
    until(lambda: "/first" in box.shell(f"cat {log}"), "its line")
    box.shell(f"mv {log} {log}.1")
    box.ask("svc", "-l", "web")
    until(lambda: box.run("test", "-e", log)[0] == 0, "a new log")
    box.ask("curl", "-s", "http://127.0.0.1/second")
    until(lambda: "/second" in box.shell(f"cat {log}"), "its line in the new log")
    assert "/second" not in box.shell(f"cat {log}.1")
    assert box.pid("web") == pid
    assert box.stop() == 0
    assert "killed" not in box.stderr()


def test_php_fpm_reloads(boot: Boot, daemons: str) -> None:
    box = boot({"php": PHP}, image=daemons)
    until(lambda: times(box, "ready to handle connections") == 1, "php-fpm", 30)
    pid = box.pid("php")
    workers = box.shell(f"cat /proc/{pid}/task/{pid}/children").split()
    box.ask("svc", "-l", "php")
    until(lambda: times(box, "ready to handle connections") == 2, "php-fpm to be ready again", 30)
    assert times(box, "Reloading in progress") == 1
    assert box.pid("php") == pid
    assert not set(workers) & set(box.shell(f"cat /proc/{pid}/task/{pid}/children").split())
    assert box.stop() == 0
    assert "killed" not in box.stderr()


CRASHING = """#!/bin/sh
cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o 'sleep 777[12]' | wc -l >>/tmp/left
exec setuidgid nobody sh -c 'setsid sleep 7771 & setsid sh -c "sleep 7772 &" & sleep 0.3; kill -9 $$'
"""


def test_what_a_crashed_service_of_another_user_left_is_ended(boot: Boot) -> None:
    """Docker's root may not read the environment of another user's process; pyinit finds it all the same."""
    box = boot({"web": {"run": CRASHING, "kill-mode": "mixed"}})
    left = until(lambda: len(lines := box.shell("cat /tmp/left || :").split()) >= 3 and lines, "two crashes", 20)
    assert set(left) == {"0"}
