"""Every check on replies made by hand: what it passes, what it fails, and what it leaves unjudged."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.check import Check, Death
from garrison_harness.exchange import Reply
from garrison_harness.finding import Confidence, Severity
from garrison_harness.route import Route
from garrison_harness.site import Quota
from tests.harness import app_recordings, browser_recordings, server_recordings
from tests.harness.browser_recordings import site_for
from tests.harness.recordings import (
    CANARY,
    SITE,
    check_named,
    findings,
    lost,
    page,
    rehearsed,
    reply,
    verdict,
)

if TYPE_CHECKING:
    from garrison_harness.site import Site

SAFE = {"X-Content-Type-Options": "nosniff", "X-Request-ID": "a"}
FOREIGN = f"http://{CANARY}.example/"
TRACEBACK = b'Traceback (most recent call last):\n  File "/srv/shop/app.py", line 3, in pay\n'
PROBLEM = reply(500, {"Content-Type": "application/problem+json", **SAFE}, b'{"status": 500}')
NOT_FOUND = reply(404, {"Content-Type": "text/plain", **SAFE}, b"not found")
REFUSED = reply(405, {"Allow": "GET, HEAD", **SAFE}, b"no")
ROUTE = reply(200, {"Content-Type": "application/json"}, b"{}")
LIMITED = reply(429, {"Retry-After": "60"}, b"later")
# A quota of five that holds, in a burst of eleven.
HELD = {f"request {number}": LIMITED for number in range(6, 12)}
WAYS = ["HEAD", "a slash", "another query"]
DISGUISES = [f"disguise {number}" for number in range(1, 6)] + [
    label for way in WAYS for label in (way, f"{way} again", f"after {way}")
]
# Of the announced body of 100 KB: all of it, or just its beginning.
ALL, START = 10_000_000, 65_000

Case = tuple[str, str, dict[str, Reply]]

BAD: list[Case] = [
    ("H1", "no nosniff on a 404", {"page": page(SAFE), "missing": reply(404)}),
    ("H1", "nosniff misspelt", {"page": page({"X-Content-Type-Options": "no-sniff"})}),
    ("H2", "no framing rule", {"page": page()}),
    (
        "H2",
        "a framing rule that browsers dropped",
        {"page": page({"X-Frame-Options": "ALLOW-FROM https://a.example"})},
    ),
    ("H2", "anyone may frame", {"page": page({"Content-Security-Policy": "frame-ancestors *"})}),
    (
        "H2",
        "anyone with https may frame",
        {"page": page({"Content-Security-Policy": "frame-ancestors https:"})},
    ),
    ("H4", "no HSTS", {"page": page()}),
    ("H4", "HSTS for a minute", {"page": page({"Strict-Transport-Security": "max-age=60"})}),
    ("H5", "no referrer policy", {"page": page()}),
    (
        "H5",
        "a page that tells all",
        {"page": page({"Referrer-Policy": "no-referrer"}, b'<meta name=referrer content="unsafe-url">')},
    ),
    ("H5", "a referrer policy that tells all", {"page": page({"Referrer-Policy": "unsafe-url"})}),
    ("H8", "no content type", {"missing": reply(404)}),
    ("H8", "no encoding", {"page": reply(200, {"Content-Type": "text/html"})}),
    ("H9", "a server banner", {"page": page({"Server": "uvicorn"})}),
    ("H9", "a framework banner", {"missing": reply(404, {"X-Powered-By": "Express"})}),
    ("H10", "two framing rules", {"page": page({"X-Frame-Options": ["DENY", "SAMEORIGIN"]})}),
    (
        "H12",
        "a reply cut short",
        {"missing": reply(404, {"Content-Length": "100"}, b"x", failure="truncated")},
    ),
    ("H12", "more than was announced", {"page": reply(200, {"Content-Length": "1"}, b"x", rest=b"yz")}),
    ("E1", "a traceback", {"error": reply(500, {}, TRACEBACK)}),
    ("E1", "the app's directory", {"error": reply(500, {}, b"cannot open /srv/shop/secret.db")}),
    ("E1", "a stack of Node's", {"error": reply(500, {}, b"Error: x\n    at pay (/app/server.js:12:5)")}),
    (
        "E1",
        "Express's development page",
        {"error": reply(500, {}, b"<pre>Error: x<br> &nbsp; &nbsp;at pay (/app/server.js:12:5)</pre>")},
    ),
    (
        "E2",
        "Django's debug page",
        {"missing": reply(404, {}, b"You're seeing this error because you have <code>DEBUG = True</code>")},
    ),
    ("E2", "Starlette's debugger", {"error": reply(500, {}, b"<title>Starlette Debugger</title>")}),
    ("E2", "Litestar's", {"error": reply(500, {}, b"<title>Litestar exception page</title>")}),
    (
        "E2",
        "Quart's",
        {
            "error": reply(
                500, {}, b'File <span class="info">/a.py</span>,\n line <span class="info">3</span>, in'
            )
        },
    ),
    ("E2", "a debug token", {"error": reply(500, {"X-Debug-Token": "f00"})}),
    ("E3", "a failure in plain text", {"error": reply(500, {"Content-Type": "text/plain"})}),
    ("E3", "JSON that is none", {"error": reply(500, {"Content-Type": "application/json"}, b"{oops")}),
    ("E4", "NUL in the path", {"NUL in the path": reply(500)}),
    ("E4", "no reply at all", {"bytes that are no UTF-8 in the path": lost("closed")}),
    ("E5", "no id on an error", {"error": reply(500, {"X-Content-Type-Options": "nosniff"})}),
    ("E5", "no security header on an error", {"error": reply(500, {"X-Request-ID": "a"})}),
    ("M1", "TRACE echoes", {"trace": reply(200, {}, f"X-Garrison-Canary: {CANARY}".encode())}),
    ("M2", "an unknown method fails", {"unknown": reply(500)}),
    ("M2", "an unknown method is GET", {"unknown": page()}),
    ("M2", "a method of WebDAV fails", {"unknown": reply(400), "unusual": reply(500)}),
    ("M3", "no Allow", {"refused": reply(405)}),
    ("M3", "an Allow that allows what was refused", {"refused": reply(405, {"Allow": "GET, PROPFIND"})}),
    ("M3", "an Allow without GET", {"refused": reply(405, {"Allow": "POST"})}),
    (
        "M4",
        "content after HEAD",
        {"head": reply(200, {"Content-Type": "text/html; charset=utf-8"}, b"", rest=b"<p>")},
    ),
    ("M4", "HEAD refused", {"head": reply(405)}),
    ("M4", "another type", {"head": reply(200, {"Content-Type": "text/plain"}, b"")}),
    ("I1", "a header planted", {"query": page({"X-Garrison-Planted": CANARY})}),
    ("I2", "a foreign redirect", {"foreign slash": reply(307, {"Location": FOREIGN})}),
    ("I2", "a foreign Link header", {"foreign": page({"Link": f"<{FOREIGN}>; rel=self"})}),
    ("I2", "a foreign link", {"foreign": page(body=f'<a href="{FOREIGN}">'.encode())}),
    ("I3", "a forged redirect", {"forged slash": reply(307, {"Location": FOREIGN})}),
    (
        "I3",
        "a forged scheme",
        {
            "slash": reply(307, {"Location": "http://a/"}),
            "forged slash": reply(307, {"Location": "https://a/"}),
        },
    ),
    (
        "I3",
        "HSTS because a stranger says https",
        {"forged page": page({"Strict-Transport-Security": "max-age=1"})},
    ),
    ("R1", "a large body is taken", {"small": ROUTE, "large": reply(200, sent=ALL)}),
    ("R1", "413 at the very end", {"small": ROUTE, "large": reply(413, sent=ALL)}),
    ("R2", "a large body is taken", {"small": ROUTE, "large": reply(200, sent=ALL)}),
    ("R3", "deep JSON fails", {"small": ROUTE, "JSON 100000 levels deep": reply(500)}),
    ("R3", "a long number takes long", {"small": ROUTE, "a number of 5000 digits": reply(400, elapsed=3)}),
    ("R4", "broken JSON fails", {"small": ROUTE, "JSON that breaks off": reply(500)}),
    ("R6", "5,000 headers are taken", {"5,000 headers": page()}),
    ("R6", "a huge header fails", {"a header of 100 KB": reply(500)}),
    ("L1", "no limit", {}),
    ("L1", "a limit without Retry-After", {"request 6": reply(429)}),
    ("L2", "a forged address passes", HELD),
    ("T1", "no id", {"page": page()}),
    ("T1", "one id for all", {}),
    ("T2", "a long id echoed", {"an id of 3 KB": page({"X-Request-ID": CANARY * 200})}),
    ("W1", "two hosts", {"no Host": reply(400), "two Hosts": page()}),
    (
        "W2",
        "the connection goes on",
        {
            "Content-Length and Transfer-Encoding": reply(200, rest=b"HTTP/1.1 404 Not Found\r\n"),
            "two Content-Lengths": reply(400),
        },
    ),
    ("W2", "two lengths", {"two Content-Lengths": page()}),
]

GOOD: list[Case] = [
    (
        "H1",
        "nosniff everywhere",
        {"page": page(SAFE), "missing": NOT_FOUND, "refused": REFUSED, "error": PROBLEM},
    ),
    ("H2", "X-Frame-Options", {"page": page({"X-Frame-Options": "sameorigin"})}),
    (
        "H2",
        "one strict policy among two",
        {"page": page({"Content-Security-Policy": ["frame-ancestors *", "frame-ancestors 'self'"]})},
    ),
    ("H4", "a year", {"page": page({"Strict-Transport-Security": "max-age=31536000; includeSubDomains"})}),
    ("H5", "a fallback before the policy", {"page": page({"Referrer-Policy": "no-referrer, strict-origin"})}),
    (
        "H8",
        "the encoding in the page",
        {"page": reply(200, {"Content-Type": "text/html"}, b"<meta charset=utf-8>"), "missing": NOT_FOUND},
    ),
    (
        "H5",
        "a policy in the page",
        {"page": page(body=b"<meta content='same-origin' name='referrer'>")},
    ),
    (
        "H8",
        "XHTML, which is UTF-8 by itself",
        {"page": reply(200, {"Content-Type": "application/xhtml+xml"}), "missing": NOT_FOUND},
    ),
    ("H9", "no banner", {"page": page({"Server": "-"})}),
    ("H10", "two cookies are two headers", {"page": page({"Set-Cookie": ["a=1", "b=2"]})}),
    ("H12", "as long as announced", {"page": reply(200, {"Content-Length": "1"}, b"x")}),
    ("E1", "a fixed text", {"error": PROBLEM}),
    ("E1", "a page about tracebacks", {"page": page(body=TRACEBACK), "error": reply(500, {}, TRACEBACK)}),
    ("E2", "a plain 404 and a fixed text", {"missing": NOT_FOUND, "error": PROBLEM}),
    ("E3", "a problem document", {"error": PROBLEM}),
    ("E4", "refusals", {"NUL in the path": reply(400), "a path of 20 KB": reply(414)}),
    ("E4", "hanging up on what is too long", {"a path of 20 KB": lost("closed")}),
    ("E5", "id and headers", {"error": PROBLEM}),
    ("M1", "TRACE answered without an echo", {"trace": page()}),
    ("M2", "501", {"unknown": reply(501)}),
    ("M2", "a WebDAV server", {"unknown": reply(405), "unusual": reply(207)}),
    ("M2", "501 to PROPFIND", {"unknown": reply(405), "unusual": reply(501)}),
    ("M3", "a true Allow", {"refused": REFUSED}),
    ("M4", "the same", {"head": reply(200, {"Content-Type": "text/html; charset=utf-8"}, b"")}),
    (
        "M4",
        "a length where GET streams",
        {"head": reply(200, {"Content-Type": "text/html; charset=utf-8", "Content-Length": "7"}, b"")},
    ),
    ("I1", "the page as ever", {"query": page()}),
    (
        "I2",
        "a host named, not linked",
        {"foreign": reply(400, {}, f"unknown host {CANARY}.example".encode())},
    ),
    ("I2", "an error that repeats the URL", {"foreign": reply(400, {}, f"bad URL {FOREIGN}".encode())}),
    ("I3", "nothing changes", {}),
    ("R1", "413 at once", {"small": ROUTE, "large": reply(413, sent=START)}),
    ("R2", "413 after the bound", {"small": ROUTE, "large": reply(413, sent=ALL)}),
    ("R3", "refused", {"small": ROUTE, "JSON 100000 levels deep": reply(400)}),
    ("R4", "refused", {"small": ROUTE, "JSON that breaks off": reply(422)}),
    ("R6", "refused", {"5,000 headers": reply(431), "a header of 100 KB": lost("reset")}),
    ("L1", "the sixth is refused", HELD),
    ("L2", "still refused", HELD | dict.fromkeys(DISGUISES, LIMITED)),
    ("L2", "forged headers refused as such", HELD | dict.fromkeys(DISGUISES, reply(400))),
    (
        "T1",
        "an id each",
        {label: page({"X-Request-ID": label}) for label in ("page", "page again", "missing", "refused")},
    ),
    ("T2", "replaced", {"an id of 3 KB": page({"X-Request-ID": "4f2a"})}),
    ("W1", "refused", {"no Host": reply(400), "two Hosts": lost("closed")}),
    (
        "W2",
        "answered, then closed",
        dict.fromkeys(
            ("two Content-Lengths", "a blank before a colon", "a line that ends in LF alone"), reply(400)
        ),
    ),
    ("A1", "alive", {}),
]


def named(case: Case) -> str:
    """The case as the test report names it."""
    return f"{case[0]}-{case[1]}"


@pytest.mark.parametrize("case", BAD + browser_recordings.BAD, ids=named)
def test_a_check_finds_what_is_wrong(case: Case) -> None:
    """A reply that is wrong in one way fails the check for it, with the exchange as evidence."""
    name, _, replies = case

    found = findings(name, replies, site=site_for(name))

    faults = [finding for finding in found if finding.confidence is not Confidence.INFO]
    assert faults
    assert " -> " in faults[0].evidence[0]


@pytest.mark.parametrize("case", GOOD + browser_recordings.GOOD, ids=named)
def test_a_check_passes_what_is_right(case: Case) -> None:
    """A reply that is right, however unusual, raises no alarm."""
    name, _, replies = case

    assert findings(name, replies, site=site_for(name)) == []


def test_every_check_has_a_good_and_a_bad_recording() -> None:
    """No check goes untested; whether the app survives has a test of its own for the bad case."""
    names = {check.id for check in CATALOGUE}

    good = GOOD + browser_recordings.GOOD + app_recordings.GOOD + server_recordings.GOOD
    bad = BAD + browser_recordings.BAD + app_recordings.BAD + server_recordings.BAD
    assert names == {name for name, *_ in good}
    assert names - {"A1"} == {name for name, *_ in bad}


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
@pytest.mark.parametrize("failure", ["malformed", "timeout", "closed", "reset", "refused"])
def test_no_check_confirms_a_fault_where_nothing_was_answered(check: Check, failure: str) -> None:
    """A target that answers nothing readable gives no confirmed finding and no crash."""
    judgement = verdict(check.id, default=lost(failure), https=True)  # type: ignore[arg-type]

    assert not [found for found in judgement.findings if found.confidence is Confidence.CONFIRMED]


@pytest.mark.parametrize("check", CATALOGUE, ids=lambda check: str(check.id))
def test_no_check_chokes_on_hostile_headers(check: Check) -> None:
    """Values that fit no grammar are judged like missing ones, without an exception."""
    junk = dict.fromkeys(
        ("Content-Type", "Content-Security-Policy", "Strict-Transport-Security", "Allow", "Location"),
        "\x00;;,=ÿ" + "9" * 30,
    )

    verdict(check.id, default=reply(200, junk, b"\xff\x00"), https=True)


@pytest.mark.parametrize(
    ("name", "replies", "reason"),
    [
        ("H2", {"page": ROUTE}, "application/json and no page"),
        ("H2", {"page": reply(302)}, "name a page with --path"),
        ("H4", {"page": reply(400)}, "for any name but its own"),
        ("E1", {"error": page()}, "raised nothing"),
        ("M1", {"page": page(body=CANARY.encode())}, "shows the headers of every request"),
        ("M3", {"refused": reply(501)}, "only a 405"),
        ("R1", {"small": REFUSED, "large": REFUSED}, "--body-path"),
        ("R2", {"small": ROUTE, "large": reply(200, sent=START)}, "without reading the body"),
        ("R4", {"small": reply(401)}, "--body-path"),
        ("R4", {"small": reply(303)}, "--body-path"),
        ("R3", {}, "answers alike whatever the body is"),
        ("R4", {}, "answers alike whatever the body is"),
        ("L1", {"request 1": LIMITED}, "nothing to compare with"),
        ("L2", {}, "see L1"),
        ("E1", {"error": reply(501)}, "raised nothing"),
        ("E2", {"missing": NOT_FOUND, "error": page()}, "raised nothing"),
        ("E4", {"missing": reply(500)}, "nothing to compare with"),
        ("E4", {"a path of 20 KB": reply(503)}, "says nothing of the app"),
        ("H12", {"page": lost("malformed")}, "got no HTTP reply"),
        ("M4", {"head": LIMITED}, "says nothing of the app"),
        ("R1", {"small": ROUTE, "large": lost("timeout")}, "says nothing of the app"),
        *browser_recordings.UNJUDGED,
    ],
)
def test_a_check_says_why_it_cannot_judge(name: str, replies: dict[str, Reply], reason: str) -> None:
    """Where the app's other answers leave nothing to compare with, the check is not run, and never passed."""
    judgement = verdict(name, replies, site=replace(site_for(name), https=True))

    assert judgement.status == "not run"
    assert reason in judgement.reason


