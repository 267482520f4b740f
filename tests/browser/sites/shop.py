"""A shop that uses what browsers offer, written as such sites are: nothing in it knows of Garrison."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route, WebSocketRoute

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from starlette.requests import Request
    from starlette.websockets import WebSocket

USERS = {"s3cr3t": "Ada"}
INVOICE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj
4 0 obj<</Length 38>>stream
BT /F1 24 Tf 20 40 Td (Invoice) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
"""
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><circle cx="20" cy="20" r="20"/></svg>'
HOME = """<!doctype html><title>Shop</title><h1>Shop</h1>
<style>h1 { color: rgb(0, 0, 128) }</style>
<p id=price onclick="this.textContent = 'sold'">9 euros</p>
<script>document.title = 'Shop, with a script in the page'</script>"""
# Answers "pong" to whoever asks, in each of the ways in which a worker is asked.
WORKER = "onmessage = event => postMessage('pong ' + event.data)"
SHARED_WORKER = (
    "onconnect = event => { event.ports[0].onmessage = e => e.target.postMessage('pong ' + e.data) }"
)
SERVICE_WORKER = """oninstall = () => skipWaiting(); onactivate = event => event.waitUntil(clients.claim());
onfetch = event => { if (event.request.url.endsWith('/pong')) event.respondWith(new Response('pong')) }"""


def fixed(content: str | bytes, media_type: str) -> Callable[[Request], Coroutine[None, None, Response]]:
    """An endpoint that always says the same."""

    async def endpoint(request: Request) -> Response:
        return Response(content, media_type=media_type)

    return endpoint


def user_of(request: Request | WebSocket) -> str:
    """Who is signed in."""
    return USERS.get(request.cookies.get("session", ""), "nobody")


async def fields_of(request: Request) -> dict[str, str]:
    """The fields of a form."""
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


async def sign_in(request: Request) -> Response:
    """Begin to sign in with another site; `?same_site=` says how the state's cookie is set."""
    query = urlencode({"state": "1234", "back": str(request.url_for("callback"))})
    reply = RedirectResponse(f"{request.query_params['provider']}/authorize?{query}", status_code=303)
    lax = request.query_params.get("same_site", "")
    reply.headers.append("set-cookie", "state=1234; Path=/" + (f"; SameSite={lax}; Secure" if lax else ""))
    return reply


async def connect(request: Request) -> Response:
    """What a pop-up opens first, to be led to another site."""
    return led(f"{request.query_params['provider']}/greeter")


async def avatar(request: Request) -> Response:
    """A picture that is somewhere else."""
    return led("/logo.svg")


def led(target: str) -> Response:
    """A redirect whose empty body is called plain text, as some frameworks do."""
    return PlainTextResponse("", status_code=302, headers={"location": target})


async def callback(request: Request) -> Response:
    """The other site's page posts here; the state must be the one of this browser."""
    fields = await fields_of(request)
    if fields.get("state") != request.cookies.get("state"):
        return HTMLResponse("<p>This sign-in began in another browser.</p>", status_code=400)
    reply = RedirectResponse("/account", status_code=303)
    reply.set_cookie("session", "s3cr3t")
    return reply


async def account(request: Request) -> Response:
    """Who is signed in, and the token that the page's script sends with what it changes."""
    reply = HTMLResponse(f"<!doctype html><title>Account</title><p id=user>{user_of(request)}</p>")
    reply.set_cookie("csrftoken", "t0k3n")
    return reply


async def pay(request: Request) -> Response:
    """A form whose answer leads to the site that takes the payment."""
    if request.method == "GET":
        return HTMLResponse("<form method=post><button>Pay</button></form>")
    query = urlencode({"back": str(request.url_for("paid"))})
    return RedirectResponse(f"{request.query_params['provider']}/checkout?{query}", status_code=303)


async def paid(request: Request) -> Response:
    """Where the payment sends its user back."""
    return HTMLResponse(f"<p id=user>{user_of(request)} has paid</p>")


async def transfer(request: Request) -> Response:
    """What a user can do and nobody else; `?token` wants proof that a script of ours asks."""
    if "token" in request.query_params and request.headers.get("x-csrftoken") != request.cookies.get(
        "csrftoken"
    ):
        return JSONResponse({"error": "no token"}, status_code=403)
    amount = (await fields_of(request)).get("amount", "0")
    return HTMLResponse(f"<p id=done>{user_of(request)} sent {amount}</p>")


async def prices(request: Request) -> Response:
    """A document of an API."""
    return JSONResponse({"tea": 9, "user": user_of(request)})


async def news(request: Request) -> Response:
    """Server-sent events."""

    async def events() -> AsyncIterator[bytes]:
        yield b"data: fresh tea\n\n"
        await asyncio.sleep(30)  # the page ends it

    return StreamingResponse(events(), media_type="text/event-stream")


async def chat(socket: WebSocket) -> None:
    """Tells who is signed in; a WebSocket of another site would learn it too."""
    await socket.accept()
    await socket.send_text(f"hello {user_of(socket)}")
    await socket.close()


async def log(request: Request) -> Response:
    """A plain text."""
    return PlainTextResponse("tea arrived")


shop = Starlette(
    routes=[
        Route("/", fixed(HOME, "text/html")),
        Route("/invoice.pdf", fixed(INVOICE, "application/pdf")),
        Route("/avatar", avatar),
        Route("/logo.svg", fixed(LOGO, "image/svg+xml")),
        Route("/favicon.ico", fixed(LOGO, "image/svg+xml")),
        Route("/widget.js", fixed("window.widget = 'ready'", "text/javascript")),
        Route("/worker.js", fixed(WORKER, "text/javascript")),
        Route("/shared-worker.js", fixed(SHARED_WORKER, "text/javascript")),
        Route("/service-worker.js", fixed(SERVICE_WORKER, "text/javascript")),
        Route("/sign-in", sign_in),
        Route("/connect", connect),
        Route("/callback", callback, methods=["POST"]),
        Route("/account", account),
        Route("/pay", pay, methods=["GET", "POST"]),
        Route("/paid", paid),
        Route("/transfer", transfer, methods=["POST"]),
        Route("/prices", prices),
        Route("/news", news),
        Route("/log.txt", log),
        WebSocketRoute("/chat", chat),
    ]
)
