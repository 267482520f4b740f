"""Replies against the document: found in copies, told to whoever asked, and never seen by the client."""

from __future__ import annotations

import asyncio
import io
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest
import yaml

from garrison import Contract, ContractMiddleware, SettingsError
from garrison.buffer_budget import BufferBudget
from garrison.contracting.replies import Replies
from garrison.events import event_log
from garrison.problems import Problem, reject
from tests.toolkit.contracting.shop import CANARY
from tests.toolkit.driver import Wire, call, converse, handshake, http_scope, replies_with

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from garrison.contracting.replies import ReplyViolations
    from tests.toolkit.driver import Reply

DOCUMENT: Final = yaml.safe_load("""
openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /orders/{id}:
    get:
      operationId: readOrder
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses:
        "200":
          description: an order
          content:
            application/json:
              schema:
                type: object
                required: [item]
                properties: {item: {type: string}}
            text/event-stream: {schema: {type: string}}
    post:
      operationId: changeOrder
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: {"200": {description: changed}}
""")

JSON: Final = (b"content-type", b"application/json")
BROKEN: Final = b'{"item": 7, "note": "canary-8c1f"}'


class Judge:
    """The layer around an app, with what it found and logged."""

    def __init__(self, folder: Path, app: ASGIApp, *, replies: float = 1.0, **options: Any) -> None:
        path = folder / "openapi.yaml"
        path.write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")
        self.log = io.StringIO()
        self.found: list[ReplyViolations] = []
        self.budget = BufferBudget(options.pop("budget", 1_000))
        fields = {name: options.pop(name) for name in ("mode", "max_body") if name in options}
        options.setdefault("on_reply", self.found.append if replies else None)
        self.app = ContractMiddleware(
            app,
            Contract(document=str(path), replies=replies, **fields),
            log=event_log(stream=self.log),
            budget=self.budget,
            **options,
        )

    def ask(self, path: str = "/orders/7", **more: Any) -> Reply:
        """One request."""
        return call(self.app, http_scope(path, **more))

    @property
    def rules(self) -> list[list[tuple[str, str]]]:
        """Pointer and rule of what was found, reply by reply."""
        return [[(each.pointer, each.rule) for each in one.violations] for one in self.found]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [orjson.loads(line) for line in self.log.getvalue().splitlines()]


def sends(*messages: Message) -> ASGIApp:
    """An app that sends these messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    """The head of a reply."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(chunk: bytes, *, more: bool = False) -> Message:
    """A part of its body."""
    return {"type": "http.response.body", "body": chunk, "more_body": more}


def test_a_reply_that_breaks_its_schema_is_told_and_goes_out(tmp_path: Path) -> None:
    """The client gets it as it is; log and test learn where it is wrong, not what it held."""
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN[:9], BROKEN[9:]))
    reply = judge.ask()
    assert (reply.status, reply.body) == (200, BROKEN)
    assert judge.rules == [[("/item", "type")]]
    (event,) = judge.events
    assert (event["event"], event["operation"], event["http.response.status_code"]) == (
        "contract_reply_violation",
        "readOrder",
        200,
    )
    assert [(each["in"], each["pointer"], each["rule"]) for each in event["errors"]] == [
        ("body", "/item", "type")
    ]
    assert CANARY not in judge.log.getvalue() + str(judge.found[0])
    assert judge.budget.held == 0


def test_what_was_found_reads_as_a_test_shows_it(tmp_path: Path) -> None:
    """Operation, status, and a line for each violation."""
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN))
    judge.ask()
    assert str(judge.found[0]) == (
        "GET /orders/{id} answered 200 against its document:\n  body /item (type): Must be a string."
    )


