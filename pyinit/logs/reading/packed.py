"""Old files that a processor of multilog compressed, as their first bytes tell."""

import posix

from pyinit.system.optional import imported
from pyinit.system.piped import PipedProgram

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

LONGEST_MAGIC = 6


class CannotUnpack(Exception):
    """Why a file cannot be unpacked; the message goes behind `unable to read FILE: `."""

    def __init__(self, message: bytes) -> None:
        super().__init__(message)
        self.message = message


def format_of(beginning: bytes) -> bytes:
    """`gzip`, `bzip2`, `xz` or `zstd` by a file's first bytes; nothing for a plain file."""
    if beginning.startswith(b"\x1f\x8b"):
        return b"gzip"
    if beginning.startswith(b"BZh"):
        return b"bzip2"
    if beginning.startswith(b"\xfd7zXZ\0"):
        return b"xz"
    return b"zstd" if beginning.startswith(b"\x28\xb5\x2f\xfd") else b""


def unpacked(file: "BinaryIO", packing: bytes) -> "Unpacked | UnpackingProgram":
    """A stream of the unpacked bytes, to be read by `read(size)` and closed. Raises CannotUnpack."""
    if packing == b"gzip":
        from gzip import GzipFile
        from zlib import error

        return Unpacked(GzipFile(fileobj=file, mode="rb"), error)
    if packing == b"bzip2":
        from bz2 import BZ2File

        return Unpacked(BZ2File(file), ValueError)
    if packing == b"xz":
        from lzma import LZMAError, LZMAFile

        return Unpacked(LZMAFile(file), LZMAError)
    return _zstandard(file)


class Unpacked:
    """A stream of the bytes that were packed."""

    __slots__ = ("_failure", "_stream")

    def __init__(self, stream: "Any", failure: type[Exception]) -> None:
        self._stream = stream
        self._failure = failure

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at the end. Raises CannotUnpack, and OSError with an errno."""
        try:
            data: bytes = self._stream.read(size)
        except OSError as error:
            if error.errno:
                raise
            raise CannotUnpack(b"bad format") from None
        except (EOFError, self._failure):  # cut off, or of another format
            raise CannotUnpack(b"bad format") from None
        return data

    def close(self) -> None:
        """Nothing is left to do: who opened the file closes it."""


def _zstandard(file: "BinaryIO") -> "Unpacked | UnpackingProgram":
    """Python's own module since 3.14, else `zstandard` if it can be imported, else the program zstd."""
    if module := imported("compression.zstd"):
        return Unpacked(module.ZstdFile(file), module.ZstdError)
    if module := imported("zstandard"):
        stream = module.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return Unpacked(stream, module.ZstdError)
    try:
        return UnpackingProgram([b"zstd", b"-dcq"], file.fileno())
    except OSError:
        raise CannotUnpack(b"zstd needs Python 3.14, the package zstandard, or the program zstd") from None


class UnpackingProgram:
    """The bytes that a program makes of a file. Raises OSError where it cannot be run."""

    __slots__ = ("_piped",)

    def __init__(self, argv: list[bytes], file_fd: int) -> None:
        quiet_fd = posix.open("/dev/null", posix.O_WRONLY | posix.O_CLOEXEC)
        try:
            self._piped = PipedProgram(argv, 1, [(file_fd, 0), (quiet_fd, 2)])
        finally:
            posix.close(quiet_fd)

    def read(self, size: int) -> bytes:
        """The next bytes, at most so many; none at the end. Raises CannotUnpack where the program failed."""
        data = self._piped.read(size)
        if not data and self._piped.end():
            raise CannotUnpack(b"bad format")
        return data

    def close(self) -> None:
        """End the program, wherever it is."""
        self._piped.end()
