"""A small shop that sets cookies as many apps do: most of them say next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

COOKIES: Final = (
    "session=3f9c51d2a7e8; Path=/",
    "csrftoken=b17e; Path=/",
    "theme=dark; Path=/; Max-Age=31536000",
    "__Host-basket=7",
    "payment=9d02; Path=/pay; Secure; HttpOnly; SameSite=None",
)


async def home(_: Request) -> PlainTextResponse:
    """The page, with all the cookies of the shop at once."""
    reply = PlainTextResponse("The shop is open.\n")
    for cookie in COOKIES:
        reply.headers.append("set-cookie", cookie)
    return reply


async def leave(_: Request) -> PlainTextResponse:
    """The end of a session."""
    reply = PlainTextResponse("Goodbye.\n")
    reply.delete_cookie("session", samesite=None)
    return reply


app = Starlette(routes=[Route("/", home), Route("/leave", leave, methods=["POST"])])
