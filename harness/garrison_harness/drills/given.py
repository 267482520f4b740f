"""What the options of `garrison drill` hold once they are read, and what they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison_harness.drills.bounds import Bounds
from garrison_harness.drills.scene import STORE_VARIABLE, Asked
from garrison_harness.options import target

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.site import Quota


class Given(target.Given):
    """The value of each option, by the name of its parameter."""

    rate: float
    window: float
    paths: tuple[str, ...]
    headers: list[tuple[str, str]]
    error_path: str | None
    body_path: str | None
    slow_path: str | None
    large_path: str | None
    ready_path: str | None
    one_address: bool
    store_variables: tuple[str, ...]
    late: float
    factor: float
    recovery: float
    grace: float
    slow_limit: float | None
    quota: Quota | None
    closed: bool
    slow_clients: int
    select: list[str]
    ignore: list[str]
    catalogue: bool
    formats: tuple[str, ...]
    outputs: tuple[str, ...]
    log_directory: Path | None


def asked_of(given: Given, path: str, workers: int) -> Asked:
    """What the options ask for.

    Args:
        given: The options.
        path: What the load asks for where no option says so.
        workers: Processes of the target.
    """
    quota = given["quota"]
    bounds = Bounds(
        late=given["late"],
        factor=given["factor"],
        recovery=given["recovery"],
        grace=given["grace"],
        closed=given["closed"],
        workers=workers,
        quota=quota.limit if quota else 0,
        refill=quota.limit / quota.period if quota else 0.0,
        slow=given["slow_limit"],
    )
    return Asked(
        rate=given["rate"],
        window=given["window"],
        paths=given["paths"] or (path,),
        headers=tuple(given["headers"]),
        one_address=given["one_address"],
        error_path=given["error_path"],
        body_path=given["body_path"],
        slow_path=given["slow_path"],
        large_path=given["large_path"],
        ready_path=given["ready_path"],
        store_variables=given["store_variables"] or (STORE_VARIABLE,),
        needs_store=bool(given["store_variables"]),
        slow_clients=given["slow_clients"],
        bounds=bounds,
    )
