"""A random run of faults on a fixed seed: whatever is done to it, PID 1 lives, spins not, and its services come back.

PYINIT_SOAK_SECONDS makes it longer (make soak), PYINIT_SEED another one.
"""

import os
import random
import shutil
import time

import pytest
from machine import PROGRAMS, Machine, MakeMachine, command
from waiting import until

SECONDS = float(os.environ.get("PYINIT_SOAK_SECONDS", "12"))
SEED = int(os.environ.get("PYINIT_SEED", "20261"))

LASTING = ("counter", "owner", "steady")


class Chaos:
    """Faults, each a method named for what it does. A service told to exit is not there for a while: svc may warn."""

    def __init__(self, machine: Machine, seed: int) -> None:
        self.machine = machine
        self.random = random.Random(seed)
        self.count = 0
        self.faults = [getattr(self, name) for name in sorted(vars(Chaos)) if name[:1] != "_"]

    def _processes(self) -> list[tuple[int, str]]:
        lines = self.machine.inside("ps", "-e", "-o", "pid=,args=").splitlines()
        return [(int(pid), args) for pid, _, args in (line.strip().partition(" ") for line in lines)]

    def _inside(self, *words: object) -> None:
        self.machine.inside(*words, check=False)

    def _svc(self, letters: str, name: str) -> None:
        assert command("svc", f"-{letters}", self.machine.services / name).returncode == 0

    def _names(self) -> list[str]:
        return sorted(path.name for path in self.machine.services.iterdir())

    def kill_something(self) -> None:
        pids = [pid for pid, args in self._processes() if pid != 1 and not args.startswith("ps ")]
        if pids:
            self._inside("kill", "-9", self.random.choice(pids))

    def send_a_letter(self) -> None:
        name = self.random.choice(LASTING)
        self._svc(self.random.choice("utoahickp") + "cu", name)

    def stop_and_continue_something(self) -> None:
        pid = self.random.choice([pid for pid, _ in self._processes()][1:] or [1])
        self._inside("kill", "-STOP", pid)
        self._inside("kill", "-CONT", pid)

    def flood_a_control(self) -> None:
        control = self.machine.services / self.random.choice(LASTING) / "supervise/control"
        try:
            descriptor = os.open(control, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return
        try:
            os.write(descriptor, self.random.randbytes(4096).translate(None, b"dxopk"))
            os.write(descriptor, b"cu")
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)

    def add_a_service(self) -> None:
        self.count += 1
        script = self.random.choice(["exec sleep 1000", "exit 1", "kill -9 $$", "(sleep 0.2 &) ; exec sleep 0.3"])
        self.machine.add(f"extra{self.count}", script)

    def add_a_broken_one(self) -> None:
        self.count += 1
        path = self.machine.services / f"broken{self.count}"
        path.mkdir()
        if self.random.random() < 0.5:
            (path / "run").symlink_to("run")
        else:
            (path / "run").mkdir()

    def remove_a_service(self) -> None:
        extra = [name for name in self._names() if name.startswith(("extra", "broken"))]
        if extra:
            shutil.rmtree(self.machine.services / self.random.choice(extra), ignore_errors=True)

    def replace_a_service_by_a_file(self) -> None:
        extra = [name for name in self._names() if name.startswith("extra")]
        if extra:
            name = self.random.choice(extra)
            (self.machine.services / name).rename(self.machine.top / f"gone{self.count}{self.random.random()}")
            (self.machine.services / name).write_text("a file")

    def tell_one_to_exit(self) -> None:
        self._svc("x", self.random.choice(LASTING))

    def take_run_away_for_a_moment(self) -> None:
        run = self.machine.services / "steady/run"
        run.chmod(0o644)
        self._inside("pkill", "-9", "-f", "steady")
        time.sleep(0.1)
        run.chmod(0o755)

    def scan_now(self) -> None:
        self.machine.signal(1)

    def make_orphans(self) -> None:
        self._inside("sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.1 &) ; done")


def ticks(machine: Machine) -> int:
    """Processor time of PID 1, in hundredths of a second."""
    fields = machine.proc("stat").rpartition(b")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize("crowd", [0, 128])
def test_random_faults(make_machine: MakeMachine, crowd: int) -> None:
    """`crowd`: services that are down, so many that what belongs to the others is in flight."""
    machine: Machine = make_machine(PYINIT_LOG="both", PYINIT_STOP_TIMEOUT="4")
    machine.env["PYINIT_LOG_DIR"] = str(machine.top / "logs")
    machine.add("counter", f"exec {PROGRAMS}/counter")
    machine.add("steady", f"exec {PROGRAMS}/steady")
    machine.add("owner", f"exec {PROGRAMS}/steady", log__run="exec multilog t ./main")
    for number in range(crowd):
        machine.add(f"idle{number}", down="")
    machine.boot()
    for name in LASTING:
        machine.until_up(name)
    chaos = Chaos(machine, SEED)
    end = time.monotonic() + SECONDS
    done = []
    while time.monotonic() < end:
        fault = chaos.random.choice(chaos.faults)
        done.append(fault.__name__)
        fault()
        assert machine.process
        assert machine.process.poll() is None, f"PID 1 died of {done[-5:]} (seed {SEED}):\n{machine.stderr()[-2000:]}"
        time.sleep(chaos.random.random() * 0.1)
    assert "internal error" not in machine.stderr(), machine.stderr()[-3000:]
    for name in LASTING:
        pid = until(lambda: machine.svstat(name).startswith("up") and machine.pid_of(name), name, 15)
        assert pid, done
    for name in chaos._names():
        if name.startswith(("extra", "broken")) and (machine.services / name).is_dir():
            chaos._svc("dx", name)
            shutil.rmtree(machine.services / name, ignore_errors=True)
    until(lambda: "Z" not in machine.inside("ps", "-e", "-o", "state="), "no zombie")
    before = ticks(machine)
    time.sleep(2)
    assert ticks(machine) - before <= 20, "it spins"
    assert machine.stop(seconds=10) == 0
    numbers = [int(line[11:]) for line in machine.stdout().splitlines() if line.startswith("counter: n ")]
    assert numbers == sorted(set(numbers)), "in order, nothing twice"
    assert len(numbers) > 50
