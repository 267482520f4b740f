"""The checks of bounds, quotas, traces, logs and the stop on replies made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Quota
from tests.harness.recordings import CANARY, check_named, findings, lost, page, rehearsed, reply, verdict
from tests.harness.server_recordings import (
    AGAIN,
    BAD,
    CROWD,
    FACTS,
    FULL,
    GOOD,
    KNOWN,
    LOGS,
    OVER,
    ROUTE,
    SECRET,
    SPENT,
    UNJUDGED,
    Case,
    limits,
    trace,
)

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding


def named(case: Case) -> str:
    """The case as the test report names it."""
    return f"{case[0]}-{case[1]}"


def found_in(case: Case) -> list[Finding]:
    """The findings of a case."""
    name, title, replies = case
    key = (name, title)
    found = findings(name, replies, site=KNOWN, log=LOGS.get(key, ""), facts=FACTS.get(key, {}))
    return [finding for finding in found if finding.confidence is not Confidence.INFO]


@pytest.mark.parametrize("case", BAD, ids=named)
def test_a_check_finds_what_is_wrong(case: Case) -> None:
    """A reply that is wrong in one way fails the check for it, with the exchange as evidence."""
    (fault,) = found_in(case)

    assert fault.confidence is Confidence.CONFIRMED
    assert " -> " in fault.evidence[0]


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_a_check_passes_what_is_right(case: Case) -> None:
    """A reply that is right, however unusual, raises no alarm."""
    assert found_in(case) == []


# Of hundreds that come at once one may be lost; who watches a stop sees connections fail.
LOSING = [case for case in GOOD if case[0] not in {"L3", "L4", "L5", "R9", "R11", "A2", "G2"}]


@pytest.mark.parametrize("case", LOSING, ids=named)
def test_no_check_passes_where_a_request_was_not_answered(case: Case) -> None:
    """Every request that a check sends has to be heard before it says that all is well."""
    name, title, replies = case
    log, facts = LOGS.get((name, title), ""), FACTS.get((name, title), {})

    for label in list(rehearsed(check_named(name), replies, page(), KNOWN, log).exchanges):
        heard = {**replies, label: lost("timeout")}
        assert verdict(name, heard, site=KNOWN, log=log, facts=facts).status != "passed", label


@pytest.mark.parametrize(("name", "replies", "reason"), UNJUDGED)
def test_a_check_says_why_it_cannot_judge(name: str, replies: dict[str, Reply], reason: str) -> None:
    """Where the app's other answers leave nothing to compare with, the check is not run, and never passed."""
    judgement = verdict(name, replies, site=KNOWN)

    assert judgement.status == "not run"
    assert reason in judgement.reason


@pytest.mark.parametrize(("name", "label"), [("R7", "slow head"), ("R8", "slow body")])
def test_a_wait_without_a_declared_bound_confirms_nothing(name: str, label: str) -> None:
    """There may be a bound that is longer than an audit waits."""
    site = replace(KNOWN, slow_limit=None)

    (found,) = findings(name, {label: lost("left"), **({"small": ROUTE} if name == "R8" else {})}, site=site)

    assert found.confidence is Confidence.LIKELY
    assert "--slow-limit" in found.message


@pytest.mark.parametrize(
    ("name", "told"),
    [("T6", "no request is in the log"), ("G3", "at no usual path")],
)
def test_what_may_be_elsewhere_is_not_confirmed(name: str, told: str) -> None:
    """A log may go to a file, and a probe may have another path."""
    (found,) = findings(name, {"missing": reply(404)} if name == "G3" else {}, default=reply(404), site=KNOWN)

    assert found.confidence is Confidence.LIKELY
    assert told in found.message


def test_crowds_that_take_long_confirm_nothing() -> None:
    """A window may have turned for each of them."""
    later = dict.fromkeys((*OVER, *AGAIN[10:]), reply(429, elapsed=0.05))

    (found,) = findings("L3", later, site=KNOWN)

    assert found.confidence is Confidence.INFO


