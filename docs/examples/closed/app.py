"""A small shop with much that is easily forgotten: docs, metrics, a page of the staff, a folder of files."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles

METRICS = "# TYPE shop_orders_total counter\nshop_orders_total 4711\n"

app = FastAPI(title="Shop")


@app.get("/", include_in_schema=False)
async def home() -> PlainTextResponse:
    """The page."""
    return PlainTextResponse("The shop is open.\n")


@app.get("/documents")
async def documents() -> PlainTextResponse:
    """What customers may read, whatever else is closed."""
    return PlainTextResponse("Terms of delivery.\n")


@app.get("/admin/users")
async def users() -> list[str]:
    """Who has an account; whoever wrote this has forgotten to ask who wants to know."""
    return ["ada", "grace"]


@app.get("/metrics", include_in_schema=False)
async def metrics() -> PlainTextResponse:
    """What monitoring asks for."""
    return PlainTextResponse(METRICS)


# Everything in the folder is served, with what an editor or a deployment has left in it.
app.mount("/", StaticFiles(directory=Path(__file__).parent / "files"))