def test_a_body_that_is_refused_on_a_closed_route_proves_the_bound() -> None:
    """A 413 counts even where the route takes no bodies, because the bound comes first."""
    assert findings("R1", {"small": REFUSED, "large": reply(413, sent=START)}) == []


# A quota's own checks send hundreds, of which one may be lost.
def test_no_report_is_sent_to_another_host() -> None:
    """Nobody who is not audited hears of an audit."""
    elsewhere = {"Content-Security-Policy": "default-src 'self'; report-uri https://reports.example/csp"}

    assert list(rehearsed(check_named("H14"), {"page": page(elsewhere)}, page()).exchanges) == ["page"]


LOSING = [case for case in GOOD + browser_recordings.GOOD if case[0] not in {"L1", "L2"}]


@pytest.mark.parametrize("case", LOSING, ids=named)
def test_no_check_passes_where_a_request_was_not_answered(case: Case) -> None:
    """Every request that a check sends has to be heard before it says that all is well."""
    name, _, replies = case
    site, check = site_for(name), check_named(name)

    for label in rehearsed(check, replies, page(), site).exchanges:
        heard = {**replies, label: lost("timeout")}
        # What is asked may depend on what was answered.
        asked = rehearsed(check, heard, page(), site).exchanges
        known = {label: answer for label, answer in heard.items() if label in asked}
        assert verdict(name, known, site=site).status != "passed", label


