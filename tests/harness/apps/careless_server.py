"""A server in a few lines of sockets: it reflects decoded input into a header, and may speak TLS.

Usage: careless_server.py PORT [CERTIFICATE KEY]
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from urllib.parse import unquote


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reply to one request, with its target as a header, then close."""
    head = await reader.readuntil(b"\r\n\r\n")
    target = unquote(head.split(b" ")[1].decode("latin-1"))
    lines = (
        "HTTP/1.1 200 OK",
        f"X-Asked-For: {target}",
        "Content-Type: text/html; charset=utf-8",
        "Content-Length: 2",
    )
    writer.write(("\r\n".join(lines) + "\r\n\r\nhi").encode("latin-1", "replace"))
    await writer.drain()
    writer.close()


def note_name(_connection: object, name: str | None, _context: ssl.SSLContext) -> None:
    """Log the name that a client asks for."""
    sys.stdout.write(f"asked for {name}\n")
    sys.stdout.flush()


async def main(port: int, *identity: str) -> None:
    """Serve until the process is ended."""
    context = None
    if identity:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*identity)
        context.sni_callback = note_name
    server = await asyncio.start_server(answer, "127.0.0.1", port, ssl=context, limit=1_000_000)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
