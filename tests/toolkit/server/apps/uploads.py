"""A WSGI app that takes bodies, and replies that do not end; every call is a line on its error stream."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = b"0123456789abcdef" * 2048

if os.environ.get("NO_TEMPORARY_FILES"):
    # As on a read-only root file system.
    tempfile.tempdir = "/nonexistent/tmp"


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """What came, as JSON; and a stream, an endless one, and one reader that takes its time, by path."""
    path = environ["PATH_INFO"]
    environ["wsgi.errors"].write(f"called: {path}\n")
    if path == "/stream":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return endless(environ["wsgi.errors"], path)
    if path == "/wrong":
        start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "1")])
        return endless(environ["wsgi.errors"], path)
    if path == "/held":
        wait_for_release()
    found = {
        "body": digest(environ["wsgi.input"]) if path != "/unread" else "",
        "length": environ.get("CONTENT_LENGTH"),
        "coding": environ.get("HTTP_TRANSFER_ENCODING"),
        "terminated": environ["wsgi.input_terminated"],
    }
    if path == "/held":
        environ["wsgi.errors"].write(f"read whole: {found['body']}\n")
    body = json.dumps(found).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


def digest(stream: Any) -> str:
    """Of what is read in every way that PEP 3333 has, one after the other."""
    parts = [stream.read(3), stream.readline(5), stream.readline(), *stream.readlines(10)]
    parts += islice(stream, 2)
    parts += [stream.read(), stream.read(), stream.readline(), *stream]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def wait_for_release() -> None:
    """Wait until there is the file that the environment names."""
    until = time.monotonic() + 20
    while not Path(os.environ["RELEASE"]).exists() and time.monotonic() < until:
        time.sleep(0.02)


def endless(errors: Any, path: str) -> Iterator[bytes]:
    """A reply without an end."""
    try:
        while True:
            yield PIECE
    finally:
        errors.write(f"closed: {path}\n")
