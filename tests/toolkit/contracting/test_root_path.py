"""An app with a prefix of its own takes paths with it and without it: rules hold for both."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from garrison import Contract, ContractMiddleware, RateLimit, RequestLimits, Settings, harden
from tests.toolkit.driver import call, http_scope

CONTRACT = Contract(document="app", security="verify", verifiers="HTTPBearer=refuse")


def shop() -> FastAPI:
    """An app that says where a proxy has it."""
    app = FastAPI()
    # The argument is deprecated, and still in many apps.
    app.root_path = "/api"

    @app.post("/pay", dependencies=[Depends(HTTPBearer())])
    def pay(order: dict[str, Any]) -> str:
        return f"paid {len(order)}"

    @app.get("/orders")
    def orders(limit: Annotated[int, "how many"] = 3) -> int:
        return limit

    return app


def status(app: Any, method: str, path: str, body: bytes = b"", query: bytes = b"") -> int:
    """What a stranger with a forged token is answered."""
    headers = [(b"content-type", b"application/json"), (b"authorization", b"Bearer forged")]
    if body:
        headers.append((b"content-length", b"%d" % len(body)))
    return call(app, http_scope(path, method=method, headers=headers, query=query), body).status


@pytest.mark.parametrize("path", ["/pay", "/api/pay"])
def test_the_contract_has_no_way_around(path: str) -> None:
    """The app answers both paths, and the operation is closed on both."""
    assert status(shop(), "POST", path, b"{}") == 200
    assert status(harden(shop(), Settings(contract=CONTRACT)), "POST", path, b"{}") == 401
    assert status(ContractMiddleware(shop(), CONTRACT), "POST", path, b"{}") == 401


@pytest.mark.parametrize("path", ["/orders", "/api/orders"])
def test_what_the_app_serves_is_documented(path: str) -> None:
    """Where unknown paths are refused, both are known."""
    app = harden(shop(), Settings(contract=Contract(document="app", unknown="refuse")))
    assert status(app, "GET", path) == 200
    assert status(app, "GET", path, query=b"limit=x") == 400
    assert status(app, "GET", "/api/elsewhere") == 404


def test_rules_by_path_hold_for_both() -> None:
    """A quota, and a bound on bodies, of a path count it with the prefix too."""
    settings = Settings(
        rate_limit=RateLimit(limits="GET /orders: 1/minute"),
        request_limits=RequestLimits(rules="POST /pay: max_body=1B"),
    )
    app = harden(shop(), settings)
    assert [status(app, "GET", path) for path in ("/orders", "/api/orders")] == [200, 429]
    assert [status(app, "POST", path, b"{}") for path in ("/pay", "/api/pay")] == [413, 413]
