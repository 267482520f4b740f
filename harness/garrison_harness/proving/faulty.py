"""The planted routes, which do what no app should."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.proving import planted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Handler = Callable[[Scope, Receive, Send], Awaitable[object]]

_LONGEST_QUERY: Final = 16 * 1024
_PAGE_METHODS: Final = frozenset({"GET", "HEAD", "POST", "TRACE"})
_SLEEP: Final = 4.0  # seconds; a client that waits for a deadline has given up by then
_CHUNKS: Final = 50
_GZIP: Final = 31  # wbits for a gzip wrapper
_ENOUGH: Final = 8_000_000  # bytes; more than any bound that is proven
_BANNER: Final = (b"x-powered-by", b"Planted/1.0")
# They contradict each other, and browsers go by the first.
_TYPES: Final = ((b"x-content-type-options", b"none"), (b"x-content-type-options", b"nosniff"))
_COOKIE: Final = (b"set-cookie", b"sessionid=0123456789abcdef0123456789abcdef; Path=/")
_NO_STORE: Final = (b"cache-control", b"no-store")
_ID: Final = b"x-request-id"
_TRACEBACK: Final = (
    "<!DOCTYPE html><title>Starlette Debugger</title><h1>RuntimeError</h1><pre>"
    "Traceback (most recent call last):\n"
    '  File "/srv/planted/views.py", line 7, in view\n'
    '    raise RuntimeError("planted")\n'
    "RuntimeError: planted</pre>"
)
_METRICS_TEXT: Final = (
    "# HELP process_cpu_seconds_total Seconds.\n"
    "# TYPE process_cpu_seconds_total counter\n"
    "process_cpu_seconds_total 1.5\n"
)
_DOCS_PAGE: Final = (
    "<!DOCTYPE html><title>Swagger UI</title><div id=swagger-ui></div>"
    '<script src="/swagger-ui-bundle.js"></script><script>const ui = SwaggerUIBundle({})</script>'
)


class PlantedError(Exception):
    """What the faulty routes raise."""


async def _page(scope: Scope, _receive: Receive, send: Send) -> None:
    """A page that believes whatever it is told."""
    if scope["method"] not in _PAGE_METHODS:
        allow = (b"allow", b"GET, HEAD, POST")
        await _reply(send, 405, "text/plain; charset=utf-8", "not so", [allow])
        return
    if len(scope["query_string"]) > _LONGEST_QUERY:
        raise PlantedError("a query that this page does not expect")
    host = _header(scope, b"x-forwarded-host") or _header(scope, b"host")
    given = _header(scope, _ID)
    told = [(_ID, given)] if given else []
    if scope["method"] == "TRACE":
        text = "\r\n".join(f"{name.decode()}: {value.decode('latin-1')}" for name, value in scope["headers"])
        await _reply(send, 200, "message/http", text)
        return
    text = (
        "<!DOCTYPE html><html lang=en><title>Planted</title><p>A planted page."
        f'<a href="//{host.decode("latin-1")}/">Home</a></html>'
    )
    await _reply(send, 200, "text/html; charset=utf-8", text, [*told, _COOKIE, _NO_STORE, *_TYPES])


async def _body(scope: Scope, receive: Receive, send: Send) -> None:
    """Takes a body of any size and kind, and trips over JSON that is too deep or no text."""
    if scope["method"] != "POST":
        await _reply(send, 405, "text/plain; charset=utf-8", "POST only", [(b"allow", b"POST")])
        return
    content = bytearray()
    more = True
    while more:
        message = await receive()
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if message["type"] == "http.disconnect":
            return
    if _header(scope, b"content-encoding") == b"gzip":
        try:
            content = _unpacked(content)
        except zlib.error:
            await _reply(send, 400, "application/json", '{"detail": "no gzip"}')
            return
    if b"json" in _header(scope, b"content-type"):
        try:
            # Digits stay text: how many there may be is not what is planted here.
            json.loads(content.decode(), parse_int=str)
        except (UnicodeDecodeError, RecursionError) as error:
            raise PlantedError("a body that this route does not expect") from error
        except ValueError:
            await _reply(send, 400, "application/json", '{"detail": "no JSON"}')
            return
    await _reply(send, 200, "application/json", '{"taken": true}')


def _unpacked(content: bytearray) -> bytearray:
    """What is in it, however much that is; of a bomb only as much as it takes to see that it is taken.

    Raises:
        zlib.error: It is no gzip.
    """
    unpacker = zlib.decompressobj(_GZIP)
    found = bytearray(unpacker.decompress(content, _ENOUGH))
    if len(found) == _ENOUGH:
        return bytearray(b"{}")
    return found


async def _raise(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Raises before there is a reply, as most failures do."""
    raise PlantedError("planted")


