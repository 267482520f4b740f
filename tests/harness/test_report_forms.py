"""JUnit, Markdown, annotations and the HTML page: what each shows, and what it lets nobody do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import pytest

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.check import BROKEN
from garrison_harness.exchange import Reply, Request
from garrison_harness.finding import Severity, judged, not_run
from garrison_harness.report import github, gitlab, html_report, junit, markdown
from garrison_harness.report.shown import shown_reply, shown_request
from garrison_harness.route import Route
from tests.harness.reports import FOUND, HINT, LIKELY, report, results

if TYPE_CHECKING:
    from pathlib import Path

MARKUP = "<img src=x onerror=alert(1)> </script> @octocat | `tick` [x](http://evil.example) \u202e"


def test_junit_fails_what_fails_the_audit_and_nothing_else() -> None:
    """A failure is what is confirmed, a note the likely, a skip says why, and a broken check is an error."""
    found = results(
        E1=judged((FOUND,)),
        H2=judged((LIKELY,)),
        H9=judged(()),
        H4=not_run("no https"),
        H1=not_run(f"{BROKEN}: KeyError('x')"),
    )
    suites = fromstring(junit.render(report(found)))  # noqa: S314 - our own
    cases = {case.get("name", "").partition(" ")[0]: case for case in suites.iter("testcase")}

    tags = {name: [child.tag for child in case] for name, case in cases.items()}
    assert tags == {
        "E1": ["failure"],
        "H2": ["system-out"],
        "H9": [],
        "H4": ["skipped"],
        "H1": ["error"],
        "everything": [],
    }
    assert cases["E1"].find("failure").get("message") == "anyone may look in"  # type: ignore[union-attr]
    assert "at GET /a in pyproject.toml:1" in cases["E1"].findtext("failure", "")
    assert cases["H4"].findtext("skipped") == "no https"
    counted = [suites.get(name) for name in ("tests", "failures", "errors")]
    assert counted == ["6", "1", "1"]
    assert [suite.get("name", "")[:2] for suite in suites] == ["E:", "H:", "au"]


def test_junit_is_red_where_the_audit_is_inconclusive() -> None:
    """A CI that reads the file only must not take an audit that proves nothing for a success."""
    suites = fromstring(junit.render(report(results(H9=judged(())), stopped="time was up")))  # noqa: S314

    assert suites.find(".//error").get("message") == "time was up"  # type: ignore[union-attr]
    assert suites.get("errors") == "1"


def test_annotations_are_at_the_handler_and_the_worst_come_first(tmp_path: Path) -> None:
    """What fails is an error, the likely a warning; the file is named as the repository names it."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop").mkdir()
    route = Route(method="GET", template="/a", target="/a", source="app", file="a,b.py", line=7)
    found = results(H2=judged((LIKELY,)), H1=judged((FOUND,)), E1=judged((FOUND,)))

    lines = github.render(report(found, directory=tmp_path / "shop", routes=(route,))).splitlines()

    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::warning"]
    assert lines[0].startswith(
        "::error file=shop/a%2Cb.py,line=7,title=E1 high%3A Errors show no internals::"
    )
    assert lines[0].endswith("%0AMore: garrison explain E1")


def test_there_are_never_more_annotations_than_are_shown() -> None:
    """GitHub shows ten of a kind for a step; the last says how many more there are."""
    found = results(**{check.id: judged((FOUND, LIKELY)) for check in CATALOGUE})
    made = report(found)
    lines = github.render(made).splitlines()

    errors = [line for line in lines if line.startswith("::error")]
    warnings = [line for line in lines if line.startswith("::warning")]
    failing = sum(one.failing for one in made.found())
    assert len(errors) == len(warnings) == 10
    assert f"::{failing - 9} more: see the log" in errors[-1]
    assert ",title=E1 high" in "".join(errors[:9])


def test_an_annotation_stays_one_command() -> None:
    """Line breaks and percent signs of a reply begin no command of their own."""
    odd = replace(FOUND, message="a\n::error::b\r 100%")

    (line,) = github.render(report(results(E1=judged((odd,))))).splitlines()

    assert "a%0A::error::b%0D 100%25" in line


