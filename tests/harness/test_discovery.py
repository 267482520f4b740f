"""What an app serves is found out from its document, its router or its links, within bounds."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import fastapi
import flask
import litestar
import pytest
from a2wsgi import WSGIMiddleware
from litestar.params import FromPath  # noqa: TC002 - Litestar reads the annotation
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

from garrison_harness.discovery.document import parse_document, routes_of
from garrison_harness.discovery.examples import example
from garrison_harness.discovery.links import crawl
from garrison_harness.discovery.route_table import table
from garrison_harness.discovery.survey import surveyed
from garrison_harness.in_process import Hosted
from garrison_harness.probe import Budget
from garrison_harness.stage import Stage
from garrison_harness.target import Target, UsageFault
from tests.harness.recordings import SITE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from garrison_harness.route import Route as Found

TARGET = Target(kind="import", words=("shop:app",), in_process=True)
ALONE = replace(SITE, authority="garrison.test", sockets=False)


# Examples of values.


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "minimum": 5, "exclusiveMinimum": True}, 6),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "minimum": 5, "multipleOf": 4}, 8),
        ({"type": "number", "minimum": 0.5}, 0.5),
        ({"type": "string"}, "text"),
        ({"type": "string", "minLength": 6}, "textxx"),
        ({"type": "string", "maxLength": 2}, "te"),
        ({"type": "string", "format": "email"}, "jane@example.com"),
        ({"type": "string", "enum": ["red", "blue"]}, "red"),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"type": ["null", "integer"]}, 1),
        ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
        ({"oneOf": [{"const": "a"}]}, "a"),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"example": {"any": 1}}, {"any": 1}),
        ({"examples": ["first", "second"]}, "first"),
        ({"default": 7}, 7),
        ({"properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"]}, {"a": 1}),
        ({"allOf": [{"properties": {"a": {"const": 1}}, "required": ["a"]},
                    {"properties": {"b": {"const": 2}}, "required": ["b"]}]}, {"a": 1, "b": 2}),
        ({"$ref": "#/components/schemas/Size"}, 3),
        ({"$ref": "#/nowhere"}, "text"),
        ({"$ref": "other.json#/Size"}, "text"),
    ],
)  # fmt: skip
def test_an_example_fits_its_schema(schema: dict[str, Any], value: object) -> None:
    """What a document says of a value is enough to send one."""
    assert example(schema, {"components": {"schemas": {"Size": {"const": 3}}}}) == value


def test_a_schema_that_holds_itself_has_an_end() -> None:
    """A tree of nodes is sent a few levels deep."""
    node = {"properties": {"next": {"$ref": "#/node"}}, "required": ["next"]}

    assert 0 < json.dumps(example({"$ref": "#/node"}, {"node": node})).count("next") < 20


# The document.


def document(paths: dict[str, Any], **rest: Any) -> Mapping[str, Any]:
    """A document with these paths."""
    found = parse_document(json.dumps({"openapi": "3.1.0", "paths": paths, **rest}).encode())
    assert found is not None
    return found


def only_route(operation: dict[str, Any], path: str = "/items", **rest: Any) -> Found:
    """The route of a document that has this one operation."""
    (route,) = routes_of(document({path: {"post": operation}}, **rest))
    return route


@pytest.mark.parametrize(
    ("path", "parameters", "target"),
    [
        ("/items/{id}", [{"name": "id", "in": "path", "schema": {"type": "integer"}}], "/items/1"),
        ("/items/{id}", [{"name": "id", "in": "path", "example": "a/b c"}], "/items/a%2Fb%20c"),
        ("/items/{id}", [], "/items/1"),
        ("/items", [{"name": "q", "in": "query", "required": True, "example": "a&b"}], "/items?q=a%26b"),
        ("/items", [{"name": "q", "in": "query", "example": "a"}], "/items"),
        ("/items", [{"$ref": "#/components/parameters/Page"}], "/items?page=3"),
        ("/items", [{"name": "t", "in": "query", "required": True, "examples": {"x": {"value": [1, 2]}}}],
         "/items?t=1%2C2"),
        ("/caf\u00e9", [], "/caf%C3%A9"),
    ],
)  # fmt: skip
def test_a_route_is_asked_with_examples_of_its_parameters(
    path: str, parameters: list[Any], target: str
) -> None:
    """Those in the path and those that a query must have; the rest is left out."""
    page = {"name": "page", "in": "query", "required": True, "schema": {"const": 3}}

    route = only_route({"parameters": parameters}, path, components={"parameters": {"Page": page}})

    assert (route.method, route.template, route.target, route.source) == ("POST", path, target, "openapi")


def test_parameters_of_a_path_count_for_its_operations() -> None:
    """They are declared once for all of them."""
    paths = {
        "/items/{id}": {"parameters": [{"name": "id", "in": "path", "example": 7}], "get": {}, "put": {}}
    }

    assert [route.target for route in routes_of(document(paths))] == ["/items/7", "/items/7"]


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/api", "/api/items"),
        ("https://shop.example/v1/", "/v1/items"),
        ("/{stage}", "/items"),
        (":", "/items"),
        ("//[", "/items"),
    ],
)
def test_the_server_s_path_comes_first(url: str, target: str) -> None:
    """That is where the document says that everything is."""
    assert only_route({}, servers=[{"url": url}]).target == target


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (
            {"application/json": {"schema": {"properties": {"a": {"const": 1}}, "required": ["a"]}}},
            b'{"a": 1}',
        ),
        ({"application/json; charset=utf-8": {"example": [1]}}, b"[1]"),
        ({"application/vnd.shop+json": {"examples": {"one": {"value": 2}}}}, b"2"),
        ({"text/csv": {"example": "a"}}, None),
        ({}, None),
    ],
)
def test_an_operation_has_an_example_of_its_body(content: dict[str, Any], body: bytes | None) -> None:
    """In JSON, by whatever name, and none where it takes another form."""
    assert only_route({"requestBody": {"content": content}}).body == body


@pytest.mark.parametrize(
    ("own", "whole", "secured"),
    [
        ([{"key": []}], None, True),
        (None, [{"key": []}], True),
        ([], [{"key": []}], False),
        ([{"key": []}, {}], None, False),
        (None, None, False),
    ],
    ids=["its own", "that of all", "switched off", "optional", "none"],
)
def test_an_operation_says_whether_it_wants_a_login(
    own: list[Any] | None, whole: list[Any] | None, secured: bool
) -> None:
    """A requirement that may be left out is none."""
    operation = {} if own is None else {"security": own}
    paths = {"/items": {"post": operation}}
    (route,) = routes_of(document(paths) if whole is None else document(paths, security=whole))

    assert route.secured is secured


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b'{"swagger": "2.0", "paths": {}}', b'{"openapi": "3.1.0"}', b"[" * 100_000],
    ids=["nothing", "a page", "a list", "Swagger 2", "no paths", "very deep"],
)
def test_what_is_no_document_is_none(content: bytes) -> None:
    """Nothing is made of it."""
    assert parse_document(content) is None


def test_what_is_broken_in_a_document_is_left_out() -> None:
    """The rest of it is used."""
    paths: dict[str, Any] = {
        "/a": None,
        "b": {"get": {}},
        "/c": {"get": "x", "put": {"parameters": [3, {"in": "path"}]}},
    }

    assert [(route.method, route.target) for route in routes_of(document(paths))] == [("PUT", "/c")]


# Routers.


async def answer(_request: Any) -> Any:
    """Say something."""
    return PlainTextResponse("hello")


async def talk(_socket: Any) -> None:
    """Say nothing."""


def starlette_app() -> object:
    """Routes, a mount and a WebSocket."""
    inner = [Route("/inner/{n:int}", answer), WebSocketRoute("/talk", talk)]
    return Starlette(routes=[Route("/a", answer, methods=["POST"]), Mount("/m", routes=inner)])


def fastapi_app() -> object:
    """A route, a router below two prefixes, and an app that is mounted."""
    app, router, other = (fastapi.FastAPI(openapi_url=None), fastapi.APIRouter(prefix="/shop"),
                          fastapi.FastAPI(openapi_url=None))  # fmt: skip
    app.get("/items/{item}")(answer)
    router.post("/buy/{path:path}")(answer)
    router.websocket("/talk")(talk)
    other.get("/inner")(answer)
    app.include_router(router, prefix="/v1")
    app.mount("/m", other)
    return app


def litestar_app() -> object:
    """A handler and a controller."""

    class Cart(litestar.Controller):
        path = "/cart"

        @litestar.put()
        async def fill(self) -> None:
            """Put something in."""

    @litestar.get("/items/{n:int}")
    async def item(n: FromPath[int]) -> str:
        return str(n)

    return litestar.Litestar([item, Cart], logging_config=None, openapi_config=None)


def flask_app() -> object:
    """A WSGI app behind what makes an ASGI app of it."""
    app = flask.Flask("shop", static_folder=None)
    app.post("/items/<int:n>/<path:rest>")(str)
    return WSGIMiddleware(app)  # type: ignore[arg-type]


def wrapped_app() -> object:
    """A middleware around a middleware around an app."""
    return type("Wrapper", (), {"app": type("Wrapper", (), {"app": starlette_app()})()})()


@pytest.mark.parametrize(
    ("make", "routes"),
    [
        (starlette_app, {"POST /a", "GET /m/inner/{n}", "WEBSOCKET /m/talk"}),
        (
            fastapi_app,
            {"GET /items/{item}", "POST /v1/shop/buy/{path}", "WEBSOCKET /v1/shop/talk", "GET /m/inner"},
        ),
        (litestar_app, {"GET /items/{n}", "PUT /cart"}),
        (flask_app, {"POST /items/{n}/{rest}"}),
        (wrapped_app, {"POST /a", "GET /m/inner/{n}", "WEBSOCKET /m/talk"}),
        (lambda: answer, set()),
    ],
    ids=["Starlette", "FastAPI", "Litestar", "Flask", "wrapped", "plain"],
)
def test_a_router_tells_what_it_routes(make: Any, routes: set[str]) -> None:
    """In one notation for all frameworks, with prefixes and mounts; an app without a router tells nothing."""
    rows = [row for row in table(make()) if row["method"] not in {"HEAD", "OPTIONS"}]

    assert {f"{row['method']} {row['template']}" for row in rows} == routes


def test_a_route_says_where_its_handler_is(monkeypatch: pytest.MonkeyPatch, request: Any) -> None:
    """File and line, relative to the working directory, so that a finding can point there."""
    monkeypatch.chdir(request.path.parent)

    (row,) = [row for row in table(starlette_app()) if row["method"] == "POST"]

    assert row["file"] == "test_discovery.py"
    lines = request.path.read_text().splitlines()
    assert lines[row["line"] - 1].startswith("async def answer(")


def test_handlers_elsewhere_have_no_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is not below the working directory is nobody's to mend."""
    monkeypatch.chdir(tmp_path)

    assert {row["file"] for row in table(starlette_app())} == {""}


