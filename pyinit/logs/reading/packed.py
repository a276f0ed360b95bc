"""Old files that a processor of multilog compressed, as their first bytes tell."""

from pyinit.system.optional import imported

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


def unpacked(file: "BinaryIO", packing: bytes) -> "Any":
    """A stream of the unpacked bytes, to be read by `read(size)`. Raises CannotUnpack."""
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


def _zstandard(file: "BinaryIO") -> Unpacked:
    """Python's own module since 3.14, else `zstandard`, also where site has it when we are isolated from that."""
    if module := imported("compression.zstd"):
        return Unpacked(module.ZstdFile(file), module.ZstdError)
    if module := imported("zstandard"):
        stream = module.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return Unpacked(stream, module.ZstdError)
    raise CannotUnpack(b"zstd needs Python 3.14 or the package zstandard")
