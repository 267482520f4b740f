"""Multipart bodies that parsers read in different ways, or never stop reading."""

from __future__ import annotations

from typing import Final

from tests.hostile.case import MARK, Case, cases, request

BOUNDARY: Final = b"----outer"
FILE: Final = b'Content-Disposition: form-data; name="file"; filename="a.txt"'
FIELD: Final = b'Content-Disposition: form-data; name="name"'


def part(*lines: bytes, body: bytes = MARK) -> bytes:
    """One part with its boundary in front."""
    return b"\r\n".join([b"--" + BOUNDARY, *lines, b"", body, b""])


def body(*parts: bytes, end: bytes = b"--" + BOUNDARY + b"--\r\n") -> bytes:
    """Parts and the end of them."""
    return b"".join([*parts, end])


def upload(
    sent: bytes,
    content_type: bytes = b"multipart/form-data; boundary=" + BOUNDARY,
    target: bytes = b"/upload",
) -> bytes:
    """The request with such a body."""
    return request(target, sent, content_type=content_type)


def multiparts() -> list[Case]:
    """Bodies, then their boundaries, then their sizes."""
    sound = part(FILE)
    bodies = {
        "nothing": b"",
        "end only": body(),
        "no end": body(sound, end=b""),
        "end without dashes": body(sound, end=b"--" + BOUNDARY),
        "twice the end": body(sound, end=b"--" + BOUNDARY + b"--\r\n" + b"--" + BOUNDARY + b"--\r\n"),
        "text in front": b"preamble\r\n" + body(sound),
        "text behind": body(sound) + MARK,
        "a part behind the end": body(sound) + sound,
        "line feeds": body(sound).replace(b"\r\n", b"\n"),
        "carriage returns": body(sound).replace(b"\r\n", b"\r"),
        "mixed ends of lines": body(sound).replace(b"\r\n", b"\n", 1),
        "no blank line": body(b"--" + BOUNDARY + b"\r\n" + FILE + b"\r\n" + MARK + b"\r\n"),
        "no headers": body(part()),
        "no disposition": body(part(b"Content-Type: text/plain")),
        "two dispositions": body(part(FIELD, FILE)),
        "attachment": body(part(FILE.replace(b"form-data", b"attachment"))),
        "no name": body(part(b"Content-Disposition: form-data")),
        "empty name": body(part(b'Content-Disposition: form-data; name=""; filename="a"')),
        "two names": body(part(FILE + b'; name="' + MARK + b'"')),
        "two file names": body(part(FILE + b'; filename="' + MARK + b'"')),
        "empty file name": body(part(b'Content-Disposition: form-data; name="file"; filename=""')),
        "extended file name": body(part(FILE + b"; filename*=UTF-8''%00%0d%0a" + MARK)),
        "broken extended name": body(part(FILE + b"; filename*=x'y'%zz")),
        "unknown charset": body(part(FILE + b"; filename*=none''a")),
        "path as a name": body(part(FILE.replace(b"a.txt", b"../../../../etc/" + MARK))),
        "NUL in a name": body(part(FILE.replace(b"a.txt", b"a\0" + MARK))),
        "quote in a name": body(part(FILE.replace(b"a.txt", b'a"' + MARK))),
        "backslash in a name": body(part(FILE.replace(b"a.txt", b'a\\"' + MARK))),
        "open quote": body(part(b'Content-Disposition: form-data; name="file; filename=a')),
        "bytes in a name": body(part(FILE.replace(b"a.txt", b"\xff\xfe\x80"))),
        "folded header": body(part(FILE.replace(b"; filename", b";\r\n filename"))),
        "header without a colon": body(part(FILE, MARK)),
        "header without a name": body(part(FILE, b": " + MARK)),
        "blank in a header name": body(part(FILE, b"X A: 1")),
        "control in a header": body(part(FILE, b"X-A: \x01\x02")),
        "length of a part": body(part(FILE, b"Content-Length: 5")),
        "wrong length of a part": body(part(FILE, b"Content-Length: -1")),
        "transfer encoding": body(part(FILE, b"Content-Transfer-Encoding: base64", body=b"!!!!")),
        "quoted-printable": body(part(FILE, b"Content-Transfer-Encoding: quoted-printable", body=b"=ZZ")),
        "charset of a field": body(part(FIELD, b"Content-Type: text/plain; charset=none"), sound),
        "_charset_": body(part(b'Content-Disposition: form-data; name="_charset_"', body=b"none"), sound),
        "file as a field": body(part(FIELD.replace(b'"name"', b'"file"'))),
        "field as a file": body(part(FILE.replace(b'"file"', b'"name"')), sound),
        "nested": body(part(FILE, b"Content-Type: multipart/mixed; boundary=in", body=b"--in\r\n\r\n--in--")),
        "boundary inside": body(part(FILE, body=b"--" + BOUNDARY + b"x")),
        "boundary in a line": body(part(FILE, body=b"a--" + BOUNDARY + b"--b")),
        "archive by name": body(part(FILE.replace(b"a.txt", b"a.zip"), b"Content-Type: application/zip")),
    }  # fmt: skip
    boundaries = {
        repr(value): upload(body(sound), b"multipart/form-data" + value)
        for value in (
            b"", b";", b"; boundary", b"; boundary=", b'; boundary=""', b"; boundary=" + b"a" * 5000,
            b"; boundary=a; boundary=b",
            b"; BOUNDARY=" + BOUNDARY, b'; boundary="' + BOUNDARY + b'"',
            b"; boundary=" + BOUNDARY + b"; boundary=" + BOUNDARY,
            b"; boundary*=utf-8''" + BOUNDARY, b"; boundary*0=----; boundary*1=outer",
            b'; boundary="a\\"b"', b"; boundary=\xff",
            b"; boundary=a b", b"; boundary=\x00", b'; boundary="' + BOUNDARY,
            b"; charset=none; boundary=" + BOUNDARY,
            b"; boundary = " + BOUNDARY, b",boundary=" + BOUNDARY, b"; x=boundary; boundary=" + BOUNDARY,
        )
    }  # fmt: skip
    types = {
        repr(value): upload(body(sound), value + b"; boundary=" + BOUNDARY)
        for value in (
            b"multipart/mixed", b"multipart/related", b"Multipart/Form-Data", b"multipart", b"multipart/",
            b"multipart/*",
        )
    }  # fmt: skip
    sizes = {
        "parts": upload(body(*[part(FIELD, body=b"")] * 2001)),
        "headers": upload(body(part(FILE, *[b"X-A: 1"] * 2000))),
        "header": upload(body(part(FILE, b"X-A: " + b"a" * 10_000))),
        "header without an end": upload(body(b"--" + BOUNDARY + b"\r\n" + b"a" * 100_000)),
        "field": upload(body(part(FIELD, body=b"a" * 200_000), sound)),
        "field that claims to be a file": upload(body(part(FIELD, b"X-A: filename=a", body=b"a" * 200_000))),
        "file": upload(body(part(FILE, body=b"a" * 6_000_000))),
        "file after many": upload(
            body(*[part(FILE)] * 100, part(FILE, body=b"a" * 6_000_000)), target=b"/raw"
        ),
    }
    return [
        *cases("multipart", {name: upload(sent) for name, sent in bodies.items()}),
        *cases(
            "multipart form",
            {name: upload(sent, target=b"/form") for name, sent in bodies.items()},
        ),
        *cases("boundary", boundaries),
        *cases("multipart type", types),
        # Starlette has a bound on fields of its own, and another status for it.
        *cases("multipart size", sizes, 400, 413),
    ]
