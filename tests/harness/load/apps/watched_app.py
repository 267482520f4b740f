"""Two apps that keep their promises when quiet; `loose` forgets them when requests come at the same time."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import uuid
from collections import Counter
from typing import Any

QUOTA = 30  # in a minute, from the first request on
ALWAYS = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"))

_numbers = itertools.count()
_under_way = 0
_asked: Counter[str] = Counter()
_forgetful: list[bool] = []  # once it was busy


async def firm(scope: Any, receive: Any, send: Any) -> None:
    """Count first and answer then; every reply has its headers and an id, every line of the log is whole."""
    if scope["type"] != "http":
        return
    client = scope["client"][0]
    _asked[client] += scope["path"] == "/"
    status = 429 if _asked[client] > QUOTA else 200
    await asyncio.sleep(0.005)
    await _answer(scope, send, status=status, identity=uuid.uuid4().hex)
    _log(json.dumps({"event": "request", "path": scope["path"]}))


async def loose(scope: Any, receive: Any, send: Any) -> None:
    """Do everything that goes wrong with more than one request at a time."""
    global _under_way  # noqa: PLW0603 - that is what is wrong with it
    if scope["type"] != "http":
        return
    client, number = scope["client"][0], next(_numbers)
    _under_way += 1
    passed = _asked[client]
    await asyncio.sleep(0.005)
    _asked[client] = passed + (scope["path"] == "/")
    busy, _under_way = _under_way > 1, _under_way - 1
    _forgetful.extend([True] * busy)
    status = 503 if busy and number % 10 == 0 else 429 if passed >= QUOTA else 200
    identity = "the same" if busy and number % 7 == 0 else uuid.uuid4().hex
    headers = [(b"content-type", b"text/plain")] if busy and status == 503 else None
    await _answer(scope, send, status=status, identity=identity, headers=headers)
    told = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    line = json.dumps({"event": "request", "path": scope["path"], "sent": told if _forgetful else []})
    if busy:
        sys.stdout.write(line[:12])
        await asyncio.sleep(0)
        line = line[12:]
    _log(line)


def _log(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _answer(
    scope: Any, send: Any, *, status: int, identity: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    if scope["path"] != "/":
        status = 404
    kind = b"application/json" if status < 400 else b"application/problem+json"
    if headers is None:
        headers = [(b"content-type", kind), *ALWAYS]
        headers += [(b"cache-control", b"no-store"), (b"retry-after", b"60")] if status >= 400 else []
    headers.append((b"x-request-id", identity.encode()))
    document = {"type": "about:blank", "status": status, "request_id": identity} if status >= 400 else {}
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
