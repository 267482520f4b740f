"""Every check there is, in the order in which they are asked and reported."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from garrison_harness.checks import (
    browser_policy,
    error_leakage,
    http_grammar,
    injection,
    methods,
    rate_limit,
    reply_form,
    request_bounds,
    request_id,
    survival,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Check

CATALOGUE: tuple[Check, ...] = (
    *browser_policy.CHECKS,
    *reply_form.CHECKS,
    *error_leakage.CHECKS,
    *methods.CHECKS,
    *injection.CHECKS,
    *request_bounds.CHECKS,
    *rate_limit.CHECKS,
    *request_id.CHECKS,
    *http_grammar.CHECKS,
    *survival.CHECKS,
)


def choose(select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    """The checks that are selected (all where nothing is) and not ignored.

    Args:
        select: Ids such as `H1`, or letters such as `H` for a whole family.
        ignore: The same, for what to leave out.

    Raises:
        ValueError: An id is unknown; the text names the nearest.
    """
    chosen = _ids(select) if select else {check.id for check in CATALOGUE}
    chosen -= _ids(ignore)
    return tuple(check for check in CATALOGUE if check.id in chosen)


def _ids(words: Sequence[str]) -> set[str]:
    known = [check.id for check in CATALOGUE]
    found: set[str] = set()
    for word in words:
        name = word.strip().upper()
        matching = [name] if name in known else [id_ for id_ in known if id_.rstrip("0123456789") == name]
        if not matching:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise ValueError(f"{word!r} is no check: did you mean {nearest}? --list names them all")
        found.update(matching)
    return found
