"""Serves the planted routes with every layer, then with each one off, and audits all of them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.audit import audit
from garrison_harness.checks.check import Check
from garrison_harness.probe import has_addresses
from garrison_harness.proving.asking import behind_https, checks_for, checks_without, planted_site
from garrison_harness.proving.matrix import Row, compared
from garrison_harness.running import running
from garrison_harness.site import Need
from garrison_harness.target import TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison_harness.audit import Outcome
    from garrison_harness.proving.plan import Plan
    from garrison_harness.proving.shimmed import Shimmed
    from garrison_harness.site import Site

# Most of an audit is waiting, and what takes time goes on beside it.
_AT_ONCE: Final = 3
_LOOK: Final = 0.05  # seconds between two looks at whether the proof was interrupted
_LEAST: Final = 15.0  # seconds that another look at a layer takes
_INTERRUPTED: Final = "the proof was interrupted"
# How the server tells what the shim said of an app that it could not load.
_OWN_WORDS: Final = re.compile(r"TargetFailed: (.+?)(?: \([^()]*, line \d+\))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """All that was found out.

    Attributes:
        target: The import string.
        rows: One for each layer, outermost first.
        checks: What was asked.
        whole: The status of each check with every layer on, by its id.
        reasons: Why a check was not run with every layer on, by its id.
        duration: How long it took, in seconds.
    """

    target: str
    rows: tuple[Row, ...]
    checks: tuple[Check, ...]
    whole: Mapping[str, str]
    reasons: Mapping[str, str]
    duration: float


def prove(
    target: Shimmed,
    plan: Plan,
    checks: Sequence[Check],
    *,
    canary: str,
    timeout: float,
    progress: Callable[[Check], None],
) -> Proof:
    """Audit the app with every layer, and once without each of those that are active.

    Args:
        target: The app.
        plan: The layers and the settings.
        checks: What to find out of each.
        canary: A word that occurs nowhere by itself.
        timeout: How long all of it may take, in seconds.
        progress: Told of each check once it was asked of one of the starts, from any thread.

    Raises:
        TargetFailed: The app does not start with every layer on.
        UsageFault: The toolkit refuses the settings.
    """
    started = time.monotonic()
    deadline = started + timeout
    inspect = partial(
        _inspected,
        site=planted_site(plan, canary),
        proxied=plan.proxied,
        deadline=deadline,
        progress=progress,
    )
    whole = _whole(target.with_variables(plan.environment), inspect, checks=checks_for(plan, checks))
    before = _statuses(whole)
    rows = {layer: Row(layer=layer, status="idle", reason=why) for layer, why in plan.idle.items()}

    def look(layer: str) -> Outcome:
        without = target.with_variables(plan.without(layer))
        return inspect(without, checks=checks_without(layer, plan, checks))

    row = partial(found_without, plan=plan, checks=checks, before=before, look=look, deadline=deadline)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = {layer: pool.submit(row, layer) for layer in plan.active}
        # Whoever waits without a bound hears of no signal; those under way hear of it by themselves.
        while wait(asked.values(), _LOOK).not_done:
            if interruption.noticed():
                pool.shutdown(wait=False, cancel_futures=True)
                break
    unasked = partial(Row, status="not reached", reason=_INTERRUPTED)
    rows |= {
        layer: unasked(layer=layer) if future.cancelled() else future.result()
        for layer, future in asked.items()
    }
    return Proof(
        target=str(target),
        rows=tuple(rows[layer] for layer in plan.layers),
        checks=tuple(result.check for result in whole.results),
        whole=before,
        reasons={r.check.id: r.verdict.reason for r in whole.results if r.verdict.reason},
        duration=time.monotonic() - started,
    )


def _inspected(
    target: Shimmed,
    *,
    site: Site,
    proxied: bool,
    checks: Sequence[Check],
    deadline: float,
    progress: Callable[[Check], None],
) -> Outcome:
    """Start it, audit it, end it.

    Raises:
        TimeoutError: There is no time left to start it.
    """
    if time.monotonic() >= deadline:
        raise TimeoutError
    with running(target) as reached:
        site = replace(
            site,
            authority=site.authority or reached.base_url.partition("://")[2],
            addresses=has_addresses(reached.host, reached.port),
        )
        secure = [check for check in checks if proxied and Need.HTTPS in check.needs]
        left = max(1.0, deadline - time.monotonic())
        plain = [check for check in checks if check not in secure]
        outcome = audit(
            reached, site, plain, timeout=left, progress=progress, launch=partial(running, target)
        )
        found = {result.check.id: result for result in outcome.results}
        stopped = outcome.stopped
        for number, check in enumerate(secure):
            left = max(1.0, deadline - time.monotonic())
            again = audit(reached, behind_https(site, number), [check], timeout=left, progress=progress)
            found[check.id], stopped = again.results[0], stopped or again.stopped
        results = tuple(found[check.id] for check in checks)
        return replace(outcome, results=results, stopped=stopped)


def _whole(target: Shimmed, inspect: Callable[..., Outcome], *, checks: Sequence[Check]) -> Outcome:
    """The audit with every layer on, without which there is nothing to compare with."""
    try:
        outcome = inspect(target, checks=checks)
    except TargetFailed as failure:
        # The shim is the harness's business, and what it could not load the user's.
        own = _OWN_WORDS.search(str(failure))
        raise TargetFailed(own[1] if own else str(failure), failure.log) from failure
    interruption.check()
    if outcome.stopped:
        raise TargetFailed(f"with every layer on, {outcome.stopped}")
    return outcome


def found_without(
    layer: str,
    *,
    plan: Plan,
    checks: Sequence[Check],
    before: Mapping[str, str],
    look: Callable[[str], Outcome],
    deadline: float,
) -> Row:
    """What comes of a layer, or why nothing does.

    What is not as it should be is looked at once more, on another start, and told if it is so again: a
    machine that is busy with other things is late, and late is red for many a check.

    Args:
        layer: As in `RATE_LIMIT`.
        plan: Has the layers.
        checks: To choose from.
        before: The status of each check with every layer on, by its id.
        look: Starts the app without a layer, and asks.
        deadline: When the proof ends, in seconds on the monotonic clock.
    """
    all_of_them = checks_for(plan, checks)
    if not any(layer in check.layers for check in all_of_them):
        return compared(layer, all_of_them, before, {})
    first = _lacking(layer, look)
    if isinstance(first, Row):
        return first
    row = compared(layer, all_of_them, before, first)
    if not (row.blind or row.strays) or deadline - time.monotonic() < _LEAST:
        return row
    second = _lacking(layer, look)
    return row if isinstance(second, Row) else compared(layer, all_of_them, before, second)


def _lacking(layer: str, look: Callable[[str], Outcome]) -> dict[str, str] | Row:
    """What each check says without a layer, or a row that says why none does."""
    reason = ""
    try:
        outcome = look(layer)
    except TimeoutError:
        reason = "the time was up: allow more with --timeout"
    except KeyboardInterrupt:
        reason = _INTERRUPTED
    except (TargetFailed, UsageFault) as failure:
        return Row(layer=layer, status="not started", reason=str(failure))
    else:
        reason = _INTERRUPTED if interruption.noticed() else outcome.stopped
    return Row(layer=layer, status="not reached", reason=reason) if reason else _statuses(outcome)


def _statuses(outcome: Outcome) -> dict[str, str]:
    return {result.check.id: result.verdict.status for result in outcome.results}
