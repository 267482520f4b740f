"""Documents come from files, from pages when asked for, or from the app."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from garrison.openapi import pages, retrieval
from garrison.openapi.compiled import Compiled, compile_document
from garrison.openapi.document import load_document
from garrison.openapi.model import DocumentError
from tests.toolkit.openapi.documents import document, only_operation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _check(found: Compiled, value: object) -> list[str]:
    operation = only_operation(found)
    assert operation.body is not None
    return [one.rule for one in found.requests.check(operation.body.content[0].schema, value, "body")]


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.1", "3.2.0", "3.1.0-rc1"])
def test_all_versions_of_3_are_read(version: str) -> None:
    """The patch does not matter."""
    assert load_document(document(version=version)).version == version[:3]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "/openapi: expected the version 3.0, 3.1 or 3.2"),
        ({"openapi": "4.0.0"}, "found '4.0.0'"),
        ({"openapi": "3.3.0"}, "found '3.3.0'"),
        ({"swagger": "2.0"}, "/swagger: expected an OpenAPI document of version 3, found '2.0'"),
        (
            {"openapi": "3.1.0", "x": object()},
            "an object that can be written as JSON, found Object of type object",
        ),
    ],
)
def test_other_objects_are_refused(source: dict[str, Any], message: str) -> None:
    """With what was expected, and what was found."""
    with pytest.raises(DocumentError, match=message):
        load_document(source)


def test_the_document_is_a_copy() -> None:
    """The app may change its own after that, and may have numbers for names."""
    source = document()
    source["paths"]["/pets"]["post"]["responses"] = {200: {"description": ""}}
    loaded = load_document(source)
    source["paths"].clear()
    assert list(only_operation(compile_document(loaded)).replies) == ["200"]


_YAML = """openapi: 3.1.0
paths:
  /pets:
    post:
      requestBody: {content: {application/json: {schema: {type: integer}}}}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps(document({"type": "integer"}))),
        ("a.yaml", json.dumps(document({"type": "integer"}))),
        ("a.json", "\ufeff" + json.dumps(document({"type": "integer"}))),
        ("a.yml", _YAML),
        ("a", "openapi: 3.1\n" + _YAML.partition("\n")[2]),
    ],
)  # fmt: skip
def test_files_are_json_or_yaml(tmp_path: Path, name: str, text: str) -> None:
    """Whatever they are called; a version without quotes is a number there."""
    (tmp_path / name).write_text(text)
    assert _check(compile_document(load_document(tmp_path / name)), "a") == ["type"]
    assert _check(compile_document(load_document(str(tmp_path / name))), 1) == []


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", b"openapi: 3.1.0", "expected JSON, found Expecting value: line 1 column 1"),
        ("a.json", b'{"openapi": "3.1.0",}', "expected JSON, found"),
        ("a.json", b'{"a": {"b": 1, "b": 2}}', "a name twice in one object, found 'b'"),
        ("a.json", b'{"a": NaN}', "expected JSON, found NaN"),
        ("a.json", b"\xff\xfe\xfd", "expected JSON"),
        ("a.json", b"[" * 200_000, "nested less deeply"),
        ("a.yaml", b"a: [", "expected YAML"),
        ("a.yaml", b"- a", "expected an object, found an array"),
        ("a.yaml", b"# later\n", "expected an object, found null"),
        ("a.yaml", b"\n", "expected a document in JSON or YAML, found an empty one"),
        ("a.json", b"", "expected a document in JSON or YAML, found an empty one"),
        ("a.yaml", "openapi: 3.1.0\nx: é".encode("latin-1"), "text in UTF-8, found the byte 0xe9 in line 2"),
        ("a.json", '{"x":\n"é"}'.encode("latin-1"), "expected text in UTF-8, found the byte 0xe9 in line 2"),
        ("a.yaml", b"info:\n\ttitle: T", "a tab where only spaces may be in line 2, column 1"),
    ],
)
def test_files_that_are_neither_are_refused(tmp_path: Path, name: str, text: bytes, message: str) -> None:
    """In one line that says what is wrong with them."""
    (tmp_path / name).write_bytes(text)
    with pytest.raises(DocumentError, match=message) as caught:
        load_document(tmp_path / name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("levels", [150, 300, 900])
def test_schemas_that_are_too_deep_are_refused(tmp_path: Path, levels: int) -> None:
    """In one line, by whoever is the first to mind; a hundred levels are not too deep."""

    def nested(depth: int) -> str:
        schema = '{"properties": {"a": ' * depth + "{}" + "}}" * depth
        return json.dumps(document("schema")).replace('"schema": "schema"', f'"schema": {schema}')

    (tmp_path / "api.json").write_text(nested(100))
    compile_document(load_document(tmp_path / "api.json"))
    (tmp_path / "api.json").write_text(nested(levels))
    with pytest.raises(DocumentError, match="nested less deeply"):
        compile_document(load_document(tmp_path / "api.json"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is said why, and of a directory that it is one."""
    with pytest.raises(DocumentError, match=r"a file that can be read, found No such file"):
        load_document(tmp_path / "none.yaml")
    with pytest.raises(DocumentError, match="a file that can be read, found Is a directory"):
        load_document(tmp_path)
    with pytest.raises(DocumentError, match="the path of a file"):
        load_document("a\0b")


@contextmanager
def _pages(pages: dict[str, tuple[int, bytes]]) -> Iterator[tuple[str, list[str]]]:
    """Serve pages on loopback; a location where the status is a redirection."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            if status == 302:
                self.send_header("location", body.decode())
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_page_is_fetched_when_asked_for() -> None:
    """And what it refers to, before anything is compiled."""
    source = document({"$ref": "schemas.yaml#/Pet"})
    pages = {"/api.json": (200, json.dumps(source).encode()), "/schemas.yaml": (200, b"Pet: {type: integer}")}
    with _pages(pages) as (address, asked):
        loaded = load_document(f"{address}/api.json", remote=True)
    assert asked == ["/api.json", "/schemas.yaml"]
    assert _check(compile_document(loaded), "a") == ["type"]


def test_nothing_is_fetched_unasked() -> None:
    """Neither the document nor what it refers to."""
    with _pages({}) as (address, asked):
        with pytest.raises(DocumentError, match="unless GARRISON_CONTRACT_REMOTE=on"):
            load_document(f"{address}/api.json")
        with pytest.raises(DocumentError, match="unless GARRISON_CONTRACT_REMOTE=on") as caught:
            compile_document(load_document(document({"$ref": f"{address}/pet.json"})))
    assert asked == []
    assert caught.value.pointer.endswith("/content/application~1json/schema")


def test_a_page_that_does_not_answer() -> None:
    """Nobody listens there any more."""
    with _pages({}) as (address, _):
        pass
    with pytest.raises(DocumentError, match=r"a page that can be fetched, found .*refused"):
        load_document(f"{address}/api.json", remote=True)
    with pytest.raises(DocumentError, match="a page that can be fetched"):
        load_document("http://[::1/api.json", remote=True)


def test_large_things_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and pages have a bound, which public documents are far below."""
    monkeypatch.setattr(retrieval, "MAX_BYTES", 1000)
    text = json.dumps(document()).encode() + b" " * 1000
    (tmp_path / "api.json").write_bytes(text)
    with pytest.raises(DocumentError, match="a file of at most 0 MiB, found more"):
        load_document(tmp_path / "api.json")
    refused = pytest.raises(DocumentError, match="a page of at most 0")
    with _pages({"/api.json": (200, text)}) as (address, _), refused:
        load_document(f"{address}/api.json", remote=True)


def test_a_page_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start-up does not wait for a server that drips."""
    monkeypatch.setattr(pages, "LONGEST", -1)
    page, given_up = _pages({"/api.json": (200, b"{}")}), pytest.raises(DocumentError, match="comes within")
    with page as (address, _), given_up:
        load_document(f"{address}/api.json", remote=True)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ((404, b""), "a page that is there, found status 404"),
        ((302, b"file:///etc/hostname"), "a page that redirects to one that is as safe"),
        ((302, b"/api.json"), "a page that redirects at most 3 times"),
        ((200, b"{"), "expected YAML"),
    ],
)
def test_a_page_that_is_none_is_refused(reply: tuple[int, bytes], message: str) -> None:
    """A redirection leads to other pages only, and not in a circle."""
    with _pages({"/api.json": reply}) as (address, _), pytest.raises(DocumentError, match=message):
        load_document(f"{address}/api.json", remote=True)


def test_a_page_refers_to_no_file() -> None:
    """What strangers wrote does not read from the disk."""
    source = json.dumps(document({"$ref": "file:///etc/hostname"})).encode()
    with _pages({"/api.json": (200, source)}) as (address, _):
        loaded = load_document(f"{address}/api.json", remote=True)
    with pytest.raises(DocumentError, match="a reference into the document itself or to a file beside it"):
        compile_document(loaded)
