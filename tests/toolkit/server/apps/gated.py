"""An app that starts unless there is a file, such as one whose database may be away."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Start and stop."""
    if Path(os.environ["SHOP_AWAY"]).exists():  # noqa: ASYNC240 - it takes no time
        raise RuntimeError("the database is away")
    yield


def pid(_: Request) -> PlainTextResponse:
    """Which process serves."""
    return PlainTextResponse(str(os.getpid()))


def sleeps(request: Request) -> PlainTextResponse:
    """Answer after so many seconds, in a thread that nobody can cancel."""
    time.sleep(float(request.query_params["seconds"]))
    return PlainTextResponse("done")


app = Starlette(routes=[Route("/", pid), Route("/sleeps", sleeps)], lifespan=lifespan)