def hosts(name: str, site: Site) -> dict[str, str]:
    """The Host that each request of a check names."""
    return {
        label: re.findall(rb"(?m)^Host: (.*)\r$", request.pieces[0])[0].decode()
        for label, exchange in rehearsed(check_named(name), {}, page(), site).exchanges.items()
        if isinstance((request := exchange.request).pieces[0], bytes)
    }


def test_a_foreign_host_stays_foreign_where_a_name_is_given() -> None:
    """The name of the app is for what a client of its own would ask."""
    named_site = replace(SITE, authority="shop.example:8080")

    assert hosts("I2", named_site) == {
        "page": "shop.example:8080",
        "foreign": f"{CANARY}.example",
        "foreign slash": f"{CANARY}.example",
    }


@pytest.mark.parametrize(
    ("authority", "asked"),
    [
        ("shop.example:8443", "shop.example:8443"),
        ("127.0.0.1:8443", "site.example"),
        ("[::1]:8443", "site.example"),
        ("localhost", "site.example"),
    ],
)
def test_transport_security_is_asked_of_a_public_name(authority: str, asked: str) -> None:
    """Browsers ignore HSTS on addresses and on localhost; the app's own name comes first."""
    assert hosts("H4", replace(SITE, authority=authority)) == {"page": asked}


