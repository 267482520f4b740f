"""A small shop to try loads on: pages with assets, an API with ids, a quota, a WebSocket.

garrison load loadtests.shop:app --openapi auto --threshold "p95<200ms"
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from enum import Enum
from typing import Annotated, Any
from uuid import UUID  # noqa: TC003 - pydantic reads annotations

from fastapi import FastAPI, Header, HTTPException, Request, Response, UploadFile, WebSocket
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

WINDOW = 0.5
"""Seconds of the quota of `/limited`; a client may ask once."""


class Kind(Enum):
    """What an item is."""

    TEA = "tea"
    CUP = "cup"


class Part(BaseModel):
    """A part of an item."""

    label: Annotated[str, Field(min_length=3, max_length=12)]
    size: Annotated[float, Field(gt=0, lt=10, multiple_of=0.5)]


class New(BaseModel):
    """An item to be made."""

    name: str
    kind: Kind
    code: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$")]
    owner: UUID
    parts: Annotated[list[Part], Field(min_length=2)]


class Item(New):
    """An item that was made."""

    id: int


class Note(BaseModel):
    """A note on an item."""

    text: str


app = FastAPI()
items: dict[int, Item] = {}
names: set[str] = set()
notes: dict[tuple[int, int], str] = {}
settings: dict[str, Any] = {}
seen: defaultdict[str, float] = defaultdict(float)
numbers = itertools.count(1)


def found(item_id: int) -> Item:
    """The item, if it is there."""
    if item_id not in items:
        raise HTTPException(404)
    return items[item_id]


@app.get("/", response_class=HTMLResponse, include_in_schema=False)
def home(response: Response) -> str:
    """A page with links and assets."""
    response.set_cookie("visit", "1")
    return (
        '<link rel="stylesheet" href="/style.css"><script src="script.js"></script><img src="/logo.png">'
        '<a href="/old">old</a> <a href="/logout">bye</a>'
    )


@app.get("/about", response_class=HTMLResponse, include_in_schema=False)
def about() -> str:
    """Another page."""
    return '<link rel="stylesheet" href="/style.css"><script src="/script.js"></script><a href="/">home</a>'


@app.get("/old", include_in_schema=False)
def old() -> Response:
    """A page that moved."""
    return Response(status_code=302, headers={"location": "/about"})


@app.get("/style.css", include_in_schema=False)
def style(if_none_match: Annotated[str, Header()] = "") -> Response:
    """An asset with a validator."""
    status = 304 if if_none_match == '"1"' else 200
    return Response("" if status == 304 else "a{}", status, {"etag": '"1"', "content-type": "text/css"})


@app.get("/script.js", include_in_schema=False)
def script() -> Response:
    """An asset that stays fresh."""
    return Response("a", headers={"cache-control": "max-age=60", "content-type": "text/javascript"})


@app.get("/items", tags=["items"])
def get_items(limit: int = 20) -> list[Item]:
    """The newest items."""
    return list(items.values())[-limit:]


@app.post("/items", status_code=201, tags=["items"])
def post_item(item: New) -> Item:
    """Make an item, of a name of its own."""
    if item.name in names:
        raise HTTPException(409)
    names.add(item.name)
    made = Item(id=next(numbers), **item.model_dump())
    items[made.id] = made
    return made


@app.get("/items/{item_id}", tags=["items"])
def get_item(item_id: int) -> Item:
    """One item."""
    return found(item_id)


@app.put("/items/{item_id}", tags=["items"])
def put_item(item_id: int, item: New) -> Item:
    """Change an item."""
    found(item_id)
    items[item_id] = Item(id=item_id, **item.model_dump())
    return items[item_id]


@app.delete("/items/{item_id}", status_code=204, tags=["items"])
def delete_item(item_id: int) -> None:
    """Delete an item."""
    del items[found(item_id).id]


@app.post("/items/{item_id}/notes", status_code=201)
def post_note(item_id: int, note: Note) -> dict[str, int]:
    """Write a note."""
    found(item_id)
    number = next(numbers)
    notes[item_id, number] = note.text
    return {"note_id": number}


@app.get("/items/{item_id}/notes/{note_id}")
def get_note(item_id: int, note_id: int) -> str:
    """Read a note."""
    found(item_id)
    if (item_id, note_id) not in notes:
        raise HTTPException(404)
    return notes[item_id, note_id]


@app.put("/settings/{key}")
def put_setting(key: str, value: dict[str, int]) -> dict[str, int]:
    """Keep a value."""
    settings[key] = value
    return value


@app.get("/settings/{key}")
def get_setting(key: str) -> Any:
    """A value."""
    if key not in settings:
        raise HTTPException(404)
    return settings[key]


@app.post("/upload")
async def upload(file: UploadFile) -> int:
    """Take a file."""
    return len(await file.read())


@app.get("/limited", include_in_schema=False)
def limited(request: Request) -> Response:
    """Once in a window for each client."""
    client = request.client.host if request.client else ""
    now = time.monotonic()
    left = seen[client] + WINDOW - now
    if left > 0:
        return Response(status_code=429, headers={"retry-after": "1"})
    seen[client] = now
    return Response("in")


@app.post("/slow", include_in_schema=False)
async def slow(request: Request) -> int:
    """Read a body."""
    return len(await request.body())


@app.get("/slow", include_in_schema=False)
def large() -> Response:
    """A reply of some size."""
    return Response("x" * 2000)


@app.websocket("/ws")
async def talk(socket: WebSocket) -> None:
    """Say what was said."""
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)
