"""The same page, ready for an enforced policy: it gives a nonce to what is inline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from garrison import csp_nonce, set_policy

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HERE = Path(__file__).parent
NOTES = ("Water the plants", "Call the bank")

templates = Jinja2Templates(HERE / "templates")
templates.env.globals["csp_nonce"] = csp_nonce


async def notes(request: Request) -> Response:
    """The page."""
    return templates.TemplateResponse(request, "after.html", {"notes": NOTES})


async def shared(request: Request) -> Response:
    """The page, for a partner to frame."""
    set_policy(request, directives={"frame-ancestors": "https://partner.example"})
    return await notes(request)


app = Starlette(
    routes=[
        Route("/", notes),
        Route("/shared", shared),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
)
