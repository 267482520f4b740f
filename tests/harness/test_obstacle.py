"""What is said of a page that is none."""

from __future__ import annotations

import pytest

from garrison_harness.exchange import Exchange, Reply
from garrison_harness.obstacle import obstacle
from tests.harness.recordings import SITE, lost, reply


def said(answer: Reply) -> str:
    """What is said where the page gets this answer."""
    return obstacle(Exchange(label="page", request=SITE.get("/"), reply=answer))


@pytest.mark.parametrize("status", [200, 204, 302, 304])
def test_a_success_and_a_redirect_are_no_obstacle(status: int) -> None:
    """What a browser is shown, or sent on by, can be judged."""
    assert said(reply(status)) == ""


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (reply(401), "without login"),
        (reply(403), "without login"),
        (reply(404), "name a page that answers with --path"),
        (reply(400), "--host"),
        (reply(421), "--host"),
        (reply(429), "quota"),
        (reply(500), "mend it"),
        (lost("timeout"), "mend it"),
    ],
)
def test_whatever_else_comes_is_named_with_what_to_do(answer: Reply, advice: str) -> None:
    """The line says what was asked, what it answered, and how to get further."""
    line = said(answer)

    assert line.startswith(f"GET / answered {answer.outcome}; ")
    assert advice in line
    assert "\n" not in line


def test_a_request_that_was_never_sent_is_no_obstacle() -> None:
    """Where the audit's time was up, that is the reason, and not the page."""
    assert said(lost("abandoned")) == ""
