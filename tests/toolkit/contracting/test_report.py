"""In report mode nothing is refused, delayed or cut short, and what cannot be judged is told."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import yaml

from garrison import Contract, ContractMiddleware
from garrison.buffer_budget import BufferBudget
from garrison.events import event_log
from tests.toolkit.contracting.shop import DOCUMENT, JSON, KEY, echo
from tests.toolkit.driver import Wire, converse, http_scope, read_body, replies_with, request_messages, run

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

CHUNKED = (b"transfer-encoding", b"chunked")
MULTIPART = (b"content-type", b"multipart/form-data; boundary=b")
UNDECLARED = b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--b--\r\n'


class Reporting:
    """An app behind its document in report mode, and what was logged."""

    def __init__(self, folder: Path, app: ASGIApp = echo, **fields: Any) -> None:
        path = folder / "openapi.yaml"
        path.write_text(yaml.safe_dump(DOCUMENT), encoding="utf-8")
        self.log = io.StringIO()
        self.budget = BufferBudget(fields.pop("room", 1000))
        section = Contract(**{"document": str(path), "security": "presence", "mode": "report", **fields})
        self.app = ContractMiddleware(app, section, budget=self.budget, log=event_log(stream=self.log))

    def order(self, *incoming: Message, path: str = "/orders", kind: Any = JSON, **more: Any) -> Wire:
        """A request with a body in these messages."""
        scope = http_scope(path, method="POST", headers=[kind, KEY, CHUNKED], **more)
        return converse(self.app, scope, incoming)

    @property
    def told(self) -> list[tuple[str, Any]]:
        """The events, each with its reason or its rules."""
        events = [orjson.loads(line) for line in self.log.getvalue().splitlines()]
        return [
            (each["event"], each.get("reason") or [error["rule"] for error in each["errors"]])
            for each in events
        ]


@pytest.mark.parametrize(("fields", "reason"), [({"max_body": 20}, "too large"), ({"room": 20}, "no room")])
def test_a_body_that_cannot_be_held_is_told_and_passes(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    """It would be refused where the document is enforced, and so nobody may learn of it only then."""
    shop = Reporting(tmp_path, **fields)
    body = b'{"item": "tea",' + b" " * 50, b'"count": 1}'
    reply = shop.order(*request_messages(*body)).reply
    assert (reply.status, reply.body) == (200, b"".join(body))
    assert shop.told == [("contract_unchecked", reason)]
    assert shop.budget.held == 0


@pytest.mark.parametrize(
    ("path", "kind", "pieces", "rules"),
    [
        ("/orders", JSON, (b'{"it', b'em": ', b"1}"), ["type"]),
        ("/orders", JSON, (b"",), ["required"]),
        ("/orders", (b"content-type", b"text/plain"), (b"", b"x"), ["mediaType"]),
        ("/pictures", MULTIPART, (UNDECLARED[:20], UNDECLARED[20:]), ["unknown"]),
    ],
)
def test_every_piece_reaches_the_app_before_the_next_one_is_there(
    tmp_path: Path, path: str, kind: Any, pieces: tuple[bytes, ...], rules: list[str]
) -> None:
    """An app that answers while it reads goes on doing so, with a body that does not fit too."""
    arrived: list[int] = []
    left = request_messages(*pieces)

    async def receive() -> Message:
        return left.pop(0)

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        more = True
        while more:
            arrived.append(len(pieces) - len(left))
            message = await receive()
            more = message["more_body"]
            seen.append(message["body"])

    async def send(_message: Message) -> None:
        pass

    seen: list[bytes] = []
    shop = Reporting(tmp_path, app)
    scope = http_scope(path, method="POST", headers=[kind, KEY, CHUNKED])
    run(shop.app(scope, receive, send))
    assert (arrived, seen) == (list(range(len(pieces))), list(pieces))
    assert shop.told == [("contract_violation", rules)]
    assert shop.budget.held == 0


FIELD = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n' + b"x" * 2000


def test_fields_of_an_upload_count_as_held(tmp_path: Path) -> None:
    """They are kept until the end, to be judged together: a thousand uploads could keep a gigabyte."""
    rest = b'\r\n--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n1\r\n--b--\r\n'
    for room, told in ((1000, [("contract_unchecked", "no room")]), (3000, [])):
        shop = Reporting(tmp_path, room=room)
        reply = shop.order(*request_messages(FIELD, rest), path="/pictures", kind=MULTIPART).reply
        assert (reply.body, shop.told, shop.budget.held) == (FIELD + rest, told, 0)
        enforcing = Reporting(tmp_path, room=room, mode="enforce")
        wire = enforcing.order(*request_messages(FIELD, rest), path="/pictures", kind=MULTIPART)
        assert wire.reply.status == (503 if told else 200)
        assert wire.reply.header("retry-after") == ("1" if told else None)
        assert enforcing.budget.held == 0


def test_an_app_that_reads_nothing_does_not_wait_for_the_client(tmp_path: Path) -> None:
    """Not a byte of the body is asked for."""
    wire = Reporting(tmp_path, replies_with()).order(*request_messages(b"{", b"}"))
    assert (wire.reply.status, wire.received) == (200, 0)


def test_a_client_that_leaves_leaves_nothing_behind(tmp_path: Path) -> None:
    """What was held of its body is let go, whatever the app makes of it."""
    shop = Reporting(tmp_path)
    shop.order({"type": "http.request", "body": b'{"item"', "more_body": True}, {"type": "http.disconnect"})
    assert (shop.told, shop.budget.held) == ([], 0)


def test_an_app_that_fails_is_told_of_too(tmp_path: Path) -> None:
    """The error of the app and the fault of the client are both seen."""

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        await read_body(receive)
        raise RuntimeError

    shop = Reporting(tmp_path, app)
    with pytest.raises(RuntimeError):
        shop.order(*request_messages(UNDECLARED), path="/pictures", kind=MULTIPART)
    assert shop.told == [("contract_violation", ["unknown"])]


def test_an_enforced_document_wants_the_end_of_a_body(tmp_path: Path) -> None:
    """A body that ends in the middle never reaches the app, which could take it for all there is."""
    reached: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(await read_body(receive))
        await replies_with()(scope, receive, send)

    shop = Reporting(tmp_path, app, mode="enforce")
    beginning: Message = {"type": "http.request", "body": b'{"item": "tea"}', "more_body": True}
    wire = shop.order(beginning, {"type": "http.disconnect"})
    assert (wire.reply.status, reached) == (400, [])
