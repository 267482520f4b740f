"""What is done for an app as soon as it imports a module."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING

import pytest

from garrison.server.when_imported import when_imported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.machinery import ModuleSpec
    from pathlib import Path

LATE = "garrison_test_late"


@pytest.fixture
def late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that nobody has imported."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / f"{LATE}.py"
    path.write_text("import sys\nready = True\n", "utf-8")
    yield path
    sys.modules.pop(LATE, None)


def test_it_is_done_once_the_module_is_there(late: Path) -> None:
    """The module's code has run by then, a second import does nothing more, and nobody looks for it again."""
    finders = list(sys.meta_path)
    seen: list[bool] = []
    when_imported(LATE, lambda: seen.append(sys.modules[LATE].ready))
    assert seen == []
    module = importlib.import_module(LATE)
    importlib.reload(importlib.import_module(LATE))
    assert seen == [True]
    assert module.__file__ == str(late)
    assert sys.meta_path == finders


def test_the_module_is_as_ever(late: Path) -> None:
    """What a module says of its origin is the same as without anybody who waits for it."""
    when_imported(LATE, lambda: None)
    waited = importlib.import_module(LATE)
    origin = type(waited.__loader__), type(waited.__spec__.loader), waited.__spec__.origin  # type: ignore[union-attr]
    del sys.modules[LATE]
    plain = importlib.import_module(LATE)
    assert origin == (type(plain.__loader__), type(plain.__spec__.loader), str(late))  # type: ignore[union-attr]


@pytest.mark.usefixtures("late")
def test_a_module_that_is_there_already() -> None:
    """Then it is done at once."""
    importlib.import_module(LATE)
    seen: list[int] = []
    when_imported(LATE, lambda: seen.append(1))
    assert seen == [1]


@pytest.mark.usefixtures("late")
def test_the_last_one_counts() -> None:
    """Whoever asks again for the same module means that in place of what was asked before."""
    seen: list[int] = []
    when_imported(LATE, lambda: seen.append(1))
    when_imported(LATE, lambda: seen.append(2))
    importlib.import_module(LATE)
    assert seen == [2]


def test_who_only_looks_where_it_is(late: Path) -> None:
    """Libraries do, to see what there is: they find the module itself, and its import is still waited for."""
    seen: list[int] = []
    when_imported(LATE, lambda: seen.append(1))
    spec = importlib.util.find_spec(LATE)
    assert spec is not None
    assert (spec.origin, spec.loader.get_source(LATE)) == (str(late), late.read_text("utf-8"))  # type: ignore[union-attr]
    assert seen == []
    importlib.import_module(LATE)
    assert seen == [1]


def test_somebody_else_waits_for_it_too(late: Path) -> None:
    """Whoever wraps what all finders find, as `wrapt` does: it is done once, in whichever order they came."""

    class Other(MetaPathFinder):
        looks = False

        def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
            if self.looks:
                return None
            self.looks = True
            try:
                return importlib.util.find_spec(fullname)
            finally:
                self.looks = False

    for first in (True, False):
        seen: list[int] = []
        others = list(sys.meta_path)
        sys.meta_path[:] = [*([] if first else [Other()]), *others]
        when_imported(LATE, partial(seen.append, 1))
        sys.meta_path[:] = [*([Other()] if first else []), *sys.meta_path]
        assert importlib.import_module(LATE).__file__ == str(late)
        assert seen == [1]
        del sys.modules[LATE]
        sys.meta_path[:] = others


def test_a_module_that_fails(late: Path) -> None:
    """Its own exception comes through, and nothing is done before it succeeds."""
    code = late.read_text("utf-8")
    late.write_text("raise RuntimeError('not today, and not in as few bytes')\n", "utf-8")
    seen: list[int] = []
    when_imported(LATE, lambda: seen.append(1))
    with pytest.raises(RuntimeError, match="not today"):
        importlib.import_module(LATE)
    assert seen == []
    late.write_text(code, "utf-8")
    importlib.import_module(LATE)
    assert seen == [1]


@pytest.mark.usefixtures("late")
def test_a_module_that_is_nowhere() -> None:
    """It is missing as it is without anybody who waits for it."""
    when_imported("garrison_test_nowhere", lambda: None)
    with pytest.raises(ModuleNotFoundError, match="garrison_test_nowhere"):
        importlib.import_module("garrison_test_nowhere")
