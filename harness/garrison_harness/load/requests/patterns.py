"""Makes text that a simple regular expression matches."""

from __future__ import annotations

import string
from typing import Final

_DIGITS: Final = string.digits
_WORD: Final = string.ascii_lowercase + string.digits
_CLASSES: Final = {"d": _DIGITS, "w": _WORD, "s": " ", "D": "abc", "W": "-.", "S": _WORD}
_CONTROLS: Final = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_MOST_TIMES: Final = 64
_PRINTABLE: Final = "".join(map(chr, range(33, 127)))


class NotSimpleError(Exception):
    """The pattern has something in it that is not made here, such as a look-ahead."""


def text_for(pattern: str, turn: int, more: int = 0) -> str:
    """A text that the pattern matches whole.

    Args:
        pattern: In the dialect of ECMAScript; groups, choices, classes and counts are understood.
        turn: Different ones give different texts, where the pattern leaves room.
        more: How many more times than it must a part is repeated, where it may be.

    Raises:
        NotSimpleError: It is not as simple as that.
    """
    maker = _Maker(pattern, turn, more)
    text = maker.choice()
    if maker.at < len(pattern):
        raise NotSimpleError(pattern)
    return text


class _Maker:
    """Reads a pattern from left to right, and writes what it matches."""

    def __init__(self, pattern: str, turn: int, more: int) -> None:
        self._pattern = pattern
        self._turn = turn
        self._more = more
        self.at = 0

    def choice(self) -> str:
        """One of what stands between bars."""
        options = [self._sequence()]
        while self._take("|"):
            options.append(self._sequence())
        return options[self._turn % len(options)]

    def _sequence(self) -> str:
        made: list[str] = []
        while self.at < len(self._pattern) and self._pattern[self.at] not in "|)":
            if self._take("^") or self._take("$"):
                continue
            made.append(self._repeated())
        return "".join(made)

    def _repeated(self) -> str:
        start = self.at
        part = self._atom()
        end = self.at
        least, most = self._times()
        times = min(least + self._more, most)
        if times > _MOST_TIMES and least > _MOST_TIMES:
            raise NotSimpleError(self._pattern)
        # Each repetition is made anew, so that its letters differ.
        after, turn, parts = self.at, self._turn, [part]
        for number in range(1, times):
            self.at, self._turn = start, turn + 3 * number
            parts.append(self._atom())
            if self.at != end:
                raise NotSimpleError(self._pattern)
        self.at, self._turn = after, turn
        return "".join(parts[:times])

    def _times(self) -> tuple[int, int]:
        """The least and the most that a part may stand there."""
        found = {"*": (0, _MOST_TIMES), "+": (1, _MOST_TIMES), "?": (0, 1)}.get(self._next())
        if found is not None:
            self.at += 1
        elif self._next() == "{" and (closing := self._pattern.find("}", self.at)) > 0:
            first, comma, last = self._pattern[self.at + 1 : closing].partition(",")
            if not first.isdigit() or not (last.isdigit() or not last):
                raise NotSimpleError(self._pattern)
            found = int(first), int(last) if last else (_MOST_TIMES if comma else int(first))
            self.at = closing + 1
        self._take("?")  # as few as possible: the text may be the same
        return found or (1, 1)

    def _atom(self) -> str:
        letter = self._next()
        self.at += 1
        if letter == "(":
            return self._group()
        if letter == "[":
            return self._pick(self._set())
        if letter == "\\":
            return self._pick(self._escaped())
        if letter == ".":
            return self._pick(_WORD)
        if letter in "*+?{":
            raise NotSimpleError(self._pattern)
        return letter

    def _group(self) -> str:
        if self._take("?"):
            # Of (?: and (?<name> the rest is a group like any other.
            if self._take("<") and self._next() not in "=!":
                self.at = self._pattern.find(">", self.at) + 1 or len(self._pattern)
            elif not self._take(":"):
                raise NotSimpleError(self._pattern)
        text = self.choice()
        if not self._take(")"):
            raise NotSimpleError(self._pattern)
        return text

    def _set(self) -> str:
        """The letters of a class in brackets."""
        without = self._take("^")
        letters: list[str] = []
        while self._next() != "]":
            start = self._member()
            if len(start) == 1 and self._pattern[self.at : self.at + 2] not in ("-]", "") and self._take("-"):
                end = self._member()
                if len(end) != 1 or end < start or ord(end) - ord(start) > 0xFFFF:
                    raise NotSimpleError(self._pattern)
                # Those that need no encoding are enough, where there are such.
                whole = "".join(map(chr, range(ord(start), min(ord(end), ord(start) + 255) + 1)))
                start = "".join(letter for letter in whole if letter in _PRINTABLE) or whole
            letters.append(start)
        self.at += 1
        held = "".join(letters)
        left = "".join(letter for letter in _WORD + _PRINTABLE if letter not in held) if without else held
        if not left:
            raise NotSimpleError(self._pattern)
        return left

    def _member(self) -> str:
        letter = self._next()
        if not letter:
            raise NotSimpleError(self._pattern)
        self.at += 1
        return self._escaped() if letter == "\\" else letter

    def _escaped(self) -> str:
        letter = self._next()
        self.at += 1
        if letter in _CLASSES:
            return _CLASSES[letter]
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if not letter or letter.isalnum():
            raise NotSimpleError(self._pattern)
        return letter

    def _pick(self, letters: str) -> str:
        # Letters and digits first: others often need encoding.
        plain = [letter for letter in letters if letter.isalnum()] or list(letters)
        self._turn += 1
        return plain[self._turn % len(plain)]

    def _next(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _take(self, letter: str) -> bool:
        taken = self._next() == letter
        self.at += taken
        return taken
