"""What a shop's own code says of its requests, for settings that name callables."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

HERE: Final = "tests.toolkit.middleware.shop"

# The tenants that somebody asked the quotas of, in order; tests begin with none.
looked_up: list[str] = []

PLANS: Final = {"gold": "3/minute", "free": "1/minute", "staff": None}


def tenant(request: HTTPConnection) -> str | None:
    """Who the request is for, as its Host says."""
    return request.headers["host"].partition(".")[0] or None


async def tenant_soon(request: HTTPConnection) -> str | None:
    """The same, after a while."""
    await asyncio.sleep(0)
    return request.query_params.get("tenant")


def quotas(name: str) -> str | None:
    """What a tenant has paid for; a tenant that nobody knows has little."""
    looked_up.append(name)
    return PLANS.get(name, "2/minute")


async def quotas_soon(name: str) -> str | None:
    """The same, after a query."""
    await asyncio.sleep(0)
    return quotas(name)


def cost(request: HTTPConnection) -> int:
    """As many units as the client asks for things."""
    return int(request.query_params["things"])


async def cost_soon(request: HTTPConnection) -> int:
    """The same, after a while."""
    await asyncio.sleep(0)
    return cost(request)


def fails(*_: object) -> str:
    """Has a fault."""
    raise LookupError("hunter2 is not a tenant")


async def never(*_: object) -> str:
    """Waits for a database that does not answer."""
    await asyncio.Event().wait()
    raise AssertionError


def number(*_: object) -> float:
    """Says something that is neither a text nor units."""
    return 1.5


def yes(*_: object) -> bool:
    """Says something that Python takes for a number."""
    return True


def negative(*_: object) -> int:
    """Would give units to whoever asks."""
    return -1


def nonsense(*_: object) -> str:
    """Says something that is no quota."""
    return "many"


NOT_CALLABLE: Final = 5
