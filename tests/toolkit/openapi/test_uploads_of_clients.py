"""What HTTP clients send to a FastAPI app fits the document that FastAPI makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import httpx
import pytest
import requests
from fastapi import FastAPI, File, Form, UploadFile
from pydantic import BaseModel

from garrison.openapi.bodies import BodyReader
from garrison.openapi.compiled import compile_document
from garrison.openapi.document import load_document
from tests.toolkit.openapi.one_operation import judged, rules

if TYPE_CHECKING:
    from collections.abc import Callable

Sent: TypeAlias = tuple[bytes, bytes]
"""A Content-Type and a body."""

FIELDS: dict[str, str | list[str]] = {"title": 'Grüße & "mehr"', "tags": ["1", "2"]}
FILES = [
    ("photo", ("bild ü.png", b"\x89PNG\r\n\r\n--", "image/png")),
    ("scans", ("a.txt", b"", "text/plain")),
    ("scans", ("b", b"--\r\n", "application/octet-stream")),
]


class Sender(BaseModel):
    """A form as a model."""

    name: str
    age: int | None = None


def app() -> FastAPI:
    """An app that takes an upload and a form."""
    made = FastAPI()

    @made.post("/upload")
    def upload(
        title: Annotated[str, Form(max_length=20)],
        photo: UploadFile,
        extra: UploadFile | None = None,
        scans: Annotated[list[UploadFile] | None, File()] = None,
        tags: Annotated[list[int] | None, Form()] = None,
    ) -> None:
        """Take files and fields."""

    @made.post("/sender")
    def sender(form: Annotated[Sender, Form()]) -> None:
        """Take a form."""

    return made


@pytest.fixture(scope="module")
def readers() -> dict[str, BodyReader]:
    """What reads the bodies of each path."""
    compiled = compile_document(load_document(app().openapi()))
    return {each.template: BodyReader(each, compiled.requests) for each in compiled.operations}


def by_httpx(*, upload: bool) -> Sent:
    """As httpx writes it."""
    if upload:
        request = httpx.Request("POST", "http://127.0.0.1/", data=FIELDS, files=FILES)
    else:
        request = httpx.Request("POST", "http://127.0.0.1/", data={"name": "ü +&=%~*", "age": "3"})
    return request.headers["content-type"].encode(), request.read()


def by_requests(*, upload: bool) -> Sent:
    """As requests and urllib3 write it."""
    if upload:
        request = requests.Request("POST", "http://127.0.0.1/", data=FIELDS, files=FILES).prepare()
    else:
        data = {"name": "ü +&=%~*", "age": "3"}
        request = requests.Request("POST", "http://127.0.0.1/", data=data).prepare()
    body = request.body
    content_type = str(request.headers["content-type"]).encode()
    return content_type, body if isinstance(body, bytes) else str(body).encode()


def by_curl(*, upload: bool) -> Sent:
    """As curl 8 wrote it."""
    if not upload:
        return b"application/x-www-form-urlencoded", b"name=%C3%BC+%2B%26%3D%25~%2A&age=3"
    body = (
        b'--------------------------992b73ea3337092e\r\nContent-Disposition: form-data; name="title"\r\n\r\n'
        b'Gr\xc3\xbc\xc3\x9fe "x"\r\n'
        b'--------------------------992b73ea3337092e\r\nContent-Disposition: form-data; name="tags"\r\n\r\n'
        b"1\r\n"
        b'--------------------------992b73ea3337092e\r\nContent-Disposition: form-data; name="photo";'
        b' filename="b\xc3\xaf %22l%22\\d.png"\r\nContent-Type: image/png\r\n\r\n'
        b"\x89PNG\r\n--\r\n"
        b"--------------------------992b73ea3337092e--\r\n"
    )
    return b"multipart/form-data; boundary=------------------------992b73ea3337092e", body


def by_node(*, upload: bool) -> Sent:
    """As `fetch` of Node wrote it, which is what browsers write."""
    if not upload:
        form = b"application/x-www-form-urlencoded;charset=UTF-8"
        return form, b"name=%C3%BC+%2B%26%3D%25%7E*&age=3"
    body = (
        b'------formdata-undici-052512647989\r\nContent-Disposition: form-data; name="title"\r\n\r\n'
        b'Gr\xc3\xbc\xc3\x9fe \r\n"x"\r\n'
        b'------formdata-undici-052512647989\r\nContent-Disposition: form-data; name="photo";'
        b' filename="b\xc3\xaf %22l%22\\d.png"\r\nContent-Type: image/png\r\n\r\n'
        b"\x89P\r\n"
        b'------formdata-undici-052512647989\r\nContent-Disposition: form-data; name="scans";'
        b' filename="a.txt"\r\nContent-Type: application/octet-stream\r\n\r\n'
        b"x\r\n"
        b"------formdata-undici-052512647989--\r\n"
    )
    return b"multipart/form-data; boundary=----formdata-undici-052512647989", body


CLIENTS = pytest.mark.parametrize("client", [by_httpx, by_requests, by_curl, by_node])


@CLIENTS
def test_an_upload_fits(readers: dict[str, BodyReader], client: Callable[..., Sent]) -> None:
    """Fields, lists and files, with names in quotes and beyond ASCII."""
    content_type, body = client(upload=True)
    assert judged(readers["/upload"], content_type, body) == ()


@CLIENTS
def test_a_form_fits(readers: dict[str, BodyReader], client: Callable[..., Sent]) -> None:
    """With everything that has to be encoded."""
    content_type, body = client(upload=False)
    assert judged(readers["/sender"], content_type, body) == ()


@CLIENTS
def test_what_does_not_fit_is_told(readers: dict[str, BodyReader], client: Callable[..., Sent]) -> None:
    """A file that is sent as a field among it."""
    content_type, body = client(upload=True)
    without = body.replace(b'filename="b', b'other="b')
    assert rules(judged(readers["/upload"], content_type, without)) == [("/photo", "type")]
    content_type, body = client(upload=False)
    found = judged(readers["/sender"], content_type, body.replace(b"age=3", b"age=x"))
    assert [violation.pointer for violation in found] == ["/age"]