async def _debug(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Shows its traceback, as frameworks do in debug mode."""
    await _reply(send, 500, "text/html; charset=utf-8", _TRACEBACK)


async def _sleep(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Takes longer than a handler should."""
    await asyncio.sleep(_SLEEP)
    await _reply(send, 200, "text/plain; charset=utf-8", "awake")


async def _stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Sends a reply piece by piece."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for number in range(_CHUNKS):
        body = b"%d\n" % number
        await send({"type": "http.response.body", "body": body, "more_body": number + 1 < _CHUNKS})


async def _members(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Asks nobody for the key that the document declares."""
    await _reply(send, 200, "application/json", '{"members": ["planted"]}')


async def _order(_scope: Scope, receive: Receive, send: Send) -> None:
    """Takes any order, whatever the document says of its fields."""
    while (await receive()).get("more_body"):
        pass
    await _reply(send, 200, "application/json", '{"ordered": true}')


async def _item(scope: Scope, _receive: Receive, send: Send) -> None:
    """Takes the document's word for it that the parameter is a number, and not too large a one."""
    number = scope["path"].removeprefix(f"{planted.ITEMS}/")
    try:
        name = ("small", "large")[int(number) // 1001]
    except (ValueError, IndexError) as error:
        raise PlantedError("an item that nobody can have") from error
    await _reply(send, 200, "application/json", json.dumps({"item": name}))


async def _metrics(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _reply(send, 200, "text/plain; version=0.0.4; charset=utf-8", _METRICS_TEXT)


async def _settings_file(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _reply(send, 200, "text/plain; charset=utf-8", "SECRET_KEY=planted-and-of-no-use\nDEBUG=1\n")


async def _docs(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _reply(send, 200, "text/html; charset=utf-8", _DOCS_PAGE)


async def _socket(_scope: Scope, receive: Receive, send: Send) -> None:
    """Opens for everybody."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _nothing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await _reply(send, 404, "text/plain; charset=utf-8", "nothing is planted here")


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


async def _reply(
    send: Send, status: int, kind: str, text: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = text.encode("latin-1", "replace")
    lines = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body)), _BANNER]
    await send({"type": "http.response.start", "status": status, "headers": [*lines, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})


_ROUTES: Final[dict[str, Handler]] = {
    planted.PAGE: _page,
    planted.BODY: _body,
    planted.RAISE: _raise,
    planted.DEBUG: _debug,
    planted.SLEEP: _sleep,
    planted.STREAM: _stream,
    planted.MEMBERS: _members,
    planted.ORDERS: _order,
    planted.METRICS: _metrics,
    planted.SETTINGS_FILE: _settings_file,
    planted.DOCS: _docs,
    **dict.fromkeys(planted.PROBES, _nothing),
}


def handler_of(scope: Scope) -> Handler | None:
    """Who answers at a planted route, None for all other paths and for whatever is no request.

    Args:
        scope: Of any type.
    """
    kind, path = scope["type"], scope.get("path", "")
    if kind == "websocket":
        return _socket if path == planted.SOCKET else None
    if kind != "http":
        return None
    if path.rpartition("/")[0] == planted.ITEMS:
        return _item
    return _ROUTES.get(path) or (_nothing if path.startswith(planted.BEGINNING) else None)