def test_an_inconclusive_audit_is_an_error_on_the_page() -> None:
    """Whoever looks at the annotations only sees why it proves nothing."""
    lines = github.render(report(results(H9=judged(())), obstacle="GET / answered 421"))

    assert lines == (
        "::error file=pyproject.toml,line=1,title=garrison check is inconclusive::GET / answered 421\n"
    )


def test_gitlab_shows_findings_beside_their_lines(tmp_path: Path) -> None:
    """The file as the repository names it, the severity in GitLab's words, and none hides another."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop").mkdir()
    route = Route(method="GET", template="/a", target="/a", source="app", file="a b.py", line=7)
    found = results(E1=judged((FOUND, FOUND)), H2=judged((LIKELY, replace(HINT, severity=Severity.HIGH))))
    issues = json.loads(gitlab.render(report(found, directory=tmp_path / "shop", routes=(route,))))

    assert [(one["check_name"], one["severity"]) for one in issues] == [
        ("E1", "critical"), ("E1", "critical"), ("H2", "major"), ("H2", "info"),
    ]  # fmt: skip
    assert issues[0]["location"] == {"path": "shop/a b.py", "lines": {"begin": 7}}
    assert issues[0]["description"].startswith("GET /a: anyone may look in. Fix: answer unhandled")
    assert len({one["fingerprint"] for one in issues}) == 4


def test_gitlab_shows_why_an_audit_proves_nothing() -> None:
    """Nobody takes an empty list for a success."""
    (issue,) = json.loads(gitlab.render(report(results(H9=judged(())), obstacle="GET / answered 421")))

    assert (issue["severity"], issue["description"]) == ("blocker", "GET / answered 421")
    assert issue["location"] == {"path": "pyproject.toml", "lines": {"begin": 1}}


def test_markdown_shows_verdict_families_and_findings() -> None:
    """The verdict, a row for each family, each finding folded with its evidence, and what was not run."""
    text = markdown.render(report())

    assert text.startswith("## ❌ garrison check: fail\n\n1 confirmed finding of severity medium or worse.\n")
    assert "| E: Errors | 1 | 0 | 0 |" in text
    assert text.index("### Findings") < text.index("### By family")
    assert "<summary>❌ <b>E1</b> high, confirmed: anyone may look in</summary>" in text
    assert "```text\nGET /a -> 200 OK\n" in text
    assert "- H4 Https replies keep browsers on https: no https" in text
    assert text.count("<details>") == text.count("</details>") == 4


def test_markdown_takes_nothing_for_markup() -> None:
    """What an app answers makes no element, link, table, mention or fence in the page."""
    odd = replace(FOUND, message=MARKUP, evidence=("```", "~~~", MARKUP))
    text = markdown.render(report(results(E1=judged((odd,)), H4=not_run(MARKUP))))
    fenced = re.search(r"^(`{4,})text\n(.*?)^\1$", text, re.MULTILINE | re.DOTALL)

    assert fenced is not None
    outside = text.replace(fenced[0], "")
    assert re.search(r"(?<!\\)<(img|/script)", outside) is None
    assert "@octocat" not in outside
    assert "http://evil" not in outside
    assert "\\`tick\\`" in outside


def test_markdown_fits_into_a_summary() -> None:
    """GitHub drops a page over 1 MiB whole, so what has no room is counted instead."""
    long = replace(FOUND, evidence=("x" * 5000,) * 20)
    text = markdown.render(report(results(**{check.id: judged((long, long)) for check in CATALOGUE})))

    assert len(text.encode()) < 1_000_000
    assert re.search(r"^… and \d+ more findings: this page has no room for them\.$", text, re.MULTILINE)


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.addresses += [found[name] or "" for name in ("src", "href", "action") if name in found]
        self.handlers += [name for name in found if name.startswith("on") or name == "style"]
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found.get("content") or ""


def test_the_page_asks_nobody_for_anything() -> None:
    """One file: its style and script are in it, and all that it links to are its own parts and weaknesses."""
    page = Page(html_report.render(report()))

    assert page.addresses
    assert all(
        re.fullmatch(r"https://cwe\.mitre\.org/data/definitions/\d+\.html|#\w+", one)
        for one in page.addresses
    )
    assert page.handlers == []
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)


def test_the_policy_of_the_page_allows_its_own_style_and_script_only() -> None:
    """By their hashes, so that nothing that an app answered could run even if it got in."""
    text = html_report.render(report())
    sources = {
        tag: base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
        for tag in ("style", "script")
        if (found := re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL))
    }

    assert Page(text).policy == (
        f"default-src 'none'; style-src 'sha256-{sources['style']}'; script-src 'sha256-{sources['script']}';"
        " base-uri 'none'; form-action 'none'"
    )


def test_the_page_takes_nothing_for_markup() -> None:
    """What an app answers makes no element in the page."""
    plain = Page(html_report.render(report(results(E1=judged((FOUND,)), H4=not_run("x")))))
    assert FOUND.exchange is not None
    exchange = replace(
        FOUND.exchange,
        request=replace(FOUND.exchange.request, pieces=(MARKUP.encode(),)),
        reply=replace(FOUND.exchange.reply, reason=MARKUP, body=MARKUP.encode(), headers=((MARKUP, MARKUP),)),
    )
    location = replace(FOUND.location, target=MARKUP)
    odd = replace(FOUND, message=MARKUP, evidence=(MARKUP,), exchange=exchange, location=location)
    full = Page(html_report.render(report(results(E1=judged((odd,)), H4=not_run(MARKUP)))))

    assert full.tags == plain.tags


def test_the_page_shows_the_exchange_and_how_to_repeat_it() -> None:
    """Request, reply and a command that asks the app at a port that can be had again."""
    text = html_report.render(report(results(E1=judged((FOUND,)))))

    assert "GET /a HTTP/1.1\nHost: 127.0.0.1:8000\n" in text
    assert "HTTP 200 OK\nServer: x\n\n&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "--path-as-is http://127.0.0.1:8000/a" in text


def test_the_script_of_the_page_is_one() -> None:
    """Node reads it, where there is one; a mistake in it would leave the page without filters."""
    script = html_report.render(report()).rpartition("<script>")[2].partition("</script>")[0]
    try:
        done = subprocess.run(
            ["node", "--check", "-"], input=script, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no node")

    assert (done.returncode, done.stderr) == (0, "")


def test_a_request_is_shown_with_its_pauses_and_its_odd_bytes() -> None:
    """Line breaks are lines, bytes that are no text are seen, and what is left out is counted."""
    request = Request(
        method="GET", target="/", pieces=(b"GET / HTTP/1.1\r\nA: \x00\xff\r\n", 0.5, b"x" * 5000)
    )
    shown = shown_request(request)

    assert shown.startswith("GET / HTTP/1.1\nA: \\x00\\xff\n\n[0.5 s later]\nxxx")
    assert shown.endswith("\n[1,023 more]")
    assert len(shown) < 4100
    assert len(shown_request(replace(request, pieces=(b"x" * 5000,) * 9))) < 4100


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(failure="timeout"), "[no reply (timeout)]"),
        (Reply(failure="malformed", raw=b"SSH-2.0\r\n"), "[no HTTP reply (SSH-2.0\\r\\n)]\nSSH-2.0\n"),
        (Reply(status=204, reason="No Content", failure="truncated"), "HTTP 204 No Content\n[truncated]"),
        (
            Reply(status=200, headers=(("A", "b\u202ec"),), body=b"x", rest=b"HTTP/1.1 400"),
            "HTTP 200\nA: b\\u202ec\n\nx\n[and after the reply:]\nHTTP/1.1 400",
        ),
    ],
)
def test_a_reply_is_shown_or_what_came_in_place_of_it(reply: Reply, text: str) -> None:
    """Status, headers and content; a failure in words; what followed on the connection."""
    assert shown_reply(reply) == text
