"""What keeps the raw bounds and breaks the document: parameters in every style, bodies, and parts."""

from __future__ import annotations

from typing import Final

from tests.hostile.case import FORM, MARK, Case, cases, request
from tests.hostile.credentials import API_KEY
from tests.hostile.multipart import body, part, upload

SOUND: Final = b"/search/;matrix=1;matrix=2/.a.b"
KEY: Final = b"X-API-Key: " + API_KEY.encode()

PATHS: Final = rb"""
;matrix=x/.a ;matrix=1,2/.a ;matrix/.a ;other=1/.a matrix=1/.a ;matrix=1;other=2/.a ;;;;/.a ;matrix=/.a ;/.a
;matrix=1;matrix=kAnArI77/.a ;matrix=1e400/.a ;matrix=NaN/.a ;matrix=1/a ;matrix=1/.aaaaaaaaaaaaaaa
;matrix=1/.1.2.3.4.5.6.7.8.9.10 ;matrix=0x1/.a ;matrix=+1/.a ;matrix=%201/.a ;matrix=1%3Bmatrix=2/.a
;matrix=99999999999999999999999999999x/.a ;matrix=%D9%A1/.a ;matrix=1_0/.a
""".split()
QUERIES: Final = rb"""
filter=1 filter[a]=x filter[a]=kAnArI77 filter[a][b]=1 filter[]=1 filter[a]=1&filter[a]=2 filter[a=1
filter]a[=1 filter[__proto__]=x filter[a]=1e999 filter[a]= filter[a] ids=1,2 ids=1&ids=2 ids=x ids=1||2
ids=1|kAnArI77 ids=2147483648 ids=-2147483649 ids=1%7Cx ids=| words=A words=a&words=B words=1 words=
words=a&words=b&words=c&words=d&words=e&words=f words[]=a json=kAnArI77 json={} json=[] json={"a": json=NaN
json={"a":1,"a":2,} json={"b":1} json={"a":1}&json={"a":1} json=[[[[[[[[ json=%FF json={"a":"%ED%A0%80"}
unknown=1 Words=a words%00=a %77ords=A WORDS=a json=%7B ids=1.5 ids=1e0 ids=true ids=null filter[a]=true
matrix=1 page=1 X-Ids=1
""".split()
LINES: Final = [
    b"X-Ids: x", b"X-Ids: 1,kAnArI77", b"X-Ids: 1;2", b"X-Ids: \xff", b"X-Ids: 1.5", b"Cookie: page=x",
    b"Cookie: page=0", b"Cookie: page=1; page=2", b"Cookie: page=", b"Cookie: page=kAnArI77",
    b"Cookie: page=\xff", b"Cookie: page=1e9",
]  # fmt: skip
TEXTS: Final = [
    b"{}", b"[]", b"null", b"1", b'"' + MARK + b'"', b'{"name": 1}', b'{"name": null}', b'{"name": ["x"]}',
    b'{"name": "x", "quantity": "1"}', b'{"name": "x", "quantity": 1.5}', b'{"name": "x", "quantity": 1001}',
    b'{"name": "x", "quantity": 1' + b"0" * 120 + b"}", b'{"name": "x", "price": "' + MARK + b'"}',
    b'{"name": "x", "tags": [1]}', b'{"name": "x", "tags": {"0": "' + MARK + b'"}}', b'{"Name": "x"}',
    b'{"name": "' + b"x" * 100_001 + b'"}', b'{"' + MARK + b'": 1}',
    b'{"name": "x", "tags": [' + b"1," * 5000 + b"1]}",
]  # fmt: skip
WIDE: Final = [
    b'{"name": "x", "extra": ' + b'{"a":' * 60 + b"1" + b"}" * 61,
    b'{"name": "x", "extra": ' + b"[" * 60 + b"]" * 60 + b"}",
    b'{"name": "x", "extra": [' + b'{"a": [1, 2, {"b": null}]},' * 20_000 + b"1]}",
    b'{"name": "x", "extra": {' + b",".join(b'"%d": 1' % number for number in range(50_000)) + b"}}",
]  # fmt: skip


