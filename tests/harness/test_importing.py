"""What an import string names in place of an app is said before there is anything to judge."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from garrison_harness.importing import misnamed
from garrison_harness.loading import NoApp, load_app
from garrison_harness.proving.shimmed import Shimmed
from garrison_harness.running import running
from garrison_harness.target import TargetFailed, parse_target
from tests.harness.commands import APPS

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.target import Target

SOURCE = """
import atexit, functools, sys
a_list = [1, 2]
def four(scope, receive, send, more): ...
def one(scope): ...
class Sized:
    def __init__(self, *, size): ...
def make(): return a_list
async def app(scope, receive, send): ...
def wsgi(environ, start_response): ...
def anything(*words): ...
@functools.wraps(one)
async def dressed(scope, receive, send): ...
compiled = type("Compiled", (), {"__call__": four, "__signature__": 0})()
sys.stderr.write("said at import")
atexit.register(sys.stderr.write, "said at exit\\n")
"""
ONE = "name the attribute that is one"
NO_APP = ("good_app:MAX_BODY",)
TOLD = f"good_app:MAX_BODY is of type int, which is no ASGI app: {ONE}"
ON_HYPERCORN = parse_target(NO_APP, server="hypercorn", start_timeout=60)
PROVED = Shimmed(kind="import", words=NO_APP, server="garrison", start_timeout=60).with_variables({})


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module of many things is in the working directory, and nobody has imported it."""
    (tmp_path / "many_things.py").write_text(SOURCE, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    # Taken out again afterwards, whoever put it in.
    monkeypatch.setitem(sys.modules, "many_things", None)
    monkeypatch.delitem(sys.modules, "many_things")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a_list", f"many_things:a_list is of type list, which is no ASGI app: {ONE}"),
        ("four", "many_things:four takes neither scope, receive and send, as an ASGI app does, nor environ"),
        ("one", f"start_response, as a WSGI app does: {ONE}"),
        ("Sized", "many_things:Sized takes neither scope, receive and send"),
        ("make", "many_things:make is a function that makes the app, and no app: add --factory"),
        (
            "make()",
            "many_things:make() is of type list, which is no ASGI app: name a function that returns one",
        ),
        ("app", ""),
        ("wsgi", ""),
        ("anything", ""),
        ("dressed", ""),
        ("compiled", ""),
    ],
    ids=lambda each: each.partition(" ")[0],
)
def test_what_is_no_app_is_said_to_be_none(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its type, or by what it takes, with what to name in its place; in doubt it is an app."""
    monkeypatch.setattr("atexit.register", lambda *_: None)
    words = f"many_things:{name.removesuffix('()')}"
    if text:
        with pytest.raises(NoApp) as caught:
            load_app(words, factory=name.endswith("()"))
        assert text in str(caught.value)
    else:
        assert callable(load_app(words))
    assert capsys.readouterr().err == "said at import"


@pytest.mark.usefixtures("here")
def test_a_process_of_its_own_tells_it() -> None:
    """Whatever the app writes around it; a WSGI app is for the servers that take none to refuse."""
    words = ["many_things:make"]
    told = misnamed(parse_target(words, factory=True), {})
    assert str(told).startswith("many_things:make() is of type list, which is no ASGI app: ")
    wsgi = [
        misnamed(parse_target(["many_things:wsgi"], server=server), {}) for server in ("uvicorn", "hypercorn")
    ]
    assert [found is None for found in wsgi] == [False, True]


@pytest.mark.parametrize("command", ["check", "load", "drill"])
def test_every_command_says_it_before_it_works(command: str) -> None:
    """In the same words, with the exit status of an app that does not start, and without a report."""
    words = ("-m", "garrison_harness", command, "good_app:MAX_BODY", "--start-timeout", "60")
    done = subprocess.run(
        [sys.executable, *words], cwd=APPS, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == f"garrison: {TOLD}\n"
    assert (done.returncode, done.stdout) == (3, "")


@pytest.mark.parametrize("target", [ON_HYPERCORN, PROVED], ids=["hypercorn", "prove"])
def test_every_server_says_it(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that begins to serve what is no app, and the toolkit as `garrison prove` starts it."""
    monkeypatch.chdir(APPS)
    with pytest.raises(TargetFailed) as caught, running(target):
        pass
    assert str(caught.value) == TOLD