def test_each_kind_is_logged_once_and_told_each_time(tmp_path: Path) -> None:
    """A broken handler does not fill the log."""
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN))
    judge.ask()
    judge.ask("/orders/8")
    assert len(judge.events) == 1
    assert len(judge.found) == 2


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([start(JSON), body(b'{"item": "tea"}')], []),
        ([start(JSON, status=201), body(b"{}")], [[("", "status")]]),
        ([start((b"content-type", b"text/html")), body(b"<p>")], [[("", "mediaType")]]),
        ([start(status=204), body(b"")], [[("", "status")]]),
        ([start(status=304), body(b"")], []),
        ([start((b"location", b"/"), status=307), body(b"")], []),
        ([start(JSON, (b"content-encoding", b"gzip")), body(b"\x1f\x8b")], []),
        ([start(JSON, (b"content-range", b"bytes 0-1/9")), body(b"{")], []),
        ([start((b"content-type", b"text/event-stream")), body(b"data: 1\n\n", more=True)], []),
        ([start(JSON), {"type": "http.response.pathsend", "path": "/srv/order.json"}], []),
        ([start(JSON), {"type": "http.response.zerocopysend", "file": 3}], []),
        ([start(JSON), body(b"{", more=True), {"type": "http.response.novelty"}, body(b"")], []),
        ([{"type": "http.response.debug", "info": {}}, start(JSON), body(BROKEN)], [[("/item", "type")]]),
        ([{**start(JSON), "headers": iter([JSON])}, body(BROKEN)], [[("/item", "type")]]),
        ([{**start(JSON), "trailers": True}, body(BROKEN)], [[("/item", "type")]]),
        ([start(JSON), body(b"{", more=True)], []),
        ([body(b"{}")], []),
    ],
)
def test_what_can_be_read_is_judged_and_all_else_passes(
    tmp_path: Path, messages: list[Message], expected: list[list[tuple[str, str]]]
) -> None:
    """Streams, files, parts, compressed bodies and what is unknown raise no alarm and go out as they came."""
    judge = Judge(tmp_path, sends(*messages))
    wire = converse(judge.app, http_scope("/orders/7"), [])
    assert [message["type"] for message in wire.sent] == [message["type"] for message in messages]
    assert judge.rules == expected
    assert judge.budget.held == 0


def test_the_reply_to_head_has_no_body_to_judge(tmp_path: Path) -> None:
    """Nor is a 405 of a framework without HEAD held against the document."""
    assert not Judge(tmp_path, sends(start(JSON), body(b""))).ask(method="HEAD").body
    judge = Judge(tmp_path, sends(start(JSON), body(b"")))
    judge.ask(method="HEAD")
    assert judge.rules == []
    refuses = Judge(tmp_path, sends(start(JSON, status=405), body(b"")))
    refuses.ask(method="HEAD")
    assert refuses.rules == []


def test_what_is_above_may_change_messages(tmp_path: Path) -> None:
    """Starlette's compression does it in place; what the app has sent is judged all the same."""
    judge = Judge(tmp_path, replies_with(200, [JSON], b'{"item": "tea"}'))
    sent = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"].append((b"content-encoding", b"gzip"))
            message["status"] = 203
        message["body"] = b"\x1f\x8b"
        sent.append(message)

    asyncio.run(judge.app(http_scope("/orders/7"), Wire(deque()).receive, send))
    assert len(sent) == 2
    assert judge.rules == []


def test_nothing_is_held_back(tmp_path: Path) -> None:
    """Each part of a reply is out before the app goes on."""
    wire = Wire(deque())
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in (start(JSON), body(b"{", more=True), body(b'"item":', more=True), body(b"7}")):
            await send(message)
            seen.append(len(wire.sent))

    judge = Judge(tmp_path, app)

    asyncio.run(judge.app(http_scope("/orders/7"), wire.receive, wire.send))
    assert seen == [1, 2, 3, 4]
    assert judge.rules == [[("/item", "type")]]


@pytest.mark.parametrize("options", [{"max_body": 20}, {"budget": 20}])
def test_a_body_beyond_the_bounds_is_let_go(tmp_path: Path, options: dict[str, int]) -> None:
    """It goes out whole, is not judged, and nothing of it stays in the budget."""
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN[:15], BROKEN[15:]), **options)
    assert judge.ask().body == BROKEN
    assert judge.rules == []
    assert judge.budget.held == 0


def test_only_a_share_is_judged(tmp_path: Path) -> None:
    """Chance decides, and it comes in from outside."""
    chances = iter([0.24, 0.25, 0.9, 0.0])
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN), replies=0.25, chance=lambda: next(chances))
    for _ in range(4):
        judge.ask()
    assert len(judge.found) == 2


