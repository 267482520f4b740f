"""Replies that never end are waited for once."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.endless import Endless, seconds_to_read
from garrison_harness.exchange import Reply
from garrison_harness.in_process import Hosted
from garrison_harness.probe import Budget
from garrison_harness.running import Running, running
from garrison_harness.target import parse_target
from tests.harness.apps import usual
from tests.harness.commands import APPS, UVICORN
from tests.harness.recordings import SITE

if TYPE_CHECKING:
    from garrison_harness.exchange import Headers

PAGE = SITE.get("/search")
ENDLESS = Reply(status=200, failure="timeout")


def budget() -> Budget:
    """Enough for a few requests."""
    return Budget(deadline=time.monotonic() + 20, requests=10)


def is_left_early(reached: Running | Hosted, *, known: bool) -> bool:
    """Whether one of a few requests for a stream was given up before all patience is used up."""
    for _ in range(4):
        reached.endless = Endless()
        if known:
            reached.endless.noted(PAGE, ENDLESS)
        reply = reached.asker("127.0.0.1", budget()).ask(PAGE)
        assert reply.failure == "timeout"
        if reply.status == 200 and 0.9 < reply.elapsed < 4:
            return True
        # The machine was busy with something else.
    return False


def test_a_stream_is_waited_for_once_over_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for routes, scoring the page and the checks all ask for it, and share what they know."""
    monkeypatch.chdir(APPS)
    with running(parse_target([*UVICORN, "usual:ENDLESS_TEXT"])) as reached:
        assert is_left_early(reached, known=True)


def test_a_stream_is_waited_for_once_in_process() -> None:
    """The same without a connection."""
    with Hosted(usual.ENDLESS_TEXT) as hosted:
        assert is_left_early(hosted, known=True)


@pytest.mark.parametrize(
    "reply", [Reply(status=200), Reply(failure="timeout"), Reply(status=200, failure="truncated")]
)
def test_only_what_begins_and_does_not_end_is_a_stream(reply: Reply) -> None:
    """An app that takes long to begin may be in time for the next."""
    known = Endless()

    assert known.noted(PAGE, reply) is reply
    assert known.hurried(PAGE) is PAGE


def test_what_a_check_wants_to_wait_for_is_its_own_business() -> None:
    """A request that says when it has had enough is left as it is, and tells nothing of others."""
    known = Endless()
    leaving = replace(PAGE, leaves=0.3)

    known.noted(replace(PAGE, reading=0.1), ENDLESS)
    assert known.hurried(PAGE) is PAGE
    known.noted(PAGE, ENDLESS)
    assert known.hurried(leaving) is leaving
    assert known.hurried(SITE.get("/search?other=query")).reading == 1
    assert known.hurried(SITE.get("/other")).reading is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Content-Type", "text/event-stream; charset=utf-8"),), 1.0),
        ((("content-type", "TEXT/EVENT-STREAM"),), 1.0),
        ((("content-type", "text/html"),), None),
        ((), None),
    ],
)
def test_a_stream_of_events_is_known_by_its_type(headers: Headers, seconds: float | None) -> None:
    """Nobody waits for its end before it is known that it has none; a request's own patience counts first."""
    assert seconds_to_read(PAGE, headers) == seconds
    assert seconds_to_read(replace(PAGE, reading=0.1), headers) == 0.1
    assert seconds_to_read(replace(PAGE, leaves=0.3), headers) is None


def test_a_stream_of_events_is_left_early_over_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time already."""
    monkeypatch.chdir(APPS)
    with running(parse_target([*UVICORN, "usual:ENDLESS"])) as reached:
        assert is_left_early(reached, known=False)


def test_a_stream_of_events_is_left_early_in_process() -> None:
    """The same without a connection."""
    with Hosted(usual.ENDLESS) as hosted:
        assert is_left_early(hosted, known=False)