def test_what_was_found_stays_where_the_rest_cannot_be_judged() -> None:
    """A traceback in a 404 counts, although the route that should raise did not."""
    judgement = verdict("E1", {"missing": reply(404, {}, TRACEBACK), "error": page()})

    assert judgement.status == "failed"


def test_the_form_of_a_page_is_a_likely_way_for_other_sites() -> None:
    """It is sent without its fields, so that nobody knows what it does; somebody else's target gets none."""
    routes = (Route(method="POST", template="/login", target="/login", source="crawl"),)
    answers = {"page": page({"Set-Cookie": "sessionid=0123456789abcdef"}), "form to nowhere": reply(404)}
    for label in ("form 1 as x-www-form-urlencoded", "form 1 as plain"):
        answers[f"own {label}"] = reply(415)

    (found,) = findings("O7", answers, default=reply(200), site=replace(SITE, routes=routes))
    other = verdict("O7", answers, site=replace(SITE, routes=routes, started=False))

    assert (found.location.target, found.confidence) == ("/login", Confidence.LIKELY)
    assert other.status == "not run"


LENGTHS = ("two Content-Lengths", "a blank before a colon")
NEXT = b"HTTP/1.1 404 Not Found\r\n\r\n"


@pytest.mark.parametrize("label", LENGTHS)
@pytest.mark.parametrize(
    ("answer", "severity"),
    [(page(), Severity.LOW), (reply(200, rest=NEXT), None), (reply(500, rest=NEXT), None)],
    ids=["closed", "the next is answered", "a failure, and the next is answered"],
)
def test_a_misread_length_is_a_small_fault_where_the_connection_is_closed_behind_it(
    label: str, answer: Reply, severity: Severity | None
) -> None:
    """What is left over can be read as a request only by a server that goes on reading."""
    refused = {"Content-Length and Transfer-Encoding": reply(400), **dict.fromkeys(LENGTHS, reply(400))}
    found = findings("W2", {**refused, label: answer, "a line that ends in LF alone": reply(400)})

    assert [finding.severity for finding in found] == [severity]
    told = found[0].message if severity else found[0].evidence[1]
    assert ("the connection is closed" if severity else "then: HTTP/1.1 404 Not Found") in told


