"""A small shop that does right what the checks of the app ask for, or one thing wrong.

`make("I4")` is the shop with the fault that I4 finds, `make()` its good twin. As a program it serves each
fault that is named on a port of its own, in one process: `python shop.py I4 P1 ""`.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
import socket
import sys
import traceback
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

FILES = Path(__file__).parent
TOKEN = "Bearer of-the-shop"
ID = re.compile(r"[0-9]{1,9}")
SECURED: dict[str, Any] = {"security": [{"bearer": []}]}
NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
NUMBER = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
WORDS = {"name": "q", "in": "query", "schema": {"type": "string"}}
NEXT = {"name": "next", "in": "query", "schema": {"type": "string"}}
ITEM = {
    "type": "object",
    "required": ["name", "count"],
    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
}
FINE = {"200": {"description": "Fine", "content": {"application/json": {}}}}
PAGE = {"200": {"description": "A page", "content": {"text/html": {}}}}
BODY = {"required": True, "content": {"application/json": {"schema": ITEM}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    "paths": {
        "/search": {"get": {"parameters": [WORDS], "responses": PAGE}},
        "/login": {"get": {"parameters": [NEXT], "responses": PAGE}},
        "/files/{name}": {"get": {"parameters": [NAME], "responses": FINE}},
        "/items/{number}": {"get": {"parameters": [NUMBER], "responses": FINE}},
        "/items": {"post": {"requestBody": BODY, "responses": FINE}},
        "/admin/users": {"get": {**SECURED, "responses": FINE}},
    },
}
"""What the shop serves, except for the routes that are nobody's business."""


@dataclass(kw_only=True)
class Answer:
    """A reply of the shop: HTML unless it says otherwise."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Asked:
    """A request, taken apart."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def first(self, name: str) -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [""])[0]


def problem(status: int, **headers: str) -> Answer:
    """An error as a document for programs."""
    body = json.dumps({"status": status}).encode()
    return Answer(status=status, body=body, kind="application/problem+json", headers=headers)


def data(value: object, status: int = 200) -> Answer:
    """JSON."""
    return Answer(status=status, body=json.dumps(value).encode(), kind="application/json")


