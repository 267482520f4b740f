"""A small shop that believes what it is sent: nothing in here looks whether a request is right."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

orders: dict[int, dict[str, Any]] = {1: {"id": 1, "item": "tea", "count": 2, "payment": {"kind": "card"}}}
numbers = count(2)


async def home(_: Request) -> PlainTextResponse:
    """Not in the document: a page for people."""
    return PlainTextResponse("The shop is open.\n")


async def list_orders(request: Request) -> JSONResponse:
    """The newest orders."""
    limit = int(request.query_params.get("limit", 20))
    return JSONResponse([*orders.values()][-limit:])


async def place_order(request: Request) -> JSONResponse:
    """Keep an order, and nothing of the card."""
    sent = await request.json()
    sent["payment"].pop("number", None)
    number = next(numbers)
    orders[number] = {**sent, "id": number}
    return JSONResponse(orders[number], status_code=201)


def order_of(request: Request) -> dict[str, Any]:
    """The order in the path."""
    try:
        return orders[int(request.path_params["id"])]
    except KeyError:
        raise HTTPException(404) from None


async def read_order(request: Request) -> JSONResponse:
    """One order."""
    return JSONResponse(order_of(request))


async def add_note(request: Request) -> Response:
    """Say something about an order."""
    async with request.form() as form:
        note = {"text": form["text"], "stars": int(str(form.get("stars", 5)))}
    order_of(request).setdefault("notes", []).append(note)
    return Response(status_code=204)


async def add_picture(request: Request) -> Response:
    """Show what came."""
    async with request.form() as form:
        picture = {"title": form["title"], "size": form["picture"].size}  # type: ignore[union-attr]
    order_of(request).setdefault("pictures", []).append(picture)
    return Response(status_code=204)


async def read_account(request: Request) -> JSONResponse:
    """Who asks, as whoever verified the token says."""
    return JSONResponse({"name": request.scope["garrison"].principal})


app = Starlette(
    routes=[
        Route("/", home),
        Route("/orders", list_orders),
        Route("/orders", place_order, methods=["POST"]),
        Route("/orders/{id}", read_order),
        Route("/orders/{id}/notes", add_note, methods=["POST"]),
        Route("/orders/{id}/picture", add_picture, methods=["POST"]),
        Route("/account", read_account),
    ]
)
