"""Other origins and other hosts beside what Starlette brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware

from docs.examples.peers.asked import ask
from docs.examples.peers.case import Case
from garrison import CrossOrigin, Hosts, Settings, SettingsError, harden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import Receive, Scope, Send

PEER: Final = "starlette"
EVIL: Final = [(b"origin", b"https://evil.example"), (b"cookie", b"session=1")]
OURS: Final = "https://app.example"


async def serves(scope: Scope, _receive: Receive, send: Send) -> None:
    """A page, and a WebSocket for everybody."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<p>done"})


def cases() -> Iterator[Case]:
    """What is compared here."""
    wide: Any = CORSMiddleware(serves, allow_origins=["*"], allow_credentials=True)
    yield Case(
        "any origin with credentials is asked for",
        PEER,
        f"tells `{ask(wide, headers=EVIL).header('access-control-allow-origin')}` that it may read",
        _any_with_credentials(),
    )
    cors: Any = CORSMiddleware(serves, allow_origins=[OURS], allow_credentials=True)
    guarded = harden(serves, Settings(cross_origin=CrossOrigin(allowed=(OURS,), credentials=True)))
    form = [
        *EVIL,
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"sec-fetch-site", b"cross-site"),
    ]
    yield Case(
        "one origin is allowed, another site posts a form with the user's cookie",
        PEER,
        _done(ask(cors, headers=form, body=b"amount=1").status),
        _done(ask(guarded, headers=form, body=b"amount=1").status),
    )
    yield Case(
        "the same, another site opens a WebSocket with the user's cookie",
        PEER,
        _done(ask(cors, headers=EVIL, type="websocket").status),
        _done(ask(guarded, headers=EVIL, type="websocket").status),
    )
    stranger = [(b"host", b"evil.example"), (b"accept", b"text/html")]
    https = harden(serves, Settings(hosts=Hosts(allowed=("shop.example",), https="redirect")))
    yield Case(
        "http is redirected to https, and a request names another host",
        PEER,
        _led(ask(HTTPSRedirectMiddleware(serves), "/x", headers=stranger).header("location")),
        _led(ask(https, "/x", headers=stranger).header("location")),
    )


def _any_with_credentials() -> str:
    try:
        CrossOrigin(allowed=("*",), credentials=True)
    except SettingsError:
        return "does not start"
    return "starts"


def _done(status: int) -> str:
    return {101: "is let in", 200: "is served", 403: "is refused with 403"}[status]


def _led(location: str | None) -> str:
    return "is refused" if location is None else f"is led to `{location}`"
