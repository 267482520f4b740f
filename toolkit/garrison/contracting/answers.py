"""What a client is told that does not keep the contract; never a value that it sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.openapi.model import Violation

# More of them help nobody, and a client can cause as many as it likes.
MOST: Final = 20

# Of these a client's parser is to blame and not its data.
MALFORMED: Final = frozenset({"syntax", "encoding"})


def refusal(violations: Iterable[Violation], status: int | None = None) -> Problem:
    """The problem document about violations.

    Args:
        violations: at least one.
        status: the HTTP status code; unless given, 422 for a body that can be read and does not fit, else
            400.
    """
    found = list(violations)[:MOST]
    malformed = any(each.location != "body" or each.rule in MALFORMED for each in found)
    return Problem(
        status=status or (400 if malformed else 422),
        detail="The request does not keep this API's contract.",
        extensions={"errors": [entry(each) for each in found]},
    )


def entry(violation: Violation) -> dict[str, str]:
    """One violation for a problem document."""
    return {
        "in": violation.location,
        "pointer": violation.pointer,
        "rule": violation.rule,
        "detail": violation.detail,
    }
