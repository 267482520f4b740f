"""Requests that two readers could take in two ways, and requests that only look like it."""

from __future__ import annotations

from typing import Final

HOST: Final = b"Host: shop.example"


def head(start: bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """A request with exactly these lines."""
    return b"\r\n".join([start, *lines, b"", body])


def get(*lines: bytes) -> bytes:
    """A GET with a host and these lines."""
    return head(b"GET /shape HTTP/1.1", HOST, *lines)


def post(*lines: bytes, body: bytes = b"abc") -> bytes:
    """A POST with a host and these lines."""
    return head(b"POST /shape HTTP/1.1", HOST, *lines, body=body)


def chunks(body: bytes) -> bytes:
    """A body in chunks, with all that is around them."""
    return post(b"Transfer-Encoding: chunked", body=body)


LENGTH: Final = b"Content-Length: 3"
CHUNKED: Final = b"Transfer-Encoding: chunked"
END: Final = b"0\r\n\r\n"
UPGRADE: Final = (
    b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip

# What is refused, with the reasons that either parser may give.
REFUSED: Final = {
    "bare line feeds": (b"GET /shape HTTP/1.1\nHost: shop.example\n\n", {"line_end"}),
    "one bare line feed": (head(b"GET /shape HTTP/1.1", HOST + b"\nX-Bare: 1"), {"line_end"}),
    "a head that ends with one": (head(b"GET /shape HTTP/1.1", HOST)[:-2] + b"\n", {"line_end", "field"}),
    "a bare carriage return": (get(b"X-Bare: a\rb"), {"line_end"}),
    "a blank before the colon": (get(b"X-Blank : a"), {"field"}),
    "a tab before the colon": (get(b"X-Tab\t: a"), {"field"}),
    "a folded line": (get(b"X-Fold: a", b" b"), {"folded_line"}),
    "a line folded from its start": (get(b"X-Fold:", b"\tb"), {"folded_line", "field"}),
    "a fold behind the request line": (head(b"GET /shape HTTP/1.1", b" X: y", HOST), {"folded_line"}),
    "a name without a value": (get(b"nothing"), {"field"}),
    "no name": (get(b": a"), {"field"}),
    "a control character": (get(b"X-Control: a\x01b"), {"field"}),
    "a zero byte": (get(b"X-Zero: a\0b"), {"field"}),
    "no host": (head(b"GET /shape HTTP/1.1", b"X: 1"), {"host_missing"}),
    "two hosts": (get(HOST), {"host_repeated"}),
    "two different hosts": (get(b"Host: other.example"), {"host_repeated"}),
    "two hosts in HTTP/1.0": (head(b"GET /shape HTTP/1.0", HOST, HOST), {"host_repeated"}),
    "two hosts in a line": (head(b"GET /shape HTTP/1.1", b"Host: a.example, b.example"), {"host"}),
    "a host with a path": (head(b"GET /shape HTTP/1.1", b"Host: a.example/b"), {"host"}),
    "a host with a user": (head(b"GET /shape HTTP/1.1", b"Host: a@b.example"), {"host"}),
    "the same length twice": (post(LENGTH, LENGTH), {"length_repeated"}),
    "two lengths": (post(LENGTH, b"Content-Length: 4"), {"length_repeated"}),
    "two lengths in a line": (post(b"Content-Length: 3, 3"), {"length_repeated", "length"}),
    "a signed length": (post(b"Content-Length: +3"), {"length"}),
    "no length": (post(b"Content-Length:"), {"length"}),
    "a length beyond all numbers": (post(b"Content-Length: " + b"9" * 30), {"length"}),
    "length, then chunked": (post(LENGTH, CHUNKED, body=END), {"length_and_coding"}),
    "chunked, then length": (post(CHUNKED, LENGTH, body=END), {"length_and_coding"}),
    "twice chunked": (post(CHUNKED, CHUNKED, body=END), {"transfer_coding"}),
    "another coding first": (post(b"Transfer-Encoding: gzip, chunked", body=END), {"transfer_coding"}),
    "a comma first": (post(b"Transfer-Encoding: ,chunked", body=END), {"transfer_coding"}),
    "a coding that is none": (post(b"Transfer-Encoding: xchunked", body=END), {"transfer_coding"}),
    "identity": (post(b"Transfer-Encoding: identity"), {"transfer_coding"}),
    "a vertical tab": (post(b"Transfer-Encoding: \x0bchunked", body=END), {"field"}),
    "chunked in HTTP/1.0": (
        head(b"POST /shape HTTP/1.0", HOST, CHUNKED, body=END), {"transfer_coding_in_1_0"}
    ),
    "another version": (head(b"GET /shape HTTP/2.0", HOST), {"version"}),
    "HTTP/2 without asking": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {"version"}),
    "a request to a proxy": (head(b"CONNECT shop.example:80 HTTP/1.1", HOST), {"method"}),
    "a target that is none": (head(b"GET shape HTTP/1.1", HOST), {"target"}),
    "a handshake with TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", {"malformed", "field"}),
    "a negative chunk": (chunks(b"-1\r\nabc\r\n" + END), {"chunk"}),
    "a chunk with a prefix": (chunks(b"0x3\r\nabc\r\n" + END), {"chunk"}),
    "an underscore in a size": (chunks(b"1_0\r\nabc\r\n" + END), {"chunk"}),
    "a size beyond all numbers": (chunks(b"1" + b"0" * 15 + b"3\r\nabc\r\n" + END), {"chunk"}),
    "a blank behind a size": (chunks(b"3 \r\nabc\r\n" + END), {"chunk"}),
    "a chunk without a size": (chunks(b"\r\nabc\r\n" + END), {"chunk"}),
    "a chunk that is longer": (chunks(b"3\r\nabcXY0\r\n\r\n"), {"chunk"}),
    "a bare line feed behind a size": (chunks(b"3\nabc\r\n" + END), {"chunk"}),
    "a bare line feed behind a chunk": (chunks(b"3\r\nabc\n" + END), {"chunk"}),
    "a bare line feed at the end": (chunks(b"3\r\nabc\r\n0\r\n\n"), {"line_end", "field"}),
    "a bare carriage return in an extension": (chunks(b"3;a\rb\r\nabc\r\n" + END), {"chunk"}),
    "a bare line feed in an extension": (chunks(b"3;a\nb\r\nabc\r\n" + END), {"chunk"}),
    "a bare line feed in a trailer": (chunks(b"0\r\nX-T: y\n\r\n"), {"line_end"}),
    "a folded trailer": (chunks(b"0\r\nX-T: y\r\n z\r\n\r\n"), {"line_end", "folded_line"}),
    "long extensions": (chunks((b"1;" + b"e" * 2000 + b"\r\na\r\n") * 200 + END), {"chunk_overhead"}),
    "many trailers": (
        chunks(b"0\r\n" + b"X-T: y\r\n" * 30_000 + b"\r\n"), {"chunk_overhead", "head_size"}
    ),
    "a handshake with a body": (
        head(b"GET /shape HTTP/1.1", HOST, *UPGRADE, LENGTH, body=b"GET"), {"upgrade_body"}
    ),
    "a long line": (get(b"X-Long: " + b"a" * 33_000), {"head_size"}),
    "a long target": (head(b"GET /" + b"a" * 33_000 + b" HTTP/1.1", HOST), {"head_size"}),
    "many lines": (get(*[b"X: a"] * 300), {"head_lines"}),
}  # fmt: skip

