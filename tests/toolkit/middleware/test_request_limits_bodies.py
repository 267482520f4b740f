"""Bodies of the wrong kind, in codings and in parts: refused early, as they arrive, or when whole."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any, Final

import pytest

from garrison import RequestLimits, RequestLimitsMiddleware, SettingsError
from tests.toolkit.driver import Reply, call, converse, echo, http_scope, request_messages

if TYPE_CHECKING:
    from garrison.asgi import Scope

JSON: Final = b"application/json"
FORM: Final = b"application/x-www-form-urlencoded"
RAW: Final = b"application/octet-stream"
MULTIPART: Final = b"multipart/form-data; boundary=x"
CHUNKED: Final = (b"transfer-encoding", b"chunked")
EXPECTED: Final = (b"expect", b"100-continue")


def post(kind: bytes | None, *headers: tuple[bytes, bytes], **more: Any) -> Scope:
    """A request with a body of this media type, if any."""
    lines = [] if kind is None else [(b"content-type", kind)]
    return http_scope(method="POST", headers=[*lines, *headers], **more)


def send(limits: RequestLimits, scope: Scope, *chunks: bytes) -> Reply:
    """The reply of an app behind the layer that echoes its body."""
    return call(RequestLimitsMiddleware(echo, limits), scope, *chunks)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (b"application/json", 200),
        (b"APPLICATION/Json; charset=utf-8", 200),
        (b" application/json ;x", 200),
        (b"image/png", 200),
        (b"Image/SVG+xml", 200),
        (b"application/jsonp", 415),
        (b"application/problem+json", 415),
        (b"imagery/png", 415),
        (b"text/plain", 415),
        (b"", 415),
        (None, 415),
    ],
)
def test_only_listed_media_types_are_taken(kind: bytes | None, status: int) -> None:
    """In any case, with any parameters, by range; what is not listed, or not said, is a 415 with the list."""
    limits = RequestLimits(content_types=("application/json", "Image/*"))
    assert send(RequestLimits(), post(kind, CHUNKED), b"[]").status == 200
    reply = send(limits, post(kind, CHUNKED), b"[]")
    assert reply.status == status
    assert reply.header("accept") == ("application/json, image/*" if status == 415 else None)


def test_a_request_without_a_body_needs_no_media_type() -> None:
    """A GET passes, and over HTTP/2 so does whatever turns out to have no body."""
    limits = RequestLimits(content_types=("application/json",))
    assert send(limits, http_scope()).status == 200
    assert send(limits, post(RAW)).status == 200, "HTTP/1.1 announces a body by its length or its chunks"
    assert send(limits, http_scope(http_version="2")).status == 200
    assert send(limits, post(None, http_version="2")).status == 200
    assert send(limits, post(None, http_version="2"), b"x").status == 415
    assert send(limits, post(RAW, http_version="2"), b"x").status == 415


@pytest.mark.parametrize(
    ("headers", "chunks", "more", "status"),
    [
        ([(b"content-length", b"1")], [b"x"], {}, 200),
        ([], [], {}, 200),
        ([CHUNKED], [b"x"], {}, 411),
        ([], [], {"http_version": "2"}, 200),
        ([], [b"x"], {"http_version": "2"}, 411),
        ([(b"content-type", JSON)], [b"[]"], {"http_version": "2"}, 411),
    ],
)
def test_a_length_can_be_demanded(
    headers: list[tuple[bytes, bytes]], chunks: list[bytes], more: dict[str, Any], status: int
) -> None:
    """A body without a Content-Length is a 411 where the app needs one, in every version of HTTP."""
    scope = http_scope(method="POST", headers=headers, **more)
    assert send(RequestLimits(length_required=True), scope, *chunks).status == status
    assert send(RequestLimits(), scope, *chunks).status == 200


def test_two_media_types_are_none() -> None:
    """One reader would take the first, and the next the last."""
    assert send(RequestLimits(), post(b"text/plain", (b"content-type", JSON), CHUNKED), b"[]").status == 400
    assert send(RequestLimits(), post(JSON, (b"content-type", JSON), CHUNKED), b"[]").status == 200


@pytest.mark.parametrize(
    ("kind", "limits", "status"),
    [
        (JSON, RequestLimits(max_body=1000), 413),
        (FORM, RequestLimits(max_body=1000), 413),
        (RAW, RequestLimits(max_upload=1000), 413),
        (MULTIPART, RequestLimits(max_upload=1000), 413),
        (RAW, RequestLimits(max_body=1000), 200),
    ],
)
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_bomb_is_a_413(kind: bytes, limits: RequestLimits, status: int, coding: str) -> None:
    """A body counts by what it becomes, though the app gets it as it was sent."""
    compress = gzip.compress if coding == "gzip" else zlib.compress
    scope = post(kind, CHUNKED, (b"content-encoding", coding.encode()))
    bomb, sound = compress(b" " * 1001), compress(b" " * 1000)
    assert len(bomb) < 100
    assert send(limits, scope, bomb).status == status
    reply = send(limits, scope, sound[:20], sound[20:])
    assert (reply.status, reply.body) == (200, sound)


def test_json_in_a_coding_is_judged() -> None:
    """Depth, UTF-8 and the strict grammar hold for what it becomes, and strict takes no other coding."""
    strict = RequestLimits(json="strict")
    zipped = (b"content-encoding", b"gzip")
    for body, limits in [(b"[" * 65, RequestLimits()), (b'["\xff"]', RequestLimits()), (b"[NaN]", strict)]:
        assert send(limits, post(JSON, CHUNKED, zipped), gzip.compress(body)).status == 400
    assert send(strict, post(JSON, CHUNKED, zipped), gzip.compress(b"[1]")).status == 200
    brotli = post(JSON, CHUNKED, (b"content-encoding", b"br"))
    for body in (b"\x8b", gzip.compress(b"[" * 65)):
        assert send(RequestLimits(), brotli, body).status == 200
    refused = send(strict, brotli, b"\x8b")
    assert (refused.status, refused.header("accept-encoding")) == (415, "gzip, deflate")


def test_what_streams_in_a_coding_is_judged_where_it_has_a_bound() -> None:
    """Depth and parts are those of what it becomes; without a bound nothing is inflated."""
    limits = RequestLimits(max_upload=1000, max_file=10)
    zipped = (b"content-encoding", b"gzip")
    deep, upload = gzip.compress(b"[" * 65), gzip.compress(part(b"." * 11, "a") + b"--x--")
    assert send(limits, post(FORM, CHUNKED, zipped), deep).status == 400
    assert send(limits, post(MULTIPART, CHUNKED, zipped), upload[:50], upload[50:]).status == 413
    assert send(RequestLimits(max_file=10), post(MULTIPART, CHUNKED, zipped), upload).status == 200


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd", b"shop"])
def test_the_name_of_a_coding_hides_nothing(coding: bytes) -> None:
    """Most apps never look at Content-Encoding, so that what was sent is judged as it is too."""
    labelled = (b"content-encoding", coding)
    strict = RequestLimits(json="strict")
    deep = b" " + b"[" * 65
    wide = deep.decode()
    for body in (deep, wide.encode("utf-16"), wide.encode("utf-16-le"), b"\xef\xbb\xbf" + deep):
        assert send(RequestLimits(), post(JSON, CHUNKED, labelled), body).status == 400
    assert send(RequestLimits(), post(FORM, CHUNKED, labelled), deep).status == 400
    assert send(strict, post(JSON, CHUNKED, labelled), b"NaN").status in {400, 415}
    for bounds in (RequestLimits(max_file=10), RequestLimits(max_file=10, max_upload=1000)):
        upload = part(b"." * 11, "a") + b"--x--"
        assert send(bounds, post(MULTIPART, CHUNKED, labelled), upload[:50], upload[50:]).status == 413
    if coding != b"deflate":
        # Brackets are the beginning of a deflated stream too, of one that makes no sense.
        assert send(RequestLimits(), post(JSON, CHUNKED, labelled), b"[" * 64).status == 200


@pytest.mark.parametrize(
    ("allowed", "coding", "status"),
    [
        ((), b"br", 200),
        ((), b"gzip, gzip, gzip", 415),
        (("gzip", "br"), b"GZIP", 200),
        (("gzip", "br"), b"br", 200),
        (("gzip",), b"br", 415),
        (("gzip",), b"gzip, br", 415),
        (("gzip",), b"identity", 200),
        (("identity",), b"identity", 200),
        (("identity",), b"gzip", 415),
        (("identity",), b"", 200),
    ],
)
def test_only_listed_codings_are_taken(allowed: tuple[str, ...], coding: bytes, status: int) -> None:
    """Another coding is a 415 that tells the list (RFC 7694 section 3)."""
    limits = RequestLimits(content_encodings=allowed)
    reply = send(limits, post(RAW, CHUNKED, (b"content-encoding", coding)), b"x")
    assert reply.status == status
    if status == 415:
        assert reply.header("accept-encoding") == (", ".join(sorted(allowed)) or "gzip, deflate")


@pytest.mark.parametrize(
    ("kind", "status"),
    [(None, 400), (b"text/plain", 400), (FORM, 400), (b"text/json", 400), (RAW, 200), (b"image/png", 200)],
)
def test_what_begins_like_json_is_not_too_deep(kind: bytes | None, status: int) -> None:
    """Handlers parse JSON whatever its header says, and scripts send it so; uploads are left alone."""
    scope = post(kind, CHUNKED)
    for beginning in (b"", b" \r\n\t", b"\xef\xbb\xbf"):
        assert send(RequestLimits(), scope, beginning, b"[" * 40, b'{"a":[' * 13).status == status
        assert send(RequestLimits(), scope, beginning, b"[" * 64).status == 200
    if kind != b"text/json":
        assert send(RequestLimits(), scope, b"a=" + b"[" * 100).status == 200


def test_a_sloppy_client_may_send_its_text_as_it_is() -> None:
    """An upload without a media type has any size and any bytes, and begins as it likes."""
    for body in (b"[" + b"\xff\0" * 9000, b"{\\rtf1 " + b"{}" * 9000, b""):
        reply = send(RequestLimits(max_body=10), post(None, CHUNKED), body)
        assert (reply.status, reply.body) == (200, body)


def part(data: bytes, name: str = "") -> bytes:
    """A field, or a file if it has a name."""
    file = f'; filename="{name}"' if name else ""
    return f'--x\r\nContent-Disposition: form-data; name="a"{file}\r\n\r\n'.encode() + data + b"\r\n"


@pytest.mark.parametrize(
    ("limits", "fine", "refused"),
    [
        ({"max_file": 10}, part(b"." * 10, "a") + part(b"." * 11), part(b"." * 11, "a")),
        ({"max_field": 10}, part(b"." * 10) + part(b"." * 11, "a"), part(b"." * 11)),
        ({"max_parts": 2}, part(b"") * 2, part(b"") * 3),
        ({"max_part_header": 58}, part(b"", "a" * 5), part(b"", "a" * 6)),
        ({}, part(b"") * 1999 + part(b"." * 9999, "a"), part(b"") * 2001),
    ],
)
def test_parts_are_bounded_while_they_stream(limits: dict[str, Any], fine: bytes, refused: bytes) -> None:
    """Files, fields, their number and their headers have bounds, and the app gets every byte within them."""
    bounds = RequestLimits(**limits)
    for size in (7, 4096):
        chunks = [fine[at : at + size] for at in range(0, len(fine), size)]
        reply = send(bounds, post(MULTIPART, CHUNKED), *chunks, b"--x--\r\n")
        assert (reply.status, reply.body) == (200, fine + b"--x--\r\n")
        chunks = [refused[at : at + size] for at in range(0, len(refused), size)]
        assert send(bounds, post(MULTIPART, CHUNKED), *chunks, b"--x--\r\n").status == 413


def test_a_file_is_refused_before_it_is_there() -> None:
    """Nothing more of it is read once it is too large."""
    app = RequestLimitsMiddleware(echo, RequestLimits(max_file=1000))
    chunks = request_messages(part(b"." * 1100, "a")[:-2], *[b"." * 1000] * 50)
    wire = converse(app, post(MULTIPART, CHUNKED), chunks)
    assert (wire.reply.status, wire.reply.header("connection"), wire.received) == (413, "close", 1)


def test_an_unclear_boundary_is_a_400_and_no_boundary_is_the_apps() -> None:
    """Where readers would find different parts nobody can bound them."""
    unclear = post(b"multipart/form-data; boundary=x; boundary=y", CHUNKED)
    assert send(RequestLimits(), unclear, b"x").status == 400
    assert send(RequestLimits(), post(b"multipart/form-data", CHUNKED), b"x").status == 200


def test_a_refusal_by_the_header_lines_reads_nothing() -> None:
    """A client that asks before it sends is told at once."""
    limits = RequestLimits(
        content_types=("text/plain",), content_encodings=("identity",), length_required=True
    )
    for scope in (
        post(RAW, (b"content-length", b"5"), EXPECTED),
        post(b"text/plain", (b"content-length", b"5"), (b"content-encoding", b"gzip"), EXPECTED),
        post(b"text/plain", CHUNKED, EXPECTED),
    ):
        wire = converse(RequestLimitsMiddleware(echo, limits), scope, request_messages(b"12345"))
        assert wire.reply.status in {411, 415}
        assert (wire.reply.header("connection"), wire.received) == ("close", 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"content_types": ("json",)},
        {"content_types": ("application/json; charset=utf-8",)},
        {"content_types": ("*/json",)},
        {"content_encodings": ("gzip;q=1",)},
        {"max_parts": 0},
        {"max_part_header": 0},
        {"max_path_segments": 0},
        {"max_buffered": 10},
    ],
)
def test_what_no_request_could_keep_fails_at_start(fields: dict[str, Any]) -> None:
    """Names that are none, and bounds that let nothing through, are found before there is a request."""
    with pytest.raises(SettingsError, match=f"RequestLimits.{next(iter(fields))}"):
        RequestLimits(**fields)