def picture(*lines: bytes, data: bytes = b"\x89PNG", title: bytes = b"a cat") -> bytes:
    """An upload of a picture with its title, with these parts of it changed."""
    heads = lines or (PICTURE, b"Content-Type: image/png")
    return body(part(TITLE, body=title), part(*heads, body=data))


TITLE: Final = b'Content-Disposition: form-data; name="title"'
DETAILS: Final = b'Content-Disposition: form-data; name="details"'
PICTURE: Final = b'Content-Disposition: form-data; name="picture"; filename="a.png"'
OTHER: Final = b'Content-Disposition: form-data; name="' + MARK + b'"'


def pictures() -> dict[str, bytes]:
    """Parts that the document does not have, or not so."""
    good = part(PICTURE, b"Content-Type: image/png")
    json = b"Content-Type: application/json"
    return {
        "no title": body(good),
        "no picture": body(part(TITLE, body=b"x")),
        "unknown part": body(part(TITLE, body=b"x"), good, part(OTHER)),
        "unknown file": body(part(TITLE, body=b"x"), good, part(OTHER + b'; filename="a"')),
        "long title": picture(title=b"x" * 21),
        "endless title": picture(title=MARK * 20_000),
        "two titles": body(part(TITLE, body=b"x"), part(TITLE, body=b"y"), good),
        "other type": picture(PICTURE, b"Content-Type: text/html"),
        "no type": picture(PICTURE),
        "two types": picture(PICTURE, b"Content-Type: image/png", b"Content-Type: text/html"),
        "broken details": body(part(TITLE, body=b"x"), good, part(DETAILS, json)),
        "deep details": body(part(TITLE, body=b"x"), good, part(DETAILS, json, body=b"[" * 5000)),
        "wrong details": body(part(TITLE, body=b"x"), good, part(DETAILS, json, body=b'{"width": "x"}')),
        "title in Latin-1": picture(title=b"caf\xe9"),
        "picture without an end": picture()[:-20],
        "nothing": b"",
    }  # fmt: skip


def contracts() -> list[Case]:
    """Each is refused by the document, or by the app behind it, with no value in the reply."""
    get = {
        **{f"path {path!r}": request(b"/search/" + path, method=b"GET") for path in PATHS},
        **{f"query {query!r}": request(SOUND + b"?" + query, method=b"GET") for query in QUERIES},
        **{f"line {line!r}": request(SOUND, None, line, method=b"GET") for line in LINES},
    }
    post = {
        f"{target!r} {number}": request(target, text, KEY)
        for target in (b"/orders", b"/vault")
        for number, text in enumerate(TEXTS)
    }
    wide = {str(number): request(b"/orders", text) for number, text in enumerate(WIDE)}
    types = {
        repr(kind): request(b"/orders", b'{"name": "' + MARK + b'"}', content_type=kind)
        for kind in (
            None, FORM, b"text/plain", b"application/xml", b"application/*", b"*/*", b"application/jsonp",
            b"application", b"application/json/x", b"application/json, text/plain", b"\xff/json", MARK,
            b"multipart/form-data; boundary=x",
        )
    }  # fmt: skip
    sound = {
        "search": request(
            SOUND + b"?filter[a]=1&ids=1|2&words=a&words=b&json=%7B%22a%22:1%7D", method=b"GET"
        ),
        "picture": upload(picture(title=b"x"), target=b"/pictures"),
        "picture with an epilogue": upload(picture() + MARK, target=b"/pictures"),
        "order": request(b"/orders", b'{"name": "x", "extra": {"a": [1]}}'),
    }
    return [
        *cases("sound contract", sound, 200),
        *cases("parameter", get),
        *cases("schema", post, 422),
        *cases("wide", wide),
        *cases("type", types, 400, 415),
        *cases(
            "part",
            {name: upload(sent, target=b"/pictures") for name, sent in pictures().items()},
            400,
            413,
            415,
            422,
        ),
    ]