# Links.

PAGE = "text/html; charset=utf-8"


class Pages:
    """An app that serves some pages, and remembers what it was asked."""

    def __init__(self, pages: dict[str, str], *, soft: bool = False) -> None:
        self.pages = pages
        self.soft = soft
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(f"{scope['method']} {scope['path']}")
        found = self.pages.get("/" if self.soft else scope["path"])
        status = 404 if found is None else 200
        headers = [(b"content-type", PAGE.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": (found or "").encode()})


def crawled(pages: Pages) -> list[str]:
    """What is found by following links."""
    with Hosted(pages) as hosted:
        budget = Budget(deadline=time.monotonic() + 20, requests=1000)
        stage = Stage(site=ALONE, asker=hosted.asker("", budget), budget=budget, number=9, block="127.31")
        return [f"{route.method} {route.target}" for route in crawl(stage)]


def test_links_are_followed_on_the_same_site() -> None:
    """To pages, pictures and scripts, from whichever page; a query stays with its path."""
    pages = Pages({
        "/": '<a href="/a?x=1#top">a</a><script src="b.js"></script><a href="http://garrison.test/c">c</a>',
        "/a": '<img src="../d.png"><a href="/">back</a>',
    })  # fmt: skip

    assert crawled(pages) == ["GET /", "GET /a?x=1", "GET /b.js", "GET /c", "GET /d.png"]


@pytest.mark.parametrize(
    "address",
    ["http://other.test/", "https://garrison.test/", "//other.test/", "mailto:a@b", "javascript:x()",
     "/logout", "http://[", "/caf\u00e9", "data:text/html,a"],
)  # fmt: skip
def test_what_leads_elsewhere_is_not_followed(address: str) -> None:
    """No other site is asked, nothing is run, and nobody is logged out."""
    assert crawled(Pages({"/": f'<a href="{address}">a</a>'})) == ["GET /"]


def test_forms_are_noted_and_never_sent() -> None:
    """An audit must not buy anything."""
    pages = Pages({"/": '<form action="/buy" method="post"></form><form action="/find"></form>'})

    assert crawled(pages) == ["GET /", "POST /buy", "GET /find"]
    assert not [asked for asked in pages.asked if asked.startswith("POST")]


def test_a_site_without_end_is_left_after_twenty_pages() -> None:
    """A calendar has a next month for ever, and an audit is no crawler."""
    pages = Pages({f"/{n}": f'<a href="/{n + 1}">next</a>' for n in range(500)})
    pages.pages["/"] = '<a href="/0">first</a>' + "".join(f'<a href="/p{n}">p</a>' for n in range(500))

    found = crawled(pages)

    assert len(pages.asked) == 20
    assert len(found) == 100


# All of it.


def known(app: Any, *, openapi: str | None = None) -> Any:
    """The site with what is found out of an app in this process."""
    with Hosted(app) as hosted:
        return surveyed(hosted, ALONE, TARGET, openapi=openapi, app=app)


def test_the_document_comes_before_the_router_and_both_before_links() -> None:
    """What the document declares has the places of the handlers, and what it hides is there too."""
    app = fastapi.FastAPI()
    app.get("/shown/{n}")(answer)
    app.get("/hidden", include_in_schema=False)(answer)

    routes = {route.template: route for route in known(app).routes}

    assert routes["/shown/{n}"].source == "openapi"
    assert routes["/shown/{n}"].line > 0
    assert routes["/hidden"].source == "app"


def test_an_app_without_a_document_and_a_router_is_crawled() -> None:
    """Its links are all that tells of it."""
    site = known(Pages({"/": '<a href="/a">a</a>'}))

    assert site.document is None
    assert [(route.target, route.source) for route in site.routes] == [("/", "crawl"), ("/a", "crawl")]


def test_an_app_that_answers_every_path_with_its_page_has_no_document() -> None:
    """A single-page app says 200 to /openapi.json too, and means its page."""
    site = known(Pages({"/": "<title>Shop</title>"}, soft=True))

    assert site.document is None
    assert [route.target for route in site.routes] == ["/"]


def test_the_document_can_be_named(tmp_path: Path) -> None:
    """As a path of the app, or as a file."""
    text = json.dumps({"openapi": "3.0.3", "paths": {"/declared": {"get": {}}}})
    file = tmp_path / "openapi.json"
    file.write_text(text)
    pages = Pages({"/": "", "/elsewhere.json": text})

    for named in ("/elsewhere.json", str(file)):
        assert [route.target for route in known(pages, openapi=named).routes] == ["/declared"]


@pytest.mark.parametrize(
    ("named", "line"),
    [
        ("/nowhere.json", r"wants an OpenAPI 3 document in JSON, and /nowhere.json answered 404"),
        ("/", r"wants an OpenAPI 3 document in JSON, and / answered 200"),
        ("nowhere.json", r"nowhere.json: there is no such file, and a path of the app begins with /"),
        (__file__, r"wants an OpenAPI 3 document in JSON, and the file .*test_discovery.py holds none"),
    ],
    ids=["no path", "a page", "no file", "another file"],
)
def test_a_document_that_is_none_is_one_line(named: str, line: str) -> None:
    """Whoever names one wants it used."""
    with pytest.raises(UsageFault, match=line):
        known(Pages({"/": "hello"}), openapi=named)
