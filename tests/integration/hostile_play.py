"""Plays one exchange: the app that does what a case says, and the server around it, which remembers all."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from tests.integration.hostile_exchanges import Case, Step

LEAVING: Final[Message] = {"type": "http.disconnect"}


class Route:
    """What a framework leaves in the scope."""

    def __init__(self, path: object) -> None:
        self.path = path


class Played(NamedTuple):
    """What came of one exchange.

    Attributes:
        sent: what reached the server, with header lines as lists and bodies as bytes.
        error: what came out of the outermost app.
        allowed: everything that may: what the app or the server raised.
        strange: what an app got out of `receive` and `send` that its server had not raised.
        raised: what the app itself raised at its end, if it did.
        received: the body that it got.
    """

    sent: list[Message]
    error: BaseException | None
    allowed: list[BaseException]
    strange: list[BaseException]
    raised: BaseException | None
    received: bytes


class Player:
    """An app that does what the case says, and around which any layers can be put once for all cases."""

    def __init__(self) -> None:
        self._exchange: _Exchange

    async def play(self, app: ASGIApp, case: Case) -> Played:
        """Play a case with this app as the outermost, in a task and a context of its own."""
        exchange = self._exchange = _Exchange(case)
        scope = {**case.scope, "state": {}}
        error = await asyncio.create_task(_told(app(scope, exchange.receive, exchange.send)))
        return Played(
            sent=exchange.sent,
            error=error,
            allowed=exchange.allowed,
            strange=exchange.strange,
            raised=exchange.raised,
            received=exchange.received,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app."""
        await self._exchange.answer(scope, receive, send)


class _Exchange:
    """One exchange: the server's side of it, and what the app does."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._incoming = deque(case.incoming)
        self._calls = 0
        self._sends = 0
        self.sent: list[Message] = []
        self.allowed: list[BaseException] = []
        self.strange: list[BaseException] = []
        self.raised: BaseException | None = None
        self.received = b""

    async def receive(self) -> Message:
        """The `receive` of the server."""
        await self._tick()
        return dict(self._incoming.popleft()) if self._incoming else dict(LEAVING)

    async def send(self, message: Message) -> None:
        """The `send` of the server."""
        await self._tick()
        self._sends += 1
        if self._case.torn is not None and self._sends > self._case.torn:
            raise self._allow(OSError("the client is gone"))
        kept = dict(message)
        if "headers" in kept:
            kept["headers"] = [(bytes(name), bytes(value)) for name, value in kept["headers"]]
        if "body" in kept:
            kept["body"] = bytes(kept["body"])
        self.sent.append(kept)

    async def _tick(self) -> None:
        self._calls += 1
        if self._calls - 1 != self._case.cut:
            return
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            self._allow(error)
            raise

    def _allow(self, error: BaseException) -> BaseException:
        self.allowed.append(error)
        return error

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Do what the case says."""
        for step in self._case.steps:
            try:
                await self._do(step, scope, receive, send)
            except BaseException as error:
                if step.kind == "raise":
                    self.raised = self._allow(error)
                elif not any(error is one for one in self.allowed):
                    self.strange.append(error)
                if step.kind == "raise" or not self._case.stubborn:
                    raise

    async def _do(self, step: Step, scope: Scope, receive: Receive, send: Send) -> None:
        match step.kind:
            case "receive":
                self.received += (await receive()).get("body", b"")
            case "echo":
                await self._echo(step.value, receive, send)
            case "send":
                await send(_fresh(step.value))
            case "apart":
                await asyncio.create_task(_relay(send, _fresh(step.value)))
            case "caught":
                try:
                    _fail()
                except RuntimeError:
                    await send(_fresh(step.value))
            case "linger":
                await asyncio.sleep(0)
            case "route":
                scope["route"], scope["root_path"] = Route(step.value), "/mounted"
            case "principal" if "garrison" in scope:
                scope["garrison"].principal = step.value
            case "raise":
                raise step.value()

    async def _echo(self, start: Message, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request":
            self.received += message.get("body", b"")
            if not message.get("more_body", False):
                break
        await send(_fresh(start))
        await send({"type": "http.response.body", "body": self.received})


def _fail() -> None:
    raise RuntimeError("hunter2")


async def _told(call: Awaitable[None]) -> BaseException | None:
    try:
        await call
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what this is about
        return error
    return None


async def _relay(send: Callable[[Message], Awaitable[None]], message: Message) -> None:
    await send(message)


def _fresh(message: Message) -> Message:
    """A message as an app makes it; its header lines may be read once."""
    made: dict[str, Any] = dict(message)
    if isinstance(made.get("headers"), tuple):
        made["headers"] = iter(made["headers"])
    return made
