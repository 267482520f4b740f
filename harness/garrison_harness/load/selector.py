"""The part of a run that a threshold is about: `{name:GET /items/{id}}`, `{tag:write}`, `{status:503}`."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from garrison_harness.load.names import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison_harness.load.account import Account
    from garrison_harness.load.tally import Tally

Kind = Literal["name", "tag", "status"]

_KINDS: Final = ("name", "tag", "status")
_STATUS: Final = re.compile(r"[1-5](?:[0-9]{2}|xx)")
_MOST_SHOWN: Final = 3  # names that a message lists


class NothingSelectedError(LookupError):
    """No request of the run was of that name or tag; the text says which there were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Some of the requests of a run.

    Attributes:
        kind: What is looked at.
        value: The name with or without its method, the tag, or the status (`503` or `5xx`).
    """

    kind: Kind
    value: str

    def tally(self, account: Account) -> Tally:
        """What these requests came to, for a name or a tag.

        Args:
            account: What a run saw.

        Raises:
            NothingSelectedError: There was none of them.
        """
        if self.kind == "tag":
            found = account.tags.get(self.value)
            if found is None:
                raise NothingSelectedError(_nothing("no request has the tag", self.value, account.tags))
            return found
        exact = account.names.get(self.value)
        if exact is not None:
            return exact
        # Without a method all methods are meant, as in Locust, whose names have none.
        same = [tally for name, tally in account.names.items() if name.partition(" ")[2] == self.value]
        if not same:
            raise NothingSelectedError(_nothing("no request is named", self.value, account.names))
        return merged(same)

    def count(self, tally: Tally) -> int:
        """How many replies had the status.

        Args:
            tally: What all requests came to.
        """
        return sum(
            count
            for status, count in tally.statuses.items()
            if self.value in {str(status), f"{status // 100}xx"}
        )


def _nothing(what: str, wanted: str, known: Mapping[str, Tally]) -> str:
    if not known:
        return f"{what} {wanted!r}: there were none at all"
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f": did you mean {near[0]}?" if near else ""
    names = sorted(known, key=lambda name: -known[name].requests)
    more = len(names) - _MOST_SHOWN
    also = f" and {more} more" if more > 0 else ""
    return f"{what} {wanted!r}{hint}; there were {', '.join(names[:_MOST_SHOWN])}{also}"


def read_selector(text: str) -> tuple[Selector, str]:
    """A selector, and what stands behind it.

    Braces in a name are no trouble as long as each is closed again; a name where one is not stands in
    quotation marks, where a backslash makes the next character an ordinary one.

    Args:
        text: It begins with the brace of the selector.

    Raises:
        ValueError: It is no selector; the message says what was expected.
    """
    head = re.match(r"\{\s*(\w*)\s*(:?)\s*", text)
    kind = head[1].lower() if head and head[2] else ""
    if head is None or kind not in _KINDS:
        found = text if len(text) < 40 else f"{text[:37]}..."
        raise ValueError(f"expected {{name:...}}, {{tag:...}} or {{status:...}}, found {found}")
    quoted = text[head.end() : head.end() + 1] in {'"', "'"}
    value, rest = (_quoted if quoted else _balanced)(text[head.end() :])
    if not value:
        raise ValueError(f"expected a {kind} behind {{{kind}:, found nothing")
    if kind == "status" and not _STATUS.fullmatch(value):
        raise ValueError(f"expected a status such as 503 or 5xx, found {value}")
    return Selector(kind=cast("Kind", kind), value=value), rest


def _quoted(text: str) -> tuple[str, str]:
    match = re.match(r"""(["'])((?:\\.|(?!\1|\\).)*)\1\s*\}""", text, re.DOTALL)
    if match is None:
        raise ValueError(f"expected {text[0]}}} at the end of what begins with {text[0]}")
    return re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL), text[match.end() :]


def _balanced(text: str) -> tuple[str, str]:
    depth = 1
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if not depth:
            return text[:place].strip(), text[place + 1 :]
    raise ValueError('expected } behind the selector; a name with an odd brace is quoted: {name:"GET /{"}')
