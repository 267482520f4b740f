"""What somebody is told whose document cannot be used: one line that says what, where and how to mend it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from garrison import Contract, ContractMiddleware, SettingsError
from tests.toolkit.contracting.shop import echo

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    post:\n      requestBody:\n"
SCHEMA = "/paths/~1a/post/requestBody/content/application~1json/schema"


def body_of(schema: str) -> bytes:
    """A document with one body."""
    return f"{HEAD}        content: {{application/json: {{schema: {schema}}}}}".encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            body_of("{$ref: 'other.yaml#/X'}"),
            (
                f"expected a file that can be read at {SCHEMA} of api.yaml, found 'other.yaml#/X':"
                " No such file or directory."
            ),
        ),
        (
            body_of("{$ref: 'https://shop.example/x.json'}"),
            (
                "expected a reference to a file, unless GARRISON_CONTRACT_REMOTE=on lets pages be fetched at"
                f" {SCHEMA} of api.yaml, found 'https://shop.example/x.json'."
            ),
        ),
        (
            body_of("{type: string, pattern: '^(a'}"),
            (
                f"expected a regular expression at {SCHEMA}/pattern of api.yaml, found '^(a': missing ),"
                " unterminated subpattern at character 2."
            ),
        ),
        (
            body_of(r"{type: string, pattern: '^(?=a)(b)\1'}"),
            (
                "expected a regular expression without lookaround and back-references, and of a size that"
                rf" fits into memory at {SCHEMA}/pattern of api.yaml, found '^(?=a)(b)\1'."
            ),
        ),
        (
            body_of("{type: intger}"),
            (
                f"array, boolean, integer, null, number, object, string, or several of these at {SCHEMA}/type"
                " of api.yaml, found 'intger'."
            ),
        ),
        (b"", "expected a document in JSON or YAML at the top of api.yaml, found an empty one."),
        (
            b"info:\n\ttitle: T\n",
            "expected YAML at the top of api.yaml, found a tab where only spaces may be in line 2, column 1.",
        ),
        (
            "info:\n  title: Café\n".encode("latin-1"),
            "expected text in UTF-8 at the top of api.yaml, found the byte 0xe9 in line 2.",
        ),
        (
            b"paths: {}\npaths: {}\n",
            "expected YAML at the top of api.yaml, found the key 'paths' twice in line 2, column 1.",
        ),
    ],
)
def test_one_line_says_what_is_wrong(
    text: bytes, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is in the document as it stands there, in one pair of quotes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "api.yaml").write_bytes(text)
    with pytest.raises(SettingsError, match=f"{re.escape(message)}$") as caught:
        ContractMiddleware(echo, Contract(document="api.yaml"))
    assert "\n" not in str(caught.value)


def test_a_directory_is_no_document(tmp_path: Path) -> None:
    """It is there, and still not what is expected."""
    with pytest.raises(SettingsError, match="which is a file and no directory"):
        Contract(document=str(tmp_path))
    with pytest.raises(SettingsError, match="an OpenAPI document, which is there"):
        Contract(document=str(tmp_path / "none.yaml"))
