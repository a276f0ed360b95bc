"""What the image is, and what it is not."""

from container.box import Boot

from pyinit.__main__ import commands

SLEEPER = "#!/bin/sh\nexec sleep 100000\n"


def test_every_command_is_on_the_path(boot: Boot, image: str) -> None:
    box = boot({}, image=image)
    found = box.shell(f"for name in {' '.join(commands())}; do command -v $name; done").split()
    assert found == [f"/usr/bin/{name}" for name in commands()]
    assert box.run("svok") == (100, "svok: usage: svok dir\n")


def test_nothing_is_left_of_apt_and_pip(boot: Boot, image: str) -> None:
    box = boot({}, image=image)
    assert box.ask("find", "/var/lib/apt/lists", "/var/cache/apt", "-type", "f") == ""
    assert box.run("sh", "-c", "command -v pip gcc cc")[1] == ""
    assert box.shell("ls -A /tmp /root /root/.cache 2>/dev/null || :").split() == [
        "/root:",
        ".bashrc",
        ".profile",
        "/tmp:",
    ]


def test_how_docker_is_told_to_treat_it(boot: Boot, image: str) -> None:
    made_from = boot({}, image=image).docker.image
    assert made_from
    config = made_from.attrs["Config"]
    assert config["Entrypoint"] == ["pyinit"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Labels"]["org.opencontainers.image.title"] == "pyinit"
    assert config["Labels"]["org.opencontainers.image.licenses"] == "ISC"


def test_prctl_is_called_by_python_prctl(boot: Boot, image: str) -> None:
    box = boot({}, image=image)
    _, said = box.run("python3", "-IS", "-X", "importtime", "/usr/bin/supervise", "/nonexistent")
    imported = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert "prctl" in imported
    assert "ctypes" not in imported


def test_nothing_is_compiled_at_run_time(boot: Boot) -> None:
    box = boot({"a": {"run": SLEEPER}})
    box.up("a")
    box.ask("svc", "-t", "a")
    box.ask("svok", "/service/a")
    box.ask("envdir", "/programs", "setuidgid", "nobody", "softlimit", "-o", "100", "true")
    box.shell("echo a line | tai64n | tai64nlocal | multilog t /tmp/log")
    changed = [change["Path"] for change in box.docker.diff()]
    assert "/tmp/log/current" in changed
    assert [path for path in changed if str(path).endswith(".pyc")] == []


def test_a_read_only_root_is_enough(boot: Boot) -> None:
    box = boot({}, image="pyinit:test", read_only=True, tmpfs={"/service": "exec"})
    box.shell(
        "mkdir /service/.a; printf '#!/bin/sh\\nexec sleep 100000\\n' >/service/.a/run; chmod 755 /service/.a/run"
    )
    box.shell("mv /service/.a /service/a")
    box.up("a")
    assert box.stop() == 0
