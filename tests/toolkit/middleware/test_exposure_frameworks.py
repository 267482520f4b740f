"""Nobody gets past the layer to what real frameworks serve, however the path is spelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from litestar import Litestar, get
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, RedocRenderPlugin, SwaggerRenderPlugin
from litestar.static_files import create_static_files_router
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from garrison import Exposure, ExposureMiddleware, Settings, harden
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

SECRET: Final = b"for friends only"
CLOSED: Final = Exposure(closed="docs; metrics; dotfiles; /admin/*; /internal; /private/*")

# Ways to write a path that some server, proxy, router or file server takes for the plain one.
SPELLINGS: Final = (
    "{0}", "/{0}", "//{0}", "{0}/", "{0}//", "/.{0}", "{0}/.", "/x/..{0}", "/..{0}", "/x/%2e%2e{0}", "{0};x",
    "{0};/", "{0}%0A", "{0}%20", "{0}%00", "{0}%23", "{0}%3F", "/%2e{0}", "/;{0}", "{1}", "{2}", "{3}", "{4}",
    "{5}",
)  # fmt: skip


def spellings(path: str) -> list[str]:
    """Every spelling of a path, as a client puts it on the line."""
    escaped = "".join(f"%{ord(char):02x}" if char != "/" else char for char in path)
    forms = (path, path.upper(), path[1:], escaped, path[1:].replace("/", "//"), path.replace("/", "%2f"))
    return [spelling.format(*forms) for spelling in SPELLINGS]


def starlette(folder: Path) -> ASGIApp:
    """Routes, mounts and files, with something at every closed path."""

    async def view(request: Request) -> PlainTextResponse:
        return PlainTextResponse(SECRET)

    inner = [Route("/", view), Route("/users", view)]
    routes = [
        Route("/docs", view),
        Route("/metrics", view),
        Route("/internal", view),
        Mount("/admin", routes=inner),
        Mount("/static", StaticFiles(directory=folder)),
        Mount("/", StaticFiles(directory=folder, html=True)),
    ]
    return Starlette(routes=routes)


def fastapi(folder: Path) -> ASGIApp:
    """Its own docs, and a file server."""
    app = FastAPI(title=SECRET.decode())
    app.mount("/static", StaticFiles(directory=folder))
    app.add_api_route("/admin/users", SECRET.decode)
    app.add_api_route("/internal", SECRET.decode)
    return app


def fastapi_below(folder: Path) -> ASGIApp:
    """The same, told to stand below a prefix that a proxy takes away."""
    app = FastAPI(title=SECRET.decode())
    app.root_path = "/api/v1"  # newer versions warn of the parameter, and keep what it sets
    app.add_api_route("/admin/users", SECRET.decode)
    return app


def litestar(folder: Path) -> ASGIApp:
    """Its own docs, and a file server."""

    @get(["/admin/users", "/internal", "/metrics"], sync_to_thread=False)
    def view() -> str:
        return SECRET.decode()

    plugins = [SwaggerRenderPlugin(), RedocRenderPlugin(), JsonRenderPlugin()]
    files = create_static_files_router(path="/static", directories=[folder])
    config = OpenAPIConfig(title=SECRET.decode(), version="1", render_plugins=plugins)
    return cast("ASGIApp", Litestar([view, files], logging_config=None, openapi_config=config))


# What each of them serves to friends at these paths, so that a closed path is known to lead somewhere.
SERVED: Final = [
    (starlette, "/docs", ""),
    (starlette, "/metrics", ""),
    (starlette, "/internal", ""),
    (starlette, "/admin/", ""),
    (starlette, "/admin/users", ""),
    (starlette, "/.git/config", ""),
    (starlette, "/static/.git/config", ""),
    (starlette, "/private/page.html", ""),
    (fastapi, "/docs", ""),
    (fastapi, "/redoc", ""),
    (fastapi, "/openapi.json", ""),
    (fastapi, "/docs", "/shop"),
    (fastapi, "/admin/users", ""),
    (fastapi, "/internal", ""),
    (fastapi, "/static/.git/config", ""),
    (fastapi_below, "/docs", ""),
    (fastapi_below, "/api/v1/docs", ""),
    (fastapi_below, "/api/v1/admin/users", ""),
    (litestar, "/schema", ""),
    (litestar, "/schema/swagger", ""),
    (litestar, "/schema/openapi.json", ""),
    (litestar, "/schema", "/shop"),
    (litestar, "/admin/users", ""),
    (litestar, "/internal", ""),
    (litestar, "/metrics", ""),
    (litestar, "/static/.git/config", ""),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files that a careless deployment serves."""
    for name in (".git/config", "private/page.html"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(SECRET)
    return tmp_path


def fetch(app: ASGIApp, target: str, root: str) -> tuple[int, bytes]:
    """Ask as a server does: the prefix is its own, the path is decoded once."""
    scope = http_scope(root + unquote(target), raw_path=(root + target).encode(), root_path=root)
    reply = call(app, scope)
    return reply.status, reply.body


@pytest.mark.parametrize(("make", "path", "root"), SERVED)
def test_no_spelling_reaches_what_is_closed(
    make: Callable[[Path], ASGIApp], path: str, root: str, folder: Path
) -> None:
    """A friend is served, and a stranger learns nothing: no page, no redirect to it, no wrong method."""
    app = make(folder)
    settings = Settings(exposure=CLOSED, access_log=None)
    hardened = harden(app, settings)
    assert fetch(app, path, root)[0] == 200
    assert fetch(hardened, path, root)[0] == 404
    for target in spellings(path):
        for prefix in {root, "", "/other"}:
            status, body = fetch(hardened, target, prefix)
            assert (status, SECRET in body) in {(404, False), (400, False)}, (target, prefix, status)


@pytest.mark.parametrize("make", [starlette, fastapi, litestar])
def test_the_rest_of_the_app_is_served(make: Callable[[Path], ASGIApp], folder: Path) -> None:
    """Neighbours of what is closed are the app's business."""
    (folder / "docs-archive.txt").write_text("for all")
    hardened = harden(make(folder), Settings(exposure=CLOSED, access_log=None))
    assert fetch(hardened, "/static/docs-archive.txt", "") == (200, b"for all")


def test_a_mounted_app_is_closed_by_its_path() -> None:
    """The docs of an app below a mount are named with the path of the mount."""
    app = Starlette(routes=[Mount("/api", FastAPI())])
    for closed, status in (("docs", 200), ("/api/docs; /api/openapi.json", 404)):
        layer = ExposureMiddleware(app, Exposure(closed=closed))
        assert fetch(layer, "/api/docs", "")[0] == status
