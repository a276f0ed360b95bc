"""Act as another account: for a moment in this process, or for good in a child."""

from posix import getegid, geteuid, setegid, seteuid, setgid, setgroups, setuid

from pyinit.system.process import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


def is_account(name: bytes) -> bool:
    """Whether there is an account of this name."""
    import pwd

    try:
        pwd.getpwnam(decoded(name))
    except (KeyError, ValueError):
        return False
    return True


class User:
    """`with user:` files that are made belong to the account. After it this process is itself again.

    The effective ids only, so that going back is possible; supplementary groups stay. Raises KeyError for an unknown
    account, OSError where this process may not become it.
    """

    __slots__ = ("_gid", "_own", "_uid")

    def __init__(self, name: bytes) -> None:
        import pwd

        entry = pwd.getpwnam(decoded(name))
        self._uid, self._gid = entry.pw_uid, entry.pw_gid
        self._own = (geteuid(), getegid())

    def __enter__(self) -> None:
        setegid(self._gid)
        try:
            seteuid(self._uid)
        except OSError:
            setegid(self._own[1])
            raise

    def __exit__(self, kind: "type | None", error: "BaseException | None", trace: "TracebackType | None") -> None:
        seteuid(self._own[0])
        setegid(self._own[1])

    @property
    def ids(self) -> tuple[int, int]:
        """User and group, for chown."""
        return self._uid, self._gid

    def become(self) -> None:
        """Be the account and nothing else, for good: in a child that is to run a program."""
        seteuid(self._own[0])
        setgroups([self._gid])
        setgid(self._gid)
        setuid(self._uid)


class Oneself:
    """The same, for the account that this process has: nothing changes."""

    __slots__ = ()
    ids = (-1, -1)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: "type | None", error: "BaseException | None", trace: "TracebackType | None") -> None:
        return None

    def become(self) -> None:
        """Stay what one is."""
