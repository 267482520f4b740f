"""Each drill's judgement of what was recorded, for an app that holds and for one that does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.handler_exceptions import HANDLER_EXCEPTIONS
from garrison_harness.drills.log_stall import LOG_STALLED
from garrison_harness.drills.recording import Ask, percentile
from garrison_harness.drills.refusal import Undecided
from garrison_harness.drills.slow_clients import SLOW_CLIENTS
from garrison_harness.drills.stop import STOPPED
from garrison_harness.drills.store_outage import STORE_FROZEN
from garrison_harness.report.hiding import secrets_of
from tests.harness.drills.recordings import STEP, ask, between, broken, points, recorded, verdicts

if TYPE_CHECKING:
    from garrison_harness.drills.drill import Drill

STORE_LOG = (
    '{"event": "rate_limit_store", "state": "failing"}',
    '{"event": "rate_limit_store", "state": "answering"}',
)
BURST = tuple(ask(6.0, status=200 if number < 20 else 429) for number in range(25))
STORE: dict[str, Any] = {
    "facts": {"asked again": 0.5},
    "others": {"probe before": BURST, "probe after": BURST},
    "log": {"before": (), "during": STORE_LOG[:1], "after": STORE_LOG},
}
QUOTA = Bounds(quota=20, refill=1 / 3)


def test_a_store_that_nobody_misses_is_held() -> None:
    """Replies as before, the store asked again, the quota back and two lines in the log: all is held."""
    assert set(verdicts(STORE_FROZEN, recorded(**STORE), QUOTA).values()) == {"held"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"failure": "reset"}, "got none (10 reset), the first at +0.5 s"),
        ({"failure": "timeout", "seconds": 10.0}, "got none (10 timeout)"),
        ({"seconds": 1.2}, "10 of 100 did, up to 1.2 s"),
        ({"status": 500}, "10 of 100 replies: 10 500"),
    ],
)
def test_half_a_second_of_trouble_is_told(change: dict[str, Any], told: str) -> None:
    """Replies that are lost, late or errors while the store is away are each a broken expectation."""

    def trouble(due: float) -> Ask:
        return ask(due, **change)

    (detail,) = broken(STORE_FROZEN, recorded(between(2.499, 2.999, trouble), **STORE), QUOTA)
    assert told in detail


def test_a_request_that_was_under_way_at_the_break_counts_as_broken() -> None:
    """What was sent before the store froze, and answered after, is part of what broke."""

    def slow(due: float) -> Ask:
        return ask(due, 1.5)

    assert broken(STORE_FROZEN, recorded(between(1.94, 1.99, slow), **STORE), QUOTA)
    cut = between(1.94, 1.99, lambda due: ask(due, 1.5, failure="cut"))
    assert "1 of 101 got none (1 cut)" in broken(STORE_FROZEN, recorded(cut, **STORE), QUOTA)[0]


def test_latency_counts_from_when_a_request_was_due() -> None:
    """A request that was sent late waited all the same: nothing is omitted."""
    assert ask(1.0, 0.5).latency == pytest.approx(0.5)
    assert Ask(due=1.0, began=3.0, ended=3.1, status=200).latency == pytest.approx(2.1)
    assert percentile([ask(0.0, seconds / 100) for seconds in range(1, 101)], 95) == pytest.approx(0.95)


def test_refusals_are_right_where_the_settings_ask_for_them() -> None:
    """A 503 with Retry-After while the store is away is clean where it is meant; else it is an error."""

    def refusal(due: float) -> Ask:
        return ask(due, status=503, headers={"retry-after": "1"})

    seen = recorded(between(2.0, 5.0, refusal), **STORE)
    closed = replace(QUOTA, closed=True)
    assert not broken(STORE_FROZEN, seen, closed)
    assert broken(STORE_FROZEN, seen, QUOTA)
    bare = recorded(between(2.0, 5.0, lambda due: ask(due, status=503)), **STORE)
    assert broken(STORE_FROZEN, bare, closed) == ["60 are not: 60 503"]
    late = recorded(between(2.0, 6.0, refusal), **STORE)
    assert "20 came after the store was back: 20 503" in broken(STORE_FROZEN, late, closed)[0]


def test_a_store_that_is_not_asked_again_is_told() -> None:
    """An app that goes on without its store for ever is not one that recovered."""
    assert broken(STORE_FROZEN, recorded(**{**STORE, "facts": {}}))


@pytest.mark.parametrize(("passed", "verdict"), [(20, "held"), (21, "held"), (25, "broken"), (5, "broken")])
def test_the_quota_is_neither_lost_nor_smaller_afterwards(passed: int, verdict: str) -> None:
    """As many requests as the quota has pass once the store is back, and one that came back meanwhile."""
    after = tuple(ask(6.0, status=200 if number < passed else 429) for number in range(25))
    seen = recorded(**{**STORE, "others": {"probe before": BURST, "probe after": after}})
    assert verdicts(STORE_FROZEN, seen, QUOTA)["a quota holds again afterwards"] == verdict


def test_a_quota_that_never_held_is_not_judged() -> None:
    """Who let everything through before anything broke has not lost a quota."""
    passed = tuple(ask(1.0) for _ in range(25))
    seen = recorded(**{**STORE, "others": {"probe before": passed, "probe after": passed}})
    assert verdicts(STORE_FROZEN, seen, QUOTA)["a quota holds again afterwards"] == "not run"
    unknown = verdicts(STORE_FROZEN, seen, Bounds())
    assert unknown["a quota holds again afterwards"] == "not run"


@pytest.mark.parametrize(
    ("log", "verdict"),
    [
        ((), "broken"),
        (STORE_LOG[:1], "broken"),
        ((*STORE_LOG, STORE_LOG[0]), "broken"),
        (STORE_LOG, "held"),
        (("ERROR: Error 111 connecting to 127.0.0.1:6379",), "held"),
        (('INFO: 127.0.0.1:5 - "GET / HTTP/1.1" 200 OK', "tick 17"), "broken"),
    ],
)
def test_the_log_tells_of_an_outage(log: tuple[str, ...], verdict: str) -> None:
    """Garrison's two events come once each; of any other app at least a line is new."""
    seen = recorded(**{**STORE, "log": {"before": ("tick 3",), "during": log, "after": log}})
    (found,) = (
        point for point in points(STORE_FROZEN, seen, QUOTA) if point.expectation.startswith("the log")
    )
    assert found.verdict == verdict


