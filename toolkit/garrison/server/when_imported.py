"""Does something as soon as the app imports a module, for modules that are too slow to import for nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.abc import Loader, MetaPathFinder
    from importlib.machinery import ModuleSpec
    from types import ModuleType


def when_imported(name: str, act: Callable[[], None]) -> None:
    """Call something once a module is there: now, or right after its code has run for the first time.

    It takes the place of what was asked for that module before and has not been done yet. Whoever only looks
    where the module is (`importlib.util.find_spec`), or fails to import it, changes nothing.

    Args:
        name: of a module that is in no package.
        act: called before whoever imports the module goes on.
    """
    if name in sys.modules:
        act()
        return
    others = [one for one in sys.meta_path if not (isinstance(one, _Watcher) and one.name == name)]
    sys.meta_path[:] = [cast("MetaPathFinder", _Watcher(name, act)), *others]


class _Watcher:
    """Finds one module, where everybody else finds it, until its code has run.

    Args:
        name: of the module.
        act: called when its code has run.
    """

    def __init__(self, name: str, act: Callable[[], None]) -> None:
        self.name = name
        self._act = act
        self._done = False

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where the module is, with a loader that calls; None for any other module."""
        if fullname != self.name:
            return None
        others = [one for one in sys.meta_path if not isinstance(one, _Watcher)]
        spec = next(filter(None, (one.find_spec(fullname, path, target) for one in others)), None)
        if spec is not None and spec.loader is not None:
            spec.loader = cast("Loader", _Loader(spec.loader, self.note))
        return spec

    def note(self) -> None:
        """Call once, even where another finder asks all of them, and be gone."""
        if not self._done:
            self._done = True
            sys.meta_path[:] = [one for one in sys.meta_path if one is not self]
            self._act()


class _Loader:
    """The module's own loader, and a call behind it.

    Args:
        loader: its own; what the module says of its origin is as ever.
        note: called when the module's code has run.
    """

    def __init__(self, loader: Loader, note: Callable[[], None]) -> None:
        self._loader = loader
        self._note = note

    def __getattr__(self, name: str) -> object:
        """Whatever else the module's own has, such as its source, for those who look and do not import."""
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to the module's own."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, and call."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._note()
