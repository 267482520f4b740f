"""Nothing that a target answers breaks the audit, or holds it up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.checks.set_cookie import cookies
from garrison_harness.checks.violation_reports import _own_target
from garrison_harness.discovery.document import parse_document, routes_of
from garrison_harness.discovery.examples import example
from garrison_harness.exchange import Exchange, Request
from garrison_harness.http_date import http_date
from garrison_harness.in_process import Hosted
from garrison_harness.login.cookie_jar import CookieJar
from garrison_harness.login.form_page import forms_of, login_form
from garrison_harness.observatory.page import integrity_modifier, read_page
from garrison_harness.one_line_errors import FaultStop, faults_stop
from garrison_harness.probe import Budget
from garrison_harness.stage import Stage
from tests.harness.apps.hostile_app import refusing
from tests.harness.commands import check
from tests.harness.recordings import SITE, findings, page, reply, verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

ZONE = "Mon, 01 Jan 2020 00:00:00 +99999999999999"
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(130)
def test_no_pattern_can_be_made_to_take_for_ever() -> None:
    """Thousands of blanks, letters, quotes and brackets are read in no time by every pattern there is."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.pattern_attack"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[0]) > 100


@pytest.mark.parametrize(
    "words",
    [
        ("hostile_app:page",),
        ("hostile_app:documented",),
        ("hostile_app:limited", "--factory", "--quota", "3/minute"),
        ("hostile_app:refusing",),
    ],
    ids=lambda words: words[0].partition(":")[2],
)
def test_every_check_gets_its_verdict(words: tuple[str, ...], tmp_path: Path) -> None:
    """The report is written, no check is broken, and stderr holds no traceback."""
    report = tmp_path / "report.json"

    ran = check(*words, "--in-process", "--config", "off", "--format", "json", "--output", report)

    assert ran.status in {0, 1, 4}, ran.stderr
    assert "Traceback" not in ran.stderr
    assert "please report it" not in report.read_text() + ran.stderr


# Documents.


def routes(paths: str) -> list[str]:
    """The targets of the routes in a document with these paths, in JSON."""
    found = parse_document(f'{{"openapi": "3.1.0", "paths": {{{paths}}}}}'.encode())
    assert found is not None
    return [route.target for route in routes_of(found)]


def parameter(text: str) -> str:
    """A path whose operation has this parameter."""
    return f'"/bad/{{n}}": {{"get": {{"parameters": [{{"required": true, {text}}}]}}}}'


def body(schema: str) -> str:
    """A path whose operation takes a body of this schema."""
    content = f'{{"application/json": {{"schema": {schema}}}}}'
    return f'"/bad": {{"post": {{"requestBody": {{"content": {content}}}}}}}'


@pytest.mark.parametrize(
    "path",
    [
        body('{"type": {}}'),
        body('{"type": "object", "properties": {}, "required": [{"a": 1}]}'),
        body('{"oneOf": [{"$ref": "#/paths/~1bad/post/requestBody/content/application~1json/schema"}]}'),
        parameter('"name": "n", "in": "query", "schema": {"type": "integer", "minimum": 1e400}'),
        parameter('"name": "n", "in": "path", "example": "\\ud800"'),
        parameter('"name": "\\ud800", "in": "query"'),
        '"/\\ud800": {"get": {}}',
        '"/{\\ud800}": {"get": {}}',
    ],
    ids=["type", "required", "itself", "infinity", "example", "name", "path", "name in the path"],
)
def test_an_operation_that_cannot_be_read_is_left_out(path: str) -> None:
    """The operations beside it are found."""
    assert routes(f'"/a": {{"get": {{}}}}, {path}, "/z": {{"get": {{}}}}') == ["/a", "/z"]


def test_an_address_of_the_server_that_cannot_be_written_is_left_out() -> None:
    """Its operations are found, without a prefix."""
    found = parse_document(
        b'{"openapi": "3.1.0", "servers": [{"url": "/\\ud800"}], "paths": {"/a": {"get": {}}}}'
    )
    assert found is not None

    assert [route.target for route in routes_of(found)] == ["/a"]


