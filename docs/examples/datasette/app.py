"""Datasette as an ASGI app, so that `garrison run app:create --factory` can serve it.

It is the app as its authors ship it; nothing in it knows of Garrison.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasette.app import Datasette


def create() -> Any:
    """The app over the database that lies in the current directory."""
    here = Path.cwd()
    metadata = json.loads((here / "metadata.json").read_text(encoding="utf-8"))
    return Datasette([str(here / "cities.db")], metadata=metadata).app()
