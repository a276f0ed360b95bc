"""The first statuses of services that begin together: one file for those that are alike, under each one's name."""

import os
import posix
from pathlib import Path

import pytest
from descriptors import open_in

from pyinit.services.host import FirstStatuses
from pyinit.system import files

ALIKE = b"u" * 18


@pytest.fixture
def services(tmp_path) -> list[int]:
    """Descriptors of four service directories."""
    found = []
    for number in range(4):
        (tmp_path / f"{number}/supervise").mkdir(parents=True)
        found.append(os.open(tmp_path / str(number), os.O_PATH))
    yield found
    for descriptor in found:
        os.close(descriptor)


@pytest.fixture
def statuses(tmp_path) -> list[Path]:
    return [tmp_path / f"{number}/supervise/status" for number in range(4)]


def test_those_alike_are_one_file_and_others_are_not(services, statuses):
    before = open_in()
    first = FirstStatuses()
    for service, content in zip(services, (ALIKE, b"d" * 18, ALIKE, ALIKE), strict=True):
        first.make(content, service)
    first.close()
    first.close()
    assert open_in() == before
    assert [status.read_bytes() for status in statuses] == [ALIKE, b"d" * 18, ALIKE, ALIKE]
    inodes = [status.stat().st_ino for status in statuses]
    assert inodes[0] == inodes[2] == inodes[3] != inodes[1]
    assert statuses[3].stat().st_mode & 0o7777 == 0o644


def test_what_became_of_the_name_it_was_made_under_does_not_matter(services, statuses):
    """Its owner may have put something else there, or taken it away: then there is nothing to give another name."""
    first = FirstStatuses()
    first.make(ALIKE, services[0])
    statuses[0].rename(statuses[0].with_name("other"))
    statuses[0].write_bytes(b"mine")
    first.make(ALIKE, services[1])
    statuses[0].with_name("other").unlink()
    statuses[1].unlink()
    first.make(ALIKE, services[2])
    first.make(ALIKE, services[3])
    first.close()
    assert [status.read_bytes() for status in statuses[2:]] == [ALIKE, ALIKE]
    assert statuses[2].stat().st_ino == statuses[3].stat().st_ino
    assert statuses[0].read_bytes() == b"mine"


def test_one_that_is_there_stays(services, statuses):
    first = FirstStatuses()
    first.make(ALIKE, services[0])
    statuses[1].write_bytes(b"older")
    with pytest.raises(FileExistsError):
        first.make(ALIKE, services[1])
    first.make(ALIKE, services[2])
    first.close()
    assert [status.read_bytes() for status in statuses[:3]] == [ALIKE, b"older", ALIKE]


@pytest.mark.parametrize(("module", "name"), [(posix, "link"), (files, "open_directory")])
def test_without_links_or_proc_each_is_a_file(services, statuses, monkeypatch, module, name):
    def refuse(*arguments: object, **named: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = open_in()
    monkeypatch.setattr(module, name, refuse)
    first = FirstStatuses()
    for service in services:
        first.make(ALIKE, service)
    assert open_in() <= before + 2
    first.close()
    assert open_in() == before
    assert {status.read_bytes() for status in statuses} == {ALIKE}
    assert len({status.stat().st_ino for status in statuses}) == 4
