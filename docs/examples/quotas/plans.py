"""Who a request is from, what has been paid for, what a search costs: what only this shop knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

KEYS = {"k-4711": "acme", "k-0815": "bolt"}
PLANS = {"acme": "100/second; 50000/day", "bolt": "2/second"}


def tenant(request: HTTPConnection) -> str | None:
    """Whose key a request has; None where it has none that is known."""
    return KEYS.get(request.headers.get("x-api-key", ""))


async def quotas(tenant: str) -> str | None:
    """What a tenant has paid for; None would be no limit."""
    return PLANS[tenant]


def cost(request: HTTPConnection) -> int:
    """A search through everything takes five units, one in a shelf takes one."""
    return 1 if request.query_params.get("shelf") else 5
