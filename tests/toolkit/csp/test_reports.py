"""Reading reports: the bodies that browsers send, and what strangers send in their place."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.csp.reported_text import LONGEST_TEXT, clean_policy, clean_text, clean_url
from garrison.csp.reports import BrowserReport, Violation, read_event, read_reports

# As Chromium 156 sent them, but for the host.
LEGACY: Final = (
    b'{"csp-report":{"document-uri":"http://shop.example/page/1?session=abc","referrer":"",'
    b'"violated-directive":"script-src-elem","effective-directive":"script-src-elem",'
    b"\"original-policy\":\"default-src 'none'; script-src 'nonce-abc123'; report-uri /csp-reports\","
    b'"disposition":"enforce","blocked-uri":"inline","line-number":2,"column-number":9,'
    b'"source-file":"http://shop.example/page/1","status-code":200,"script-sample":""}}'
)
MODERN: Final = (
    b'[{"age":37,"body":{"blockedURL":"trusted-types-sink","columnNumber":28,"disposition":"report",'
    b'"documentURL":"https://shop.example/page/1?session=abc",'
    b'"effectiveDirective":"require-trusted-types-for","lineNumber":5,'
    b'"originalPolicy":"require-trusted-types-for \'script\'; report-to csp","referrer":"",'
    b'"sample":"Element innerHTML|\\u003Cb>x\\u003C/b>","sourceFile":"https://shop.example/app.js",'
    b'"statusCode":200},"type":"csp-violation","url":"https://shop.example/page/1?session=abc",'
    b'"user_agent":"Mozilla/5.0"},'
    b'{"age":7,"body":{"blockedURL":"https://shop.example/b.js?token=secret","disposition":"enforce",'
    b'"documentURL":"https://shop.example/page/1?session=abc","effectiveDirective":"script-src-elem",'
    b'"originalPolicy":"script-src \'nonce-abc123\'","referrer":"","sample":"","statusCode":200},'
    b'"type":"csp-violation","url":"https://shop.example/page/1?session=abc","user_agent":"Mozilla/5.0"}]'
)


def read(body: bytes) -> list[Violation | BrowserReport]:
    """The reports in a body."""
    return list(read_reports(orjson.loads(body)))


def violation(**members: object) -> Violation:
    """The one violation in a `csp-report` with these members."""
    (found,) = read_reports({"csp-report": {"effective-directive": "img-src", **members}})
    assert isinstance(found, Violation)
    return found


def test_the_older_format_is_read() -> None:
    """What `report-uri` sends is read, without the query of the page and with no nonce."""
    assert read(LEGACY) == [
        Violation(
            directive="script-src-elem",
            blocked="inline",
            document="http://shop.example/page/1",
            disposition="enforce",
            source_file="http://shop.example/page/1",
            line=2,
            policy="default-src 'none'; script-src 'nonce'; report-uri /csp-reports",
        )
    ]


def test_the_newer_format_is_read() -> None:
    """What `report-to` sends is read, all that is in one upload."""
    first, second = read(MODERN)
    assert isinstance(first, Violation)
    assert isinstance(second, Violation)
    assert (first.disposition, first.blocked, first.line) == ("report", "trusted-types-sink", 5)
    assert first.sample == "Element innerHTML|<b>x</b>"
    assert (second.blocked, second.line) == ("https://shop.example/b.js", None)
    assert list(read_reports(orjson.loads(MODERN)[0])) == [first]


@pytest.mark.parametrize("blocked", ["", "self"])
def test_level_two_reports_are_read(blocked: str) -> None:
    """Old browsers put the directive and its sources into one text, and name no inline script."""
    (found,) = read_reports(
        {"csp-report": {"violated-directive": "script-src 'self'", "blocked-uri": blocked}}
    )
    assert isinstance(found, Violation)
    assert (found.directive, found.blocked, found.disposition) == ("script-src", "inline", "")


@pytest.mark.parametrize(
    ("kind", "body", "fields"),
    [
        (
            "coop",
            {"disposition": "reporting", "effectivePolicy": "same-origin", "type": "navigation-to-response"},
            {"report.disposition": "reporting", "report.policy": "same-origin"},
        ),
        (
            "coep",
            {"type": "corp", "blockedURL": "https://cdn.example/a.png?x=1", "destination": "image"},
            {"report.violation": "corp", "report.blocked": "https://cdn.example/a.png"},
        ),
        (
            "permissions-policy-violation",
            {"policyId": "geolocation", "sourceFile": "https://shop.example/app.js?v=1", "lineNumber": 12},
            {"report.policy": "geolocation", "report.source_file": "https://shop.example/app.js"},
        ),
        ("document-policy-violation", {"message": "too large\n"}, {"report.message": "too large\ufffd"}),
        ("deprecation", {"id": "unload", "extra": {"user": "jane"}}, {"report.id": "unload"}),
    ],
)
def test_other_reports_are_read(kind: str, body: dict[str, object], fields: dict[str, object]) -> None:
    """The other headers report to the same place; what is known of a report is kept, and nothing else."""
    (found,) = read_reports([{"type": kind, "url": "https://shop.example/a?b=c", "age": 1, "body": body}])
    assert isinstance(found, BrowserReport)
    told = found.fields(samples=True)
    assert fields.items() <= told.items()
    assert (told["report.type"], told["report.document"]) == (kind, "https://shop.example/a")
    assert "jane" not in repr(told)
    assert (found.event, read_event({**told, "event": found.event})) == ("browser_report", None)


def test_the_log_can_be_read_back() -> None:
    """A violation in the log is the violation that was reported."""
    for report in read(MODERN):
        event: dict[str, Any] = {"event": report.event, "level": "warning", **report.fields(samples=True)}
        assert read_event(event) == report
    assert read_event({**event, "event": "http.request"}) is None
    assert read_event([event]) is None


def test_samples_are_left_out_until_asked_for() -> None:
    """The beginning of a script can hold what belongs to a user, also where the policy asked for none."""
    first = read(MODERN)[0]
    assert "innerHTML" in repr(first.fields(samples=True))
    assert "innerHTML" not in repr(first.fields(samples=False))


@pytest.mark.parametrize(
    ("reported", "kept"),
    [
        ("https://user:pw@Shop.Example:443/a/b?token=1#x", "https://shop.example/a/b"),
        ("HTTP://shop.example:80", "http://shop.example"),
        ("wss://shop.example:8443/s", "wss://shop.example:8443/s"),
        ("https://[2001:db8::1]:444/", "https://[2001:db8::1]:444/"),
        ("inline", "inline"),
        ("data:image/gif;base64,R0lGOD", "data"),
        ("blob:https://shop.example/2a1afeb9", "blob"),
        ("chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb/x.js", "chrome-extension"),
        ("about:blank", "about"),
        ("javascript:alert(1)", "javascript"),
        ("https:shop.example", ""),
        ("https://shop example/", ""),
        ("https://a'b;script-src *", ""),
        ("//shop.example/a", ""),
        ("\x1b[31m", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        ({"url": "https://shop.example"}, ""),
    ],
)
def test_addresses_lose_what_belongs_to_a_visitor(reported: object, kept: str) -> None:
    """User, query and fragment go, and so does everything of an address that is not on the network."""
    assert clean_url(reported) == kept


def test_pages_of_extensions_are_told_apart() -> None:
    """Browsers name what an extension adds to a page in several ways."""
    assert violation(**{"blocked-uri": "chrome-extension"}).by_extension
    assert violation(**{"source-file": "moz-extension://0c5b/content.js"}).by_extension
    assert not violation(**{"blocked-uri": "https://extension.example/"}).by_extension
    (other,) = read_reports({"type": "deprecation", "body": {"sourceFile": "chrome-extension://a/b.js"}})
    assert other.by_extension


def test_alike_means_alike_for_the_site() -> None:
    """Two images of one host on one page are one matter; another page, line or host is another."""
    first = violation(**{"blocked-uri": "https://cdn.example/1.png", "line-number": 3})
    assert first.key == violation(**{"blocked-uri": "https://cdn.example/2.png", "line-number": 3}).key
    for other in (
        {"blocked-uri": "https://cdn.example/1.png", "line-number": 4},
        {"blocked-uri": "https://other.example/1.png", "line-number": 3},
        {"blocked-uri": "https://cdn.example/1.png", "line-number": 3, "disposition": "report"},
        {"blocked-uri": "https://cdn.example/1.png", "line-number": 3, "document-uri": "https://a.example/"},
        {"blocked-uri": "https://cdn.example/1.png", "line-number": 3, "source-file": "https://a.example/"},
        {"blocked-uri": "https://cdn.example/1.png", "line-number": 3, "effective-directive": "media-src"},
    ):
        assert violation(**other).key != first.key


def test_texts_are_bounded_and_printable() -> None:
    """Control characters, right-to-left marks and endless texts do not reach the log."""
    assert clean_text("a\x1b[31m\u202eb\n") == "a\ufffd[31m\ufffdb\ufffd"
    assert len(clean_text("x" * 10_000)) == LONGEST_TEXT
    assert len(clean_url("https://shop.example/" + "x" * 10_000)) == LONGEST_TEXT
    assert violation(**{"line-number": 10**30}).line is None
    assert violation(**{"line-number": True}).line is None
    assert violation(disposition="<script>").disposition == ""


def test_a_policy_is_whole_or_not_there() -> None:
    """A policy that is cut would allow something else, so one that is too long is forgotten."""
    assert (
        clean_policy("script-src  'nonce-a+/=' 'NONCE-b';\timg-src *")
        == "script-src 'nonce' 'nonce'; img-src *"
    )
    assert clean_policy("img-src " + "x" * 5000) == ""
    assert clean_policy("img-src \u2603") == ""
    assert clean_policy(None) == ""


@pytest.mark.parametrize(
    "document",
    [
        None, 1, "x", [], {}, [[]], [1, None], {"csp-report": []}, {"csp-report": {}}, {"type": "x"},
        {"type": 1, "body": {}}, {"type": "<b>", "body": {}}, {"csp-report": {"violated-directive": 1}},
        {"csp-report": {"effective-directive": "img src"}}, {"type": "csp-violation", "body": {}},
    ],
)  # fmt: skip
def test_what_is_no_report_is_passed_over(document: object) -> None:
    """Other JSON has no reports in it."""
    assert list(read_reports(document)) == []


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES: Final = st.sampled_from(
    [
        "effective-directive", "violated-directive", "blocked-uri", "document-uri", "source-file",
        "line-number", "original-policy", "script-sample", "disposition",
        "effectiveDirective", "blockedURL", "documentURL",
        "sourceFile", "lineNumber", "originalPolicy", "sample", "type", "message", "policyId",
    ]
)  # fmt: skip
BODIES: Final = st.dictionaries(NAMES, JSON | st.sampled_from(["img-src", "https://[::", "data:", "a://b"]))


@given(BODIES, st.sampled_from(["csp-violation", "coep", "x"]))
def test_no_report_is_too_strange(body: dict[str, object], kind: str) -> None:
    """Whatever stands in a report, what is made of it is short, printable, and on one line."""
    for found in read_reports([{"csp-report": body}, {"type": kind, "body": body}]):
        hash(found.key)
        for value in found.fields(samples=True).values():
            assert isinstance(value, str | int)
            assert str(value).isprintable()
            assert len(str(value)) <= 4096
