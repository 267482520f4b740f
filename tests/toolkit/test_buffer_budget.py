"""What all requests hold in memory together is bounded, and given back on every way out."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import pytest

from garrison import RequestLimits, RequestLimitsMiddleware
from garrison.bounding.held_body import HeldBody
from garrison.buffer_budget import PIECES, BufferBudget
from tests.toolkit.contracting.shop import KEY, Shop
from tests.toolkit.driver import (
    Wire,
    call,
    echo,
    http_scope,
    raises,
    replies_with,
    request_messages,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send

LIMITS: Final = RequestLimits(max_body=100, max_buffered=250)


def post() -> Scope:
    """A request with JSON of unknown length."""
    lines = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    return http_scope(method="POST", headers=lines)


def layer(app: ASGIApp, budget: BufferBudget) -> ASGIApp:
    """An app behind the layer, with a budget that the test can see."""
    return RequestLimitsMiddleware(app, LIMITS, budget=budget)


def test_a_share_takes_what_there_is_and_gives_it_back() -> None:
    """What one request holds is not there for the next, until it has ended."""
    budget = BufferBudget(10)
    with budget.share() as one, budget.share() as other:
        assert one.take(6)
        assert not other.take(5)
        assert other.take(4)
        assert budget.held == 10
        one.release()
        assert other.take(6)
    assert budget.held == 0


def test_beyond_the_budget_it_is_a_503() -> None:
    """Two bodies on their way leave no room for a third; when they are gone there is room again."""

    async def main() -> None:
        budget = BufferBudget(250)
        app = layer(echo, budget)
        slow = [Wire(deque(request_messages(b"[" + b" " * 90, b"]")[:1])) for _ in range(2)]
        waiting = [asyncio.ensure_future(app(post(), wire.receive, wire.send)) for wire in slow]
        await asyncio.sleep(0)
        assert budget.held == 182
        third = Wire(deque(request_messages(b"[" + b" " * 90, b"]")))
        await app(post(), third.receive, third.send)
        assert (third.reply.status, third.reply.header("retry-after")) == (503, "1")
        assert third.reply.json["title"] == "Service Unavailable"
        assert budget.held == 182, "who was refused holds nothing"
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert budget.held == 0
        fourth = Wire(deque(request_messages(b"[" + b" " * 90, b"]")))
        await app(post(), fourth.receive, fourth.send)
        assert fourth.reply.status == 200

    run(main())


async def ignores(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that never reads its body and never answers."""


@pytest.mark.parametrize(
    "app",
    [echo, replies_with(), ignores, raises(LookupError())],
    ids=["reads", "answers", "ignores", "fails"],
)
@pytest.mark.parametrize(
    "chunks",
    [(b"[1]",), (b"[", b"1", b"]"), (b"[" * 99,), (b"\xff",), (b"[" + b" " * 200,), (b"[", b" " * 99, b"]")],
    ids=["one", "three", "deep", "not UTF-8", "long", "long in pieces"],
)
def test_nothing_is_held_when_a_request_is_over(app: ASGIApp, chunks: tuple[bytes, ...]) -> None:
    """Answered, refused, ignored or failed: the budget is as it was."""
    budget = BufferBudget(250)
    with contextlib.suppress(LookupError):
        call(layer(app, budget), post(), *chunks)
    assert budget.held == 0


def test_what_the_app_has_read_is_not_held() -> None:
    """A handler that works long on a small body does not take its room from others."""
    budget = BufferBudget(250)
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(budget.held)
        message = await receive()
        seen.append(budget.held)
        assert message["body"] == b"[1"

    async def slow() -> Message:
        seen.append(budget.held)
        return messages.popleft()

    async def main() -> None:
        await layer(app, budget)(post(), slow, Wire(deque()).send)

    messages = deque(request_messages(b"[1", b"]"))
    run(main())
    assert seen == [0, 0, 2, 0]


def test_two_layers_share_one_budget() -> None:
    """What another layer holds counts, in whichever order they come."""
    budget = BufferBudget(250)
    with budget.share() as other:
        assert other.take(249)
        assert call(layer(echo, budget), post(), b"[1]").status == 503
    assert call(layer(echo, budget), post(), b"[1]").status == 200


WAYS: Final = {
    "gone": ([b'{"item": ', b'"tea"}'], False),
    "silent": ([b'{"item": ', b'"tea"}'], False),
    "answered": ([b'{"item": ', b'"tea"}'], True),
    "too long": ([b'{"item": ', b'"tea"}', b" " * 90], True),
    "of another shape": ([b'{"item": ', b"1}"], True),
    "no JSON": ([b'{"item": ', b"\xff"], True),
}


@pytest.mark.parametrize("is_bounded", [True, False], ids=["both layers", "the contract alone"])
@pytest.mark.parametrize("way", WAYS)
def test_whoever_goes_leaves_nothing_behind(tmp_path: Path, way: str, *, is_bounded: bool) -> None:
    """A client that hangs up within its body, or is cut off, holds no room of the one budget any more."""

    async def main() -> None:
        budget = BufferBudget(250)
        app: ASGIApp = Shop(tmp_path, budget=budget, max_body=100).app
        if is_bounded:
            app = layer(app, budget)
        pieces, is_whole = WAYS[way]
        messages = request_messages(*pieces)
        if not is_whole:
            messages = messages[:1]
        if way == "gone":
            messages.append({"type": "http.disconnect"})
        wire = Wire(deque(messages))
        scope = http_scope("/orders", method="POST", headers=[*post()["headers"], KEY])
        task = asyncio.ensure_future(app(scope, wire.receive, wire.send))
        for _ in range(5):
            await asyncio.sleep(0)
        assert budget.held == (9 if way == "silent" else 0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert budget.held == 0

    run(main())


@pytest.mark.parametrize("count", [1, 3, PIECES, PIECES + 1, 5 * PIECES])
def test_a_body_arrives_whole_in_however_many_pieces(count: int) -> None:
    """Who sends byte by byte fills nothing with its pieces, and the app gets every byte in order."""
    budget = BufferBudget(1_000_000)
    sent = [b"%d" % (number % 10) for number in range(count)]
    messages = deque(request_messages(*sent))

    async def receive() -> Message:
        return messages.popleft() if messages else {"type": "http.disconnect"}

    async def main() -> None:
        judged: list[bytes] = []
        with budget.share() as share:
            held = HeldBody(receive, Wire(deque()).send, 1_000_000, share, judged.append)
            found: list[Any] = []
            while not found or found[-1]["type"] != "http.disconnect":
                found.append(await held.receive())
        assert judged == [b"".join(sent)]
        assert b"".join(message.get("body", b"") for message in found) == b"".join(sent)
        assert [message["more_body"] for message in found[:-1]] == [True] * (len(found) - 2) + [False]
        assert len(found) <= PIECES + 2

    run(main())