def test_each_worker_tells_of_an_outage() -> None:
    """Four processes write four lines each way, and one that writes eight does not."""
    log = STORE_LOG * 4
    seen = recorded(**{**STORE, "log": {"before": (), "during": log, "after": log}})
    assert not broken(STORE_FROZEN, seen, replace(QUOTA, workers=4))
    assert broken(STORE_FROZEN, seen, QUOTA)


@pytest.mark.parametrize("drill", [STORE_FROZEN, STOPPED, LOG_STALLED, SLOW_CLIENTS, HANDLER_EXCEPTIONS])
def test_an_app_that_was_unwell_before_is_not_judged(drill: Drill) -> None:
    """Errors before anything broke say that what came later may have another cause."""
    for trouble in (lambda due: ask(due, status=500), lambda due: ask(due, failure="reset")):
        with pytest.raises(Undecided, match="before anything broke"):
            list(points(drill, recorded(between(1.0, 1.2, trouble), **STORE)))
    with pytest.raises(Undecided, match="too few"):
        list(points(drill, recorded(**{**STORE, "broke": 0.1})))


def test_a_load_that_was_late_itself_says_nothing() -> None:
    """Where this machine was too busy to send requests in time, no app is blamed."""

    def late(due: float) -> Ask:
        return Ask(due=due, began=due + 0.6, ended=due + 1.6, status=200)

    with pytest.raises(Undecided, match="the load itself sent a request 600 ms late"):
        list(points(STORE_FROZEN, recorded(between(3.0, 3.1, late), **STORE)))
    hanging = between(3.0, 3.1, lambda due: ask(due, failure="not sent" if due > 3.04 else "timeout"))
    assert broken(STORE_FROZEN, recorded(hanging, **STORE), QUOTA), "the app took all connections itself"
    with pytest.raises(Undecided, match="no connection left"):
        list(
            points(
                STORE_FROZEN, recorded(between(3.0, 3.1, lambda due: ask(due, failure="not sent")), **STORE)
            )
        )


