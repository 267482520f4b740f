"""A folder of pages as an app."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles


def pages_of(folder: Path) -> Starlette:
    """An app that serves a folder: `index.html` for each in it, and `404.html` for what is not there.

    Args:
        folder: with the pages.
    """
    return Starlette(routes=[Mount("/", StaticFiles(directory=folder, html=True))])


app = pages_of(Path(os.environ.get("SITE", Path(__file__).parent / "pages")))
