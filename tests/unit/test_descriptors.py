"""Descriptors at hand and in flight: what is put away is the same file, open and locked, until it is closed."""

import errno
import fcntl
import os
import resource
from collections.abc import Iterator

import pytest
from descriptors import open_in
from hypothesis import given
from hypothesis import strategies as st

from pyinit.system import descriptors as module
from pyinit.system import shelf as shelves
from pyinit.system.descriptors import Descriptors, Storage, Streams


@pytest.fixture
def storage() -> Iterator[Storage]:
    """One that takes what it is given, and is closed with all that is left in it."""
    storage = Storage()
    storage.begin()
    yield storage
    for shelf in storage._shelves:
        shelf.close()


def pipe() -> tuple[Descriptors, Descriptors]:
    reader, writer = os.pipe()
    return Descriptors(reader), Descriptors(writer)


def is_at_end(reader: Descriptors) -> bool:
    with reader as (descriptor,):
        os.set_blocking(descriptor, False)
        try:
            return os.read(descriptor, 1) == b""
        except BlockingIOError:
            return False


def test_what_is_put_away_takes_no_descriptor_and_is_the_same(storage):
    pipes = [pipe() for _ in range(30)]
    at_hand = open_in()
    for number, ends in enumerate(pipes):
        with ends[1] as (writer,):
            os.write(writer, b"%d" % number)
        for end in ends:
            end.store(storage)
    assert open_in() == at_hand - 60 + 2, "what is open is the shelf"
    for number, (reader, _) in reversed(list(enumerate(pipes))):
        with reader as (descriptor,):
            assert not os.get_inheritable(descriptor)
            assert os.read(descriptor, 9) == b"%d" % number
    assert open_in() == at_hand - 60 + 2


def test_several_keep_their_order(storage, tmp_path):
    paths = [tmp_path / name for name in "abcd"]
    kept = Descriptors(*(os.open(path, os.O_CREAT | os.O_RDWR) for path in paths))
    kept.store(storage)
    with kept as opened:
        assert [os.fstat(descriptor).st_ino for descriptor in opened] == [path.stat().st_ino for path in paths]
    kept.close()
    assert not kept


def test_a_lock_is_held_until_it_is_closed(storage, tmp_path):
    lock = Descriptors(os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR))
    with lock as (descriptor,):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    lock.store(storage)
    again = os.open(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(BlockingIOError):
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lock:
        pass
    with pytest.raises(BlockingIOError):
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.close()
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)


@given(
    steps=st.lists(st.tuples(st.sampled_from(["store", "look", "take out", "close"]), st.integers(0, 7)), max_size=60),
    full=st.integers(1, 5),
)
def test_whatever_is_done_each_has_its_own_and_what_is_closed_is_closed(steps, full):
    """Each is the write end of a pipe: one that is open nowhere any more shows at the other end."""
    storage = Storage()
    storage.begin()
    shelves.FULL, before = full, shelves.FULL
    pipes = [pipe() for _ in range(8)]
    closed = set()
    try:
        for what, number in steps:
            _, writer = pipes[number]
            if what == "store":
                writer.store(storage)
            elif what == "take out":
                writer.take_out()
            elif what == "close":
                writer.close()
                closed.add(number)
            elif writer:
                with writer as (descriptor,):
                    os.write(descriptor, b"%d" % number)
                with pipes[number][0] as (reader,):
                    assert os.read(reader, 9) == b"%d" % number
            assert {number for number, ends in enumerate(pipes) if is_at_end(ends[0])} == closed
            assert closed == {number for number, ends in enumerate(pipes) if not ends[1]}
    finally:
        shelves.FULL = before
        for ends in pipes:
            for end in ends:
                end.close()
        assert not any(shelf._owners for shelf in storage._shelves)
        for shelf in storage._shelves:
            shelf.close()


