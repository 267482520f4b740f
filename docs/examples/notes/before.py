"""A page of notes as many are written: scripts, styles and event handlers are in the HTML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HERE = Path(__file__).parent
NOTES = ("Water the plants", "Call the bank")

templates = Jinja2Templates(HERE / "templates")


async def notes(request: Request) -> Response:
    """The page."""
    return templates.TemplateResponse(request, "before.html", {"notes": NOTES})


app = Starlette(routes=[Route("/", notes), Mount("/static", StaticFiles(directory=HERE / "static"))])
