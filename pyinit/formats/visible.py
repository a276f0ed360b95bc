"""Control characters made visible, so that no log line drives a terminal or poses as a line of another service. Pure.

Shown as `\\r`, `\\x1b` and the like: characters below U+0020 but tab and newline, DEL, and U+0080 to U+009F. So are
bytes of that range that are no UTF-8. A backslash stays one, so that paths and quoted text read as they were written.
"""

NAMED = {7: "\\a", 8: "\\b", 11: "\\v", 12: "\\f", 13: "\\r"}
CONTROLS = frozenset((*range(9), *range(11, 32), 127))
"""The ASCII control characters but tab and newline."""

_USUAL_FIRST = (13, 27, *sorted(CONTROLS - {13, 27}))
_SHOWN = {code: NAMED.get(code, f"\\x{code:02x}") for code in (*CONTROLS, *range(0x80, 0xA0))}
_SHOWN.update((0xDC00 + code, f"\\x{code:02x}") for code in range(0x80, 0xA0))


def visible(text: bytes) -> bytes:
    """The text with its control characters shown; tabs and newlines stay. Doing it twice changes nothing more."""
    for control in _USUAL_FIRST:  # a search for each is twice as fast as one pass that looks for all
        if control in text:
            break
    else:
        if text.isascii() or (b"\xc2" not in text and is_utf8(text)):
            return text
    return text.decode(errors="surrogateescape").translate(_SHOWN).encode(errors="surrogateescape")


def visible_name(name: bytes) -> bytes:
    """A name for a message or a prefix: visible, and on one line."""
    return visible(name).replace(b"\n", b"\\n").replace(b"\t", b"\\t")


def is_utf8(text: bytes) -> bool:
    """Whether the text is UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def quote(name: bytes) -> bytes:
    """A name as one field of a table in UTF-8, with a backslash in front of each odd byte. `unquote` is its mirror."""
    name = name.replace(b"\\", b"\\\\")
    if visible_name(name) == name and is_utf8(name):
        return name
    return b"".join(bytes((byte,)) if 32 <= byte < 127 else b"\\x%02x" % byte for byte in name)


def unquote(field: bytes) -> bytes:
    """The name that `quote` made the field from. Raises ValueError for what it never makes."""
    return field.decode("unicode_escape").encode("latin-1") if b"\\" in field else field


def complete(text: bytes) -> int:
    """How many bytes of the text end with a whole character: a character that is cut off at its end waits for more."""
    for back, byte in enumerate(reversed(text[-3:]), 1):
        if byte & 0xC0 != 0x80:
            needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
            return len(text) - back if needed > back else len(text)
    return len(text)
