"""What is found of an app's own routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi import APIRouter, FastAPI
from litestar import Litestar, get, post
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute

from garrison.own_paths import has_route
from tests.toolkit.driver import replies_with

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket


def ok(request: Request) -> PlainTextResponse:
    """Says so."""
    return PlainTextResponse("ok")


async def chat(websocket: WebSocket) -> None:
    """Accepts."""
    await websocket.accept()


STARLETTE = Starlette(
    routes=[
        Route("/readyz", ok),
        Route("/posted", ok, methods=["POST"]),
        WebSocketRoute("/socket", chat),
        Mount("/inner", routes=[Route("/livez", ok)]),
        Host("api.example", app=Starlette(routes=[Route("/hosted", ok)])),
        Mount("", routes=[Route("/below-nothing", ok)]),
        Mount("/static", app=replies_with()),
        Route("/{anything:path}", ok),
    ],
    middleware=[Middleware(GZipMiddleware)],
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/readyz", True),
        ("/inner/livez", True),
        ("/below-nothing", True),
        ("/livez", False),
        ("/readyz/", False),
        ("/posted", False),
        ("/static/livez", False),
        ("/startupz", False),
    ],
)
def test_routes_of_starlette(path: str, found: bool) -> None:
    """Those for GET with exactly this path, in mounts too; a pattern that fits everything is none."""
    assert has_route(STARLETTE, path) is found
    assert has_route(GZipMiddleware(STARLETTE), path) is found


def test_routes_of_fastapi() -> None:
    """Those of routers that were included, with their prefix."""
    app, router, deep = FastAPI(), APIRouter(prefix="/health"), APIRouter()
    deep.get("/startupz")(ok)
    router.get("/readyz")(ok)
    router.include_router(deep)
    app.include_router(router, prefix="/api")
    app.get("/livez")(ok)
    assert has_route(app, "/livez")
    assert has_route(app, "/api/health/readyz")
    assert has_route(app, "/api/health/startupz")
    assert not has_route(app, "/readyz")


def test_routes_of_litestar() -> None:
    """The same for Litestar."""

    @get("/readyz")
    async def readyz() -> str:
        return "ok"

    @post("/livez")
    async def livez() -> str:
        return "ok"

    app = Litestar([readyz, livez], logging_config=None, openapi_config=None)
    assert has_route(app, "/readyz")
    assert not has_route(app, "/livez")


def test_routes_of_quart() -> None:
    """The rules of a Flask-like map, which Quart has."""

    class Rule:
        def __init__(self, rule: str, methods: set[str]) -> None:
            self.rule, self.methods = rule, methods

    class Map:
        def iter_rules(self) -> list[Rule]:
            return [Rule("/readyz", {"GET", "HEAD"}), Rule("/livez", {"POST"})]

    class Quart:
        url_map = Map()

    assert has_route(Quart(), "/readyz")
    assert not has_route(Quart(), "/livez")


def test_an_app_that_cannot_be_read_has_none() -> None:
    """A bare ASGI app says nothing of its routes, and one whose `routes` are something else neither."""

    class Odd:
        routes = 3

    assert not has_route(replies_with(), "/readyz")
    assert not has_route(Odd(), "/readyz")
