"""An app with streams of events that its document calls JSON, as FastAPI does with any StreamingResponse."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

app = FastAPI()


@app.get("/events")
async def events() -> StreamingResponse:
    """Events as long as somebody listens."""

    async def forever() -> AsyncIterator[str]:
        while True:
            yield "data: tick\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(forever(), media_type="text/event-stream")


@app.get("/answer")
async def answer() -> StreamingResponse:
    """Events that end."""

    async def words() -> AsyncIterator[str]:
        yield "data: yes\n\n"

    return StreamingResponse(words(), media_type="text/event-stream")


@app.get("/plain")
async def plain() -> dict[str, bool]:
    """No stream."""
    return {"plain": True}