def test_a_crowd_that_is_held_is_not_sent_again() -> None:
    """The second is for what the turn of a window could explain."""
    held = dict.fromkeys((f"request {number}" for number in range(6, 22)), reply(429))

    asked = rehearsed(check_named("L3"), held, page(), KNOWN).exchanges
    assert len(asked) == 21
    everybody = rehearsed(check_named("L3"), {}, page(), KNOWN).exchanges.values()
    assert {exchange.request.voice for exchange in everybody} == {1, 2}


def test_a_trace_is_asked_for_as_a_proxy_would() -> None:
    """Whoever trusts only proxies of its own continues a trace from this machine, and no stranger's."""
    asked = rehearsed(check_named("T5"), {}, page(), KNOWN).exchanges

    assert all(exchange.request.near for exchange in asked.values())


def test_a_crowd_leaves_before_its_handlers_are_ended() -> None:
    """A refusal for the time that they take is none for their number."""
    asked = rehearsed(check_named("R11"), {}, page(), KNOWN).exchanges
    crowd = [exchange.request for label, exchange in asked.items() if label.startswith("request ")]

    assert KNOWN.time_limit is not None
    assert all(request.leaves is not None and request.leaves < KNOWN.time_limit for request in crowd)


def test_a_crowd_is_over_before_anything_else_is_asked() -> None:
    """The page is asked until it is answered as before, so that no other check is refused for this one."""
    full = {f"page after {number * 0.5:g} s": FULL for number in (1, 2)}
    asked = rehearsed(check_named("R11"), {**dict.fromkeys(CROWD, FULL), **full}, page(), KNOWN).exchanges

    assert list(asked)[-1] == "page after 1.5 s"


def test_a_secret_is_not_copied_into_a_report() -> None:
    """The finding shows where the secret is, and keeps it back."""
    (found,) = findings("T4", site=KNOWN, log=f"cookie={SECRET}\n")

    assert "printed: cookie=(the secret)" in found.evidence
    assert SECRET not in repr(found.evidence)


def test_a_secret_in_a_logged_query_is_a_small_fault() -> None:
    """Servers log queries without being asked, and whoever puts secrets there has other logs to fear."""
    (found,) = findings("T4", site=KNOWN, log=f"GET /?token=s3cret-query-{CANARY}\n")

    assert found.severity is Severity.LOW


@pytest.mark.parametrize("name", ["L4", "L5"])
def test_a_long_quota_is_not_waited_for(name: str) -> None:
    """An audit that waits for a minute is one that nobody runs."""
    site = replace(KNOWN, quota=Quota(limit=5, period=60))

    told = {"request 6": reply(429, {"Retry-After": "50"})} if name == "L5" else {}
    judgement = verdict(name, told, site=site)

    assert judgement.status == "not run"
    assert "not waited for" in judgement.reason


def test_a_stranger_whose_trace_is_dropped_is_told_of_only() -> None:
    """Some continue the traces of their own proxies only, and are right."""
    answers = page({"Traceresponse": trace("another")})

    (found,) = findings("T3", default=answers, site=KNOWN)

    assert found.confidence is Confidence.INFO


def test_an_older_draft_is_told_of_only() -> None:
    """Many servers still write the form of draft 7, and their clients read it."""
    (found,) = findings("L6", limits("", "limit=5, remaining=1, reset=30"), site=KNOWN)

    assert found.confidence is Confidence.INFO


def test_retry_after_may_be_a_date() -> None:
    """Both forms of RFC 9110 are understood; the date of the reply is what it counts from."""
    dates = {"Date": "Mon, 23 Nov 2026 10:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 10:00:02 GMT"}

    assert findings("L5", {"request 6": reply(429, dates)}, site=KNOWN) == []


def test_another_spelling_that_still_gives_the_page_is_a_way_around() -> None:
    """What passes twice while the page itself is refused is counted apart."""
    refused = dict.fromkeys((f"request {number}" for number in range(6, 12)), SPENT["request 6"])
    rest = rehearsed(check_named("L2"), {}, page(), KNOWN).exchanges
    others = {label: SPENT["request 6"] for label in rest if not label.startswith("request ")}

    (found,) = findings("L2", {**refused, **others, "HEAD": page(), "HEAD again": page()}, site=KNOWN)

    assert found.severity is Severity.LOW
    assert "HEAD" in found.message
