"""A server from the standard library that holds nothing that a drill expects, or nearly nothing.

Usage: careless.py PORT [one|many|weak]: one request at a time, a thread for each, or one that a failure ends.
"""

from __future__ import annotations

import os
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from urllib.parse import urlsplit

MANNER = sys.argv[2] if len(sys.argv) > 2 else "many"
STORE = urlsplit(os.environ.get("STORE_URL", ""))


def count() -> None:
    """Count in the store, and wait for it as long as it takes."""
    with socket.create_connection((STORE.hostname or "", STORE.port or 0)) as store:
        store.sendall(b"INCR hits\r\n")
        if not store.recv(64):
            raise ConnectionError("the store hung up")


def look_up() -> None:
    """Fail."""
    raise LookupError("no till")


class Careless(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            if STORE.port:
                count()
            if self.path == "/boom":
                look_up()
        except (LookupError, OSError) as error:
            if MANNER == "weak":
                os._exit(7)
            self.answer(500, f"Traceback (most recent call last):\n{error!r}".encode())
        else:
            self.answer(200, b"x" * 6_000_000 if self.path == "/large" else b"hi")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"taken")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer if MANNER != "one" else HTTPServer):  # type: ignore[misc]
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that leave."""


Server(("127.0.0.1", int(sys.argv[1])), Careless).serve_forever()