def test_shelves_with_room_are_used_again(storage, monkeypatch):
    monkeypatch.setattr(shelves, "FULL", 2)
    kept = [end for _ in range(4) for end in pipe()]
    for each in kept:
        each.store(storage)
    assert len(storage._shelves) == 4
    kept[0].take_out()
    kept[5].take_out()
    for each in (kept[5], kept[0]):
        each.store(storage)
    assert len(storage._shelves) == 4
    for each in kept:
        each.close()


def test_before_the_storage_has_begun_everything_stays_at_hand():
    storage = Storage()
    reader, writer = pipe()
    before = open_in()
    reader.store(storage)
    assert open_in() == before
    reader.close()
    writer.close()


@pytest.mark.parametrize("trouble", ["no sockets", "no offsets", "another file"])
def test_where_nothing_can_be_put_in_flight_everything_stays_at_hand(monkeypatch, trouble):
    def refuse(*_):
        raise OSError(errno.ENOPROTOOPT, "")

    match trouble:
        case "no sockets":
            monkeypatch.setattr(shelves, "socketpair", refuse)
        case "no offsets":
            monkeypatch.setattr(shelves, "SO_PEEK_OFF", 9999)
        case _:
            look = shelves._look
            monkeypatch.setattr(shelves, "_look", lambda outlet, index: look(outlet, 0))
    before = open_in()
    storage = Storage()
    storage.begin()
    reader, writer = pipe()
    reader.store(storage)
    assert open_in() == before + 2
    reader.close()
    writer.close()


def test_what_does_not_fit_stays_at_hand(storage, monkeypatch):
    def too_many(self, owner, descriptors):
        raise OSError(errno.ETOOMANYREFS, "")

    reader, writer = pipe()
    monkeypatch.setattr(shelves.Shelf, "put", too_many)
    reader.store(storage)
    with reader as (descriptor,):
        os.fstat(descriptor)
    monkeypatch.undo()
    reader.close()
    writer.close()


def test_a_socket_that_takes_no_more_is_a_full_shelf(storage, monkeypatch):
    monkeypatch.setattr(shelves, "FULL", 10**6)
    kept = [end for _ in range(300) for end in pipe()]
    for each in kept:
        each.store(storage)
    assert len(storage._shelves) > 1
    assert all(each._shelf for each in kept)
    for each in kept:
        each.close()


def test_without_room_for_it_nothing_of_a_message_is_lost(storage):
    reader, writer = pipe()
    both = Descriptors(*(os.dup(each) for end in (reader, writer) for each in end.__enter__()))
    both.store(storage)
    others = pipe()
    others[0].store(storage)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, limits[1]))
    before = open_in()
    try:
        for act in (both.__enter__, both.take_out, others[0].close):
            with pytest.raises(OSError, match="24"):
                act()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert open_in() == before
    with both as (first, second):
        os.write(second, b"x")
        assert os.read(first, 1) == b"x"
    for each in (reader, writer, both, *others):
        each.close()


def test_streams_are_ends_of_a_pipe_and_others():
    reader, writer = pipe()
    with writer as (end,), Streams(writer, (1, 2), [(7, 0)]) as streams:
        assert streams == [(os.POSIX_SPAWN_DUP2, 7, 0), (os.POSIX_SPAWN_DUP2, end, 1), (os.POSIX_SPAWN_DUP2, end, 2)]
    with Streams(Descriptors(), ()) as streams:
        assert streams == []
    reader.close()
    writer.close()


@pytest.mark.parametrize("number", [module.FIONREAD, 0x4004667F])
def test_what_can_be_read_now(tmp_path, monkeypatch, number):
    monkeypatch.setattr(module, "FIONREAD", number)
    os.mkfifo(tmp_path / "fifo")
    fifo = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    assert module.read_now(fifo, 3) == b""
    os.write(fifo, b"abcd")
    assert [module.read_now(fifo, 3) for _ in range(3)] == [b"abc", b"d", b""]
    os.close(fifo)