def test_a_failure_behind_which_the_connection_is_closed_is_no_misread_length() -> None:
    """Nobody can tell what failed, and nothing is left over."""
    refused = dict.fromkeys(("Content-Length and Transfer-Encoding", *LENGTHS), reply(500))

    assert findings("W2", {**refused, "a line that ends in LF alone": reply(400)}) == []


def test_a_page_that_leads_elsewhere_says_where() -> None:
    """Whoever reads why nothing was judged knows which page to name."""
    judgement = verdict("H2", {"page": reply(302, {"Location": "/web/"})})

    assert judgement.reason == "GET / answered 302 Reason and leads to /web/: name a page with --path"


@pytest.mark.parametrize(("status", "confidence"), [(404, Confidence.CONFIRMED), (403, Confidence.LIKELY)])
def test_a_place_for_reports_that_asks_for_a_login_may_be_right(status: int, confidence: Confidence) -> None:
    """Whoever sees the page is logged in, and the browser says so in its reports."""
    answers = {
        "page": page({"Content-Security-Policy": "script-src 'self'; report-uri /csp"}),
        "report to /csp as csp-report": reply(status),
    }
    (found,) = findings("H14", answers)

    assert found.confidence is confidence


def test_one_path_shows_its_internals_once_with_each_status() -> None:
    """Two replies with traces that differ have one cause there, and are one finding."""
    traces = [f"Error: stuck\n    at pay (/srv/shop/app.js:{line}:5)\n".encode() for line in (1, 2, 3)]
    replies = dict(zip(("refused", "error"), [reply(500, {}, trace) for trace in traces], strict=False))

    found = findings(
        "E1",
        {**replies, "missing": reply(404, {}, traces[2])},
        site=replace(SITE, error_path=SITE.path),
    )

    assert [finding.location.target for finding in found] == [f"/{CANARY}", "/"]


