"""Holds what the app answers to its operation, from copies: a client gets every message as without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from garrison.contracting.answers import MOST
from garrison.openapi.model import Violation

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from garrison.asgi import Headers, Message, Send
    from garrison.buffer_budget import BufferBudget
    from garrison.context import RequestContext
    from garrison.contracting.telling import Teller
    from garrison.openapi.contract import Contract
    from garrison.openapi.model import Operation
    from garrison.openapi.responses import ReplyBody


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyViolations:
    """In what one reply does not keep the document.

    Attributes:
        operation: its operationId, or method and template.
        method: of the operation.
        template: its path as the document has it.
        status: of the reply.
        violations: 20 at most; a `rule` of `status` or `mediaType` means one that is not declared.
    """

    operation: str
    method: str
    template: str
    status: int
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        """What a failing test shows: where, and one line for each violation."""
        lines = [f"{self.method} {self.template} answered {self.status} against its document:"]
        lines += [
            f"  {each.location}{each.pointer and f' {each.pointer}'} ({each.rule}): {each.detail}"
            for each in self.violations
        ]
        return "\n".join(lines)


class Replies:
    """Judges a share of the replies of one layer.

    Args:
        contract: made with `replies`.
        teller: writes down what does not keep it.
        budget: what all requests and replies may hold together.
        mode: of the layer, for the log.
        share: of the replies, from 0 to 1.
        max_body: bytes of a body that is read; of a longer one only the head is judged.
        chance: a random number from 0 to below 1.
        on_reply: is told of each reply that does not keep the document, when the app has returned; what it
            raises goes to the server, or to the test.
    """

    dropped = 0
    """How many replies could not be judged, for whatever reason."""

    def __init__(
        self,
        contract: Contract,
        teller: Teller,
        budget: BufferBudget,
        *,
        mode: str,
        share: float,
        max_body: int,
        chance: Callable[[], float],
        on_reply: Callable[[ReplyViolations], object] | None = None,
    ) -> None:
        self.contract = contract
        self.teller = teller
        self.budget = budget
        self.mode = mode
        self.max_body = max_body
        self.on_reply = on_reply
        self._share = share
        self._chance = chance

    def watch(self, context: RequestContext, operation: Operation, send: Send) -> WatchedReply | None:
        """A `send` that looks at the reply to one request; None where it is none of the share.

        Args:
            context: of the request, which is no WebSocket.
            operation: that the request is for.
            send: where the reply goes.
        """
        if self._share < 1 and self._chance() >= self._share:
            return None
        return WatchedReply(self, context, operation, send)


class WatchedReply:
    """One reply: a context in which the app is called with `send`, and after which it is told of.

    Args:
        replies: of the layer.
        context: of the request.
        operation: that the request is for.
        send: where the reply goes.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_context",
        "_done",
        "_operation",
        "_replies",
        "_send",
        "_share",
        "_size",
        "_started",
        "_status",
        "_violations",
    )

    def __init__(self, replies: Replies, context: RequestContext, operation: Operation, send: Send) -> None:
        self._replies = replies
        self._context = context
        self._operation = operation
        self._send = send
        self._share = replies.budget.share()
        self._started = False
        self._done = False
        self._status = 0
        self._body: ReplyBody | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._violations: tuple[Violation, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Tell of it; where the app has failed too, both failures are raised, but nothing stops an end."""
        self._let_go()
        if not self._violations:
            return
        replies = self._replies
        violations = self._violations[:MOST]
        replies.teller.reply_violated(self._context, self._operation, self._status, violations, replies.mode)
        if replies.on_reply is not None and (kind is None or issubclass(kind, Exception)):
            replies.on_reply(
                ReplyViolations(
                    operation=self._operation.name,
                    method=self._operation.method,
                    template=self._operation.template,
                    status=self._status,
                    violations=violations,
                )
            )

    async def send(self, message: Message) -> None:
        """The `send` of the app; everything is judged when it is out."""
        kind = message["type"]
        # What is above may change messages in place, as Starlette's compression does.
        if kind == "http.response.start" and not self._started:
            self._started = True
            status, lines = message["status"], list(message.get("headers", ()))
            if not isinstance(message.get("headers", ()), list | tuple):
                # An iterator is good for one reading.
                message = {**message, "headers": list(lines)}
            await self._send(message)
            self._guarded(lambda: self._begin(int(status), lines))
            return
        chunk, more = message.get("body", b""), message.get("more_body", False)
        await self._send(message)
        if self._started and not self._done:
            if kind == "http.response.body":
                self._guarded(lambda: self._go_on(chunk, more=more))
            else:
                # A file that the server reads, or something new; whatever it is, there is more than is seen.
                self._let_go()

    def _begin(self, status: int, lines: Headers) -> None:
        if self._context.rejected_by is not None:
            # The answer of a layer, which no operation promises.
            self._done = True
            return
        self._status = status
        to_head = self._context.method == "HEAD"
        head = self._replies.contract.reply(self._operation).head(status, lines, to_head=to_head)
        self._violations = head.violations
        self._body = head.body
        self._done = head.body is None

    def _go_on(self, chunk: bytes, *, more: bool) -> None:
        self._size += len(chunk)
        if self._size > self._replies.max_body or not self._share.take(len(chunk)):
            self._let_go()
            return
        if chunk:
            self._chunks.append(bytes(chunk))
        if not more:
            if self._body is not None:
                self._violations += self._body.check(b"".join(self._chunks))
            self._let_go()

    def _let_go(self) -> None:
        self._done = True
        self._chunks.clear()
        self._share.release()

    def _guarded(self, judge: Callable[[], None]) -> None:
        """Judge, and rather lose the finding than the reply."""
        try:
            judge()
        except Exception:  # noqa: BLE001 - telemetry fails open, whatever it was
            Replies.dropped += 1
            self._let_go()
