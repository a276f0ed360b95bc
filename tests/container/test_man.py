"""The image brings the manual."""

from container.box import Boot

from pyinit.__main__ import commands


def test_every_command_has_a_man_page(boot: Boot, image: str) -> None:
    box = boot({}, image=image)
    assert box.ask("ls", "/usr/share/man/man8").split() == sorted(f"{name}.8.gz" for name in commands())
    text = box.ask("zcat", "/usr/share/man/man8/svc.8.gz")
    assert '.TH "svc" "8"' in text
    assert "svc - tell running services what to do" in text


def test_what_made_them_is_not_in_it(boot: Boot, image: str) -> None:
    box = boot({}, image=image)
    assert box.run("sh", "-c", "command -v lowdown") == (127, "")
    assert box.run("test", "-e", "/build")[0] == 1