STOP_FACTS = {
    "under way": 4.0,
    "readiness known": 1.0,
    "readiness": 503.0,
    "stopped": 1.0,
    "status": 0.0,
    "took": 1.2,
    "again": 0.8,
}
FINISHED = {"under way": tuple(ask(1.9, 0.6) for _ in range(4))}


def down(due: float) -> Ask:
    """A connection that nobody takes."""
    return ask(due, failure="refused")


def test_a_stop_in_order_is_held() -> None:
    """Refused connections while it is down are all that the load may see."""
    seen = recorded(between(3.0, 4.0, down), facts=STOP_FACTS, others=FINISHED, recovered=4.0)
    assert set(verdicts(STOPPED, seen).values()) == {"held"}


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"stopped": 0.0, "status": None}, "it still ran 10 s later"),
        ({"status": 1.0}, "exit status 1 after 1.2 s"),
        ({"status": -9.0}, "exit status -9"),
        ({"readiness": 0.0}, "nobody answered first"),
        ({"readiness": None}, "ready to the end"),
        ({"again": None}, "did not start again"),
    ],
)
def test_a_stop_in_disorder_is_told(facts: dict[str, float | None], told: str) -> None:
    """Each way to stop badly is a broken expectation of its own."""
    changed = {name: value for name, value in {**STOP_FACTS, **facts}.items() if value is not None}
    seen = recorded(between(3.0, 4.0, down), facts=changed, others=FINISHED, recovered=4.0)
    (detail,) = broken(STOPPED, seen)
    assert told in detail


def test_the_order_to_stop_is_an_orderly_end_too() -> None:
    """A server that hands the signal on, once all is finished, ended in order."""
    for status in (-15.0, 143.0):
        facts = {**STOP_FACTS, "status": status}
        assert not broken(
            STOPPED, recorded(between(3.0, 4.0, down), facts=facts, others=FINISHED, recovered=4.0)
        )


@pytest.mark.parametrize(
    ("start", "failure", "told"),
    [(2.5, "cut", "2 cut"), (2.5, "reset", "2 reset"), (5.0, "refused", "2 refused")],
)
def test_half_a_reply_at_the_stop_is_told(start: float, failure: str, told: str) -> None:
    """A cut or reset reply is lost, and so is a refusal once the app is back; one while it is down is not."""
    trouble = between(start, start + 0.1, lambda due: ask(due, failure=failure))
    seen = recorded(trouble, facts=STOP_FACTS, others=FINISHED, recovered=4.0)
    assert told in broken(STOPPED, seen)[0]
    assert verdicts(STOPPED, seen)["no reply is lost"] == "broken"


@pytest.mark.parametrize(
    ("due", "seconds", "verdict"),
    [(2.9, 0.01, "held"), (2.9, 0.5, "broken"), (2.6, 0.01, "broken"), (1.95, 0.1, "broken")],
)
def test_a_connection_that_waits_when_the_port_closes_finds_nobody(
    due: float, seconds: float, verdict: str
) -> None:
    """It is reset by the system right before the first refusal; what is reset otherwise was dropped."""

    def stop(moment: float) -> Ask | None:
        if abs(moment - due) < STEP / 2:
            return ask(moment, seconds, failure="reset")
        return down(moment) if 3.0 <= moment < 4.0 else None

    seen = recorded(stop, facts=STOP_FACTS, others=FINISHED, recovered=4.0)
    assert verdicts(STOPPED, seen)["no reply is lost"] == verdict


def test_requests_under_way_at_the_stop_are_not_dropped() -> None:
    """A request that was begun before the stop ends with its reply; one that was over says nothing."""
    expectation = "requests under way at the stop are finished"
    cut = {"under way": (*FINISHED["under way"][:3], ask(1.9, failure="cut"))}
    assert verdicts(STOPPED, recorded(facts=STOP_FACTS, others=cut))[expectation] == "broken"
    gone = {"under way": FINISHED["under way"][:3]}
    assert verdicts(STOPPED, recorded(facts=STOP_FACTS, others=gone))[expectation] == "broken"
    early = recorded(facts={**STOP_FACTS, "under way": 0.0}, others=FINISHED)
    assert verdicts(STOPPED, early)[expectation] == "not run"


