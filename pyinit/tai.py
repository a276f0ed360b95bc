"""TAI64N labels: unix nanoseconds to and from the 12 packed bytes and the `@` text of daemontools. Pure.

Packed: 8 bytes big-endian, 2**62 + 10 + unix seconds; then 4 bytes big-endian, nanoseconds.
Text: `@` and the packed bytes in 24 lower-case hex digits. The 10 is fixed, as in the C programs: leap
seconds since 1972 are not counted. Source: libtai's tai64n format, daemontools 0.76 `timestamp.c`.
"""

UNIX_EPOCH = 2**62 + 10
"""The TAI64 seconds of 1970-01-01 00:00:00 UTC, as daemontools counts."""

PACKED_LENGTH = 12
TEXT_LENGTH = 25


def pack(unix_ns: int) -> bytes:
    """The 12 bytes for a time in unix nanoseconds."""
    seconds, nanoseconds = divmod(unix_ns, 1_000_000_000)
    return ((UNIX_EPOCH + seconds) << 32 | nanoseconds).to_bytes(PACKED_LENGTH, "big")


def unpack(packed: bytes) -> int:
    """Unix nanoseconds from 12 bytes; ValueError when there are not exactly 12."""
    if len(packed) != PACKED_LENGTH:
        raise ValueError(f"a TAI64N label has {PACKED_LENGTH} bytes, not {len(packed)}")
    label = int.from_bytes(packed, "big")
    return ((label >> 32) - UNIX_EPOCH) * 1_000_000_000 + (label & 0xFFFFFFFF)


def label(unix_ns: int) -> bytes:
    """The 25-byte text form, `@4000000037c219bf2ef02e94` for example."""
    seconds, nanoseconds = divmod(unix_ns, 1_000_000_000)
    return b"@%016x%08x" % (UNIX_EPOCH + seconds, nanoseconds)


def parse(text: bytes) -> int:
    """Unix nanoseconds from the 25-byte text form; ValueError for anything else."""
    if len(text) != TEXT_LENGTH or text[:1] != b"@":
        raise ValueError("a TAI64N label is @ and 24 hex digits")
    return unpack(bytes.fromhex(text[1:].decode("ascii")))
