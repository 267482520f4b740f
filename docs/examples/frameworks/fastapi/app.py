"""A small shop in FastAPI, which knows nothing of Garrison up to its last line."""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Response, UploadFile, WebSocket
from fastapi.responses import HTMLResponse, StreamingResponse
from pydantic import BaseModel, Field

from garrison import harden

log = logging.getLogger("shop")
items = {1: "tea", 2: "kettle"}


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Say when the shop opens and closes."""
    log.info("the shop opens")
    yield
    log.info("the shop closes")


app = FastAPI(lifespan=lifespan)


class NewItem(BaseModel):
    """What a client sends of an item."""

    name: Annotated[str, Field(min_length=1, max_length=80)]


class Item(NewItem):
    """An item."""

    number: int


@app.get("/", include_in_schema=False)
async def home() -> HTMLResponse:
    """The page."""
    return HTMLResponse("<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>")


@app.get("/items")
async def listed() -> list[Item]:
    """Everything there is."""
    return [Item(number=number, name=name) for number, name in items.items()]


@app.post("/items", status_code=201)
async def added(new: NewItem) -> Item:
    """A new item."""
    number = len(items) + 1
    items[number] = new.name
    return Item(number=number, name=new.name)


@app.get("/items/{number}")
async def item(number: int) -> Item:
    """One item."""
    log.info("item %d is looked at", number)
    if number not in items:
        raise HTTPException(404)
    return Item(number=number, name=items[number])


@app.post("/upload")
async def upload(picture: UploadFile) -> dict[str, int]:
    """A picture of an item, of which the size is told."""
    return {"size": len(await picture.read())}


@app.post("/login", status_code=204)
async def login(reply: Response) -> None:
    """A session for whoever asks."""
    reply.set_cookie("session", secrets.token_urlsafe())


@app.get("/boom")
async def boom() -> None:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@app.get("/stream")
async def stream() -> StreamingResponse:
    """Three events."""

    async def events() -> AsyncIterator[str]:
        for number in range(3):
            yield f"data: {number}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


@app.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    """Sends back what it is sent."""
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


hardened = harden(app)
