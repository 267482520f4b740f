"""The shop of the load tests, which keeps all that it promises; here it also tells what it heard."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations

from loadtests.shop import app

__all__ = ["app"]

heard: dict[str, set[str]] = {"if-none-match": set(), "cookie": set(), "x-test": set()}


@app.middleware("http")
async def listen(request: Request, call_next: Any) -> Any:
    """Note what clients sent."""
    for name, values in heard.items():
        values.update(request.headers.getlist(name))
    return await call_next(request)


@app.get("/heard", include_in_schema=False)
def get_heard() -> dict[str, list[str]]:
    """What clients sent so far."""
    return {name: sorted(values) for name, values in heard.items()}
