"""What a path rule or a handler wants of the security headers of its reply, in place of the usual ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast

from garrison.csp.policy import DIRECTIVES, parse_policy
from garrison.csp.policy_error import did_you_mean
from garrison.headers.existing import SECURITY
from garrison.headers.presets import PRESETS, Preset
from garrison.nonce import context_of
from garrison.rules import NotationError, Rule, parse_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

Sources = tuple[str, ...]

SANDBOX: Final = "sandbox"
ATTACHMENT: Final = "attachment"
CLEAR: Final = "clear-site-data"

# Clear Site Data, section 3.1; what a logout means unless it says otherwise.
KINDS: Final = ("cache", "cookies", "storage")
CLEARABLE: Final = frozenset(
    {*KINDS, "clientHints", "executionContexts", "prefetchCache", "prerenderCache", "*"}
)

WORDS: Final = (*PRESETS, SANDBOX, ATTACHMENT, CLEAR)
NAME: Final = re.compile(r"[A-Za-z0-9-]+")
VALUE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What is different on one path, or in one reply.

    Attributes:
        preset: that a page gets in place of the usual one.
        directives: of a page's Content-Security-Policy, with values that replace theirs; None removes one.
        headers: security headers with the value that replaces the policy's and the app's; None sends none.
        sandbox: whether the reply is an uploaded file that may be shown, and do nothing.
        attachment: whether browsers are to save the reply as a file.
        clear: the value of Clear-Site-Data; empty for none.
    """

    preset: Preset | None = None
    directives: tuple[tuple[str, Sources | None], ...] = ()
    headers: tuple[tuple[bytes, bytes | None], ...] = ()
    sandbox: bool = False
    attachment: bool = False
    clear: bytes = b""

    def then(self, later: Override) -> Override:
        """This one, with what a later one says on top."""
        return Override(
            preset=later.preset or self.preset,
            directives=(*self.directives, *later.directives),
            headers=(*self.headers, *later.headers),
            sandbox=self.sandbox or later.sandbox,
            attachment=self.attachment or later.attachment,
            clear=later.clear or self.clear,
        )


def parse_overrides(text: str) -> tuple[tuple[Rule, Override], ...]:
    """Read a setting such as `/admin/*: strict; /embed/*: frame-ancestors https://partner.example`.

    Args:
        text: any number of rules in the notation of all rules, each with a path.

    Raises:
        ValueError: with what is expected and the near miss.
    """
    if not text.strip():
        return ()
    found = []
    try:
        rules = parse_rules(text)
    except NotationError as error:
        expected = "rules such as '/admin/*: strict' or 'POST /logout: clear-site-data'"
        raise NotationError(expected, error.found) from None
    for rule in rules:
        if not rule.path or rule.identity:
            raise NotationError("a path in front of each, such as '/admin/*: strict'", rule.value)
        found.append((rule, parse_override(rule.value)))
    return tuple(found)


def parse_override(text: str) -> Override:
    """Read what one rule says: presets, `sandbox`, `attachment`, `clear-site-data`, directives.

    Args:
        text: these, parted by commas.

    Raises:
        ValueError: with what is expected and the near miss.
    """
    found = Override()
    for item in filter(None, map(str.strip, text.split(","))):
        word, *rest = item.split()
        if not rest and word in PRESETS:
            found = found.then(Override(preset=cast("Preset", word)))
        elif not rest and word in {SANDBOX, ATTACHMENT}:
            found = found.then(Override(sandbox=word == SANDBOX, attachment=word == ATTACHMENT))
        elif word == CLEAR:
            found = found.then(Override(clear=clear_site_data(rest)))
        elif not rest and "-" not in word:
            nearest = did_you_mean(word, WORDS, otherwise="see the reference of the setting")
            raise ValueError(f"{item!r} is neither a word of these rules nor a directive: {nearest}")
        else:
            found = found.then(Override(directives=tuple(parse_policy(item).items())))
    return found


def clear_site_data(kinds: list[str]) -> bytes:
    """The value of Clear-Site-Data for kinds of data; all that a logout means where none is named."""
    unknown = next((kind for kind in kinds if kind not in CLEARABLE), None)
    if unknown is not None:
        nearest = did_you_mean(unknown, CLEARABLE, otherwise=f"there are {', '.join(sorted(CLEARABLE))}")
        raise ValueError(f"{unknown!r} is no kind of data that {CLEAR} knows: {nearest}")
    return ", ".join(f'"{kind}"' for kind in kinds or KINDS).encode("ascii")


def set_policy(
    request: Any,
    *,
    preset: Preset | None = None,
    directives: Mapping[str, str | None] | None = None,
    headers: Mapping[str, str | None] | None = None,
) -> None:
    """Have other security headers on the reply to this request, from inside its handler.

        set_policy(request, directives={"frame-ancestors": "https://partner.example"})

    It counts until the reply starts, and once more given adds to what was given before. Where the security
    headers layer is not there it does nothing.

    Args:
        request: an ASGI scope, or whatever has it as `.scope`, such as the requests of Starlette, FastAPI,
            Litestar and Quart.
        preset: whose policy a page gets.
        directives: of a page's Content-Security-Policy, with values that replace theirs; None removes one.
        headers: security headers by name, with a value that replaces the policy's; None sends none.

    Raises:
        ValueError: a preset, directive, header or value is none; the message says which.
        TypeError: there is no scope in what was given.
    """
    context = context_of(request)
    wanted = _wanted(preset, _items(directives), _items(headers))
    before = context.reply_policy
    context.reply_policy = before.then(wanted) if isinstance(before, Override) else wanted


def combined(rule: Override | None, asked: object) -> Override | None:
    """What counts for a reply: what the rule of its path says, and on top what its handler asked for."""
    if not isinstance(asked, Override):
        return rule
    return asked if rule is None else rule.then(asked)


def _items(given: Mapping[str, str | None] | None) -> tuple[tuple[str, str | None], ...]:
    return tuple((given or {}).items())


# Handlers ask for the same few things again and again.
@lru_cache(maxsize=256)
def _wanted(
    preset: Preset | None,
    directives: tuple[tuple[str, str | None], ...],
    headers: tuple[tuple[str, str | None], ...],
) -> Override:
    if preset is not None and preset not in PRESETS:
        raise ValueError(f"a preset is one of {', '.join(PRESETS)}, not {preset!r}")
    parsed: list[tuple[str, Sources | None]] = []
    for name, value in directives:
        key = name.strip().lower()
        if ";" in (value or ""):
            raise ValueError(f"the value of {name} begins another directive: part values by blanks")
        if value is None and key in DIRECTIVES:
            parsed.append((key, None))
        else:
            # A misspelt name is an error whether or not it has a value.
            parsed += parse_policy(f"{key} {value or ''}").items()
    lines: list[tuple[bytes, bytes | None]] = []
    for name, value in headers:
        key = name.strip().lower()
        if key.encode("latin-1", "replace") not in SECURITY:
            known = [known.decode("ascii") for known in SECURITY]
            nearest = did_you_mean(key, known, otherwise="set any other header on the reply itself")
            raise ValueError(f"{name!r} is no security header: {nearest}")
        if value is not None and not VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} must be printable ASCII in one line, and is not")
        lines.append((key.encode("ascii"), None if value is None else value.encode("ascii")))
    return Override(preset=preset, directives=tuple(parsed), headers=tuple(lines))
