"""Requests that break the grammar of HTTP, each complete, so that a server has nothing to wait for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_CLOSE: Final = b"Connection: close\r\n"
_LARGE: Final = 128 * 1024


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the grammar.

    Attributes:
        name: What it is called in reports.
        write: The bytes to send, for a path and a host.
    """

    name: str
    write: Callable[[bytes, bytes], bytes]


def _get(path: bytes, host: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    head = b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n" + _CLOSE
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def _post(path: bytes, host: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    return _get(path, host, *lines, body=body).replace(b"GET ", b"POST ", 1)


FAULTS: Final = (
    # RFC 9112 section 3: what is no request line.
    Fault("no request line", lambda _path, _host: b"hello\r\n\r\n"),
    Fault("bytes of no text", lambda _path, _host: bytes(range(1, 9)) + b"\xff\xfe\r\n\r\n"),
    Fault("blank in the path", lambda path, host: _get(path + b" a", host)),
    Fault("unknown version", lambda path, host: _get(path, host).replace(b"HTTP/1.1", b"HTTP/9.9")),
    # Section 3.2: exactly one Host.
    Fault("no Host", lambda path, _host: b"GET " + path + b" HTTP/1.1\r\n" + _CLOSE + b"\r\n"),
    Fault("two Hosts", lambda path, host: _get(path, host, b"Host: example.com")),
    # Section 5: header lines.
    Fault("blank before a colon", lambda path, host: _get(path, host, b"X-Garrison : a")),
    Fault("line without a colon", lambda path, host: _get(path, host, b"X-Garrison")),
    Fault("folded line", lambda path, host: _get(path, host, b"X-Garrison: a\r\n b")),
    Fault("NUL in a header", lambda path, host: _get(path, host, b"X-Garrison: a\0b")),
    Fault("lone CR in a header", lambda path, host: _get(path, host, b"X-Garrison: a\rb")),
    Fault("header too large", lambda path, host: _get(path, host, b"X-Garrison: " + b"a" * _LARGE)),
    # Section 6: exactly one length, of digits.
    Fault("length of letters", lambda path, host: _post(path, host, b"Content-Length: ten")),
    Fault("negative length", lambda path, host: _post(path, host, b"Content-Length: -1")),
    Fault(
        "two lengths",
        lambda path, host: _post(path, host, b"Content-Length: 0", b"Content-Length: 5", body=b"a" * 5),
    ),
    Fault(
        "length and chunks",
        lambda path, host: _post(
            path, host, b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
        ),
    ),
    Fault(
        "chunk of no size",
        lambda path, host: _post(path, host, b"Transfer-Encoding: chunked", body=b"zz\r\na\r\n0\r\n\r\n"),
    ),
    Fault(
        "unknown coding",
        lambda path, host: _post(path, host, b"Transfer-Encoding: garrison", body=b"0\r\n\r\n"),
    ),
)
"""What a server meets on the open internet; none of it asks for more than a refusal."""