def test_without_a_share_nothing_is_judged_or_compiled(tmp_path: Path) -> None:
    """The default costs nothing."""
    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN), replies=0.0)
    judge.ask()
    assert judge.log.getvalue() == ""
    assert judge.app._judging is not None
    assert judge.app._judging._replies is None
    assert judge.app._judging._contract._replies == {}


def test_a_listener_without_a_share_is_a_mistake(tmp_path: Path) -> None:
    """Somebody waits for what will never come, and is told so."""
    with pytest.raises(SettingsError, match="because on_reply is given"):
        Judge(tmp_path, replies_with(), replies=0.0, on_reply=print)


@pytest.mark.parametrize("replies", [-0.1, 1.1])
def test_a_share_is_from_0_to_1(replies: float) -> None:
    """Anything else is refused when the section is made."""
    with pytest.raises(SettingsError, match=r"Contract\.replies: expected a share from 0 to 1"):
        Contract(replies=replies)


def test_what_garrison_answers_is_not_the_apps(tmp_path: Path) -> None:
    """A refusal of this layer or of one below is not held to the document."""
    judge = Judge(tmp_path, replies_with(200, [JSON], b'{"item": "tea"}'))
    lines = [JSON, (b"content-length", b"2")]
    assert call(judge.app, http_scope("/orders/7", method="POST", headers=lines), b"[]").status == 422
    assert judge.ask("/orders/x").status == 400

    async def refused(scope: Scope, receive: Receive, send: Send) -> None:
        await reject(scope, receive, send, scope["garrison"], "rate_limit", Problem(status=410))

    below = Judge(tmp_path, refused)
    assert below.ask().status == 410
    assert judge.found == below.found == []


def test_what_has_no_operation_is_not_judged(tmp_path: Path) -> None:
    """Undocumented paths promise nothing, and neither do WebSockets."""
    judge = Judge(tmp_path, replies_with(418, [JSON], BROKEN))
    judge.ask("/elsewhere")
    handshake(judge.app)
    assert judge.found == []


def test_a_test_can_fail_by_it(tmp_path: Path) -> None:
    """What a listener raises comes out behind the reply, past the handlers of the app."""

    def fail(found: ReplyViolations) -> None:
        raise AssertionError(str(found))

    judge = Judge(tmp_path, replies_with(200, [JSON], BROKEN), on_reply=fail)
    wire = Wire(deque())
    with pytest.raises(AssertionError, match="answered 200 against its document"):
        asyncio.run(judge.app(http_scope("/orders/7"), wire.receive, wire.send))
    assert wire.reply.body == BROKEN


def test_the_failure_of_an_app_is_not_hidden(tmp_path: Path) -> None:
    """What it raises behind a whole reply is raised, and the finding is told all the same."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await replies_with(200, [JSON], BROKEN)(scope, receive, send)
        raise LookupError

    judge = Judge(tmp_path, app)
    with pytest.raises(LookupError):
        judge.ask()
    assert judge.rules == [[("/item", "type")]]


def test_a_request_that_is_cancelled_ends(tmp_path: Path) -> None:
    """A listener that raises does not stand in the way, and nothing stays in the budget."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sends(start((b"content-type", b"text/html")), body(b"{", more=True))(scope, receive, send)
        await asyncio.sleep(10)

    def fail(found: ReplyViolations) -> None:
        raise AssertionError(str(found))

    judge = Judge(tmp_path, app, on_reply=fail)
    wire = Wire(deque())

    async def main() -> None:
        task = asyncio.ensure_future(judge.app(http_scope("/orders/7"), wire.receive, wire.send))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [event["event"] for event in judge.events] == ["contract_reply_violation"]
    assert judge.budget.held == 0


def test_a_reply_that_cannot_be_judged_goes_out(tmp_path: Path) -> None:
    """What is no reply at all is the server's to refuse; here it is only counted."""
    before = Replies.dropped
    judge = Judge(tmp_path, sends(start((None, None)), body(BROKEN)))  # type: ignore[arg-type]
    assert judge.ask().body == BROKEN
    assert before + 1 == Replies.dropped
    assert judge.found == []
