"""The event loop on real descriptors, signals, children and directories, each in a process of its own."""

import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from machine import ROOT, UNSHARE

PRELUDE = """
import os, posix, select, signal, sys, time
from pyinit.system.loop import Loop
from pyinit.system.spawn import block_signals
block_signals()
loop = Loop(b"test")
loop.at(time.monotonic() + 20, lambda: loop.stop(99))
def start(script):
    return os.posix_spawn("/bin/sh", ["sh", "-c", script], dict(os.environ), setsigmask=())
def is_there(pid):
    return os.path.exists(f"/proc/{pid}")
told = []
"""


def loop(program: str, directory: Path = ROOT, within: Sequence[str] = ()) -> subprocess.CompletedProcess:
    """What came of the program, which is run in the directory by the command `within`, and is to leave with 0."""
    done = subprocess.run(
        [*within, sys.executable, "-c", PRELUDE + f"os.chdir({str(directory)!r})\n" + textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done


def test_what_raises_is_reported_with_its_owner_and_the_others_go_on():
    done = loop("""
        class Service:
            name = b"web"
            def fail(self):
                raise RuntimeError("broken")
        loop.at(0, Service().fail)
        loop.at(0.001, lambda: loop.stop(0))
        sys.exit(loop.run())
    """)
    assert done.stderr.startswith("test: warning: web: internal error: RuntimeError: broken at ")


def test_a_descriptor_whose_callback_raises_does_not_spin():
    done = loop("""
        r, w = os.pipe()
        os.write(w, b"x")
        calls = []
        def fail():
            calls.append(1)
            raise ValueError
        loop.on_readable(r, fail)
        loop.at(time.monotonic() + 1.5, lambda: loop.stop(0))
        code = loop.run()
        print(len(calls))
        sys.exit(code)
    """)
    assert done.stdout == "2\n", "at once, and a second later"


def test_a_trouble_of_the_loop_itself_does_not_end_it():
    done = loop("""
        turn, failures = loop._turn, []
        def failing():
            if len(failures) < 3:
                failures.append(1)
                raise MemoryError
            turn()
        loop._turn = failing
        loop.at(0, lambda: loop.stop(0))
        sys.exit(loop.run())
    """)
    assert done.stderr.count("internal error: MemoryError") == 3


def test_signals_sent_before_the_loop_are_not_lost():
    loop("""
        loop.on_signal(signal.SIGTERM, lambda: loop.stop(0))
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        sys.exit(loop.run())
    """)


def test_every_child_is_reaped_however_few_signals_say_so():
    done = loop("""
        deaths = []
        for n in range(300):
            pid = os.posix_spawn("/bin/true", ["true"], {}, setsigmask=())
            loop.on_death(pid, lambda status: deaths.append(status) or (len(deaths) == 300 and loop.stop(0)))
        time.sleep(0.5)
        code = loop.run()
        print(len(deaths), loop.orphans)
        sys.exit(code)
    """)
    assert done.stdout == "300 0\n"


def test_a_death_is_told_of_before_it_is_reaped_and_once():
    done = loop("""
        pids = [start("exit 3"), start("sleep 0.2; kill -KILL $$"), start("sleep 0.4; kill -ABRT $$")]
        for pid in pids:
            loop.on_death(pid, lambda outcome, pid=pid: told.append((outcome, is_there(pid))))
        loop.after_turn = lambda: len(told) == 3 and loop.stop(0)
        code = loop.run()
        print(told, [is_there(pid) for pid in pids], loop.orphans)
        sys.exit(code)
    """)
    assert done.stdout == "[(3, True), (-9, True), (-6, True)] [False, False, False] 0\n"


def test_a_signal_that_tells_of_who_lives_is_not_believed():
    """As one is whose child was reaped since, and whose pid is another child's."""
    done = loop("""
        pid = start("kill -CHLD $PPID; exec sleep 1000")
        loop.on_death(pid, lambda outcome: (told.append(outcome), loop.stop(0)))
        turns = []
        loop.after_turn = lambda: (turns.append(list(told)), len(turns) == 1 and os.kill(pid, signal.SIGTERM))
        code = loop.run()
        print(turns[0], told)
        sys.exit(code)
    """)
    assert done.stdout == "[] [-15]\n"


def test_what_a_death_is_told_to_may_raise():
    done = loop("""
        class Service:
            name = b"web"
            def died(self, outcome):
                told.append(outcome)
                raise RuntimeError("broken")
        loop.on_death(start("exit 1"), Service().died)
        loop.after_turn = lambda: told and loop.stop(0)
        code = loop.run()
        print(told, loop.orphans)
        sys.exit(code)
    """)
    assert done.stdout == "[1] 0\n"
    assert done.stderr.startswith("test: warning: web: internal error: RuntimeError: broken at ")


def test_deaths_of_strangers_are_counted():
    done = loop("""
        os.posix_spawn("/bin/true", ["true"], {}, setsigmask=())
        loop.after_turn = lambda: loop.orphans and loop.stop(0)
        sys.exit(loop.run())
    """)
    assert done.stderr == ""


def test_deadlines_come_in_order_and_cancelled_ones_never():
    done = loop("""
        came = []
        now = time.monotonic()
        for name, delay in (("b", 0.02), ("a", 0.01), ("never", 0.015), ("c", 0.03)):
            deadline = loop.at(now + delay, lambda name=name: came.append(name))
            if name == "never":
                deadline.cancel()
        loop.at(now + 0.04, lambda: loop.stop(0))
        code = loop.run()
        print(*came)
        sys.exit(code)
    """)
    assert done.stdout == "a b c\n"


def test_a_watched_directory_tells_of_every_kind_of_change(tmp_path):
    done = loop(f"""
        directory = os.open({str(tmp_path)!r}, os.O_RDONLY)
        changes = []
        loop.watch(directory, lambda: changes.append(1))
        path = {str(tmp_path)!r}
        def after(delay, act):
            loop.at(time.monotonic() + delay, lambda: (os.listdir(directory), act()))
        after(0.1, lambda: os.mkdir(path + "/a"))
        after(0.2, lambda: os.symlink("a", path + "/b"))
        after(0.3, lambda: os.rename(path + "/a", path + "/c"))
        after(0.4, lambda: os.unlink(path + "/b"))
        loop.at(time.monotonic() + 0.6, lambda: loop.stop(0))
        code = loop.run()
        print(len(changes))
        sys.exit(code)
    """)
    assert int(done.stdout) >= 4


def test_a_death_after_a_command_in_the_same_turn_comes_second():
    """Descriptors are read before deaths are seen."""
    done = loop("""
        r, w = os.pipe()
        came = []
        loop.on_readable(r, lambda: (os.read(r, 9), came.append("command")))
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "echo x >&9"], {},
                             file_actions=[(os.POSIX_SPAWN_DUP2, w, 9)], setsigmask=())
        loop.on_death(pid, lambda status: (came.append("death"), loop.stop(0)))
        time.sleep(0.3)
        code = loop.run()
        print(*came)
        sys.exit(code)
    """)
    assert done.stdout == "command death\n"


def test_signals_are_fetched_while_there_is_no_descriptor_and_caught_while_there_is_one():
    """In a loop that goes from one way to the other and back, none is lost; what nobody asked for is never blocked."""
    done = loop("""
        r, w = os.pipe()
        blocked = []
        def handled():
            blocked.append(sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ()))))
            if len(blocked) == 1:
                loop.on_readable(r, lambda: None)
            elif len(blocked) == 2:
                loop.forget(r)
            elif len(blocked) == 4:
                loop.stop(0)
            os.kill(os.getpid(), signal.SIGUSR1)
        loop.on_signal(signal.SIGUSR1, handled)
        os.kill(os.getpid(), signal.SIGUSR1)
        code = loop.run()
        print(*blocked, sep="\\n")
        sys.exit(code)
    """)
    both = "[10, 17]"
    assert done.stdout.splitlines() == [both, "[]", both, both]


RINGING = """
    os.mkfifo("fifo")
    fifo = os.open("fifo", os.O_RDWR | os.O_NONBLOCK)
    came = []
    def mask():
        return sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    def read():
        came.append(os.read(fifo, 64).decode())
        if sum(map(len, came)) == 9:
            loop.stop(0)
        elif len(came) == 3:
            loop.at(time.monotonic() + 0.1, lambda: os.write(fifo, b"!"))
    os.write(fifo, b"abc")
    loop.on_ring(fifo, read)
    loop.at(time.monotonic() + 0.1, lambda: os.write(fifo, b"d"))
    loop.at(time.monotonic() + 0.2, lambda: os.posix_spawn("/bin/sh", ["sh", "-c", "printf efgh >fifo"], {}))
    loop.at(time.monotonic() + 0.3, lambda: print(mask()))
    code = loop.run()
    print(*came, mask())
    sys.exit(code)
"""

REFUSING = """
    import pyinit.system.rings as module
    def refuse(descriptor, command, argument, kernel=module.fcntl):
        if command == module.F_SETSIG:
            raise OSError(22, "Invalid argument")
        return kernel(descriptor, command, argument)
    module.fcntl = refuse
"""


def test_a_descriptor_rings_while_signals_are_fetched(tmp_path):
    """What was there before, and what comes later."""
    done = loop(RINGING, tmp_path)
    assert done.stdout == "[17]\nabc d efgh ! [17]\n"


def test_a_descriptor_that_cannot_ring_is_waited_for(tmp_path):
    done = loop(REFUSING + RINGING, tmp_path)
    assert done.stdout == "[]\nabc d efgh ! []\n"


def test_what_rings_is_watched_while_it_is_open_anywhere(tmp_path):
    """Each under a number of its own, though the lowest are free again; and no more behind `unring`."""
    done = loop(
        """
            from pyinit.system.descriptors import Descriptors, Storage
            storage = Storage()
            storage.begin()
            numbers, fifos = {}, {}
            def hear(name):
                with fifos[name] as (fifo,):
                    print(name, os.read(fifo, 64).decode())
            for name in "a", "b", "c":
                os.mkfifo(name)
                fifo = os.open(name, os.O_RDWR | os.O_NONBLOCK)
                numbers[name] = loop.on_ring(fifo, lambda name=name: hear(name))
                fifos[name] = Descriptors(fifo)
                fifos[name].store(storage)
            assert not os.path.exists(f"/proc/self/fd/{fifo}")
            loop.unring(numbers["b"])
            def write(name):
                with open(name, "w") as fifo:
                    fifo.write(name * 3)
            for delay, name in enumerate("abca", 1):
                loop.at(time.monotonic() + 0.1 * delay, lambda name=name: write(name))
            loop.at(time.monotonic() + 0.6, lambda: loop.stop(0))
            code = loop.run()
            print(len(set(numbers.values())))
            sys.exit(code)
        """,
        tmp_path,
    )
    assert done.stdout == "a aaa\nc ccc\na aaa\n3\n"


TOLD_OF_A_DEATH = """
    os.mkfifo("fifo")
    fifo = os.open("fifo", os.O_RDWR | os.O_NONBLOCK)
    def end(script, name):
        pid = start(script)
        loop.on_death(pid, lambda outcome: told.append(name))
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return pid
    def ends():
        FIRST
        last = end("echo d >fifo", "death")
        loop.at(time.monotonic() + 0.1, lambda: (print(*told, last), loop.stop(0)))
    def begin():
        loop.on_ring(fifo, lambda: told.append(os.read(fifo, 64).decode().strip()))
        loop.at(time.monotonic() + 0.1, ends)
    loop.at(0, begin)
    sys.exit(loop.run())
"""


def test_what_rang_before_a_death_is_read_before_that_is_told(tmp_path):
    """Also if there is no ring to be fetched, since another's death had been told of and was not fetched yet."""
    done = loop(TOLD_OF_A_DEATH.replace("FIRST", "end('exit', 'first')"), tmp_path)
    assert done.stdout.startswith("first d death ")


def test_a_ring_is_no_death_of_a_process_that_has_its_number(tmp_path):
    """Where the siginfo of a death has the pid that of a ring has POLLIN | POLLRDNORM, which is 65."""
    take_65 = "open('/proc/sys/kernel/ns_last_pid', 'w').write('64')"
    done = loop(TOLD_OF_A_DEATH.replace("FIRST", take_65), tmp_path, UNSHARE)
    assert done.stdout == "d death 65\n"


def test_numbers_of_what_rings_no_more_are_given_again(tmp_path):
    """Up to the limit of descriptors; then from the lowest on, but none that another still has."""
    done = loop(
        """
            import resource
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
            os.mkfifo("fifo")
            def ring():
                fifo = os.open("fifo", os.O_RDWR | os.O_NONBLOCK)
                number = loop.on_ring(fifo, lambda: None)
                os.close(fifo)
                return number
            kept = [ring() for count in range(20)]
            for count in range(200):
                number = ring()
                assert number not in kept and number < 64
                loop.unring(number)
            print(len(set(kept)))
        """,
        tmp_path,
    )
    assert done.stdout == "20\n"


def test_who_raised_when_something_rang_is_called_again(tmp_path):
    """It may have left something to be read, which does not ring again."""
    done = loop(
        """
            os.mkfifo("fifo")
            fifo = os.open("fifo", os.O_RDWR | os.O_NONBLOCK)
            calls = []
            def read():
                calls.append(time.monotonic())
                if len(calls) == 1:
                    raise ValueError("first")
                print(os.read(fifo, 64), round(calls[1] - calls[0]))
                loop.stop(0)
            loop.on_ring(fifo, read)
            os.write(fifo, b"left")
            sys.exit(loop.run())
        """,
        tmp_path,
    )
    assert done.stdout == "b'left' 1\n"


def test_a_start_gets_its_head_start_once_a_turn_and_once_before_the_loop_runs():
    done = loop("""
        def wait(count):
            began = time.monotonic()
            for n in range(count):
                loop.give_way()
            return 0.001 <= time.monotonic() - began < 0.01 * count
        waits = [wait(1), wait(1)]
        loop.at(0, lambda: waits.append(wait(1)))
        loop.at(time.monotonic() + 0.1, lambda: (waits.append(wait(500)), waits.append(wait(1)), loop.stop(0)))
        code = loop.run()
        print(*waits)
        sys.exit(code)
    """)
    assert done.stdout == "True False True True False\n"


def test_a_signal_asked_for_late_is_fetched_too():
    loop("""
        def first():
            loop.on_signal(signal.SIGUSR2, lambda: loop.stop(0))
            os.kill(os.getpid(), signal.SIGUSR2)
        loop.on_signal(signal.SIGUSR1, first)
        os.kill(os.getpid(), signal.SIGUSR1)
        sys.exit(loop.run())
    """)


def test_what_nobody_handles_kills_as_ever():
    done = loop("""
        import posix
        pid = os.fork()
        if pid == 0:
            loop.at(0.1, lambda: os.kill(os.getpid(), signal.SIGUSR1))
            os._exit(loop.run())
        status = os.waitpid(pid, 0)[1]
        sys.exit(0 if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGUSR1 else 1)
    """)
    assert done.stdout == ""


def test_a_crowd_of_orphans_does_not_keep_other_things_waiting():
    """They are reaped in rounds, with a breath between two: a deadline comes in time all the while."""
    done = loop("""
        for n in range(400):
            os.posix_spawn("/bin/sh", ["sh", "-c", f"sleep 0.{n % 5 + 1}"], {}, setsigmask=())
        late = []
        def tick(due):
            late.append(time.monotonic() - due)
            if loop.orphans == 400:
                loop.stop(0)
            loop.at(due + 0.01, lambda: tick(due + 0.01))
        began = time.monotonic()
        loop.at(began, lambda: tick(began))
        code = loop.run()
        print(loop.orphans, max(late) < 1)
        sys.exit(code)
    """)
    assert done.stdout == "400 True\n"


def test_what_was_there_before_it_rang_is_read_without_another_signal(tmp_path):
    """Watched from within a turn: nothing else happens before the deadline, by which it is read."""
    done = loop(
        """
            def begin():
                os.mkfifo("fifo")
                fifo = os.open("fifo", os.O_RDWR | os.O_NONBLOCK)
                os.write(fifo, b"before")
                began = time.monotonic()
                loop.on_ring(fifo, lambda: print(os.read(fifo, 64), time.monotonic() - began < 0.5))
                loop.at(began + 1, lambda: loop.stop(0))
            loop.at(time.monotonic() + 0.1, begin)
            sys.exit(loop.run())
        """,
        tmp_path,
    )
    assert done.stdout == "b'before' True\n"