class Shop:
    """The app, with at most one fault."""

    def __init__(self, fault: str = "") -> None:
        """Take the id of the check that is to fail, or nothing."""
        self.fault = fault

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return
        asked = await self.read(scope, receive)
        answer = self.answer(asked)
        headers = {"content-type": answer.kind, "content-length": str(len(answer.body)), **answer.headers}
        if not (self.fault == "E5" and answer.status == 500):
            headers |= {"x-content-type-options": "nosniff", "x-request-id": uuid.uuid4().hex}
        self.log(asked, answer)
        lines = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": lines})
        await send({"type": "http.response.body", "body": b"" if asked.method == "HEAD" else answer.body})

    async def read(self, scope: MutableMapping[str, Any], receive: Any) -> Asked:
        """Take all of a request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        if self.fault == "I8":
            method = headers.get("x-http-method-override", method)
        query = parse_qs(scope["query_string"].decode("latin-1"), errors="replace")
        return Asked(method=method, path=scope["path"], query=query, headers=headers, body=body)

    def log(self, asked: Asked, answer: Answer) -> None:
        """Write a record to standard error."""
        path = asked.path if self.fault == "I7" else repr(asked.path)
        sys.stderr.write(f"{asked.method} {path} {answer.status}\n")
        sys.stderr.flush()

    def answer(self, asked: Asked) -> Answer:
        """Refuse what no route takes, and hand on the rest."""
        path, method = asked.path, asked.method
        if method == "TRACE" and self.fault == "M1":
            return Answer(status=200, body=repr(asked.headers).encode(), kind="message/http")
        if path == "/\x00" and self.fault == "E4":
            return problem(500)
        if method not in {"GET", "HEAD", "POST", "PROPFIND", "OPTIONS"} and self.fault != "M2":
            return problem(501)
        if self.fault == "P4":
            path = re.sub("/+", "/", path)
        if self.fault == "X1" and path == "/.env":
            return Answer(status=200, body=b"# of the shop\nSECRET_KEY=hunter2\n", kind="text/plain")
        if path == "/items":
            return self.add(asked) if method == "POST" else problem(405, allow="POST")
        route = self.route(path)
        if route is None:
            return problem(404)
        if method in {"POST", "PROPFIND", "OPTIONS"} or (method == "HEAD" and self.fault == "M4"):
            return problem(405) if self.fault == "M3" else problem(405, allow="GET, HEAD")
        return route(asked)

    def route(self, path: str) -> Callable[[Asked], Answer] | None:
        """The handler of a path."""
        exact = {
            "/": self.page,
            "/search": self.search,
            "/login": self.login,
            "/raise": self.fail,
            "/admin/users": self.users,
        }
        if path.startswith("/files/"):
            return self.file
        return self.item if path.startswith("/items/") else exact.get(path)

    def page(self, asked: Asked) -> Answer:
        """The page, which names its own address."""
        host = "shop.example"
        if self.fault == "I2":
            host = asked.headers.get("host", host)
        if self.fault == "I3":
            host = asked.headers.get("x-forwarded-host", host)
        return Answer(status=200, body=f'<link rel=canonical href="http://{host}/"><h1>Shop</h1>'.encode())

    def search(self, asked: Asked) -> Answer:
        """What was looked for, in words."""
        words = asked.first("q")
        shown = words if self.fault == "I5" else html.escape(words)
        return Answer(status=200, body=f'<input value="{shown}">nothing'.encode())

    def login(self, asked: Asked) -> Answer:
        """Go on to a page of the shop."""
        wanted = asked.first("next")
        own = re.match(r"/(?![/\\])", wanted) is not None
        return Answer(status=303, headers={"location": wanted if own or self.fault == "I4" else "/"})

    def file(self, asked: Asked) -> Answer:
        """The terms, and nothing else."""
        name = asked.path.removeprefix("/files/")
        if self.fault == "I6":
            try:
                return Answer(status=200, body=(FILES / name).read_bytes(), kind="text/plain")
            except (OSError, ValueError):
                return problem(404)
        return Answer(status=200, body=b"terms", kind="text/plain") if name == "terms.txt" else problem(404)

    def item(self, asked: Asked) -> Answer:
        """An item by its number."""
        text = asked.path.removeprefix("/items/")
        if ID.fullmatch(text) is None:
            return problem(500 if self.fault == "E6" else 422)
        return data({"number": int(text)})

    def add(self, asked: Asked) -> Answer:
        """Take an item, if it is one."""
        kind = asked.headers.get("content-type", "")
        unchecked = (self.fault == "P1" and kind != "application/json") or (
            self.fault == "P2" and "content-length" not in asked.headers
        )
        if unchecked:
            return data({}, 201)
        if kind.partition(";")[0].strip().lower() != "application/json":
            return problem(415)
        try:
            item = json.loads(asked.body)
        except (ValueError, RecursionError):
            return problem(400)
        fits = isinstance(item, dict) and type(item.get("name")) is str and type(item.get("count")) is int
        return data({}, 201) if fits else problem(422)

    def users(self, asked: Asked) -> Answer:
        """For whoever has the token."""
        given = asked.headers.get("authorization", "")
        open_ = {
            "X2": True,
            "X2 made up": given.startswith("Bearer "),
            "P3": asked.method == "HEAD",
            "P4": asked.path != "/admin/users",
            "P5": "x-forwarded-prefix" in asked.headers,
        }
        if given == TOKEN or open_.get(self.fault, False):
            return data(["ann", "bob"])
        return problem(401)

    def fail(self, asked: Asked) -> Answer:
        """Report an error of the shop itself."""
        answer = problem(500)
        if self.fault == "E1":
            try:
                json.loads("planted")
            except ValueError:
                answer.body = json.dumps({"detail": traceback.format_exc()}).encode()
        if self.fault == "E2" and "text/html" in asked.headers.get("accept", ""):
            return Answer(status=500, body=b"<title>Starlette Debugger</title>")
        if self.fault == "E3":
            return Answer(status=500, body=b"oh", kind="text/plain")
        return answer


def make(fault: str = "") -> Shop:
    """The shop with one fault, or its good twin."""
    return Shop(fault)


async def serve(faults: list[str]) -> None:
    """Serve a shop for each fault, say on which ports, and go on until the process is ended."""
    import uvicorn  # noqa: PLC0415 - in process the shop needs no server

    ports: dict[str, int] = {}
    for fault in faults:
        # The other parser refuses unknown methods itself.
        config = uvicorn.Config(make(fault), lifespan="off", access_log=False, http="h11")
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        listening = socket.create_server(("127.0.0.1", 0))
        ports[fault] = listening.getsockname()[1]
        await server.startup(sockets=[listening])
    sys.stdout.write(f"{json.dumps(ports)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
