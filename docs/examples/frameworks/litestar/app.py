"""A small shop in Litestar, which knows nothing of Garrison up to its last line."""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from litestar import Litestar, MediaType, Response, get, post, websocket_listener
from litestar.datastructures import UploadFile
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody, MultipartBody
from litestar.response import Stream
from msgspec import Meta

from garrison import harden

log = logging.getLogger("shop")
items = {1: "tea", 2: "kettle"}


@asynccontextmanager
async def lifespan(_: Litestar) -> AsyncIterator[None]:
    """Say when the shop opens and closes."""
    log.info("the shop opens")
    yield
    log.info("the shop closes")


@dataclass
class NewItem:
    """What a client sends of an item."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]


@dataclass
class Item:
    """An item."""

    number: int
    name: str


@dataclass
class Picture:
    """What a client uploads."""

    picture: UploadFile


@get("/", media_type=MediaType.HTML, include_in_schema=False)
async def home() -> str:
    """The page."""
    return "<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>"


@get("/items")
async def listed() -> list[Item]:
    """Everything there is."""
    return [Item(number=number, name=name) for number, name in items.items()]


@post("/items")
async def added(data: JSONBody[NewItem]) -> Item:
    """A new item."""
    number = len(items) + 1
    items[number] = data.name
    return Item(number=number, name=data.name)


@get("/items/{number:int}")
async def item(number: FromPath[int]) -> Item:
    """One item."""
    log.info("item %d is looked at", number)
    if number not in items:
        raise NotFoundException
    return Item(number=number, name=items[number])


@post("/upload", status_code=200)
async def upload(data: MultipartBody[Picture]) -> dict[str, int]:
    """A picture of an item, of which the size is told."""
    return {"size": len(await data.picture.read())}


@post("/login", status_code=204)
async def login() -> Response[None]:
    """A session for whoever asks."""
    reply = Response(None)
    reply.set_cookie("session", secrets.token_urlsafe())
    return reply


@get("/boom")
async def boom() -> None:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@get("/stream")
async def stream() -> Stream:
    """Three events."""

    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"

    return Stream(events(), media_type="text/event-stream")


@websocket_listener("/echo")
async def echo(data: str) -> str:
    """Sends back what it is sent."""
    return data


app = Litestar(
    [home, listed, added, item, upload, login, boom, stream, echo],
    lifespan=[lifespan],
    logging_config=None,
)

hardened = harden(app)