@pytest.mark.parametrize("name", ["R1", "R2"])
def test_an_early_refusal_with_another_status_is_a_small_fault(name: str) -> None:
    """A body that is refused before it is taken does no harm; only the status is the wrong one."""
    (found,) = findings(name, {"small": ROUTE, "large": reply(400, sent=START)})

    assert found.severity is Severity.LOW
    assert "400 in place of 413" in found.message


@pytest.mark.parametrize("name", ["R1", "R2"])
def test_a_bound_that_nobody_declared_is_no_sure_one(name: str) -> None:
    """An app may take more than most on purpose."""
    taken = {"small": ROUTE, "large": reply(200, sent=ALL)}

    (sure,) = findings(name, taken)
    (likely,) = findings(name, taken, site=replace(SITE, told_max_body=False))

    assert (sure.confidence, likely.confidence) == (Confidence.CONFIRMED, Confidence.LIKELY)
    assert "--max-body" in likely.message


def test_a_window_that_turns_within_a_burst_is_no_fault() -> None:
    """A fixed window lets pass its quota twice around its end, which is honest and worth knowing."""
    late = {f"request {number}": LIMITED for number in range(9, 12)}

    (found,) = findings("L1", late)

    assert found.confidence is Confidence.INFO
    assert "8 requests pass" in found.message


