"""Query strings without the values of parameters that nobody may see, however their names are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from garrison.token_shapes import MASK, in_urls, mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Names within names, as in `user[password]`, `token[]` and `user.password`.
NESTED: Final = re.compile(r"[\[\].]+")
# A parameter within a value: of a URL in it, or behind a semicolon, which some servers take for an ampersand.
INNER: Final = re.compile(r"(?:^|[?&;#])([^=?&;#]{1,256})=")
END: Final = re.compile(r"[&;#]")
# A URL in a URL in a URL: how often names and values are unescaped.
DEEPEST: Final = 3


class HiddenParameters:
    """The parameters whose values are masked.

    Args:
        names: in any case, with `-`, `_` or nothing between their words.
        text: masks what has the shape of a secret.
    """

    def __init__(self, names: Iterable[str], text: Callable[[str], str]) -> None:
        names = sorted({name.strip().lower() for name in names}, key=lambda name: (-len(name), name))
        self._names = frozenset(map(squeezed, names))
        self._in_urls = in_urls(names)
        self._text = text

    def masked(self, query: str) -> str:
        """A query string with the values masked.

        Args:
            query: without the question mark, decoded byte by byte.
        """
        return "&".join([self._parameter(part) for part in query.split("&")])

    def are_in(self, query: str) -> bool:
        """Whether there are any by the names as they stand there, not unescaped.

        Args:
            query: without the question mark, decoded byte by byte.
        """
        if ";" in query or "?" in query or "#" in query:
            return self._inner(query) is not None
        for part in query.split("&"):
            name, equals, value = part.partition("=")
            if equals and (self._hides(name) or "=" in value):
                return True
        return False

    def masked_in_urls(self, text: str) -> str:
        """A text in which the URLs have the values masked."""
        if ("=" in text or "%" in text) and ("?" in text or "&" in text or ";" in text or "%" in text):
            return self._in_urls.sub(mask, text)
        return text

    def values(self, query: str) -> Iterator[str]:
        """The values, as they came and without what they are escaped with.

        Args:
            query: without the question mark, decoded byte by byte.
        """
        for part in query.split("&"):
            plain = part
            for _ in range(DEEPEST + 1):
                for match in INNER.finditer(plain):
                    if self._hides(match[1]):
                        rest = plain[match.end() :]
                        yield rest
                        yield END.split(rest, maxsplit=1)[0]
                if "%" not in plain:
                    break
                plain = unquote_plus(plain)

    def _parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        if equals and self._hides(name):
            return f"{name}={MASK}"
        if (begin := self._inner(value)) is not None:
            return f"{self._text(name)}={self._text(value[:begin])}{MASK}"
        # What a URL carries inside of a parameter is escaped once more, and so on.
        plain = part
        for _ in range(DEEPEST):
            if "%" not in plain:
                break
            plain = unquote_plus(plain)
            if self._inner(plain) is not None or self._text(plain) != plain:
                return f"{name}={MASK}" if equals else MASK
        return self._text(part)

    def _inner(self, value: str) -> int | None:
        """Where in a value that of a hidden parameter begins."""
        if "=" in value:
            for match in INNER.finditer(value):
                if self._hides(match[1]):
                    return match.end()
        return None

    def _hides(self, name: str) -> bool:
        for _ in range(DEEPEST):
            if "%" not in name:
                break
            name = unquote_plus(name)
        if "[" in name or "." in name:
            return any(squeezed(part) in self._names for part in NESTED.split(name))
        return squeezed(name) in self._names


def squeezed(name: str) -> str:
    """A name without what people write in different ways: case, blanks, hyphens and underscores."""
    return name.strip("+ \t\r\n\0").lower().replace("-", "").replace("_", "")
