"""WSGI apps: one by hand, and one of Flask."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import flask

if TYPE_CHECKING:
    from collections.abc import Iterable

site = flask.Flask(__name__)


@site.get("/items/<int:number>")
def item(number: int) -> dict[str, object]:
    """A reply of the framework."""
    return {"number": number, "client": flask.request.remote_addr, "scheme": flask.request.scheme}


@site.get("/boom")
def boom() -> str:
    """A failure that nobody handles."""
    raise RuntimeError("no database at postgresql://shop:hunter2@db/shop")


@site.post("/echo")
def echo() -> dict[str, object]:
    """What came, which Flask reads to its end, and a form where it is one."""
    return {"body": flask.request.get_data(as_text=True), "form": flask.request.form}


def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """What came: the address as proxies tell it, the body, and the thread; errors are written, too."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    environ["wsgi.errors"].write("said by an app of the other kind\n")
    body = environ["wsgi.input"].read()
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "-")
    found = f"{forwarded} {len(body)} {threading.current_thread().name}".encode()
    lines = [("Content-Type", "text/plain"), ("Content-Length", str(len(found))), ("Server", "old/1.0")]
    start_response("200 OK", lines)
    return [found]


def make() -> Any:
    """A factory."""
    return plain
