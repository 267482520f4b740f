"""The users that ship: none complains of an app that keeps its promises, and each finds what is broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from garrison_harness.load.mix import USERS
from tests.harness.load.command_line import APPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from garrison_harness.running import Running
    from tests.harness.load.command_line import Command

    Serve = Callable[[str], AbstractContextManager[Running]]


def tag(found: dict[str, Any], name: str) -> dict[str, Any]:
    """What was counted under a tag."""
    counted: dict[str, Any] = found["tags"][name]
    return counted


def test_users_of_a_good_app_have_no_error(command: Command, shop: str) -> None:
    """All of them together pass: ids are carried, caches and cookies used, Retry-After obeyed."""
    mix = "browser=2,api=3,patient:/limited,impatient:/limited,slow:/slow,malformed:/about,websocket:/ws"
    ended = command.run_here(
        shop, "--mix", mix, "--users", "20", "--spawn-rate", "20", "--duration", "2s",
        "--header", "X-Test: a", "--format", "json",
    )  # fmt: skip
    assert (ended.status, ended.left) == (0, []), ended.stdout + ended.stderr
    found = json.loads(ended.stdout)
    assert found["error_kinds"] == {}
    assert {"browser", "page", "asset", "api", "read", "write", "items", "patient", "malformed"} <= set(
        found["tags"]
    )
    for name in (
        "GET start page",
        "GET linked page",
        "GET redirected page",
        "GET asset",
        "POST /items",
        "GET /items/{item_id}",
        "POST /items/{item_id}/notes",
        "GET /items/{item_id}/notes/{note_id}",
        "PUT /settings/{key}",
        "WEBSOCKET /ws (handshake)",
        "WEBSOCKET /ws (ping)",
    ):
        assert found["names"][name]["requests"], name
    # Once in each second of waiting, and once more at its end; the other one asks all the time.
    patient = tag(found, "patient")
    assert 0 < patient["limited"] <= patient["requests"] - patient["limited"]
    assert tag(found, "impatient")["limited"] > patient["limited"]
    assert tag(found, "asset")["statuses"].keys() == {"200", "304", "404"}  # one was never there
    with urlopen(f"{shop}/heard", timeout=5) as reply:  # noqa: S310 - loopback
        heard = json.load(reply)
    assert heard["if-none-match"] == ['"1"']
    assert heard["cookie"] == ["visit=1"]
    assert heard["x-test"] == ["a"]


FAULTS = {
    "304 to a request that did not ask for it, at /unasked.css",
    "HTTP 404 for an asset that was there before, /fleeting.js",
    "HTTP 404",  # what was made is not there
    "says JSON, and is none, at /json",
    "429 without Retry-After",
    "429 with a Retry-After that is neither seconds nor a date: in a while",
    "429 again, although it waited as long as Retry-After said",
    "HTTP 500",
    "still open after 0.3 s",
    "no answer and no end within 0.3 s",
    "handshake refused: HTTP 403",
    "the server closed with 1011",
    "an echo of something else",
}
NAMES = {"MALFORMED no Host", "MALFORMED two lengths", "GET /broken"}


def test_users_of_a_bad_app_find_what_is_wrong(command: Command, serve: Serve) -> None:
    """In a locustfile of one's own each user names its fault; nothing else is an error."""
    found: dict[str, Any] = {}
    # A busy machine takes its time to let each of them come to all that it does.
    for seconds in ("1500ms", "10s"):
        with serve("faulty_app:app") as up:
            ended = command.run_here(
                up.base_url, "--locustfile", str(APPS / "faulty_users.py"), "--users", "11",
                "--spawn-rate", "11", "--duration", seconds, "--format", "json",
            )  # fmt: skip
        assert (ended.status, ended.left) == (1, []), ended.stdout + ended.stderr
        found = json.loads(ended.stdout)
        if found["error_kinds"].keys() >= FAULTS and found["names"].keys() >= NAMES:
            break
    assert set(found["error_kinds"]) == FAULTS
    assert found["error_kinds"]["HTTP 404"]["paths"] == ["/items/7"]
    assert (
        found["names"]["MALFORMED no Host"]["errors"] == found["names"]["MALFORMED no Host"]["requests"] > 0
    )
    assert found["names"]["MALFORMED two lengths"]["errors"] == 0
    assert found["names"]["GET /broken"]["errors"] > 0


def test_every_user_that_ships_has_its_class() -> None:
    """A name that the command knows is one that the load process can cast."""
    source = (APPS.parents[3] / "harness/garrison_harness/load/driving/users/casting.py").read_text()
    assert all(f'"{name}": users.' in source for name in USERS)
