"""The operation that is matched is the one that a framework routes to, or none is."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar import Litestar, get
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from garrison.openapi.model import Operation
from garrison.openapi.percent import wire_path
from garrison.openapi.routing import Match, Router
from garrison.openapi.templates import parse_template
from tests.toolkit.driver import http_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.asgi import ASGIApp, Message
    from garrison.openapi.routing import Miss

# What paths are made of: what the templates have, in all its spellings, and what some router normalises.
PIECES: Final = [
    *("a", "b", "A", "x", "ab", "5", "a.b", "a:b", "é", "%C3%A9", "%FF", "%", "%zz", "~", "+"),
    *("%61", "%41", "%2e", "%2F", "%2f", "%3A", "%252F", "%0A", "%0a", "%00", "%20", "%3Bv"),
    *("/", "/", "/", "/", "//", ".", "..", ";v", ":"),
]
PATHS: Final = st.lists(st.sampled_from(PIECES), max_size=9).map(lambda pieces: f"/{''.join(pieces)}")
SEGMENTS: Final = st.sampled_from(["a", "b", "ab", "A", "5", "{}", "{}", "a{}", "{}.{}", "{}:{}", "a.{}"])
TEMPLATES: Final = st.lists(
    st.tuples(st.lists(SEGMENTS, min_size=1, max_size=3), st.sampled_from(["", "", "/"])),
    min_size=1,
    max_size=6,
)

# Apps as they are written: with variables beside literals, which are registered first.
APPS: Final = (
    ("/", "/a", "/a/b", "/a/{p1}", "/a/{p1}/b", "/{p0}", "/{p0}/b", "/{p0}/{p1}"),
    ("/a/a", "/a/{p1}/{p2}", "/b/{p1}", "/{p0}/x/5"),
    ("/a", "/b", "/x"),
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for all requests of this module."""
    with asyncio.Runner() as found:
        yield found


def routed(runner: asyncio.Runner, app: ASGIApp, raw: str) -> tuple[str, list[str]] | None:
    """What a framework says where it has routed a raw path to: the template, and the variables' values."""
    scope = http_scope(unquote(raw), raw_path=raw.encode(), headers=[(b"host", b"example.com")])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        """Drop the reply."""

    async def call() -> None:
        await app(scope, receive, send)

    runner.run(call())
    template = scope["route"].path if "route" in scope else scope.get("path_template")
    if template is None:
        return None
    return re.sub(r":str\}", "}", template), [str(value) for value in scope["path_params"].values()]


def matched(templates: tuple[str, ...], raw: str) -> Match | Miss:
    """What the router says, which is asked as a middleware would ask it."""
    router = Router(Operation(method="GET", template=each, name=each, pointer="") for each in templates)
    return router.match("GET", wire_path(unquote(raw), raw.encode(), ""))


def disagreement(match: Match | Miss, handled: tuple[str, list[str]] | None) -> str:
    """What is wrong where an app handles a request for another operation than the one that was judged."""
    if isinstance(match, Match):
        values = [unquote(value.decode()) for value in match.values]
        judged = (match.operation.template, values)
        return "" if handled in (None, judged) else f"judged {judged}, handled {handled}"
    return "" if handled is None or match.ambiguous else f"not judged, handled {handled}"


async def endpoint() -> Response:
    """Answer with nothing."""
    return Response()


def starlette(templates: tuple[str, ...]) -> ASGIApp:
    """An app of Starlette with these routes."""

    async def found(_request: Any) -> Response:
        return Response()

    return Starlette(routes=[Route(each, found) for each in templates])


def fastapi(templates: tuple[str, ...]) -> ASGIApp:
    """An app of FastAPI with these routes."""
    app = FastAPI(openapi_url=None)
    for template in templates:
        app.add_api_route(template, endpoint)
    return app


def litestar(templates: tuple[str, ...]) -> ASGIApp:
    """An app of Litestar with these routes."""

    async def found() -> None:
        """Answer with nothing."""

    handlers = [get(re.sub(r"\}", ":str}", each))(found) for each in templates]
    # Its own types of messages are narrower than those of ASGI.
    return cast("ASGIApp", Litestar(handlers, openapi_config=None, logging_config=None))


@pytest.mark.parametrize("make", [starlette, fastapi, litestar])
@pytest.mark.parametrize("templates", APPS)
def test_what_an_app_handles_is_what_was_judged(
    runner: asyncio.Runner, make: Callable[[tuple[str, ...]], ASGIApp], templates: tuple[str, ...]
) -> None:
    """However a path is spelled: the same operation with the same values, or it is refused as ambiguous."""
    app = make(templates)

    @given(PATHS)
    @settings(max_examples=150, deadline=None)
    def holds(raw: str) -> None:
        assert disagreement(matched(templates, raw), routed(runner, app, raw)) == ""

    holds()


def named(segments: list[str], end: str) -> str:
    """A template whose variables have names."""
    count = iter(range(9))
    return re.sub(r"\{\}", lambda _: f"{{v{next(count)}}}", f"/{'/'.join(segments)}{end}")


def order(template: str) -> list[tuple[int, int, str]]:
    """Where a route stands among others so that none is hidden by one that is less concrete."""
    found = []
    for segment, text in zip(parse_template(template, "").segments, template[1:].split("/"), strict=True):
        kind = 0 if segment.is_literal else 2 if segment.is_variable else 1
        found.append((kind, -segment.concreteness if kind == 1 else 0, re.sub(r"\{\w+\}", "{}", text)))
    return found


@given(TEMPLATES, PATHS)
@settings(max_examples=600, deadline=None)
def test_any_routes_in_their_order_are_judged_as_they_are_routed(
    runner: asyncio.Runner, segments: list[tuple[list[str], str]], raw: str
) -> None:
    """Variables and literals within one segment, too, and routes with and without a slash at their end."""
    templates = tuple(sorted({named(*each) for each in segments}, key=order))
    assert disagreement(matched(templates, raw), routed(runner, starlette(templates), raw)) == ""
