"""Every check there is, in the order in which they are asked and reported."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from garrison_harness.checks import (
    browser_policy,
    caching,
    compression,
    contract,
    cookies,
    cross_origin,
    crowd,
    csp,
    declared_auth,
    error_leakage,
    error_replies,
    exposure,
    forged_requests,
    fuzz,
    guards,
    http_grammar,
    injection,
    isolation,
    log_forging,
    log_secrets,
    method_override,
    methods,
    odd_cookies,
    origin_grants,
    overload,
    probes,
    quota_promises,
    rate_limit,
    reflection,
    reply_form,
    request_bounds,
    request_id,
    request_log,
    shutdown,
    slow_clients,
    survival,
    tls,
    tracing,
    traversal,
    violation_reports,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Check

CATALOGUE: tuple[Check, ...] = (
    *browser_policy.CHECKS,
    *csp.CHECKS,
    *violation_reports.CHECKS,
    *isolation.CHECKS,
    *reply_form.CHECKS,
    *caching.CHECKS,
    *cookies.CHECKS,
    *odd_cookies.CHECKS,
    *cross_origin.CHECKS,
    *origin_grants.CHECKS,
    *forged_requests.CHECKS,
    *tls.CHECKS,
    *error_leakage.CHECKS,
    *error_replies.CHECKS,
    *fuzz.CHECKS,
    *methods.CHECKS,
    *injection.CHECKS,
    *reflection.CHECKS,
    *traversal.CHECKS,
    *log_forging.CHECKS,
    *method_override.CHECKS,
    *exposure.CHECKS,
    *declared_auth.CHECKS,
    *contract.CHECKS,
    *guards.CHECKS,
    *request_bounds.CHECKS,
    *compression.CHECKS,
    *slow_clients.CHECKS,
    *overload.CHECKS,
    *rate_limit.CHECKS,
    *crowd.CHECKS,
    *quota_promises.CHECKS,
    *request_id.CHECKS,
    *tracing.CHECKS,
    *log_secrets.CHECKS,
    *tracing.FOLLOWED,
    *request_log.CHECKS,
    *http_grammar.CHECKS,
    *shutdown.CHECKS,
    *probes.CHECKS,
    *overload.RECOVERY,
    *survival.CHECKS,
)


def choose(select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    """The checks that are selected (all where nothing is) and not ignored.

    An id says more than a letter does, so that `H` can be ignored but for `H1`.

    Args:
        select: Ids such as `H1`, or letters such as `H` for a whole family.
        ignore: The same, for what to leave out.

    Raises:
        ValueError: An id is unknown; the text names the nearest.
    """
    families, ids = _matching(select)
    ignored_families, ignored_ids = _matching(ignore)
    chosen = families if select else {check.id for check in CATALOGUE}
    chosen = (chosen - ignored_families | ids) - ignored_ids
    return tuple(check for check in CATALOGUE if check.id in chosen)


def ids_of(word: str) -> tuple[str, ...]:
    """The ids that an id or a letter stands for.

    Args:
        word: Such as `H1` or `h`.

    Raises:
        ValueError: There is no such check; the text names the nearest.
    """
    known = [check.id for check in CATALOGUE]
    name = word.strip().upper()
    matching = [name] if name in known else [id_ for id_ in known if id_.rstrip("0123456789") == name]
    if not matching:
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
        raise ValueError(f"{word!r} is no check: did you mean {nearest}? --list names them all")
    return tuple(matching)


def _matching(words: Sequence[str]) -> tuple[set[str], set[str]]:
    """What the letters among some words stand for, and what the ids do."""
    found = [(word, ids_of(word)) for word in words]
    families = {id_ for word, ids in found for id_ in ids if word.strip().upper() != id_}
    return families, {id_ for word, ids in found for id_ in ids if word.strip().upper() == id_}
