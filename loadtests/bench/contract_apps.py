"""The same shop, held to its document by nobody, by Garrison, and by what people use today."""

from __future__ import annotations

import tempfile
from datetime import datetime  # noqa: TC003 - pydantic reads annotations when the module runs
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal
from uuid import UUID  # noqa: TC003 - see above

import orjson
from fastapi import FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.routing import Route

from garrison.middleware.contract import Contract, ContractMiddleware
from garrison.middleware.request_limits import RequestLimitsMiddleware
from loadtests.bench.contract_document import (
    BIG_PATH,
    CURRENCY,
    PLAIN_PATH,
    REFERENCE,
    SKU,
    SMALL_PATH,
    document,
)
from loadtests.bench.measure import Variant
from loadtests.bench.names import BARE

if TYPE_CHECKING:
    from starlette.types import ASGIApp

CONTRACT: Final = "Garrison, contract"
BOTH: Final = "Garrison, limits and contract"
BARE_FASTAPI: Final = "FastAPI, nothing declared"
FASTAPI: Final = "FastAPI, its own validation"
CORE: Final = "openapi-core, middleware"
CONNEXION: Final = "connexion, middleware"

# What a peer is compared with, if that is not the bare app.
OVER: Final = {FASTAPI: BARE_FASTAPI}

READ_PATH: Final = "/shops/{shop}/orders/{number}"


def variants() -> tuple[list[Variant], dict[str, str]]:
    """Every way to hold the shop to its document, nothing at all first.

    Returns:
        Also, by the name of a peer that cannot be measured here, the package that it lacks.
    """
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(orjson.dumps(document()))
        file.flush()
        settings = Contract(document=file.name)
        alone = ContractMiddleware(bare(), settings)
        both = RequestLimitsMiddleware(ContractMiddleware(bare(), settings))
        connexion = around_connexion(bare(), Path(file.name))
    found = [
        Variant(name=BARE, app=bare()),
        Variant(name=CONTRACT, app=alone),
        Variant(name=BOTH, app=both),
        Variant(name=BARE_FASTAPI, app=fastapi_bare()),
        Variant(name=FASTAPI, app=fastapi_declared()),
        Variant(name=CONNEXION, app=connexion),
    ]
    try:
        found.append(Variant(name=CORE, app=around_openapi_core(bare())))
    except ModuleNotFoundError as error:
        # Its extra for Starlette would bring what it needs, and a Starlette that is too old for the others.
        return found, {CORE: error.name or CORE}
    return found, {}


def bare() -> Starlette:
    """The shop, whose handlers parse their bodies and look at nothing."""
    return Starlette(
        routes=[
            Route(SMALL_PATH, _placed, methods=["POST"]),
            Route(BIG_PATH, _placed, methods=["POST"]),
            Route(PLAIN_PATH, _read),
            Route(READ_PATH, _read),
        ]
    )


def fastapi_bare() -> FastAPI:
    """The same handlers in FastAPI, which declare nothing that it could validate."""
    app = FastAPI(openapi_url=None)
    app.post(SMALL_PATH)(_placed)
    app.post(BIG_PATH)(_placed)
    app.get(PLAIN_PATH)(_read)
    app.get(READ_PATH)(_read)
    return app


async def _placed(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({"placed": True})


async def _read(request: Request) -> JSONResponse:  # noqa: ARG001 - every handler gets one
    return JSONResponse({"number": 1042})


class Closed(BaseModel):
    """An object without any other members."""

    model_config = ConfigDict(extra="forbid")


class Customer(Closed):
    """Who orders."""

    id: UUID
    name: Annotated[str, Field(min_length=1, max_length=80)]
    email: Annotated[str, Field(pattern="^[^@ ]+@[^@ ]+$", max_length=120)]
    phone: Annotated[str, Field(pattern="^[+][0-9]{6,15}$")]


class Address(Closed):
    """Where it goes."""

    street: Annotated[str, Field(min_length=1, max_length=100)]
    city: Annotated[str, Field(min_length=1, max_length=60)]
    zip: Annotated[str, Field(pattern="^[0-9]{5}$")]
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]


class Item(Closed):
    """One thing."""

    sku: Annotated[str, Field(pattern=SKU)]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    quantity: Annotated[int, Field(ge=1, le=999)]
    price: Annotated[float, Field(ge=0)]


class Order(Closed):
    """The schema of that name, as a model."""

    id: UUID
    reference: Annotated[str, Field(pattern=REFERENCE)]
    status: Literal["draft", "placed", "paid", "sent"]
    placed_at: datetime
    currency: Annotated[str, Field(pattern=CURRENCY)]
    customer: Customer
    address: Address
    items: Annotated[list[Item], Field(min_length=1, max_length=50)]
    note: Annotated[str, Field(max_length=500)]


def fastapi_declared() -> FastAPI:
    """The same shop with models and annotated parameters."""
    app = FastAPI(openapi_url=None)

    @app.post(SMALL_PATH)
    async def place(order: Order) -> JSONResponse:  # noqa: ARG001 - that it is declared is the point
        return JSONResponse({"placed": True})

    @app.post(BIG_PATH)
    async def place_all(orders: list[Order]) -> JSONResponse:  # noqa: ARG001 - as above
        return JSONResponse({"placed": True})

    @app.get(PLAIN_PATH)
    async def recent() -> JSONResponse:
        return JSONResponse({"number": 1042})

    @app.get(READ_PATH)
    async def read(
        shop: Annotated[str, InPath(max_length=20)],  # noqa: ARG001 - as above
        number: Annotated[int, InPath(ge=1)],  # noqa: ARG001 - as above
        limit: Annotated[int | None, Query(ge=1, le=100)] = None,  # noqa: ARG001 - as above
        currency: Annotated[str | None, Query(pattern=CURRENCY)] = None,  # noqa: ARG001 - as above
        *,
        detailed: bool | None = None,  # noqa: ARG001 - as above
    ) -> JSONResponse:
        return JSONResponse({"number": 1042})

    return app


def around_openapi_core(app: ASGIApp) -> ASGIApp:
    """openapi-core's middleware, which is told not to look at replies."""
    from openapi_core import OpenAPI  # noqa: PLC0415 - takes a second, and the other processes do without
    from openapi_core.contrib.starlette.middlewares import StarletteOpenAPIMiddleware  # noqa: PLC0415

    contract = OpenAPI.from_dict(document())
    return StarletteOpenAPIMiddleware(app, contract, response_cls=None)  # type: ignore[arg-type]


def around_connexion(app: ASGIApp, path: Path) -> ASGIApp:
    """The middlewares of connexion around an app of somebody else."""
    from connexion import ConnexionMiddleware  # type: ignore[import-untyped]  # noqa: PLC0415 - see above
    from connexion.resolver import Resolver  # type: ignore[import-untyped]  # noqa: PLC0415 - see above

    layers = ConnexionMiddleware(app)
    # It wants to know handlers, although those of the app are called.
    layers.add_api(path, resolver=Resolver(lambda _: _read))
    found: ASGIApp = layers
    return found
