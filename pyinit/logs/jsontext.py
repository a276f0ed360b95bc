"""Any bytes as a string of JSON. Pure.

Bytes that are no UTF-8 cannot be in one. So the whole text is then escaped: its backslashes are doubled, and each odd
byte becomes `\\xHH`. Who writes such a string says `"escaped": true` beside it.
"""

SAFE = bytes(byte for byte in range(32, 127) if byte not in b'"\\')
"""Bytes that mean themselves in a JSON string."""

ESCAPES = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
"""Control characters that JSON allows in a string."""


def json_string(text: bytes) -> tuple[bytes, bool]:
    """The string, quotes included, and whether the text had to be escaped because it is no UTF-8."""
    if not text.translate(None, SAFE):
        return b'"%b"' % text, False
    from json import dumps

    try:
        return dumps(text.decode(), ensure_ascii=False).translate(ESCAPES).encode(), False
    except UnicodeDecodeError:
        return dumps(text.replace(b"\\", b"\\\\").decode(errors="backslashreplace")).encode(), True
