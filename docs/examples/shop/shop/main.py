"""The shop as one app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse

from . import accounts, catalog, live, orders
from .database import connected, prepare

HTML = Path(__file__).parent / "html"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open the shop."""
    prepare()
    yield


app = FastAPI(title="Shop", lifespan=lifespan)
for part in (accounts, catalog, orders, live):
    app.include_router(part.routes)


@app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
def home() -> FileResponse:
    """What there is to buy."""
    return FileResponse(HTML / "home.html")


@app.api_route("/account", methods=["GET", "HEAD"], include_in_schema=False)
def account() -> FileResponse:
    """What one has bought."""
    return FileResponse(HTML / "account.html")


@app.get("/metrics", include_in_schema=False)
def metrics() -> PlainTextResponse:
    """What monitoring asks for."""
    with connected() as database:
        counted = database.execute("select count(*) from orders").fetchone()[0]
    return PlainTextResponse(f"# TYPE shop_orders_total counter\nshop_orders_total {counted}\n")


@app.get("/debug/error", include_in_schema=False)
def error() -> None:
    """Fail, to see that failures are reported."""
    raise RuntimeError("somebody asked for an error")
