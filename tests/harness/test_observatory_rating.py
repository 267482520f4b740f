"""The score of what a browser would see: what is asked, what is scored, and how reports show it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.finding import Severity, judged
from garrison_harness.in_process import Hosted
from garrison_harness.observatory.rating import Rating, signed
from garrison_harness.observatory.scoring import ORIGIN
from garrison_harness.observatory.visit import rated
from garrison_harness.report import html_report, json_report, markdown
from garrison_harness.site import Site
from tests.harness.commands import UVICORN, check
from tests.harness.reports import report, results, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from pathlib import Path

    Scope = MutableMapping[str, Any]
    Answer = tuple[int, dict[str, str], str]

HTML = {"content-type": "text/html; charset=utf-8"}
GOOD = HTML | {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
PAGE = "<!doctype html><title>x</title>"
HSTS = {"strict-transport-security": "max-age=63072000"}


def visited(answer: Callable[[Scope], Answer], *, as_https: bool = False, authority: str = "") -> Rating:
    """The rating of an app that answers so."""

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            status, headers, body = answer(scope)
            lines = [(name.encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": lines})
            await send({"type": "http.response.body", "body": body.encode()})

    site = Site(authority=authority or "127.0.0.1:8000", canary="garrison-1", path="/", sockets=False)
    with Hosted(app) as hosted:
        return rated(hosted, site, as_https=as_https)


def header(scope: Scope, name: str) -> str:
    """A header of the request."""
    return next((value.decode() for key, value in scope["headers"] if key.decode() == name), "")


def points(rating: Rating) -> dict[str, int]:
    """What each rule gives or takes."""
    assert rating.score is not None, rating.reason
    return rating.score.tests


def test_plain_http_is_scored_as_it_is() -> None:
    """It costs twice, and the sentence says how to score it otherwise."""
    rating = visited(lambda _: (200, GOOD | HSTS, PAGE))

    assert (rating.https, rating.url) == ("none", "http://127.0.0.1:8000/")
    assert (points(rating)["redirection"], points(rating)["strict-transport-security"]) == (-20, -20)
    assert rating.sentence() == (
        "MDN HTTP Observatory: C+, 60/100, over plain http, which costs 40;"
        " --as-https has it scored as over https"
    )


def test_https_is_simulated_as_a_proxy_in_front_would_do_it() -> None:
    """The app is told the scheme and a public name, for which it sends what it keeps for https."""

    def answer(scope: Scope) -> Answer:
        secure = scope["scheme"] == "https" and header(scope, "x-forwarded-proto") == "https"
        named = header(scope, "host") == "site.example"
        return 200, GOOD | (HSTS if secure and named else {}), PAGE

    rating = visited(answer, as_https=True)

    assert (rating.https, rating.url) == ("simulated", "https://site.example/")
    assert (points(rating)["redirection"], points(rating)["strict-transport-security"]) == (0, 0)
    assert rating.score is not None
    assert (rating.score.total, rating.score.grade) == (110, "A+")
    assert rating.sentence() == "MDN HTTP Observatory: A+, 110/100, as a proxy that speaks https asks"


@pytest.mark.parametrize("status", [400, 421])
def test_an_app_that_serves_its_own_name_only_is_asked_by_that(status: int) -> None:
    """Where the public name is refused."""
    rating = visited(
        lambda scope: (
            (200, GOOD, PAGE) if header(scope, "host") == "127.0.0.1:8000" else (status, HTML, PAGE)
        ),
        as_https=True,
    )

    assert rating.url == "https://127.0.0.1:8000/"
    assert rating.score is not None


def test_a_public_name_that_was_given_is_used() -> None:
    """And no other."""
    rating = visited(
        lambda scope: (200, GOOD, header(scope, "host")), as_https=True, authority="shop.example"
    )

    assert rating.url == "https://shop.example/"


def test_redirects_on_the_same_host_are_followed() -> None:
    """As far as the page, with its query."""

    def answer(scope: Scope) -> Answer:
        if scope["path"] == "/":
            return 302, {"location": "home"}, ""
        if scope["path"] == "/home":
            return 307, {"location": "//127.0.0.1:8000/start?lang=en"}, ""
        return (200, GOOD, PAGE) if scope["query_string"] == b"lang=en" else (404, HTML, "")

    assert visited(answer).url == "http://127.0.0.1:8000/start?lang=en"


@pytest.mark.parametrize(
    ("answer", "as_https", "reason"),
    [
        (
            (200, {"content-type": "application/json"}, "{}"),
            False,
            "GET / answered 200 with application/json, which is no page for a browser",
        ),
        ((204, {}, ""), False, "GET / answered 204 with no type, which is no page for a browser"),
        ((404, HTML, PAGE), False, "GET / answered 404: name a page with --path"),
        ((500, HTML, PAGE), False, "GET / answered 500: name a page with --path"),
        ((302, {"location": "/"}, ""), False, "GET / answered 302: name a page with --path"),
        (
            (302, {"location": "http://elsewhere.example/"}, ""),
            False,
            "the app sends browsers elsewhere, to http://e",
        ),
        ((301, {"location": "https://127.0.0.1:8000/"}, ""), False, "as it is over https, with --as-https"),
        ((301, {"location": "https://site.example/"}, ""), True, "does not believe a proxy that says https"),
    ],
)
def test_what_is_no_page_has_no_score(answer: Answer, as_https: bool, reason: str) -> None:
    """The reason is said, such as that of an API."""
    rating = visited(lambda _: answer, as_https=as_https)

    assert rating.score is None
    assert reason in rating.reason
    assert rating.sentence() == f"MDN HTTP Observatory: no page to score: {rating.reason}"
    assert rating.contributions() == ()


@pytest.mark.parametrize("status", [401, 403])
def test_a_closed_page_is_scored_as_a_live_scan_does(status: int) -> None:
    """Its headers count all the same."""
    assert visited(lambda _: (status, GOOD, PAGE)).score is not None


def test_the_reply_to_a_preflight_counts() -> None:
    """An origin that is reflected with credentials costs half of all."""

    def answer(scope: Scope) -> Answer:
        if scope["method"] != "OPTIONS":
            return 200, GOOD, PAGE
        assert header(scope, "access-control-request-method") == "GET"
        grant = {
            "access-control-allow-origin": header(scope, "origin"),
            "access-control-allow-credentials": "true",
        }
        return 204, grant, ""

    assert ORIGIN.startswith("https://")
    assert points(visited(answer))["cross-origin-resource-sharing"] == -50


def test_rules_are_told_the_worst_first_and_bonuses_in_brackets_where_they_do_not_count() -> None:
    """From 90 points on they do."""
    low = visited(lambda _: (200, GOOD, PAGE))
    high = visited(lambda _: (200, GOOD | HSTS, PAGE), as_https=True)

    assert low.contributions()[0] == ("redirection", -20, True)
    assert low.contributions()[-1][2] is False
    assert low.note == "points in brackets count from 90 on"
    assert high.contributions()[-1][1:] == (5, True)
    assert high.note == ""
    assert [
        signed(5, counts=True),
        signed(5, counts=False),
        signed(-20, counts=True),
        signed(0, counts=True),
    ] == [*("+5", "(+5)", "-20", "0")]


def test_every_form_for_people_and_programs_shows_score_and_rules() -> None:
    """And the families beside it."""
    rating = visited(lambda _: (200, GOOD, PAGE))
    made = report(results(H9=judged(()), E1=judged(())), rating=rating)

    document = json.loads(json_report.render(made))
    assert document["observatory"]["score"] == 60
    assert document["observatory"]["grade"] == "C+"
    assert {"name": "redirection", "points": -20, "counts": True} in document["observatory"]["rules"]
    assert sum(rule["points"] for rule in document["observatory"]["rules"] if rule["counts"]) == 60 - 100
    assert [(one["letter"], one["passed"], one["not_run"]) for one in document["families"]] == [
        ("H", 1, 0),
        ("E", 1, 0),
    ]
    page, summary, text = html_report.render(made), markdown.render(made), text_of(made)
    for shown in (page, summary, text):
        assert "60/100" in shown
        assert "Browser policy and the form of replies" in shown
    assert '<tr><td>redirection</td><td class="number">-20</td></tr>' in page
    assert "| redirection | -20 |" in summary
    assert "(+5) x-frame-options" in " ".join(text.split())
    assert "0 cookies" in " ".join(text.split())
    assert all("in brackets count from 90 on" in " ".join(shown.split()) for shown in (page, summary, text))


def test_where_there_is_no_page_every_form_says_so() -> None:
    """With the reason, as text."""
    rating = Rating(url="http://127.0.0.1:8000/", https="none", reason="GET / answered <b>")
    made = report(results(H9=judged(())), rating=rating)

    document = json.loads(json_report.render(made))
    assert document["observatory"] == {
        "url": "http://127.0.0.1:8000/",
        "https": "none",
        "score": None,
        "grade": None,
        "reason": "GET / answered <b>",
        "rules": [],
    }
    assert "no page to score: GET / answered &lt;b&gt;" in html_report.render(made)
    assert r"no page to score: GET / answered \<b\>" in markdown.render(made)
    assert "no page to score: GET / answered <b>" in text_of(made)


def test_a_reason_shows_no_secret() -> None:
    """Such as a login that the app repeats in a redirect."""
    rating = Rating(url="http://x/?a=abcdefgh", https="none", reason="GET /?a=abcdefgh answered 404")
    made = report((), rating=rating, headers=(("X-Key", "abcdefgh"),))

    assert made.rating is not None
    assert (made.rating.url, made.rating.reason) == ("http://x/?a=[hidden]", "GET /?a=[hidden] answered 404")


def test_severities_that_are_given_replace_those_of_checks_and_findings() -> None:
    """What is mere information stays what it is."""
    made = report(severities={"E1": Severity.LOW, "H2": Severity.CRITICAL})

    shown = {one.finding.message: (one.severity, one.failing) for one in made.found()}
    assert made.exit_status == 0
    assert shown == {
        "anyone may look in": (Severity.LOW, False),
        "perhaps 17 bytes too many": (Severity.CRITICAL, False),
        "by the way": (Severity.INFO, False),
    }


SCHEMING = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/html"), (b"x-content-type-options", b"nosniff")]
        if scope["scheme"] == "https":
            headers.append((b"strict-transport-security", b"max-age=63072000"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<title>x</title>"})
"""


def test_a_server_behind_a_proxy_is_scored_as_over_https(tmp_path: Path) -> None:
    """A server that trusts this machine takes the word of the proxy, and the app sends what is for https."""
    (tmp_path / "scheming.py").write_text(SCHEMING)
    words = ("--as-https", "--select", "H1", "--format", "json", "--", *UVICORN, "scheming:app")
    found = json.loads(check(*words, cwd=tmp_path).stdout)["observatory"]

    rules = {rule["name"]: rule["points"] for rule in found["rules"]}
    assert (found["https"], found["url"]) == ("simulated", "https://site.example/")
    assert (rules["strict-transport-security"], rules["redirection"]) == (0, 0)
    assert (found["score"], found["grade"]) == (55, "C")