def test_an_app_that_hangs_after_the_audit_has_not_survived() -> None:
    """It answered before, and does not any more."""
    (found,) = findings("A1", {"page": lost("timeout")})

    assert found.confidence is Confidence.LIKELY


def test_a_missing_id_is_reported_once() -> None:
    """An app without request ids gets one finding, not one for each reply."""
    assert len(findings("T1")) == 1


@pytest.mark.parametrize("name", ["H1", "H2", "H4", "H5"])
@pytest.mark.parametrize(
    ("server", "named"),
    [
        ("nginx/1.22.1", "nginx"),
        ("Caddy", "Caddy"),
        ("istio-envoy", "istio-envoy"),
        ("uvicorn", ""),
        ("", ""),
    ],
)
def test_a_reply_that_may_be_a_proxys_own_is_said_to_be(name: str, server: str, named: str) -> None:
    """Where Server names a proxy, nobody looks for the fault in the app's settings alone."""
    (finding,) = findings(name, default=page({"Server": server}), https=True)
    said = [line for line in finding.evidence if line.startswith("Server names")]

    assert [line.partition(":")[0] for line in said] == ([f"Server names {named}"] if named else [])


def test_the_replies_without_nosniff_are_one_finding() -> None:
    """The finding names every status, with an example of each."""
    (found,) = findings("H1", {"missing": reply(404), "refused": reply(405), "error": reply(500)})

    assert "200, 404, 405, 500" in found.message
    assert len(found.evidence) == 4


