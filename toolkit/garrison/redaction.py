"""One policy for what must not be shown: in logs, spans, problems and tracebacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from garrison.hidden_parameters import DEEPEST, HiddenParameters, squeezed
from garrison.linear_patterns import PatternError, substitution
from garrison.secret_names import HEADERS, NAMES, QUERY
from garrison.settings import Problem, SettingsError, validate
from garrison.token_shapes import MASK, RUN, SHAPES, TWICE, beside, in_parts, may_separate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from garrison.token_shapes import Sign

PARAMETER: Final = re.compile(r"\{[^{}/]+\}")
# A path that is shorter holds no token, unless it says what it is.
SHORTEST_TOKEN: Final = 20
# Nor does one with no longer run than words have, and nothing that stands between a name and its value.
PLAIN_PATH: Final = re.compile(r"(?:[A-Za-z0-9_-]{0,14}+[/.~])*+[A-Za-z0-9_-]{0,14}")
# Where a path has many slashes, this takes longer than looking for tokens does.
LONGEST_PLAIN: Final = 256

ASKED_TWICE: Final = re.compile(f"{TWICE}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redaction:
    r"""What is masked wherever Garrison writes something down.

    What has the shape of a secret is masked whatever these say: tokens (JWT, Bearer, Basic), keys of common
    clouds and services, private keys, and credentials in URLs.

    Attributes:
        names: how the names of fields end whose values are masked, in JSON, forms, log fields and texts, in
            any case and with `-`, `_` or nothing between their words.
        query: names of query parameters whose values are masked, in any case.
        headers: names of headers whose values are masked, in any case.
        paths: path templates such as `/reset/{token}`; a segment in braces is masked, `*` stands for any
            one. They fit wherever a path has these segments, below a prefix too.
        patterns: regular expressions (RE2) for whatever else is secret, separated by blanks; a blank in one
            is written `\s`. Where one has a group, only the first group is masked. They need
            `garrison[patterns]`.
    """

    names: tuple[str, ...] = NAMES
    query: tuple[str, ...] = QUERY
    headers: tuple[str, ...] = HEADERS
    paths: tuple[str, ...] = ()
    patterns: str = ""

    def __post_init__(self) -> None:
        validate(self)
        expected = "names without blanks, parted by commas"
        validate(
            self,
            *((name, _all_named(getattr(self, name)), expected) for name in ("names", "query", "headers")),
            (
                "paths",
                all(path.startswith("/") and PARAMETER.search(path) for path in self.paths),
                "path templates with a segment in braces such as /reset/{token}",
            ),
        )
        for pattern in self.patterns.split():
            try:
                substitution(pattern, MASK)
            except PatternError as error:
                expected = "regular expressions of RE2, separated by blanks"
                raise SettingsError(
                    [Problem(name="Redaction.patterns", expected=expected, found=pattern, hint=str(error))]
                ) from None


def _all_named(names: tuple[str, ...]) -> bool:
    # Blanks in place of commas would make one name of several, and hide nothing.
    return all(len(name.split()) == 1 for name in names)


class Redactor:
    """The policy, compiled.

    Args:
        settings: the policy.
    """

    def __init__(self, settings: Redaction) -> None:
        self._parameters = HiddenParameters(settings.query, self.text)
        self._headers = _lowered(settings.headers)
        named = (beside(settings.names), in_parts(settings.names)) if settings.names else ()
        self._shapes = (*SHAPES, *named)
        self._secrets = tuple(shape for shape in SHAPES if not shape.published)
        self._always = self._markers("none")
        self._separated = self._markers("separator")
        # Half of them have an underscore, which most texts do not.
        runs = self._markers("run")
        self._runs = tuple(marker for marker in runs if "_" not in marker)
        self._runs_with_underscore = tuple(marker for marker in runs if "_" in marker)
        self._ends = tuple(map(squeezed, settings.names))
        self._paths = tuple(_template(path) for path in settings.paths)
        self._patterns = tuple(substitution(pattern, MASK) for pattern in settings.patterns.split())

    def query(self, raw: bytes) -> str:
        """A query string for the log, with the values of sensitive names masked.

        Args:
            raw: the query string as it came, without the question mark.
        """
        return self.parameters(raw.decode("latin-1"))

    def parameters(self, query: str) -> str:
        """`query` of a text.

        Args:
            query: the query string, decoded byte by byte.
        """
        plain = query
        for _ in range(DEEPEST + 1):
            if self._patterns or self._parameters.are_in(plain) or self._suspicious(plain):
                return self._parameters.masked(query)
            if "%" not in plain:
                break
            plain = unquote_plus(plain)
        return query

    def hidden_values(self, query: str) -> Iterator[str]:
        """The values of the parameters that the policy names, as they came and unescaped.

        Args:
            query: the query string, decoded byte by byte.
        """
        return self._parameters.values(query)

    def path(self, path: str) -> str:
        """A path, with the segments masked that the policy names, and what has the shape of a secret."""
        for expression in self._paths:
            path = expression.sub(_segments_masked, path)
        # Most paths are short or plain, and this is on the way of every request.
        if self._patterns:
            return self.text(path)
        if len(path) < SHORTEST_TOKEN:
            return self.text(path) if "=" in path or ":" in path else path
        is_plain = len(path) <= LONGEST_PLAIN and PLAIN_PATH.fullmatch(path) is not None
        return path if is_plain else self.text(path)

    def hidden_segments(self, path: str) -> list[str]:
        """The segments of a path that the policy names."""
        found = [match.groups() for expression in self._paths for match in expression.finditer(path)]
        return [segment for segments in found for segment in segments]

    def header(self, name: bytes, value: bytes) -> str:
        """The value of one header line.

        Args:
            name: in any case.
            value: as it came.
        """
        if self.hides_header(name):
            return MASK
        return self.text(value.decode("latin-1"))

    def hides_header(self, name: bytes) -> bool:
        """Whether the values of a header are masked, given its name in any case."""
        return name.lower().decode("latin-1") in self._headers

    def headers(self, lines: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> dict[str, list[str]]:
        """The values of chosen headers, by their names in lower case.

        Args:
            lines: raw header lines.
            names: which ones, in lower case.
        """
        found: dict[str, list[str]] = {}
        for name, value in lines:
            lowered = name.lower()
            if lowered in names:
                found.setdefault(lowered.decode("latin-1"), []).append(self.header(lowered, value))
        return found

    def is_secret(self, name: str) -> bool:
        """Whether a field of this name holds a secret, as in a log event or a mapping."""
        plain = squeezed(name)
        return plain.endswith(self._ends) or ASKED_TWICE.sub("", plain).endswith(self._ends)

    def text(self, text: str) -> str:
        """A free text, such as a traceback, with everything masked that has the shape of a secret."""
        if self._suspicious(text):
            lowered = text.lower()
            for shape in self._shapes:
                text = shape.masked(text, lowered)
        text = self._parameters.masked_in_urls(text)
        for substitute in self._patterns:
            text = substitute(text)
        return text

    def reveals(self, text: str, *, page: bool = False) -> bool:
        """Whether a text holds something that has the shape of a secret.

        Args:
            text: such as the body of a reply.
            page: whether it is one for people. Those show keys that browsers use, and tokens in links.
        """
        if self._suspicious(text):
            lowered = text.lower()
            for shape in self._secrets if page else self._shapes:
                if shape.finds(text, lowered):
                    return True
        return any(substitute(text) != text for substitute in self._patterns)

    def _suspicious(self, text: str) -> bool:
        """Whether any shape can match, for a fraction of what looking for them all costs."""
        lowered = text.lower()
        if _has(self._always, lowered) or (may_separate(text) and _has(self._separated, lowered)):
            return True
        if RUN.search(text) is None:
            return False
        return _has(self._runs, lowered) or ("_" in text and _has(self._runs_with_underscore, lowered))

    def _markers(self, sign: Sign) -> tuple[str, ...]:
        return tuple({marker for shape in self._shapes if shape.sign == sign for marker in shape.markers})


def _has(markers: tuple[str, ...], lowered: str) -> bool:
    for marker in markers:  # noqa: SIM110 - a generator costs more than it saves
        if marker in lowered:
            return True
    return False


def _lowered(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in names)


def _template(path: str) -> re.Pattern[str]:
    """What finds the segments of a template, each in a group; from any slash, at most so many segments on."""
    segments = [
        r"([^/]+)" if PARAMETER.fullmatch(segment) else r"[^/]+" if segment == "*" else re.escape(segment)
        for segment in path.strip("/").split("/")
    ]
    # Some routers take several slashes, or a dot between two, for one.
    return re.compile("(?<=/)" + r"/(?:\.?/)*+".join(segments) + "(?![^/])", re.IGNORECASE)


def _segments_masked(match: re.Match[str]) -> str:
    text, begin = match[0], match.start()
    for index in range(match.re.groups, 0, -1):
        start, stop = match.span(index)
        text = text[: start - begin] + MASK + text[stop - begin :]
    return text
