"""The list of the contract's clauses, which the suite and its own proof share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tests.toolkit.contract.subjects import Subject

Clause: TypeAlias = Callable[[Subject], None]

CLAUSES: list[Clause] = []


def clause(check: Clause) -> Clause:
    """Put a check on the list; it raises AssertionError, or what the subject raised, if it is broken."""
    CLAUSES.append(check)
    return check
