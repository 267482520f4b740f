"""A small shop in BlackSheep, which knows nothing of Garrison but what it logs, up to its last line."""

import logging
import secrets
from collections.abc import AsyncIterator
from typing import Annotated

from blacksheep import (
    Application,
    Cookie,
    FromFiles,
    FromJSON,
    Request,
    Response,
    Router,
    StreamedContent,
    WebSocket,
    WebSocketDisconnectError,
    html,
    json,
    not_found,
)
from blacksheep.server.openapi.v3 import OpenAPIHandler
from blacksheep.server.routing import RouteMatch
from openapidocs.v3 import Info
from pydantic import BaseModel, Field

from garrison import harden

log = logging.getLogger("shop")
items = {1: "tea", 2: "kettle"}


class TellingRouter(Router):
    """Lets the log have the template of the route, which BlackSheep keeps to itself."""

    def get_match(self, request: Request) -> RouteMatch | None:
        """Find the route, and leave its template where the log looks for it."""
        found = super().get_match(request)
        if found is not None and found.pattern != b"*":
            request.scope["path_template"] = found.pattern.decode()  # type: ignore[typeddict-unknown-key]
        return found


router = TellingRouter()
app = Application(router=router)
docs = OpenAPIHandler(info=Info(title="Shop", version="1"))
docs.bind_app(app)


class NewItem(BaseModel):
    """What a client sends of an item."""

    name: Annotated[str, Field(min_length=1, max_length=80)]


class Item(NewItem):
    """An item."""

    number: int


@app.on_start
async def opens(_: Application) -> None:
    """Say when the shop opens."""
    log.info("the shop opens")


@app.on_stop
async def closes(_: Application) -> None:
    """Say when it closes."""
    log.info("the shop closes")


@router.get("/")
async def home() -> Response:
    """The page."""
    return html("<!doctype html><title>Shop</title><h1>Shop</h1><a href='/items'>Items</a>")


@router.get("/items")
async def listed() -> list[Item]:
    """Everything there is."""
    return [Item(number=number, name=name) for number, name in items.items()]


@router.post("/items")
async def added(new: FromJSON[NewItem]) -> Response:
    """A new item."""
    number = len(items) + 1
    items[number] = new.value.name
    return json(Item(number=number, name=new.value.name), 201)


@router.get("/items/{int:number}")
async def item(number: int) -> Response:
    """One item."""
    log.info("item %d is looked at", number)
    if number not in items:
        return not_found()
    return json(Item(number=number, name=items[number]))


@router.post("/upload")
async def upload(picture: FromFiles) -> Response:
    """A picture of an item, of which the size is told."""
    return json({"size": sum(len(part.data) for part in picture.value)})


@router.post("/login")
async def login() -> Response:
    """A session for whoever asks."""
    reply = Response(204)
    reply.set_cookie(Cookie("session", secrets.token_urlsafe()))
    return reply


@router.get("/boom")
async def boom() -> Response:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@router.get("/stream")
async def stream() -> Response:
    """Three events."""

    async def events() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"data: %d\n\n" % number

    return Response(200, content=StreamedContent(b"text/event-stream", events))


@router.ws("/echo")
async def echo(websocket: WebSocket) -> None:
    """Sends back what it is sent."""
    await websocket.accept()
    try:
        while True:
            await websocket.send_text(await websocket.receive_text())
    except WebSocketDisconnectError:
        return


hardened = harden(app)
