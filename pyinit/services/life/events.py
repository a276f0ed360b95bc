"""What can happen to a service, and what can follow: the words of `state.py`. Pure.

Events are in the past tense, actions in the imperative.
"""

from pyinit.services.life.policy import AS_DAEMONTOOLS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyinit.services.life.policy import Policy


class Opened:
    """The directory was taken up, or what was wrong in it has been repaired."""

    __slots__ = ("policy",)

    def __init__(self, policy: "Policy" = AS_DAEMONTOOLS) -> None:
        self.policy = policy


class Refused:
    """The directory has bad content, and nothing good is known of it. `reason`: the file and what is wrong with it."""

    __slots__ = ("policy", "reason")

    def __init__(self, reason: bytes, policy: "Policy" = AS_DAEMONTOOLS) -> None:
        self.reason = reason
        self.policy = policy


class Commanded:
    """A control byte arrived."""

    __slots__ = ("letter",)

    def __init__(self, letter: int) -> None:
        self.letter = letter


class Started:
    """The start that was called for succeeded, with what the directory says now."""

    __slots__ = ("pid", "policy")

    def __init__(self, pid: int, policy: "Policy" = AS_DAEMONTOOLS) -> None:
        self.pid = pid
        self.policy = policy


class NotStarted:
    """The start that was called for failed."""

    __slots__ = ()


class Ready:
    """The process said, or was found, to be ready."""

    __slots__ = ()


class Replaced:
    """Another process is the service's from now on (sd_notify's MAINPID)."""

    __slots__ = ("pid",)

    def __init__(self, pid: int) -> None:
        self.pid = pid


class Extended:
    """The process asked for more time (sd_notify's EXTEND_TIMEOUT_USEC): `seconds` from now."""

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Said:
    """The process said something of itself, which is shown. Nothing else follows."""

    __slots__ = ()


class Exited:
    """The process ended. `outcome`: its exit code, or minus the number of the signal that killed it."""

    __slots__ = ("outcome",)

    def __init__(self, outcome: int) -> None:
        self.outcome = outcome


class Finished:
    """What was to be done after an end is done. `is_for_good`: `finish` said that there is to be no other start."""

    __slots__ = ("is_for_good",)

    def __init__(self, is_for_good: bool = False) -> None:
        self.is_for_good = is_for_good


class Checked:
    """The service was found to be well, or to be sick."""

    __slots__ = ("is_well",)

    def __init__(self, is_well: bool) -> None:
        self.is_well = is_well


class Waited:
    """The time of `State.wake` has come."""

    __slots__ = ()


class Allowed:
    """The services that this one waits for have come to another state. `gate`: OPEN, HELD or CLOSED."""

    __slots__ = ("gate",)

    def __init__(self, gate: int) -> None:
        self.gate = gate


class Due:
    """The clock says that a timed oneshot is to run."""

    __slots__ = ()


class Start:
    """Start run, then tell Started, NotStarted or Refused."""

    __slots__ = ()


class Signal:
    """Send a signal to the process; `to_group`: to its whole process group."""

    __slots__ = ("number", "to_group")

    def __init__(self, number: int, to_group: bool = False) -> None:
        self.number = number
        self.to_group = to_group


class Finish:
    """End what the process left behind, and run `finish`, as the policy says; then tell Finished."""

    __slots__ = ("outcome",)

    def __init__(self, outcome: int) -> None:
        self.outcome = outcome


if TYPE_CHECKING:
    Event = (
        Opened
        | Refused
        | Commanded
        | Started
        | NotStarted
        | Ready
        | Replaced
        | Extended
        | Said
        | Exited
        | Finished
        | Checked
        | Waited
        | Allowed
        | Due
    )
    Action = Start | Signal | Finish
