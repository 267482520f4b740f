"""`--openapi`, `--requests` and `--mix` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from garrison_harness.load.command import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from garrison_harness.running import Running
    from tests.harness.load.command_line import Command

BRIEF = ("--users", "2", "--duration", "500ms", "--format", "json")


def test_a_list_is_sent_as_it_stands(command: Command, shop: str, tmp_path: Path) -> None:
    """Weights, names, bodies and ids of the file; a status that a line expects is no error."""
    path = tmp_path / "shop.list"
    path.write_text(
        "GET /items?limit=5 weight=4 name=newest tag=list\nGET /missing expect=404\n"
        'PUT /settings/{key}\n  {"v\u00fc": 1}\nGET /settings/{key}\n',
        encoding="utf-8",
    )
    ended = command.run_here(shop, "--requests", str(path), *BRIEF)
    assert (ended.status, ended.stderr, ended.left) == (0, "", []), ended.stdout
    found = json.loads(ended.stdout)
    counts = {name: tally["requests"] for name, tally in found["names"].items()}
    assert set(counts) == {"GET newest", "GET /missing", "PUT /settings/{key}", "GET /settings/{key}"}
    assert found["tags"]["list"]["requests"] == counts["GET newest"] > counts["GET /missing"]
    assert found["names"]["GET /missing"]["statuses"].keys() == {"404"}


def test_a_document_is_read_and_what_is_left_out_is_told(command: Command, shop: str, tmp_path: Path) -> None:
    """`--methods` chooses, and one line on stderr says what is not asked for."""
    ended = command.run_here(shop, "--openapi", "auto", "--methods", "get", *BRIEF)
    assert (ended.status, ended.left) == (0, []), ended.stdout
    assert ended.stderr.startswith(
        "garrison: 6 of 10 operations are left out: POST /items (its method is not among"
    )
    assert {name.split()[0] for name in json.loads(ended.stdout)["names"]} == {"GET"}


def test_a_stream_that_the_document_keeps_silent_about_holds_no_user(
    command: Command, serve: Callable[[str], AbstractContextManager[Running]]
) -> None:
    """What does not end is left out, and told; events that end are asked for."""
    with serve("streaming_app:app") as up:
        ended = command.run_here(up.base_url, "--openapi", "auto", *BRIEF)
    assert (ended.status, ended.left) == (0, []), ended.stdout
    assert ended.stderr == (
        "garrison: 1 of 3 operations are left out: GET /events (its reply is a stream that did not end)\n"
    )
    assert set(json.loads(ended.stdout)["names"]) == {"GET /answer", "GET /plain"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--openapi", "auto", "--requests", "x"], "--requests and --openapi both say what is asked for"),
        (["--openapi", "auto", "--path", "/"], "--openapi and --path both say what is asked for"),
        (["--mix", "slow", "--path", "/"], "--path does not go with --mix: write NAME:/PATH in the mix"),
        (
            ["--mix", "slow", "--openapi", "auto"],
            "--openapi is for the api users, and --mix has none: add api=1",
        ),
        (["--methods", "GET"], "--methods chooses among the operations of a document: add --openapi auto"),
        (
            ["--openapi", "auto", "--methods", "GET,FETCH"],
            "expected some of GET, HEAD, POST, PUT, PATCH, DELETE, found 'FETCH'",
        ),
        (["--mix", "robot"], "there is no user 'robot'"),
        (["--requests", "missing.list"], "--requests: cannot read missing.list: No such file"),
        (["--header", "oops"], "'oops' begins no header"),
    ],
)
def test_options_that_contradict_each_other_are_one_line(words: list[str], said: str) -> None:
    """Nothing starts, and the line says what to do instead."""
    ended = CliRunner().invoke(load, ["shop:app", *words])
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert said in ended.stderr


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("/items", "--openapi wants an OpenAPI 3 document in JSON: /items answered"),
        ("missing.json", "--openapi missing.json cannot be read: No such file"),
        ("holds.json", "holds no OpenAPI 3 document in JSON; convert it if it is YAML"),
        ("empty.json", "no request can be made of the document: it lists no operation"),
    ],
)
def test_a_document_that_is_none_is_one_line(named: str, said: str, shop: str, tmp_path: Path) -> None:
    """A file or a path that holds no document is a usage error."""
    (tmp_path / "holds.json").write_text("openapi: 3.1.0")
    (tmp_path / "empty.json").write_text('{"openapi": "3.1.0", "paths": {}}')
    place = named if named.startswith(("/", "missing")) else str(tmp_path / named)
    ended = CliRunner().invoke(load, [shop, "--openapi", place])
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (2, "", 1), ended.output
    assert said in ended.stderr
