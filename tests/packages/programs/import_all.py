"""Imports the modules of both packages, and prints as JSON which cannot be imported, and for want of what.

Those in which Locust runs patch the process that imports them, and so have one of their own.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pkgutil import walk_packages

DRIVING = "garrison_harness.load.driving"


def modules() -> list[str]:
    """All of them but the programs."""
    found = []
    for top in ("garrison", "garrison_harness"):
        paths = import_module(top).__path__
        found += [module.name for module in walk_packages(paths, f"{top}.", onerror=lambda _name: None)]
    return [name for name in found if not name.endswith("__main__")]


def lacking(name: str) -> str | None:
    """The package for want of which a module cannot be imported; None where it can."""
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        return str(error.name).partition(".")[0]
    return None


if __name__ == "__main__":
    chosen = [name for name in modules() if name.startswith(DRIVING) == (sys.argv[1:] == ["driving"])]
    wants = {name: lacking(name) for name in chosen}
    print(json.dumps([len(chosen), {name: want for name, want in wants.items() if want}]))
