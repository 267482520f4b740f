"""What happens meanwhile: the stock as a stream of events, and one's own orders over a WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import HTTPException
from fastapi.responses import StreamingResponse

from .accounts import name_in
from .catalog import products
from .orders import order_of

routes = APIRouter(tags=["live"])


class EventStream(StreamingResponse):
    """Server-sent events."""

    media_type = "text/event-stream"


async def changes(request: Request) -> AsyncIterator[str]:
    """How many there are of each product, now and whenever that changes."""
    told = None
    while not await request.is_disconnected():
        found = await run_in_threadpool(products, limit=100)
        stock = {product.name: product.stock for product in found}
        if stock != told:
            told = stock
            yield f"data: {json.dumps(stock)}\n\n"
        await asyncio.sleep(0.2)


@routes.get("/api/stock", response_class=EventStream)
async def stock(request: Request) -> EventStream:
    """How many there are of each product, as it changes."""
    return EventStream(changes(request))


@routes.websocket("/ws/orders")
async def follow(socket: WebSocket) -> None:
    """Tell what became of the orders whose numbers are sent here."""
    name = name_in(socket.cookies.get("session"))
    if name is None:
        await socket.close(1008)
        return
    await socket.accept()
    try:
        while True:
            number = await socket.receive_text()
            await tell(socket, int(number[:9]) if number.isdecimal() else 0, name)
    except WebSocketDisconnect:
        return


async def tell(socket: WebSocket, number: int, name: str) -> None:
    """Tell what an order is now, and once more when it is packed."""
    status = ""
    while status not in {"packed", "unknown"}:
        before = status
        try:
            status = (await run_in_threadpool(order_of, number, name)).status
        except HTTPException:
            status = "unknown"
        if status == before:
            await asyncio.sleep(0.1)
        else:
            await socket.send_json({"order": number, "status": status})
