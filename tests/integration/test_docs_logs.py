"""What the guide to logs and the reference of events promise is what is written."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import garrison
from garrison import (
    AccessLog,
    AccessLogMiddleware,
    ErrorsMiddleware,
    RateLimit,
    RateLimitMiddleware,
    Settings,
    security_events,
)
from garrison.context import RequestContext, enter
from garrison.events import event_log
from garrison.rendering import render_json
from garrison.settings import load
from tests.integration.documents import DOCS, blocks, variables
from tests.toolkit.contract.subjects import sink
from tests.toolkit.driver import accepts, call, handshake, http_scope, raises, replies_with, websocket_scope
from tests.toolkit.middleware.logged import Logged

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from garrison.asgi import ASGIApp, Receive, Scope, Send

PAGE = DOCS / "how-to" / "logs.md"
REFERENCE = DOCS / "reference" / "events.md"
TOOLKIT = Path(garrison.__file__).parent

# Events whose names are put together, or written without `emit`.
NAMED_ELSEWHERE = {
    "browser_report", "csp_violation", "health_check_failed", "health_check_passed", "http.request",
    "log_lines_dropped",
}  # fmt: skip
# Where `emit` gets a name from somewhere else: modules and the word that stands there.
HANDED_ON = {
    ("app_lines.py", "text"), ("checks.py", "event"), ("csp_reports.py", "report.event"),
    ("failure_log.py", "event"), ("telling.py", "event"),
}  # fmt: skip
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# As events are called; a sentence for people has blanks.
EVENT = r"[a-z]+([_.][a-z]+)*"


def tables(chapter: str) -> list[list[list[str]]]:
    """The tables of a chapter of the reference: rows of cells, without their heads."""
    text = REFERENCE.read_text("utf-8")
    (part,) = re.findall(rf"(?ms)^## {re.escape(chapter)}\n(.*?)(?=^## |\Z)", text)
    found = re.findall(r"(?m)(?:^\|.*\n)+", part)
    return [
        [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table.splitlines()[2:]]
        for table in found
    ]


def names(cell: str) -> list[str]:
    """The names in a cell."""
    return re.findall(r"`([a-z_.]+)`", cell)


def everything() -> list[dict[str, Any]]:
    """Events of requests that have, all together, whatever there is to say."""

    async def knows(scope: Scope, receive: Receive, send: Send) -> None:
        scope, context = enter(scope)
        context.request_id, context.trace_id, context.span_id = "1", "2", "3"
        context.principal = "ann"
        context.note("authn_login_success")
        await app(scope, receive, send)

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/items/{id}", handler)])
    times = iter([0.0, 1.0, 9.0])
    slow = Logged(knows, clock=lambda: next(times))
    call(slow.app, http_scope("/items/7", query=b"q=1", headers=[(b"user-agent", b"curl")]))
    sampled = Logged(replies_with(), AccessLog(sample="90%"))
    call(sampled.app)
    refused = Logged(RateLimitMiddleware(replies_with(), RateLimit(limits="1/hour")))
    for _ in range(2):
        call(refused.app)
    replaced = Logged(
        ErrorsMiddleware(
            replies_with(500, [], b"Traceback (most recent call last):"), log=event_log("json", io.StringIO())
        )
    )
    call(replaced.app)
    failed = Logged(raises(LookupError()))
    with pytest.raises(LookupError):
        call(failed.app)
    talked = Logged(accepts)
    handshake(talked.app, websocket_scope())
    return [event for log in (slow, sampled, refused, replaced, failed, talked) for event in log.events]


def test_the_fields_of_a_request_are_those_of_the_reference() -> None:
    """No field is written that is not in the table, and none is in the table that is never written."""
    common = [name for row in common_rows() for name in names(row[0])]
    rows = tables("http.request")[0]
    listed = [name for row in rows for name in names(row[0])]
    written = everything()
    assert {name for event in written for name in event} == {*common, *listed}
    assert len(listed) == len(set(listed))
    always = {name for row in rows if row[2] == "always" for name in names(row[0])}
    assert set.intersection(*map(set, written)) == {*common, *always}


def common_rows() -> list[list[str]]:
    """The table of what every event has."""
    text = REFERENCE.read_text("utf-8").partition("\n## ")[0]
    return [row.strip("|").split(" | ") for row in re.findall(r"(?m)^\| `.*$", text)]


def test_outcomes_and_security_events_are_those_of_the_reference() -> None:
    """Whoever filters by them finds every value there."""
    _, outcomes, security = tables("http.request")
    assert {name for row in outcomes for name in names(row[0])} == {
        "completed", "failed", "client_gone", "drained", "cancelled",
    }  # fmt: skip
    noted = {
        value
        for name, value in vars(security_events).items()
        if name.isupper() and name != "TYPE_CHECKING" and isinstance(value, str)
    }
    assert {name for row in security for name in names(row[0])} == noted


def test_every_event_is_in_the_reference() -> None:
    """Each name that some module gives an event has its row, and each row a name that is given."""
    given, handed_on = set(NAMED_ELSEWHERE), set()
    for path in TOOLKIT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case (
                    ast.Call(func=ast.Attribute(attr="emit"), args=[_, ast.Constant(value=str(name)), _])
                    | ast.Call(
                        func=ast.Attribute(attr="_tell" | "_emit"),
                        args=[ast.Constant(value=str(name)), _, *_],
                    )
                ) if re.fullmatch(EVENT, name) and name not in {"info", "error"}:  # a level in front of it
                    given.add(name)
                case ast.Call(func=ast.Attribute(attr="emit"), args=[_, name, _]):
                    handed_on.add((path.name, ast.unparse(name)))
    sources = "".join(path.read_text("utf-8") for path in TOOLKIT.rglob("*.py"))
    assert all(f'"{name}"' in sources for name in NAMED_ELSEWHERE)
    rows = [name for row in tables("Others")[0] for name in names(row[0])]
    assert {*rows, "http.request"} == given
    # A name that is put together in a new place would be missed.
    assert handed_on == HANDED_ON


def test_every_event_on_standard_error_is_in_the_reference() -> None:
    """Each name that a log record of Garrison's has in place of a sentence has its row there."""
    given = set()
    for path in TOOLKIT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr=level), args=[ast.Constant(value=str(name)), *_]) if (
                    level in LEVELS and re.fullmatch(EVENT, name)
                ):
                    given.add(name)
    assert {name for row in tables("On standard error")[0] for name in names(row[0])} == given


