"""A small ASGI app with a path for everything that a load can meet."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import defaultdict
from typing import Any

calls: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
stalls: list[tuple[float, float]] = []


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reply according to the path.

    `/die` ends the process, `/hang` waits until the client is gone, `/wait/s` replies after so many seconds,
    `/stall/s` freezes the whole server for as long. `/calls/x` lists address and time of every call of `/x`,
    `/stalls` from when to when the server was frozen.
    """
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    path: str = scope["path"]
    calls[path].append((scope["client"][0], time.monotonic()))
    status, body, headers = 200, b"hello", [(b"content-type", b"text/plain")]
    match path.split("/"):
        case [_, "die"]:
            os._exit(7)
        case [_, "hang"]:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        case [_, "wait", seconds]:
            await asyncio.sleep(float(seconds))
        case [_, "stall", seconds]:
            started = time.monotonic()
            time.sleep(float(seconds))  # noqa: ASYNC251 - nothing else is to run
            stalls.append((started, time.monotonic()))
            body = b"true"
        case [_, "stalls"]:
            body = json.dumps(stalls).encode()
        case [_, "calls", *asked]:
            body = json.dumps(calls["/" + "/".join(asked)]).encode()
        case [_, "away"]:
            status, headers = 302, [(b"location", b"http://192.0.2.1/")]
        case [_, "status", code]:
            status = int(code)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
