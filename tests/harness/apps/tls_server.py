"""A server over TLS, right at `/`; `/h4` lacks HSTS, `/h6` COOP, `/c1` Secure; `old` knows TLS 1.0.

Usage: tls_server.py PORT CERTIFICATE KEY [old]
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import warnings


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reply to one request, then close."""
    path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode("ascii")
    lines = [
        "HTTP/1.1 200 OK",
        "Content-Type: text/html; charset=utf-8",
        "Content-Length: 2",
        f"Set-Cookie: theme=dark; Path=/{'' if path == '/c1' else '; Secure'}",
        *([] if path == "/h6" else ["Cross-Origin-Opener-Policy: same-origin"]),
        *([] if path == "/h4" else ["Strict-Transport-Security: max-age=31536000"]),
    ]
    writer.write(("\r\n".join(lines) + "\r\n\r\nhi").encode("ascii"))
    await writer.drain()
    writer.close()


async def main(port: int, certificate: str, key: str, *old: str) -> None:
    """Serve until the process is ended."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version = ssl.TLSVersion.TLSv1
    server = await asyncio.start_server(answer, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