# What is served, with the body that the app gets.
SERVED: Final = {
    "one length": (post(LENGTH), "abc"),
    "blanks before a length": (post(b"Content-Length: \t 3"), "abc"),
    "blanks behind a length": (post(LENGTH + b" \t"), "abc"),
    "blanks behind a host": (head(b"GET /shape HTTP/1.1", HOST + b" "), ""),
    "a blank behind a coding": (post(CHUNKED + b" ", body=b"3\r\nabc\r\n" + END), "abc"),
    "chunks": (chunks(b"3\r\nabc\r\n" + END), "abc"),
    "chunks of one byte": (chunks(b"1\r\na\r\n" * 50_000 + END), "a" * 50_000),
    "an extension": (chunks(b'3;name="value"\r\nabc\r\n' + END), "abc"),
    "a trailer": (chunks(b"3\r\nabc\r\n0\r\nX-Trailer: y\r\n\r\n"), "abc"),
    "chunks for a GET": (head(b"GET /shape HTTP/1.1", HOST, CHUNKED, body=END), ""),
    "line ends before the request": (b"\r\n\r\n" + post(LENGTH), "abc"),
    "HTTP/1.0 without a host": (head(b"POST /shape HTTP/1.0", LENGTH, body=b"abc"), "abc"),
    "a coding in capitals": (post(b"Transfer-Encoding: CHUNKED", body=b"3\r\nabc\r\n" + END), "abc"),
    "two cookies": (post(LENGTH, b"Cookie: a=b", b"Cookie: c=d"), "abc"),
    "an underscore in a host": (head(b"GET /shape HTTP/1.1", b"Host: my_shop:8000"), ""),
    "an address for a host": (head(b"GET /shape HTTP/1.1", b"Host: [::1]:8000"), ""),
    "a long line": (post(LENGTH, b"X-Long: " + b"a" * 20_000), "abc"),
    "a long body": (post(b"Content-Length: 300000", body=b"a" * 300_000), "a" * 300_000),
}  # fmt: skip
