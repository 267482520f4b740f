"""What is said of a page that is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from garrison_harness.exchange import Exchange, Reply
from garrison_harness.obstacle import obstacle
from tests.harness.recordings import SITE, lost, reply


def said(answer: Reply) -> str:
    """What is said where the page gets this answer."""
    return obstacle(Exchange(label="page", request=SITE.get("/"), reply=answer), SITE)


@pytest.mark.parametrize("status", [200, 204, 302, 304])
def test_a_success_and_a_redirect_are_no_obstacle(status: int) -> None:
    """What a browser is shown, or sent on by, can be judged."""
    assert said(reply(status)) == ""


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (reply(401), "log in with --header or with the login of [tool.garrison]"),
        (reply(403), "or name a page without one with --path"),
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


@pytest.mark.parametrize(
    "answer",
    [
        reply(308, {"Location": "https://127.0.0.1/"}),
        reply(301, {"Location": "https://127.0.0.1:8443/start?a=b"}),
        reply(
            403, {"Content-Type": "application/problem+json"}, b'{"detail": "It is served over https only."}'
        ),
        reply(403, {"Content-Type": "text/plain"}, b"SSL is required to view this resource."),
    ],
)
def test_an_app_that_insists_on_https_is_recognised(answer: Reply) -> None:
    """Another page would be answered the same, so the line names https and no path."""
    line = said(answer)

    assert line.startswith(f"GET / answered {answer.outcome}; ")
    assert "the app insists on https" in line
    assert "GARRISON_HOSTS_HTTPS=off" in line
    assert "--path" not in line


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1/", "/start", "https://[", "", "/authors", "/lessons", "/blog-introduction", "/design"],
)
def test_a_redirect_to_another_page_is_no_obstacle(location: str) -> None:
    """Where it leads, there is a page to name; only what is called a login is taken for one."""
    assert said(reply(302, {"Location": location})) == ""


@pytest.mark.parametrize(
    "location", ["/login?next=/", "https://login.example/", "/users/sign_in", "/oauth2/start", "/authorize"]
)
def test_a_redirect_to_a_login_is_an_obstacle_as_a_401_is(location: str) -> None:
    """An audit that sees nothing but the way to a login proves nothing."""
    line = said(reply(302, {"Location": location}))

    assert line.startswith(f"GET / answered 302 Reason and leads to {location}; log in with --header")


def test_over_https_nobody_is_sent_there() -> None:
    """A target that is asked over https and redirects to itself is not told to use https."""
    answer = reply(308, {"Location": "https://127.0.0.1/start"})
    page = Exchange(label="page", request=SITE.get("/"), reply=answer)

    assert obstacle(page, replace(SITE, https=True)) == ""


def test_a_request_that_was_never_sent_is_no_obstacle() -> None:
    """Where the audit's time was up, that is the reason, and not the page."""
    assert said(lost("abandoned")) == ""
