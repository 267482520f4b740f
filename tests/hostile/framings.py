"""Lengths that contradict one another, and header lines that are none."""

from __future__ import annotations

from typing import Final

from tests.hostile.case import CANARY, FORM, JSON, MARK, Case, cases, request

SOUND: Final = b'{"name": "' + MARK + b'"}'
CHUNKED: Final = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SOUND), SOUND)
SECOND: Final = b"GET /items/smuggled HTTP/1.1\r\nHost: shop.example\r\n\r\n"


def post(*lines: bytes, body: bytes = b"", target: bytes = b"/raw") -> bytes:
    """A request with exactly these header lines."""
    return b"\r\n".join([b"POST " + target + b" HTTP/1.1", b"Host: shop.example", *lines, b"", body])


def lengths() -> list[Case]:
    """About whose end two readers could disagree."""
    kind = b"Content-Type: application/json"
    size = b"Content-Length: %d" % len(SOUND)
    chunked = b"Transfer-Encoding: chunked"
    both = {
        "length, then chunked": post(kind, size, chunked, body=CHUNKED),
        "chunked, then length": post(kind, chunked, size, body=CHUNKED),
        "length of a smuggler": post(kind, b"Content-Length: 5", chunked, body=b"0\r\n\r\n" + SECOND),
        "two lengths": post(kind, size, b"Content-Length: 5", body=SOUND),
        "two lengths in a line": post(kind, b"Content-Length: 5, %d" % len(SOUND), body=SOUND),
        "negative": post(kind, b"Content-Length: -5", body=SOUND),
        "signed": post(kind, b"Content-Length: +5", body=SOUND[:5]),
        "hexadecimal": post(kind, b"Content-Length: 0x10", body=SOUND),
        "blank inside": post(kind, b"Content-Length: 1 5", body=SOUND),
        "exponent": post(kind, b"Content-Length: 1e1", body=SOUND),
        "digits": post(kind, b"Content-Length: " + b"9" * 5000, body=SOUND),
        "superscript": post(kind, b"Content-Length: \xb2", body=SOUND),
        "no number": post(kind, b"Content-Length: " + MARK, body=SOUND),
        "nothing": post(kind, b"Content-Length:", body=SOUND),
    }
    codings = {
        repr(value): post(kind, b"Transfer-Encoding: " + value, body=CHUNKED)
        for value in (
            b"identity", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"xchunked",
            b"Chunked",
            b"chunked;q=1", b'"chunked"', b"\x0bchunked", b"chunked\x0b", b"chun ked", b",chunked",
            b"chunked,", b"",
            b"chunked\x00", MARK,
        )
    }  # fmt: skip
    spelled = {
        "blank before the colon": post(kind, b"Content-Length : 5", chunked, body=CHUNKED),
        "underscore": post(kind, b"Content_Length: 5", chunked, body=CHUNKED),
        "folded": post(kind, b"Transfer-Encoding:\r\n chunked", body=CHUNKED),
        "twice chunked": post(kind, chunked, chunked, body=CHUNKED),
        "chunked in 1.0": post(kind, chunked, body=CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        "chunked and none": post(kind, chunked, b"Transfer-Encoding: identity", body=CHUNKED),
    }
    chunks = {
        name: post(kind, chunked, body=body)
        for name, body in {
            "size is no number": b"zz\r\nabc\r\n0\r\n\r\n",
            "size is negative": b"-1\r\nabc\r\n0\r\n\r\n",
            "size is signed": b"+3\r\n[1]\r\n0\r\n\r\n",
            "size is prefixed": b"0x3\r\n[1]\r\n0\r\n\r\n",
            "size is too small": b"1\r\n[1]\r\n0\r\n\r\n",
            "extension": b"3;" + MARK + b"=1\r\n[1]\r\n0\r\n\r\n",
            "long extension": b"3;" + b"x" * 100_000 + b"\r\n[1]\r\n0\r\n\r\n",
            "trailers": b"3\r\n[1]\r\n0\r\nContent-Length: 5\r\nX-" + MARK + b": 1\r\n\r\n",
            "many trailers": b"3\r\n[1]\r\n0\r\n" + b"X-T: 1\r\n" * 5000 + b"\r\n",
            "byte by byte": b"".join(b"1\r\n%c\r\n" % byte for byte in SOUND) + b"0\r\n\r\n",
            "zeros": b"0000000003\r\n[1]\r\n0\r\n\r\n",
        }.items()
    }
    endless = {
        "body that does not come": post(kind, b"Content-Length: 100", body=SOUND),
        "chunk that does not come": post(kind, chunked, body=b"ff\r\n" + SOUND),
        "chunk of a huge size": post(kind, chunked, body=b"f" * 20 + b"\r\n[1]\r\n0\r\n\r\n"),
        "chunks with bare line feeds": post(kind, chunked, body=b"3\n[1]\n0\n\n"),
        "chunks without an end": post(kind, chunked, body=b"3\r\n[1]\r\n"),
    }
    return [
        # A server may go by the chunks and forget the length (RFC 9112 section 6.3).
        *cases("framing", both, 200, 400),
        # A server that does not know a transfer coding says so (RFC 9112 section 6.1).
        *cases("transfer-encoding", codings, 200, 400, 501),
        *cases("spelling", spelled, 200, 400, 501),
        *cases("chunk", chunks),
        *cases("endless", endless, whole=False),
    ]


def sizes() -> list[Case]:
    """More than is taken, in each way in which it can be said."""
    kind = b"Content-Type: application/json"
    declared = {
        "30 MB of JSON": post(kind, b"Content-Length: 30000000", body=b"[" + b" " * 100_000),
        "30 MB of JSON, expecting": post(kind, b"Content-Length: 30000000", b"Expect: 100-continue"),
        "30 MB of form": post(b"Content-Type: " + FORM, b"Content-Length: 30000000", target=b"/form"),
        "a terabyte": post(kind, b"Content-Length: 1000000000000", body=b"["),
        "2 MB for a path with 1": request(b"/orders", b"[" + b" " * 2_000_000 + b"]"),
        "2 MB for the path in capitals": request(b"/ORDERS", b"[" + b" " * 2_000_000 + b"]"),
        "30 MB for a stream": post(
            b"Content-Type: application/octet-stream", b"Content-Length: 30000000", target=b"/stream"
        ),
    }
    pieces = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    counted = {
        "JSON": post(kind, b"Transfer-Encoding: chunked", body=pieces * 170 + b"0\r\n\r\n"),
        "a form": post(
            b"Content-Type: " + FORM,
            b"Transfer-Encoding: chunked",
            body=pieces * 170 + b"0\r\n\r\n",
            target=b"/form",
        ),
        "a stream": post(b"Transfer-Encoding: chunked", body=pieces * 320 + b"0\r\n\r\n", target=b"/stream"),
    }
    return [*cases("declared", declared, 413), *cases("counted", counted, 400, 413)]


def heads() -> list[Case]:
    """Header lines that are none, are there twice, or have no end."""
    get = b"GET /items/1 HTTP/1.1\r\nHost: shop.example\r\n"
    lines = {
        f"{name!r} {value!r}": get + name + b": " + value + b"\r\n\r\n"
        for name in (
            b"Cookie", b"Accept", b"Authorization", b"X-Forwarded-For", b"Forwarded", b"Origin",
            b"Content-Type", b"Range",
            b"Referer", b"User-Agent", b"Accept-Encoding", b"If-None-Match", b"Traceparent",
            b"X-Request-ID", b"Via",
        )
        for value in (
            b"\x01" + MARK, b"\x00" + MARK, b"\xff\xfe" + MARK, b"\x7f", b"a\rb", b"a\nb", b"\t" + MARK,
            b"," * 1000,
            b"=" * 1000, b'"' + MARK, b"%00%0d%0aX: 1", b"\xe2\x80\xae" + MARK,
            b"${jndi:ldap://" + MARK + b"}",
            b"() { :;}; echo " + MARK, b"*/*;q=" + b"9" * 400, b";" * 1000, b"a" * 20_000,
        )
    }  # fmt: skip
    odd = {
        "no host": b"GET /items/1 HTTP/1.1\r\n\r\n",
        "two hosts": get + b"Host: evil.example\r\n\r\n",
        "host with a user": b"GET /items/1 HTTP/1.1\r\nHost: a@b\r\n\r\n",
        "host with a path": b"GET /items/1 HTTP/1.1\r\nHost: a/../b\r\n\r\n",
        "empty host": b"GET /items/1 HTTP/1.1\r\nHost:\r\n\r\n",
        "many lines": get + b"X-A: 1\r\n" * 200 + b"\r\n",
        "very many lines": get + b"X-A: 1\r\n" * 20_000 + b"\r\n",
        "long line": get + b"X-A: " + b"a" * 33_000 + b"\r\n\r\n",
        "very long line": get + b"X-A: " + b"a" * 2_000_000 + b"\r\n\r\n",
        "many cookies": get + b"Cookie: " + b"; ".join(b"a%d=1" % n for n in range(4000)) + b"\r\n\r\n",
        "no name": get + b": " + MARK + b"\r\n\r\n",
        "no colon": get + MARK + b"\r\n\r\n",
        "blank in a name": get + b"X A: 1\r\n\r\n",
        "not ASCII in a name": get + b"X-\xe4: 1\r\n\r\n",
        "NUL in a name": get + b"X-\x00: 1\r\n\r\n",
        "folded": get + b"X-A: 1\r\n " + MARK + b"\r\n\r\n",
        "folded first": b"GET /items/1 HTTP/1.1\r\n X: 1\r\nHost: shop.example\r\n\r\n",
        "bare line feeds": b"GET /items/1 HTTP/1.1\nHost: shop.example\n\n",
        "two types": post(
            b"Content-Type: text/plain", b"Content-Type: " + JSON, b"Content-Length: 2", body=b"[]"
        ),
        "upgrade": get + b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        "connection of all": get + b"Connection: close, host, content-length, " + MARK + b"\r\n\r\n",
        "expectation": post(b"Expect: " + MARK, b"Content-Length: 2", body=b"[]"),
    }
    starts = {
        line.decode("latin-1"): line + b"\r\nHost: shop.example\r\n\r\n"
        for line in (
            b"GET / HTTP/1.2", b"GET / HTTP/9.9", b"GET / HTTP/0.9", b"GET / HTTP/1.1 ",
            b"GET  / HTTP/1.1", b"GET /",
            b" GET / HTTP/1.1", b"GET\t/\tHTTP/1.1", b"GET / http/1.1", b"GET / HTTPS/1.1", b"get / HTTP/1.1",
            b"TRACE /items/1 HTTP/1.1", b"TRACK /items/1 HTTP/1.1", b"CONNECT shop.example:443 HTTP/1.1",
            b"OPTIONS * HTTP/1.1", b"PRI * HTTP/2.0",
            b"PROPFIND /items/1 HTTP/1.1", CANARY.encode() + b" / HTTP/1.1",
            b"G" * 5000 + b" / HTTP/1.1", b"GET http://evil.example/items/1 HTTP/1.1",
            b"GET items/1 HTTP/1.1",
            b"GET ?a=1 HTTP/1.1", b"GET # HTTP/1.1", b"GET \xff HTTP/1.1", b"\x00\x01\x02",
            b"\x16\x03\x01\x02\x00\x01",
            b"GET //evil.example/items HTTP/1.1", b"GET \\items HTTP/1.1", b"G\xc3\x84T / HTTP/1.1",
            b"G\x00T / HTTP/1.1",
        )
    }  # fmt: skip
    return [
        *cases("header", lines),
        *cases("head", odd),
        *cases("start", starts, whole=False),
    ]