@pytest.mark.parametrize(
    "node",
    [
        {"type": "array", "minItems": 10, "items": {"$ref": "#/node"}},
        {"required": [*"abcdefghij"], "properties": {name: {"$ref": "#/node"} for name in "abcdefghij"}},
    ],
    ids=["array", "object"],
)
def test_an_example_is_no_larger_than_a_request_should_be(node: Mapping[str, Any]) -> None:
    """A schema that holds itself ten times over makes thousands of values, not billions."""
    assert len(json.dumps(example({"$ref": "#/node"}, {"node": node}))) < 100_000


# Pages.

MARKED = "<form><![foo[bar]]><input type=password name=word><script src='http://[a'></script></form>"


def test_a_page_is_read_past_what_the_parser_fails_at() -> None:
    """What follows a marked section counts, as it does in a browser."""
    assert forms_of(MARKED)[0].password
    assert [script.src for script in read_page(MARKED.encode()).scripts] == ["http://[a"]
    assert forms_of("<form><![")


def test_markup_behind_a_marked_section_is_found() -> None:
    """A page cannot hide it there."""
    from tests.harness.recordings import CANARY  # noqa: PLC0415 - only this test needs it

    hole = page(body=f"<![foo[bar]]><{CANARY}></{CANARY}>".encode())

    assert "an element" in findings("I5", {"page": hole})[0].message


def test_an_address_that_is_none_is_passed_over() -> None:
    """Neither a script, a form nor a policy that names `http://[a` breaks what reads it."""
    assert integrity_modifier(read_page(b"<script src='http://[a'></script>"), "host", https=True) == 0
    assert login_form("<form action='http://[a'>", at="/", path="/login", names=()) is not None
    assert (
        "fault of this check"
        not in verdict("H13", default=page({"Content-Security-Policy": "script-src http://[a"})).reason
    )
    assert _own_target(SITE, "http://[a") == ""


def test_a_wait_that_is_no_number_is_not_waited_for() -> None:
    """A superscript two looks like a digit, and is none."""
    site = replace(SITE, addresses=False)
    with Hosted(refusing) as hosted:
        budget = Budget(deadline=time.monotonic() + 5, requests=5)
        stage = Stage(site=site, asker=hosted.asker("", budget), budget=budget, number=9, block="127.31")

        assert stage.ask("page", site.get("/")).status == 429


# Dates and numbers.


@pytest.mark.parametrize(
    "text", [ZONE, "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 99 Jan 2020 00:00:00 GMT", "", "x"]
)
def test_a_date_outside_of_the_calendar_is_none(text: str) -> None:
    """It is read like a value that is no date."""
    assert http_date(text) is None


def test_a_date_without_a_zone_is_in_utc() -> None:
    """RFC 9110 knows no other."""
    assert http_date("Mon, 06 Jan 2020 01:02:03") == datetime(2020, 1, 6, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attribute", "over"),
    [
        (f"Expires={ZONE}", False),
        ("Max-Age=" + "9" * 5000, False),
        ("Max-Age=00", True),
        ("Max-Age=-5", True),
    ],
    ids=["zone", "very long", "nothing", "less than nothing"],
)
def test_a_cookie_s_end_is_read_whatever_it_says(attribute: str, *, over: bool) -> None:
    """By the checks and by the login alike."""
    jar = CookieJar()
    jar.take(["a=b", f"a=c; {attribute}"])
    seen = Exchange(
        label="page",
        request=Request(method="GET", target="/", pieces=()),
        reply=reply(200, {"Set-Cookie": f"a=c; {attribute}"}),
    )

    assert [cookie.deletes for cookie in cookies([seen])] == [over]
    assert ("a" in jar.values) is not over


# Faults that nobody foresaw.


def test_a_fault_of_the_tool_is_one_line() -> None:
    """It is inconclusive, and says what to report; status 1 would blame the target."""
    with pytest.raises(FaultStop) as stop, faults_stop():
        json.loads("{")

    assert stop.value.exit_code == 4
    assert "please report it: JSONDecodeError(" in stop.value.message
    assert "decoder.py:" in stop.value.message
