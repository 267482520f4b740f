"""What an audit says: findings, how bad and how sure, and the verdict of a check."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from garrison_harness.exchange import Exchange  # noqa: TC004 - that module needs this one

Status = Literal["passed", "failed", "accepted", "not run"]


class Severity(enum.IntEnum):
    """How much harm a finding allows; the members compare in that order."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The name as it is written on the command line and in every report."""
        return self.name.lower()


class Confidence(enum.Enum):
    """How sure a finding is; only what is confirmed fails an audit.

    `CONFIRMED` was seen to happen, with a control request that behaved. `LIKELY` was seen, but something
    else could explain it. `INFO` is worth knowing and no fault.
    """

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """The request that shows a finding.

    Attributes:
        method: The request method.
        target: The request target, shortened where it is long.
    """

    method: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not hold.

    Attributes:
        message: What is wrong, in one sentence.
        location: The request that shows it.
        evidence: Lines of the exchange that prove it, printable and bounded.
        confidence: How sure this is.
        severity: How bad this one is, where it is not as bad as its check; None for the check's severity.
        exchange: The request and the reply, for reports that show them whole; None where there is none.
    """

    message: str
    location: Location
    evidence: tuple[str, ...] = ()
    confidence: Confidence = Confidence.CONFIRMED
    severity: Severity | None = None
    exchange: Exchange | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an audit says of one check.

    Attributes:
        status: `failed` with at least one finding that is confirmed or likely; `accepted` where a baseline
            holds all of those; `not run` is never `passed`.
        reason: Why it was not run.
        findings: What was found; a check that passed may still have findings that are mere information.
    """

    status: Status
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def judged(findings: tuple[Finding, ...]) -> Verdict:
    """The verdict of a check that could be judged."""
    faults = any(finding.confidence is not Confidence.INFO for finding in findings)
    return Verdict(status="failed" if faults else "passed", findings=findings)


def not_run(reason: str) -> Verdict:
    """The verdict of a check that could not be judged."""
    return Verdict(status="not run", reason=reason)


def printable(text: str, limit: int = 160) -> str:
    """One line of `text` that a terminal shows as it is: control characters escaped, shortened to `limit`."""
    line = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
