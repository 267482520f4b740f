"""An app whose author forgot to switch the debug mode off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from starlette.applications import Starlette
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def fail(_request: Request) -> NoReturn:
    """Raise what nobody handles."""
    raise ValueError("a secret")


app = Starlette(debug=True, routes=[Route("/raise", fail)])