def test_an_app_that_ended_is_found_with_its_last_words() -> None:
    """The request that was not answered and the last log lines are the evidence."""
    death = Death(cause="exit status 7", log=("out of handles",))

    (found,) = findings("A1", {"page": lost("reset")}, death=death)

    assert "exit status 7" in found.message
    assert found.evidence[-1] == "out of handles"


def test_evidence_cannot_drive_a_terminal() -> None:
    """Escape sequences in a reply are shown as text."""
    (found,) = findings("H9", {"page": page({"Server": "x\x1b[2Jy"})})

    assert "\x1b" not in "".join((found.message, *found.evidence))


@pytest.mark.parametrize(
    "labels", [(), ("small",), ("an empty body",)], ids=["pages with a nonce", "an id in JSON", "a 400"]
)
def test_only_what_depends_on_the_body_shows_what_is_made_of_it(labels: tuple[str, ...]) -> None:
    """A page with a nonce, and an answer with an id, are the same answer each time; one refusal is none."""
    texts = {label: f'{{"id": {number}}}'.encode() for number, label in enumerate(rehearsed(
        check_named("R4"), {}, page()).exchanges)}  # fmt: skip
    if not labels:
        replies = {
            label: page(body=f"<i nonce={letter}>".encode())
            for label, letter in zip(texts, "vwxyz", strict=True)
        }
    else:
        replies = {label: reply(200, {"Content-Type": "application/json"}, t) for label, t in texts.items()}
    if "an empty body" in labels:
        replies["an empty body"] = reply(400)

    assert verdict("R4", replies).status == ("passed" if "an empty body" in labels else "not run")


@pytest.mark.parametrize("name", ["I4", "I5"])
def test_what_only_leads_elsewhere_takes_nothing_from_its_caller(name: str) -> None:
    """A wall that sends everybody to the login shows nothing of what is behind it."""
    judgement = verdict(name, default=reply(302, {"Location": "/login"}, b""))

    assert judgement.status == "not run"
    assert "sent elsewhere" in judgement.reason


@pytest.mark.parametrize("answer", [page(), reply(500)])
def test_without_a_server_huge_headers_are_likely_only(answer: Reply) -> None:
    """In process there is nobody who would have refused them before the app."""
    found = findings("R6", {"5,000 headers": answer, "a header of 100 KB": reply(431)}, sockets=False)

    assert [(one.confidence, "the server in front" in one.message) for one in found] == [
        (Confidence.LIKELY, True)
    ]


def test_the_errors_of_a_page_that_fails_confirm_nothing_about_sniffing() -> None:
    """They may be those of a server that cannot run the app at all."""
    (found,) = findings("H1", default=reply(500, {"Content-Type": "text/plain"}))

    assert found.confidence is Confidence.LIKELY


def test_a_quota_too_large_for_an_audit_is_not_spent() -> None:
    """Nobody wants a load test from an audit."""
    judgement = verdict("L1", quota=Quota(limit=100_000, period=60))

    assert judgement.status == "not run"


def test_a_slow_burst_proves_nothing() -> None:
    """Where the quota may have refilled meanwhile, passing it is no finding."""
    judgement = verdict("L1", default=reply(200, elapsed=30))

    assert judgement.status == "not run"


def test_what_the_operator_has_to_switch_on_fails_no_default_audit() -> None:
    """A foreign Host in a link is at most low, because the list of hosts is off until told."""
    (found,) = findings("I2", {"foreign": page(body=FOREIGN.encode())})

    assert found.severity is None
    assert next(check for check in CATALOGUE if check.id == "I2").severity is Severity.LOW
