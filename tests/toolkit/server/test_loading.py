"""How `module:attribute` becomes an app, and what is said where it does not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from garrison.server.loading import LONGEST_TEXT, TargetError, TargetUsageError, load_app
from tests.toolkit.server.conftest import APPS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _in_apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The current directory is that of the apps, and what was imported there is forgotten afterwards."""
    monkeypatch.chdir(APPS)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "." not in name and getattr(sys.modules[name], "__file__", None):
            del sys.modules[name]


def refused(target: str) -> str:
    """Why a target is no app; a blank and `--factory` behind it say that it is a factory."""
    name, _, flag = target.partition(" ")
    with pytest.raises(TargetError) as caught:
        load_app(name, factory=bool(flag))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_app_is_found() -> None:
    """An app in the current directory is imported; attributes may have dots, and factories are called."""
    app = load_app("shop:app")
    assert load_app("shop:make_app", factory=True) is app
    assert load_app("shop:app.__call__") == app.__call__  # type: ignore[operator]
    assert load_app("starlette.applications:Starlette", factory=True) is not app
    assert callable(load_app("shop:dressed"))


@pytest.mark.parametrize("target", ["", "shop", "shop:", ":app", "shop.py:app", "./shop:app", ".shop:app"])
def test_other_notations_are_usage_errors(target: str) -> None:
    """What is no module:attribute is told how one looks."""
    with pytest.raises(
        TargetUsageError, match=r"^expected an app as module:attribute such as shop\.main:app"
    ):
        load_app(target)


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("nowhere:app", f"there is no module 'nowhere' in {APPS} or in this environment"),
        ("shop.deeper:app", f"there is no module 'shop.deeper' in {APPS} or in this environment"),
        ("shop:ap", "shop has no attribute 'ap'. Did you mean 'app'?"),
        ("shop:app.state.shop", "shop has no attribute 'app.state.shop'."),
        ("shop:settings", "shop:settings is of type dict, which is no ASGI app"),
        (
            "shop:takes_one",
            (
                "shop:takes_one takes neither scope, receive and send, as an ASGI app does,"
                " nor environ and start_response, as a WSGI app does"
            ),
        ),
        (
            "shop:make_app",
            "shop:make_app takes no scope; if it is a function that makes the app, add --factory",
        ),
        (
            "shop:app --factory",
            "shop:app is no function without arguments; if it is the app, leave --factory out",
        ),
        (
            "shop:make_app_later --factory",
            "shop:make_app_later is async; --factory takes a plain function that returns the app",
        ),
        (
            "shop:make_nothing --factory",
            "shop:make_nothing is of type NoneType, which is no ASGI app",
        ),
        (
            "half:app",
            (
                "importing half failed: ModuleNotFoundError: No module named 'teapot_that_is_not_installed'"
                f" ({APPS / 'half.py'}, line 3)"
            ),
        ),
        (
            "dear:app",
            (
                "importing dear failed: JSONDecodeError: Expecting property name enclosed in double quotes:"
                f" line 1 column 2 (char 1) ({APPS / 'dear.py'}, line 5)"
            ),
        ),
    ],
)
def test_targets(target: str, line: str) -> None:
    """A target that is no app is told why on one line, with the place in its own code if there is one."""
    assert refused(target) == line


def test_factory_that_fails() -> None:
    """What a factory raises is on the line, with its place."""
    line = refused("shop:make_failing --factory")
    assert line.startswith("calling shop:make_failing failed: LookupError: no such shop (")
    assert f"{APPS / 'shop.py'}, line " in line


def test_syntax_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A syntax error names the file and the line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "typo.py").write_text("app = 1\napp = (\n", "utf-8")
    line = refused("typo:app")
    assert line == (
        f"importing typo failed: SyntaxError: '(' was never closed ({tmp_path / 'typo.py'}, line 2)"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise SystemExit('set DATABASE_URL first')", "SystemExit: set DATABASE_URL first"),
        (
            "raise RuntimeError('cannot reach\\n  postgresql://shop:hunter2@db/shop')",
            "RuntimeError: cannot reach postgresql://[redacted]@db/shop",
        ),
        ("raise KeyError", "KeyError"),
    ],
)
def test_failing_imports(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, reason: str) -> None:
    """Whatever an app does when it is imported is one line, and its passwords stay inside."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.py").write_text(source, "utf-8")
    line = refused("bad:app")
    assert line == f"importing bad failed: {reason} ({tmp_path / 'bad.py'}, line 1)"


@pytest.mark.parametrize("name", ["lazy", "LAZY.thing"])
def test_failing_attributes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """A module or an object that fails while the app is looked up is one line too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lazy.py").write_text(
        "class Lazy:\n"
        "    @property\n"
        "    def thing(self): raise OSError('thing is lost')\n"
        "LAZY = Lazy()\n"
        "def __getattr__(name): raise OSError('thing is lost')\n",
        "utf-8",
    )
    line = refused(f"lazy:{name}")
    assert line.startswith(f"reading lazy:{name} failed: OSError: thing is lost (")


def test_long_reasons_are_cut(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A reason of many pages stays a line that a terminal can show."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wordy.py").write_text("raise RuntimeError('word ' * 10000)", "utf-8")
    assert LONGEST_TEXT < len(refused("wordy:app")) < 2 * LONGEST_TEXT
