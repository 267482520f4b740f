"""What honest clients send and a careless bound would refuse; all of it is answered as if there were none."""

from __future__ import annotations

import gzip
from typing import Final

from tests.hostile.case import FORM, Case, cases, request
from tests.hostile.multipart import BOUNDARY, FIELD, FILE, body, part

PATHS: Final = rb"""
/items/a%2Fb /items/a%5Cb /items/a%20b /items/caf%C3%A9 /items/100%25 /items/%252e%252e /items/a+b
/items/a;b=1
/items//a /items/a/ /items/.well-known/x /items/a..b /items/... /items/%F0%9F%98%80 /items/a:b@c /items/~a
/items/1?q= /items/1?q /items/1? /items/1?q=&limit=5 /items/1?q=a%26b%3Dc /items/1?q=100% /items/1?q=%E2%82%AC
/items/1?q=a+b /items/1?q=a%20b&q=c /items/1?q[]=1 /items/1?q=a%0D%0Ab /items/1?utm_source=x&utm_medium=y
""".split()


def chunked(target: bytes, sent: bytes, content_type: bytes, size: int = 65_536) -> bytes:
    """A request with a body of a length that is not told."""
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    lines = [
        b"POST " + target + b" HTTP/1.1",
        b"Host: shop.example",
        b"Content-Type: " + content_type,
        b"Transfer-Encoding: chunked",
    ]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join([*lines, b"", chunks + b"0\r\n\r\n"])


def innocent() -> list[Case]:
    """Every one is a 200, under every server."""
    multipart = b"multipart/form-data; boundary=" + BOUNDARY
    large, many = body(part(FILE, body=b"a" * 4_500_000)), body(part(FILE), *[part(FIELD, body=b"")] * 900)
    text = b'{"name": "caf\xc3\xa9", "extra": {"a": ["[", "\\"{"]}}'
    quoted = b'multipart/form-data; charset=utf-8; boundary="' + BOUNDARY + b'"'
    bodies = {
        "large upload without a length": chunked(b"/upload", large, multipart),
        "upload in small pieces": chunked(b"/upload", body(part(FILE, body=b"a" * 3000)), multipart, 7),
        "many fields": request(b"/upload", many, content_type=multipart),
        "boundary in quotes": request(b"/upload", body(part(FILE)), content_type=quoted),
        "JSON in pieces": chunked(b"/orders", text, b"Application/JSON; Charset=UTF-8", 5),
        "JSON with a mark": request(b"/raw", b"\xef\xbb\xbf" + text),
        "JSON under another name": request(b"/raw", text, content_type=b"application/vnd.shop+json"),
        "JSON without a name": request(b"/raw", text, content_type=None),
        "nothing": request(b"/raw", b""),
        "compressed JSON": request(b"/raw", gzip.compress(text), b"Content-Encoding: gzip"),
        "form": request(b"/form", b"name=caf%C3%A9+%26&note=", content_type=FORM),
        "bytes": chunked(b"/stream", b"\0\xff[[[[" * 100_000, b"application/octet-stream"),
    }
    gets = {path.decode(): request(path, method=b"GET") for path in PATHS}
    return [*cases("innocent", gets, 200), *cases("innocent", bodies, 200)]
