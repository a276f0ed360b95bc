"""Tables of services as the text of a services.toml. Pure. tomllib reads it back to the same tables."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
SHORT = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def toml_text(tables: "Mapping[str, Mapping[str, object]]") -> str:
    """A document of tables: strings, numbers, booleans, lists of strings and of numbers, and tables of these."""
    return "\n".join(_table((name,), table) for name, table in tables.items())


def _table(path: tuple[str, ...], table: "Mapping[str, object]") -> str:
    inner = {name: value for name, value in table.items() if isinstance(value, dict)}
    pairs = {name: value for name, value in table.items() if name not in inner}
    text = f"[{'.'.join(map(_key, path))}]\n"
    text += "".join(f"{_key(name)} = {_value(value)}\n" for name, value in pairs.items())
    return text + "".join("\n" + _table((*path, name), value) for name, value in inner.items())


def _key(name: str) -> str:
    return name if name and BARE.issuperset(name) else _string(name)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case list():
            return "[" + ", ".join(map(_value, value)) + "]"
    text = str(value)
    if "\n" not in text:
        return _string(text)
    return '"""\n' + "".join(_long(text, place) for place in range(len(text))) + '"""'


def _string(text: str) -> str:
    return '"' + "".join('\\"' if character == '"' else _escaped(character) for character in text) + '"'


def _long(text: str, place: int) -> str:
    """One character of a string of many lines. Of quotes that would end it one is escaped."""
    character = text[place]
    if character == '"' and (text[place - 2 : place] == '""' or place == len(text) - 1):
        return '\\"'
    return character if character in "\n\t" else _escaped(character)


def _escaped(character: str) -> str:
    if character in SHORT:
        return SHORT[character]
    return f"\\u{ord(character):04x}" if ord(character) < 32 or ord(character) == 127 else character
