"""Chooses the users of a plan, and tells them what the plan says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, cast

from garrison_harness.load.driving import users
from garrison_harness.load.requests.spec import RequestSpec, SpecRecord, one_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust import User

    from garrison_harness.load.plan import Plan

_CLASSES: Final[Mapping[str, type[User]]] = {
    "browser": users.BrowserUser,
    "api": users.ApiUser,
    "patient": users.PatientUser,
    "impatient": users.ImpatientUser,
    "slow": users.SlowUser,
    "malformed": users.MalformedUser,
    "websocket": users.WebSocketUser,
}


def cast_users(plan: Plan) -> list[type[User]]:
    """A class for each share of the mix; without a mix, one that sends the plan's requests.

    Args:
        plan: With a mix or requests.
    """
    shares = plan.mix or (("api", "", 1),)
    counts = Counter(name for name, _, _ in shares)
    return [
        _cast(plan, name, path, weight, number if counts[name] > 1 else 0)
        for number, (name, path, weight) in enumerate(shares, 1)
    ]


def _requests(plan: Plan, path: str) -> tuple[RequestSpec, ...]:
    """What an api user sends: one request for a path of its own, else what the plan lists."""
    if path or not plan.requests:
        return (one_request(path or plan.paths[0]),)
    records = cast("tuple[SpecRecord, ...]", plan.requests)
    return tuple(map(RequestSpec.from_record, records))


def _cast(plan: Plan, name: str, path: str, weight: int, number: int) -> type[User]:
    known = _CLASSES[name]
    members: dict[str, Any] = {"weight": weight, "__module__": known.__module__}
    if path:
        members["path"] = path
    if name == "api":
        members["requests"] = _requests(plan, path)
    # Locust tells users apart by the names of their classes.
    return type(f"{known.__name__}{number or ''}", (known,), members)
