"""Secrets that are sent while load runs stay out of the log, as they do when quiet."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from garrison_harness.load.watch.replies import MOST_EXAMPLES, Faults, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.watch.log_reading import LogSeen

PLACES: Final = {
    "authorization": "the Authorization header",
    "cookie": "a cookie",
    "query": "the query",
    "body": "a JSON body",
}
"""Where secrets are sent, and how that is said."""

_TITLE: Final = "Secrets stay out of the log"
_NAME: Final = "token"  # what a masker looks for in a query or a body


@dataclass(frozen=True, slots=True)
class Canaries:
    """Words that occur nowhere by themselves: one for each place, of which each starts alike.

    Attributes:
        word: The random part.
    """

    word: str = field(default_factory=lambda: secrets.token_hex(12))

    def secret(self, place: str) -> str:
        """The secret that is sent in that place."""
        return f"s3cret-{place}-{self.word}"

    def headers(self) -> list[tuple[str, str]]:
        """Lines of a request that carry secrets."""
        return [
            ("Authorization", f"Bearer {self.secret('authorization')}"),
            ("Cookie", f"session={self.secret('cookie')}"),
        ]

    def query(self) -> str:
        """A query that carries one."""
        return f"{_NAME}={self.secret('query')}"

    def body(self) -> bytes:
        """A JSON body that carries one."""
        return json.dumps({_NAME: self.secret("body"), "password": self.secret("body")}).encode()

    def needles(self) -> dict[bytes, str]:
        """The place of each secret, by what to look for in a log."""
        return {self.secret(place).encode(): place for place in PLACES}


def judge_canaries(quiet: LogSeen, loaded: LogSeen, *, sent: int) -> Promise:
    """Whether the log under load holds a secret that the quiet log does not.

    Args:
        quiet: What was seen of the log while the secrets were sent without load.
        loaded: The same while load ran.
        sent: Rounds of secrets that were sent while load ran.
    """
    faults = Faults()
    judged = [place for place in PLACES if place not in quiet.leaks]
    leaked = {place: lines for place, lines in loaded.leaks.items() if place in judged}
    for place, lines in leaked.items():
        faults.replies += lines.count
        faults.examples.extend(lines.examples)
        faults.kinds[f"the secret in {PLACES[place]}"] = lines.count
    faults.examples = list(dict.fromkeys(faults.examples))[:MOST_EXAMPLES]
    enough = bool(sent and loaded.lines and judged)
    if not loaded.known:
        detail = "the target was not started here, so its log is not known"
    elif not loaded.lines:
        detail = "the target wrote no log under load"
    elif not judged:
        detail = "the quiet app logs all of them: see garrison explain T4"
    elif leaked:
        detail = f"{counted(faults.replies, 'line', 'lines')} of the log under load: {faults.worst()}"
    else:
        left = [PLACES[place] for place in quiet.leaks]
        but = f"; logged when quiet, so not judged: {_listed(left)}" if left else ""
        detail = f"{counted(sent, 'round', 'rounds')} sent, none in {loaded.lines:,} lines{but}"
    return faults.promise("secrets", _TITLE, judged=enough, detail=detail)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
