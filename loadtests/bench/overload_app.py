"""`python -m loadtests.bench.overload_app LIMIT FD`: two ways to be busy, behind uvicorn on a given socket.

LIMIT is `none` for the app alone, and else what `OVERLOAD_LIMIT` would be.
"""

from __future__ import annotations

import asyncio
import io
import socket
import sys
import time
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Final, Literal, cast

import uvicorn

from garrison.middleware.overload import Overload, OverloadMiddleware

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp, Receive, Scope, Send

# Seconds of CPU, without which the loop does nothing else.
WORK: Final = 0.004

# A pool such as that of a database: so many at once, for so many seconds each.
POOL: Final = 20
WAIT: Final = 0.04

Path = Literal["/cpu", "/wait"]


def busy_app() -> ASGIApp:
    """An app that computes at `/cpu`, and waits for its turn and then for something else at `/wait`."""
    pool = asyncio.Semaphore(POOL)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI
        if scope["type"] != "http":
            return
        if scope["path"] == "/cpu":
            until = time.thread_time() + WORK
            while time.thread_time() < until:
                pass
        else:
            async with pool:
                await asyncio.sleep(WAIT)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


def main() -> None:
    """Serve the socket that the command line names."""
    limit, descriptor = sys.argv[1:]
    app = busy_app()
    if limit != "none":
        with redirect_stdout(io.StringIO()):
            app = OverloadMiddleware(app, Overload(limit=cast("Literal['adaptive']", limit)))
    listener = socket.socket(fileno=int(descriptor))
    config = uvicorn.Config(app, lifespan="off", access_log=False, log_level="critical", backlog=2048)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