DROPPED = '{"event": "log_lines_dropped", "dropped": 60}'


def lines(count: int) -> tuple[str, ...]:
    """So many lines of a log in JSON."""
    return tuple(json.dumps({"event": "http.request", "number": number}) for number in range(count))


def stalled(after: tuple[str, ...], **facts: float) -> dict[str, Any]:
    """What is recorded where the log was read no more: two lines for each of 140 requests."""
    return {
        "facts": {"answered early": 40.0, "grown": 1e6, **facts},
        "log": {"before": lines(80), "after": after},
    }


def test_a_log_that_is_whole_or_says_what_is_missing_is_held() -> None:
    """Every line is there, or counted among those that an event says were dropped."""
    for after in (lines(280), (*lines(220), DROPPED)):
        assert set(verdicts(LOG_STALLED, recorded(**stalled(after))).values()) == {"held"}


@pytest.mark.parametrize(
    ("after", "grown", "told"),
    [
        (lines(279), 0.0, "1 are lost without a word"),
        ((*lines(219), DROPPED), 0.0, "1 are lost without a word"),
        ((*lines(280), '{"event": "http.req'), 0.0, "1 of 281"),
        (lines(280), 80e6, "by 76.3 MiB"),
    ],
)
def test_a_log_with_gaps_is_told(after: tuple[str, ...], grown: float, told: str) -> None:
    """Lines that are lost silently or torn, and memory that grows with what is not read, are broken."""
    (detail,) = broken(LOG_STALLED, recorded(**stalled(after, grown=grown)))
    assert told in detail


def test_a_log_that_says_nothing_of_requests_is_not_counted() -> None:
    """Where requests have no lines of their own, nothing can be missing; text lines may be torn unseen."""
    seen = recorded(
        facts={"answered early": 40.0}, log={"before": ("started",) * 7, "after": ("started",) * 9}
    )
    found = verdicts(LOG_STALLED, seen)
    assert found["the log has every request, or says how many lines are missing"] == "not run"
    assert found["no line of the log is torn"] == "not run"
    assert found["its memory grows by at most 64 MiB meanwhile"] == "not run"


def slow(held: str = "", **facts: float) -> dict[str, float]:
    """Twenty slow clients of each kind, all ended but those of one kind."""
    found = {"reply": 6e6, "buffer": 4e6}
    for kind in ("heads", "bodies", "readers"):
        found |= {kind: 20.0, f"{kind} held": 20.0 * (kind == held), f"{kind} longest": 2.1}
    return {**found, **facts}


def test_slow_clients_that_nobody_notices_are_held() -> None:
    """The others are as quick as before, and the slow ones are ended in time."""
    assert set(verdicts(SLOW_CLIENTS, recorded(facts=slow()), Bounds(slow=2.0)).values()) == {"held"}


@pytest.mark.parametrize("kind", ["heads", "bodies", "readers"])
def test_slow_clients_that_are_never_ended_are_told(kind: str) -> None:
    """Each kind has its own expectation, once it is declared how long a client may take."""
    seen = recorded(facts=slow(kind))
    assert broken(SLOW_CLIENTS, seen, Bounds(slow=2.0)) == ["20 of 20 were still there 2 s after that"]
    assert verdicts(SLOW_CLIENTS, seen)[f"slow {kind} are ended in time"] == "not run"
    late = recorded(facts=slow() | {"heads longest": 4.5})
    assert broken(SLOW_CLIENTS, late, Bounds(slow=2.0)) == ["one was there for 4.5 s"]


def test_a_reply_that_the_system_holds_back_says_nothing_of_readers() -> None:
    """Where the system takes the whole reply from the app, the app cannot know that nobody reads."""
    seen = recorded(facts=slow("readers", reply=5000.0))
    assert verdicts(SLOW_CLIENTS, seen, Bounds(slow=2.0))["slow readers are ended within 2 s"] == "not run"


