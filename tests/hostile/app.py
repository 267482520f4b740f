"""An app with every kind of body, as many are written, and behind the layers that harden it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import FastAPI, Form, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from garrison import Contract, RequestLimits, Settings, harden
from garrison.openapi.api_keys import key_digest, key_entry
from garrison.units import Secret
from tests.hostile.credentials import API_KEY, AUDIENCE, ISSUER, SECRET

if TYPE_CHECKING:
    from garrison.stack import Hardened


HERE: Final = Path(__file__).parent


class Order(BaseModel):
    """What is ordered."""

    name: str
    quantity: int = 1
    price: float = 0.0
    tags: list[str] = []
    extra: dict[str, Any] = {}


def unhardened() -> FastAPI:
    """The app alone; it never repeats what it was sent."""
    app = FastAPI()

    @app.exception_handler(RequestValidationError)
    async def refuse(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"errors": len(error.errors())}, status_code=422)

    @app.post("/orders")
    async def order(order: Order) -> dict[str, int]:
        return {"tags": len(order.tags)}

    @app.api_route("/raw", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def raw(request: Request) -> dict[str, str]:
        try:
            return {"type": type(await request.json()).__name__}
        except ValueError:
            return {"type": "none"}

    @app.post("/form")
    async def form(name: Annotated[str, Form()], note: Annotated[str, Form()] = "") -> dict[str, int]:
        return {"size": len(name) + len(note)}

    @app.post("/upload")
    async def upload(file: UploadFile) -> dict[str, int | None]:
        return {"size": file.size}

    @app.post("/stream")
    async def stream(request: Request) -> dict[str, int]:
        return {"size": sum([len(chunk) async for chunk in request.stream()])}

    @app.post("/pictures")
    async def picture(request: Request) -> dict[str, int]:
        async with request.form() as form:
            return {"size": len(form)}

    @app.get("/search/{matrix}/{label}")
    async def search(matrix: str, label: str) -> dict[str, int]:
        return {"size": len(matrix) + len(label)}

    @app.get("/vault")
    async def read_vault() -> dict[str, bool]:
        return {"open": True}

    @app.post("/vault")
    async def fill_vault(order: Order) -> dict[str, bool]:
        return {"kept": True}

    @app.get("/items/{path:path}")
    async def item(path: str, q: str = "", limit: int = 10) -> dict[str, int]:
        return {"size": len(path) + len(q) + limit}

    return app


LIMITS = RequestLimits(
    json="strict",
    max_file=5_000_000,
    max_field=100_000,
    rules="POST /stream: max_upload=20MB; /orders: max_body=1MB, json=strict; /form: max_body=1MB",
)


CONTRACT = Contract(
    document=str(HERE / "openapi.yaml"),
    api_keys=Secret(key_entry("shop", key_digest(API_KEY, SECRET))),
    jwt_keys=str(HERE / "key.pem"),
    jwt_issuers=(ISSUER,),
    jwt_audiences=(AUDIENCE,),
)


def hardened() -> Hardened:
    """The app as it would run in production."""
    settings = Settings(access_log=None, secret=SECRET, request_limits=LIMITS, contract=CONTRACT)
    return harden(unhardened(), settings)
