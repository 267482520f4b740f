"""What requests are counted as."""

from __future__ import annotations

import json

from garrison_harness.load.tally import MOST_KINDS, OTHER_KINDS, UNFINISHED, Tally


def mixed() -> Tally:
    """One of each."""
    tally = Tally()
    tally.reply(0.001, status=200)
    tally.reply(0.002, status=429)
    tally.reply(0.003, status=500, error="HTTP 500", path="/a")
    tally.reply(0.004, status=0, error="ConnectionRefusedError")
    tally.unfinished(5.0)
    tally.task_error("in a task: KeyError")
    return tally


def test_each_outcome_is_counted_where_it_belongs() -> None:
    """Statuses are counted by code, errors by kind, refusals apart, and cut-off requests as errors."""
    tally = mixed()
    assert (tally.requests, tally.errors, tally.limited, tally.task_errors) == (5, 4, 1, 1)
    assert tally.statuses == {200: 1, 429: 1, 500: 1}
    assert {"HTTP 500", "ConnectionRefusedError", UNFINISHED, "in a task: KeyError"} == set(tally.kinds)
    assert tally.latency.max == 5_000_000


def test_shares_are_of_all_attempts() -> None:
    """A task that ends in an exception is an attempt of its own, so no share exceeds one."""
    tally = mixed()
    assert (tally.error_share, tally.limited_share) == (4 / 6, 1 / 5)


def test_tally_survives_json() -> None:
    """A tally that went through JSON is the same."""
    tally = mixed()
    assert tally == Tally.from_record(json.loads(json.dumps(tally.to_record())))


def test_examples_of_an_error_are_few_and_short() -> None:
    """The first different paths of a kind are kept, and long ones are cut."""
    tally = Tally()
    for path in ("/" + "a" * 300, "/b", "/b", "", "/c", "/d"):
        tally.reply(0.001, status=500, error="HTTP 500", path=path)
    long, *others = tally.examples["HTTP 500"]
    assert (len(long), long[-3:], others) == (60, "...", ["/b", "/c"])


def test_kinds_of_error_are_bounded() -> None:
    """A locustfile that makes a new message for every request does not fill the memory."""
    tally = Tally()
    for number in range(MOST_KINDS + 10):
        tally.reply(0.001, status=0, error=f"message {number}", path=f"/{number}")
    assert tally.examples[OTHER_KINDS] == ["/50", "/51", "/52"]
    assert (len(tally.kinds), tally.kinds[OTHER_KINDS]) == (MOST_KINDS + 1, 10)