@pytest.mark.parametrize("drill", [SLOW_CLIENTS, HANDLER_EXCEPTIONS])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seconds": 0.4}, "p95 400 ms after 5 ms, more than 255 ms"),
        ({"status": 503}, "60 of 100 requests ended in 60 503"),
        ({"failure": "timeout"}, "60 of 100 requests ended in 60 timeout"),
    ],
)
def test_others_who_suffer_are_told(drill: Drill, change: dict[str, Any], told: str) -> None:
    """Who did nothing wrong and waits, is refused or gets nothing, is a broken expectation."""
    others = {"errors": (problem(),), "missing": ()}
    trouble = between(2.0, 5.0, lambda due: ask(due, **change))
    assert told in broken(drill, recorded(trouble, facts=slow(), others=others), Bounds(slow=2.0))


def problem(**change: Any) -> Ask:
    """An exception that is answered with a problem document."""
    body = json.dumps({"type": "about:blank", "title": "Internal Server Error", "status": 500})
    fields = {"status": 500, "headers": {"content-type": "application/problem+json"}, "body": body}
    return ask(3.0, **{**fields, **change})


def test_exceptions_that_are_problem_documents_are_held() -> None:
    """A problem document with the status of the reply, and nothing of the inside."""
    seen = recorded(others={"errors": (problem(),) * 30, "missing": ()})
    assert set(verdicts(HANDLER_EXCEPTIONS, seen).values()) == {"held"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"headers": {"content-type": "text/plain"}}, "are none: 500 with text/plain"),
        ({"headers": {}}, "500 with no media type"),
        ({"body": "Internal Server Error"}, "are none"),
        ({"body": '{"status": 404}'}, "are none"),
        ({"body": '{"detail": "LookupError: no till"}'}, "such as 'LookupError'"),
        ({"body": '{"detail": "Traceback (most recent call last)"}'}, "such as 'Traceback (most recent'"),
        ({"body": '{"detail": "/srv/till.py"}'}, "such as '.py'"),
        ({"status": 0, "failure": "reset"}, "1 of 2 got none (1 reset)"),
    ],
)
def test_exceptions_that_tell_too_much_or_nothing_are_told(change: dict[str, Any], told: str) -> None:
    """Another form, an inside that shows, or no reply at all is broken, be it once."""
    others = {"errors": (problem(), problem(**change)), "missing": ()}
    (detail,) = broken(HANDLER_EXCEPTIONS, recorded(others=others))
    assert told in detail


def test_an_app_has_to_have_problem_documents_before_it_can_lose_them() -> None:
    """Plain errors are a framework's own way, and broken only beside others that are problem documents."""
    plain = problem(headers={"content-type": "text/plain"}, body="Internal Server Error")
    missing = ask(0.0, status=404, headers={"content-type": "text/plain"}, body="Not Found")
    expectation = "errors are problem documents"
    usual = recorded(others={"errors": (plain,) * 3, "missing": (missing,)})
    assert verdicts(HANDLER_EXCEPTIONS, usual)[expectation] == "not run"
    odd = recorded(others={"errors": (plain,) * 3, "missing": (problem(status=404, body="{}"),)})
    assert verdicts(HANDLER_EXCEPTIONS, odd)[expectation] == "broken"


@pytest.mark.parametrize("drill", [STORE_FROZEN, LOG_STALLED, SLOW_CLIENTS, HANDLER_EXCEPTIONS])
def test_a_process_that_ends_is_told(drill: Drill) -> None:
    """However well it answered, an app that is gone afterwards is broken."""
    facts = {**slow(), "asked again": 0.1, "answered early": 40.0, "grown": 0.0, "alive": 0.0}
    log = {"before": lines(80), "during": STORE_LOG, "after": lines(280) + STORE_LOG}
    seen = recorded(facts=facts, log=log, others={"errors": (problem(),), "missing": ()})
    assert verdicts(drill, seen, QUOTA)["the process stays up"] == "broken"


def test_the_login_of_the_load_is_in_no_line_that_is_told() -> None:
    """What the log says of the outage is told without the headers that the person gave."""
    line = "ERROR the store is away: authorization Bearer my-own-token"
    log = {"before": (), "during": (line,), "after": (line,)}
    seen = recorded(facts={"asked again": 0.5}, others=STORE["others"], log=log)
    told = seen.without(secrets_of([("Authorization", "Bearer my-own-token")]))
    found = {point.expectation: point.detail for point in points(STORE_FROZEN, told, QUOTA)}
    assert found["the log tells of it"] == "such as: ERROR the store is away: authorization [hidden]"
