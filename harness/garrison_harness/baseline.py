"""Accepted findings, each with a reason, an owner and a day on which it counts again.

The file holds one table for each:

    [[accepted]]
    check = "H4"
    where = "GET /"
    message = "browsers may come back over plain http: no Strict-Transport-Security"
    reason = "the proxy in front of it adds the header"
    owner = "platform team"
    expires = 2027-03-31

`where` and `message` may be left out, and then any will do. What `steady` says is new in every audit does not
count when they are compared.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.finding import Finding, Verdict, judged
from garrison_harness.steady import steady_message, steady_request
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.audit import Outcome, Result

DEFAULT_PATH: Final = Path("garrison-baseline.toml")
"""Where a baseline is read from if it is there."""

_TABLE: Final = re.compile(r"^[ \t]*\[\[[ \t]*accepted[ \t]*\]\]", re.MULTILINE)
_REQUIRED: Final = ("check", "reason", "owner", "expires")
_OPTIONAL: Final = ("where", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One accepted finding.

    Attributes:
        check: The id of its check.
        reason: Why it is accepted.
        owner: Who answers for that.
        expires: The last day on which it is.
        where: Method and target of the request that shows it; empty for any.
        message: What it says; empty for anything.
        line: Where it stands in the file.
    """

    check: str
    reason: str
    owner: str
    expires: dt.date
    where: str = ""
    message: str = ""
    line: int = 1

    def takes(self, check: str, finding: Finding) -> bool:
        """Whether a finding of a check is the one that is meant here, whatever the day.

        Args:
            check: The id of the check.
            finding: What it found.
        """
        where = f"{finding.location.method} {finding.location.target}"
        return (
            check == self.check
            and (not self.where or steady_request(self.where) == steady_request(where))
            and (not self.message or steady_message(self.message) == steady_message(finding.message))
        )

    @property
    def subject(self) -> tuple[str, str, str]:
        """What it is about, the same for every entry that is about the same."""
        return self.check, steady_request(self.where), steady_message(self.message)

    def __str__(self) -> str:
        """The entry in a few words."""
        return f"{self.check} {self.where}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """All that is accepted.

    Attributes:
        path: The file, as it was named.
        entries: In the order of the file.
    """

    path: Path
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a baseline did to an outcome.

    Attributes:
        path: The file.
        accepted: The entries that took something, with the number of findings.
        expired: Entries whose day is over; what they took counts again.
        stale: Entries that took nothing, although their check was judged, or another entry took it.
        doubled: The stale ones that another entry makes superfluous, with that entry.
    """

    path: Path
    accepted: tuple[tuple[Entry, int], ...]
    expired: tuple[Entry, ...]
    stale: tuple[Entry, ...]
    doubled: tuple[tuple[Entry, Entry], ...]

    @property
    def hidden(self) -> int:
        """How many findings are not reported."""
        return sum(number for _, number in self.accepted)

    def reason(self, check: str) -> str:
        """Why findings of a check are accepted, in one line; empty where none is."""
        return "; ".join(
            f"accepted until {entry.expires}: {entry.reason} ({entry.owner})"
            for entry, _ in self.accepted
            if entry.check == check
        )

    def notes(self) -> Iterator[str]:
        """What whoever keeps the file has to know, a line each."""
        for _, text in self.remarks():
            yield text

    def remarks(self) -> Iterator[tuple[Entry, str]]:
        """The same with the entry that each is about."""
        for entry in self.expired:
            over = f"expired on {entry.expires}: mend it, or ask {entry.owner} for longer"
            yield entry, f"{self.path}:{entry.line}: {entry} {over}"
        others = dict(self.doubled)
        for entry in self.stale:
            other = others.get(entry)
            idle = f"is accepted by line {other.line} already" if other else "is not found any more"
            yield entry, f"{self.path}:{entry.line}: {entry} {idle}: remove the entry"


def read_baseline(path: Path) -> Baseline:
    """Read a file of accepted findings.

    Args:
        path: The file.

    Raises:
        UsageFault: It cannot be read, or an entry is not as it should be; the text names the line.
    """
    return Baseline(path=path, entries=entries_of(text_of(path), path))