def test_the_event_shown_is_an_event() -> None:
    """The guide shows the fields of such a request, in their order, and the loss as it is told."""
    shown, *_ = [orjson.loads(block.text) for block in blocks(PAGE, "json")]

    async def handler(request: Request) -> Response:
        return PlainTextResponse("hello")

    def identified(app: ASGIApp) -> ASGIApp:
        async def outer(scope: Scope, receive: Receive, send: Send) -> None:
            scope, context = enter(scope)
            context.request_id = "d4085941e9f3c465d124dcd44c934a82"
            await app(scope, receive, send)

        return outer

    stream = sink()
    log = event_log("json", stream)
    app = AccessLogMiddleware(Starlette(routes=[Route("/orders/{id}", handler)]), log=log)
    scope = http_scope("/orders/7", query=b"token=x", headers=[(b"user-agent", b"curl/8.5.0")])
    call(identified(app), scope)
    event = orjson.loads(stream.buffer.getvalue())  # type: ignore[attr-defined]
    changing = ("timestamp", "http.server.request.duration", "time_to_first_byte")
    assert list(event) == list(shown)
    assert {**event, **{name: shown[name] for name in changing}} == shown


def test_the_loss_shown_is_the_line() -> None:
    """It can be searched for as it stands there."""
    shown = orjson.loads(blocks(PAGE, "json")[1].text)
    assert orjson.loads(render_json(None, "", dict(shown))) == shown
    assert set(shown) == {"timestamp", "level", "event", "dropped"}


def test_the_rules_shown_do_what_is_said(tmp_path: Path) -> None:
    """The settings of the guide can be loaded, and leave out what it says."""
    section = load(Settings, environ=variables(blocks(PAGE, "env")[0], tmp_path)).value.access_log
    assert section is not None
    assert section.slow == 2.0

    def share(path: str, status: int = 200, method: str = "GET") -> float:
        logged = Logged(replies_with(status), section, chance=lambda: 0.0)
        call(logged.app, http_scope(path, method=method))
        return float(logged.event.get("sample", 1)) if logged.events else 0.0

    assert share("/orders", method="POST") == 1
    assert share("/static/a.css") == 0.001
    assert [share("/search", status) for status in (200, 404, 403, 500)] == [0.1, 0.1, 1, 1]
    assert [share("/other", status) for status in (200, 304, 404, 503)] == [0.25, 0.25, 1, 1]
    assert [share("/metrics", status) for status in (200, 503)] == [0, 1]


def test_own_code_notes_what_it_knows() -> None:
    """The handler of the guide has its events in the log."""
    space: dict[str, Any] = {}
    exec(compile(blocks(PAGE, "python")[0].text, str(PAGE), "exec"), space)  # noqa: S102 - our own page
    logged = Logged(Starlette(routes=[Route("/", space["login"], methods=["POST"])]))
    form = (b"content-type", b"application/x-www-form-urlencoded")
    for password in (b"wrong", b"the+right+one"):
        call(logged.app, http_scope(method="POST", headers=[form]), b"password=" + password)
    assert [event["security_events"] for event in logged.events] == [
        ["authn_login_fail"], ["authn_login_success"],
    ]  # fmt: skip


def test_a_note_is_there_once() -> None:
    """However often a layer says it."""
    context = RequestContext(http_scope())
    for name in ("authz_fail", "authz_fail", "input_validation_fail"):
        context.note(name)
    assert context.security_events == ("authz_fail", "input_validation_fail")
