"""Command lines as GNU's getopt(3) reads them, one option at a time, with its messages. Pure.

One at a time, because the programs that use it act on each option before they look at the next.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NO_LONG: "Mapping[bytes, bytes]" = {}


class GnuOptions:
    """Iterates over (letter, value); `operands` is what is left at the end. Raises ValueError with the message.

    `flags` and `valued`: the letters without and with a value. `long`: letters by their long names, which may be
    shortened. With `is_permuting` options may also follow operands, up to `--`.
    """

    def __init__(
        self,
        argv: list[bytes],
        flags: bytes,
        valued: bytes,
        long: "Mapping[bytes, bytes]" = NO_LONG,
        is_permuting: bool = False,
    ) -> None:
        self._prog, self._words = argv[0], argv[1:]
        self._flags, self._valued, self._long = flags, valued, long
        self._is_permuting = is_permuting
        self.operands: list[bytes] = []

    def __iter__(self) -> "Iterator[tuple[bytes, bytes]]":
        words = self._words
        while words:
            word = words[0]
            if word[:1] != b"-" or word == b"-":
                if not self._is_permuting:
                    break
                self.operands.append(words.pop(0))
                continue
            words.pop(0)
            if word == b"--":
                break
            if self._long and word[:2] == b"--":
                yield self._read_long(word)
            else:
                yield from self._read_letters(word)
        self.operands += words

    def _read_letters(self, word: bytes) -> "Iterator[tuple[bytes, bytes]]":
        for index in range(1, len(word)):
            letter = word[index : index + 1]
            if letter in self._valued:
                value = word[index + 1 :]
                if not value and not self._words:
                    raise self._error(b"option requires an argument -- '%b'" % letter)
                yield letter, value or self._words.pop(0)
                return
            if letter not in self._flags:
                raise self._error(b"invalid option -- '%b'" % letter)
            yield letter, b""

    def _read_long(self, word: bytes) -> tuple[bytes, bytes]:
        name, is_set, value = word[2:].partition(b"=")
        names = [name] if name in self._long else [known for known in self._long if known.startswith(name)]
        if not names:
            raise self._error(b"unrecognized option '--%b'" % word[2:])
        if len(names) > 1:
            choices = b"".join(b" '--%b'" % known for known in names)
            raise self._error(b"option '--%b' is ambiguous; possibilities:%b" % (word[2:], choices))
        letter = self._long[names[0]]
        if letter not in self._valued:
            if is_set:
                raise self._error(b"option '--%b' doesn't allow an argument" % names[0])
            return letter, b""
        if not is_set:
            if not self._words:
                raise self._error(b"option '--%b' requires an argument" % names[0])
            value = self._words.pop(0)
        return letter, value

    def _error(self, text: bytes) -> ValueError:
        return ValueError((b"%b: %b" % (self._prog, text)).decode(errors="surrogateescape"))