def text_of(path: Path) -> str:
    """The text of a file of accepted findings, with the line ends that it has.

    Args:
        path: The file.

    Raises:
        UsageFault: It cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageFault(f"the baseline {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageFault(f"the baseline {path} is no TOML: {error}") from error


def entries_of(text: str, path: Path) -> tuple[Entry, ...]:
    """The entries of a text.

    Args:
        text: What a file holds, or shall hold.
        path: The file.

    Raises:
        UsageFault: It is no TOML, or an entry is not as it should be; the text names the line.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageFault(f"the baseline {path} is no TOML: {error}") from error
    tables = content.pop("accepted", [])
    if content or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        named = ", ".join(content) or "accepted"
        raise UsageFault(f"the baseline {path} holds [[accepted]] tables and nothing else, and not {named}")
    lines = [text.count("\n", 0, found.start()) + 1 for found in _TABLE.finditer(text)]
    # Written as an array of inline tables it has no lines to name.
    lines += [1] * (len(tables) - len(lines))
    return tuple(_entry(table, path, line) for table, line in zip(tables, lines, strict=False))


def _entry(table: dict[str, Any], path: Path, line: int) -> Entry:
    from garrison_harness.checks.catalogue import ids_of  # noqa: PLC0415 - only who has a baseline waits for it

    at = f"{path}:{line}"
    for name in _REQUIRED:
        if name not in table:
            raise UsageFault(f"{at}: this entry says no {name}: each needs {', '.join(_REQUIRED)}")
    for name, value in table.items():
        if name not in _REQUIRED + _OPTIONAL:
            raise UsageFault(f"{at}: {name} is no field: there are {', '.join(_REQUIRED + _OPTIONAL)}")
        if name != "expires" and (not isinstance(value, str) or not value.strip()):
            raise UsageFault(f"{at}: {name} is a text and not empty, and here it is {value!r}")
    expires = table["expires"]
    if not isinstance(expires, dt.date) or isinstance(expires, dt.datetime):
        raise UsageFault(
            f"{at}: expires is a day such as {dt.date(2027, 3, 31)} without quotes, not {expires!r}"
        )
    try:
        ids = ids_of(table["check"])
    except ValueError as error:
        raise UsageFault(f"{at}: {error}") from error
    if len(ids) > 1:
        family = f"{table['check']!r} is a family of {len(ids)} checks"
        raise UsageFault(f"{at}: {family}, and an entry is about one check, such as {ids[0]}")
    return Entry(**{**table, "check": ids[0]}, line=line)


def applied(baseline: Baseline, outcome: Outcome, today: dt.date) -> tuple[Outcome, Applied]:
    """Take what is accepted out of an outcome.

    A check of which nothing is left is `accepted`, which is neither passed nor failed.

    Args:
        baseline: What is accepted.
        outcome: What was found.
        today: The day by which entries expire.
    """
    current = [entry for entry in baseline.entries if entry.expires >= today]
    found = [(result.check.id, one) for result in outcome.results for one in result.verdict.findings]
    takers = [next((entry for entry in current if entry.takes(*one)), None) for one in found]
    left = iter([taker is None for taker in takers])
    results = tuple(_without(result, left) for result in outcome.results)

    judged_ids = {result.check.id for result in outcome.results if result.verdict.status != "not run"}
    accepted, expired, stale, doubled = [], [], [], []
    for entry in baseline.entries:
        # By identity: two entries of an array in one line may be equal.
        number = sum(taker is entry for taker in takers)
        others = [taker for one, taker in zip(found, takers, strict=True) if entry.takes(*one)]
        if number:
            accepted.append((entry, number))
        elif None in others:
            expired.append(entry)
        elif entry.check in judged_ids:
            stale.append(entry)
            doubled += [(entry, other) for other in others[:1] if other is not None]
    return replace(outcome, results=results), Applied(
        path=baseline.path,
        accepted=tuple(accepted),
        expired=tuple(expired),
        stale=tuple(stale),
        doubled=tuple(doubled),
    )


def _without(result: Result, left: Iterator[bool]) -> Result:
    """A result with those of its findings that are left; `left` goes on over the findings of all."""
    findings = tuple(finding for finding in result.verdict.findings if next(left))
    if len(findings) == len(result.verdict.findings):
        return result
    verdict = judged(findings)
    if verdict.status == "passed" and result.verdict.status == "failed":
        verdict = Verdict(status="accepted", findings=findings)
    return replace(result, verdict=verdict)
