"""The route in span and metric: the template that the framework chose, and never a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import litestar
import pytest
from fastapi import APIRouter, FastAPI
from litestar import Litestar, Router
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.routing import Router as StarletteRouter

from tests.toolkit.driver import call, http_scope, replies_with
from tests.toolkit.middleware.traced import Traced

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from garrison.asgi import Receive, Scope, Send


def starlette_app() -> Starlette:
    """Routes and mounts, two levels deep."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    inner = StarletteRouter([Route("/users/{name}", handler, methods=["GET", "POST"])])
    return Starlette(
        routes=[
            Route("/items/{id:int}", handler),
            WebSocketRoute("/live/{room}", socket),
            Mount("/v1", inner),
            Mount("/deep", routes=[Mount("/er", inner)]),
            Mount("/files", replies_with()),
        ]
    )


def fastapi_app() -> FastAPI:
    """Routers with prefixes, and a mounted app."""
    app, router, inner = FastAPI(), APIRouter(prefix="/shops"), APIRouter(prefix="/{shop}")

    @inner.get("/items/{item}")
    async def handler(shop: str, item: int) -> int:
        return item

    router.include_router(inner)
    app.include_router(router, prefix="/api")
    mounted = FastAPI()
    mounted.include_router(router)
    app.mount("/v2", mounted)

    async def plain(request: Request) -> Response:
        return PlainTextResponse("ok")

    app.add_route("/plain/{name}", plain)
    return app


def litestar_app() -> Litestar:
    """A router with a prefix."""

    @litestar.get("/items/{item:int}")
    async def handler() -> str:
        return "ok"

    return Litestar([Router("/api", route_handlers=[handler])], logging_config=None, openapi_config=None)


@pytest.mark.parametrize(
    ("app", "path", "route"),
    [
        (starlette_app(), "/items/7", "/items/{id}"),
        (starlette_app(), "/v1/users/ann", "/v1/users/{name}"),
        (starlette_app(), "/deep/er/users/ann", "/deep/er/users/{name}"),
        (starlette_app(), "/files/a/b", "/files/{path}"),
        (starlette_app(), "/nowhere", None),
        (fastapi_app(), "/api/shops/one/items/7", "/api/shops/{shop}/items/{item}"),
        (fastapi_app(), "/v2/shops/one/items/7", "/v2/shops/{shop}/items/{item}"),
        (fastapi_app(), "/api/shops/one/items/no", "/api/shops/{shop}/items/{item}"),
        (fastapi_app(), "/docs", "/docs"),
        (fastapi_app(), "/v2/openapi.json", "/v2/openapi.json"),
        (fastapi_app(), "/plain/ann", "/plain/{name}"),
        (fastapi_app(), "/nowhere", None),
        (litestar_app(), "/api/items/7", "/api/items/{item}"),
        (litestar_app(), "/nowhere", None),
        (replies_with(), "/items/7", None),
    ],
)
def test_the_name_is_the_frameworks_template(app: Any, path: str, route: str | None) -> None:
    """Span and metric carry the route that the framework chose, prefixes included; never a path."""
    traced = Traced(app)
    call(traced.app, http_scope(path))
    assert traced.span.name == (f"GET {route}" if route else "GET")
    assert (traced.span.attributes or {}).get("http.route") == route
    assert (traced.points[0].attributes or {}).get("http.route") == route


@pytest.mark.parametrize("path", ["/users/ann", "/shop/users/ann"])
def test_a_prefix_of_the_server_is_no_part_of_the_route(path: str) -> None:
    """What stands in front of the app by the server's `root_path` is not in the template."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    traced = Traced(Starlette(routes=[Route("/users/{name}", handler)]))
    call(traced.app, http_scope(path, root_path="/shop"))
    assert (traced.span.attributes or {})["http.route"] == "/users/{name}"


def test_a_mount_with_a_parameter_never_names_its_value() -> None:
    """Where a template cannot be told from a value, there is no route rather than a wrong one."""

    async def handler(request: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [Mount("/{tenant}", routes=[Route("/users/{name}", handler)])]
    traced = Traced(Starlette(routes=routes))
    call(traced.app, http_scope("/acme/users/ann"))
    assert "acme" not in str((traced.span.attributes or {}).get("http.route"))


def test_a_template_that_is_no_text_breaks_no_batch() -> None:
    """A route with a surrogate in it, for which an exporter would lose a whole batch of spans, is escaped."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["path_template"] = "/\ud800"
        await replies_with()(scope, receive, send)

    traced = Traced(app)
    call(traced.app)
    assert traced.span.name == "GET /\\ud800"
    assert (traced.span.attributes or {})["http.route"] == "/\\ud800"
    assert (traced.points[0].attributes or {})["http.route"] == "/\\ud800"
