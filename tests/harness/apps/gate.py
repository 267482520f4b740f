"""A small server that bounds what it should, or leaves out one bound.

`python gate.py PORT FAULT` serves the gate with the fault that the check of this id finds; with 0 as the port
it serves each fault that is named on a port of its own, in one process, and says on which.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import signal
import sys
import time
import uuid
import zlib
from contextlib import suppress
from dataclasses import dataclass, field

MAX_BODY = 200_000
SLOW = 1.0  # seconds that a client may take
TIME_LIMIT = 2.0  # seconds that a handler may take
WORK = 1.5  # seconds that /slow takes
AT_ONCE = 6
QUOTA, WINDOW = 5, 2  # requests, seconds
TRACE = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Refused(Exception):  # noqa: N818 - what a request ends in
    """The request is answered with this status, or, where it is 0, not at all."""

    def __init__(self, status: int, **headers: str) -> None:
        """Take the status, and headers with `_` for `-`."""
        super().__init__(status)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(kw_only=True)
class Asked:
    """A request."""

    method: str
    target: str
    headers: dict[str, str]
    peer: str

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(kw_only=True)
class Visits:
    """What one client has asked in a window."""

    since: float
    count: int = 0


@dataclass(kw_only=True)
class Gate:
    """The server, with at most one fault."""

    fault: str
    busy: int = 0
    stopping: bool = False
    visits: dict[str, Visits] = field(default_factory=dict)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self.serve(reader, writer)
        with suppress(OSError):
            writer.close()
        self.tasks.discard(task)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, answer it, and close; the smuggler's fault goes on to the next."""
        headers: dict[str, str] = {}
        asked = None
        try:
            asked = await self.head(reader, writer)
            content = await self.answer(asked, reader, headers)
            status = 200
        except Refused as refused:
            status, content = refused.status, json.dumps({"status": refused.status}).encode()
            headers |= refused.headers
        if not status:
            return
        self.log(asked, status)
        headers = {
            "Content-Type": "text/html; charset=utf-8" if status == 200 else "application/problem+json",
            "Content-Length": str(len(content)),
            **({} if self.fault == "T1" else {"X-Request-ID": self.request_id(asked)}),
            "Connection": "close",
            **headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} Some\r\n{lines}\r\n".encode("latin-1")
        writer.write(head + (b"" if asked is not None and asked.method == "HEAD" else content))
        await writer.drain()

    def request_id(self, asked: Asked | None) -> str:
        """A new id, or the client's own."""
        given = asked.headers.get("x-request-id") if asked is not None and self.fault == "T2" else None
        return given or uuid.uuid4().hex

    def log(self, asked: Asked | None, status: int) -> None:
        """Write one record."""
        if asked is not None and (asked.method != "POST" or self.fault != "T6"):
            record: dict[str, str | int] = {"method": asked.method, "path": asked.path, "status": status}
            if self.fault == "T4":
                record["authorization"] = asked.headers.get("authorization", "")
            match = TRACE.fullmatch(asked.headers.get("traceparent", ""))
            if match and self.fault != "T5":
                record["trace_id"] = match[1]
            sys.stderr.write(json.dumps(record) + "\n")
            sys.stderr.flush()

    async def head(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
        """Read the head of a request, in bounded time and space."""
        try:
            waits = reader.readuntil(b"\r\n\r\n")
            raw = await (waits if self.fault == "R7" else asyncio.wait_for(waits, SLOW))
        except TimeoutError:
            raise Refused(408) from None
        except asyncio.LimitOverrunError:
            raise Refused(431) from None
        first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        if self.fault != "R6" and (len(raw) > 32_768 or len(lines) > 100):
            raise Refused(431)
        method, target, _ = first.split(" ")
        pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        names = [name for name, _ in pairs]
        if (names.count("host") != 1 and self.fault != "W1") or "\n" in "".join(names + lines):
            raise Refused(400)
        odd = names.count("content-length") > 1 or any(name != name.strip() for name in names)
        if odd and self.fault != "W2":
            raise Refused(400)
        peer = str(writer.get_extra_info("peername")[0])
        return Asked(method=method, target=target, headers=dict(pairs), peer=peer)

    async def answer(self, asked: Asked, reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
        """The content for a request."""
        if (context := asked.headers.get("traceparent")) is not None:
            match = TRACE.fullmatch(context)
            trace = match[1] if match and self.fault != "T5" else uuid.uuid4().hex
            trace = context.split("-")[1] if self.fault == "T3" else trace
            headers["traceresponse"] = f"00-{trace}-{uuid.uuid4().hex[:16]}-01"
        if asked.path == "/readyz":
            if self.stopping and self.fault != "G2":
                raise Refused(503)
            headers |= {"Cache-Control": "max-age=60"} if self.fault == "G3" else {}
            return b"ready"
        if asked.path == "/json":
            if asked.method != "POST":
                raise Refused(405, Allow="POST")
            return self.parsed(await self.body(asked, reader))
        if asked.path == "/":
            if asked.method not in {"GET", "HEAD"}:
                raise Refused(405, Allow="GET, HEAD")
            headers |= await self.count(asked)
            return b"<!doctype html><title>Gate</title>"
        if asked.path in {"/slow", "/sleep"}:
            await self.work(30.0 if asked.path == "/sleep" else WORK, reader)
            return b"done"
        raise Refused(404)

    async def body(self, asked: Asked, reader: asyncio.StreamReader) -> bytes:
        """Read a body in bounded time and space, and unpack it likewise."""
        try:
            waits = self.plain(asked, reader)
            raw = await (waits if self.fault == "R8" else asyncio.wait_for(waits, 2 * SLOW))
        except TimeoutError:
            raise Refused(408) from None
        if asked.headers.get("content-encoding") != "gzip":
            return raw
        unpacker = zlib.decompressobj(31)
        try:
            found = unpacker.decompress(raw, 0 if self.fault == "R5" else MAX_BODY + 1)
        except zlib.error:
            raise Refused(400) from None
        if len(found) > MAX_BODY and self.fault != "R5":
            raise Refused(413)
        return found

    async def plain(self, asked: Asked, reader: asyncio.StreamReader) -> bytes:
        """The body as it was sent."""
        if asked.headers.get("transfer-encoding") != "chunked":
            length = int(asked.headers.get("content-length", "0"))
            if length > MAX_BODY and self.fault != "R1":
                raise Refused(413)
            return await reader.readexactly(length)
        found = bytearray()
        while size := int(await reader.readline(), 16):
            found += await reader.readexactly(size)
            await reader.readexactly(2)
            if len(found) > MAX_BODY and self.fault != "R2":
                raise Refused(413)
        return bytes(found)

    def parsed(self, body: bytes) -> bytes:
        """What a handler says to JSON."""
        try:
            json.loads(body)
        except RecursionError:
            raise Refused(500 if self.fault == "R3" else 400) from None
        except ValueError:
            raise Refused(500 if self.fault == "R4" and body.endswith(b": ") else 400) from None
        return b"thanks"

    async def count(self, asked: Asked) -> dict[str, str]:
        """Spend one of the client's requests, and say what is left."""
        spelled = asked.headers.get("x-forwarded-for", "") if self.fault == "L2" else ""
        spelled = asked.method if self.fault == "L2 HEAD" else spelled
        now = time.monotonic()
        visits = self.visits.setdefault(f"{asked.peer} {spelled}", Visits(since=now))
        if now - visits.since >= WINDOW and self.fault != "L4":
            visits.since, visits.count = now, 0
        if self.fault == "L3":
            seen = visits.count
            await asyncio.sleep(0.05)
            visits.count = seen + 1
        else:
            visits.count += 1
        if self.fault == "L5" and visits.count > QUOTA:
            visits.since = now + WINDOW
        left = max(0, QUOTA - visits.count)
        wait = max(1, math.ceil(visits.since + WINDOW - now))
        headers = {
            "RateLimit-Policy": f'"gate";q={QUOTA};w={WINDOW}',
            "RateLimit": f"gate;r={left}" if self.fault == "L6" else f'"gate";r={left};t={wait}',
        }
        if visits.count > QUOTA and self.fault != "L1":
            wait = 1 if self.fault == "L5" else wait
            raise Refused(429, Retry_After=str(wait), **{} if self.fault == "L5" else headers)
        return headers

    async def work(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Do what takes time, for as long as anybody waits for it, if there is room."""
        if self.busy >= AT_ONCE and self.fault not in {"R11", "A2"}:
            raise Refused(503, Retry_After="1")
        if self.busy >= 4 * AT_ONCE:
            raise Refused(503, Retry_After="1")
        self.busy += 1
        limit = 60.0 if self.fault == "R10" else TIME_LIMIT
        working = asyncio.create_task(asyncio.sleep(min(seconds, limit)))
        gone = asyncio.create_task(reader.read())
        # What does not watch is busy to the end.
        watched = [working] if self.fault == "R9" else [working, gone]
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        left = gone.done() and not working.done()
        working.cancel()
        gone.cancel()
        self.busy -= 1
        if left:
            raise Refused(0)
        if seconds > limit:
            raise Refused(504)


class Leaky(Gate):
    """Gives nothing back for a client that has left, and lets nobody in any more."""

    async def work(self, seconds: float, reader: asyncio.StreamReader) -> None:
        """Do what takes time."""
        try:
            await super().work(seconds, reader)
        except Refused as refused:
            if not refused.status:
                self.busy += 1
            raise

    async def count(self, asked: Asked) -> dict[str, str]:
        """Let somebody in if there is room."""
        if self.busy >= 2 * AT_ONCE:
            raise Refused(503, Retry_After="1")
        return await super().count(asked)


def make(fault: str) -> Gate:
    """The gate with one fault, or its good twin."""
    return Leaky(fault=fault) if fault == "A2" else Gate(fault=fault)


async def listen(gate: Gate, port: int = 0) -> asyncio.Server:
    """Listen for it."""
    return await asyncio.start_server(gate.connected, "127.0.0.1", port, limit=1_000_000)


async def many(faults: list[str]) -> None:
    """Serve a gate for each fault, say on which ports, and go on until the process is ended."""
    servers = [await listen(make(fault)) for fault in faults]
    ports = {fault: server.sockets[0].getsockname()[1] for fault, server in zip(faults, servers, strict=True)}
    sys.stdout.write(f"{json.dumps(ports)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def one(port: int, fault: str) -> None:
    """Serve until SIGTERM, then say so, wait, close the port and finish what was begun."""
    gate = make(fault)
    server = await listen(gate, port)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    gate.stopping = True
    if fault != "G2":
        await asyncio.sleep(0.4)
    server.close()
    if fault == "G1":
        return
    if gate.tasks:
        await asyncio.wait(gate.tasks, timeout=5)


if __name__ == "__main__":
    if sys.argv[1] == "0":
        asyncio.run(many(sys.argv[2:]))
    else:
        asyncio.run(one(int(sys.argv[1]), sys.argv[2]))
