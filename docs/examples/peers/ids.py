"""Request ids beside `asgi-correlation-id`: what is believed of a stranger, and which replies have one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgi_correlation_id import CorrelationIdMiddleware
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from docs.examples.peers.asked import ask
from docs.examples.peers.browser_headers import fails
from docs.examples.peers.case import Case
from garrison import Settings, harden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.websockets import WebSocket

    from docs.examples.peers.asked import Answer

PEER: Final = "asgi-correlation-id"
# The parser that it asks leaves out dashes and braces before it counts.
LONG: Final = b"-" * 8_000 + b"0123456789abcdef4123456789abcdef"


async def opens(websocket: WebSocket) -> None:
    """A WebSocket for everybody."""
    await websocket.accept()


def cases() -> Iterator[Case]:
    """What is compared here."""
    routes = [Route("/", fails), WebSocketRoute("/live", opens)]
    theirs: Any = Starlette(routes=routes)
    theirs.add_middleware(CorrelationIdMiddleware)
    ours: Any = harden(Starlette(routes=routes), Settings())
    sent = [(b"x-request-id", LONG)]
    yield Case(
        f"a stranger sends an id of {len(LONG):,} characters: the id of the reply",
        PEER,
        _length(ask(theirs, "/missing", headers=sent)),
        _length(ask(ours, "/missing", headers=sent)),
    )
    yield Case("a view raises: the id of the 500", PEER, _there(ask(theirs)), _there(ask(ours)))
    yield Case(
        "a WebSocket is accepted: the id of the handshake",
        PEER,
        _there(ask(theirs, "/live", type="websocket")),
        _there(ask(ours, "/live", type="websocket")),
    )


def _length(answer: Answer) -> str:
    found = answer.header("x-request-id") or ""
    return f"{len(found):,} characters{', as sent' if found.encode() == LONG else ', made here'}"


def _there(answer: Answer) -> str:
    return "missing" if answer.header("x-request-id") is None else "there"
