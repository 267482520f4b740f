"""A shop that asks another service, so that there is something to trace."""

import logging

import httpx
from fastapi import FastAPI

app = FastAPI()
log = logging.getLogger("shop")


@app.get("/items/{number}")
async def item(number: int) -> dict[str, int]:
    """An item; the line that is logged here has the ids of the request and of its trace."""
    log.warning("item %d was asked for", number)
    return {"item": number}


@app.get("/stock/{number}")
async def stock(number: int) -> dict[str, int]:
    """What another service says of an item; the trace goes on there."""
    async with httpx.AsyncClient() as client:
        reply = await client.get(f"http://127.0.0.1:8001/items/{number}")
    return {"item": number, "status": reply.status_code}
