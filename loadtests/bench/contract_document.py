"""The document that contracts are measured with, and requests that keep it."""

from __future__ import annotations

import json
from typing import Any, Final

# Patterns, formats and closed objects everywhere: what the document asks for, each of those measured checks.
UUID: Final = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
REFERENCE: Final = "^[A-Z]{3}-[0-9]{6}$"
CURRENCY: Final = "^[A-Z]{3}$"
SKU: Final = "^[A-Z0-9-]{4,20}$"
STATUSES: Final = ("draft", "placed", "paid", "sent")

SMALL_PATH: Final = "/orders"
BIG_PATH: Final = "/orders/batch"
PLAIN_PATH: Final = "/orders/recent"
PARAMETERS_PATH: Final = "/shops/berlin/orders/1042"
PARAMETERS_QUERY: Final = b"limit=20&currency=EUR&detailed=true"

# What the measurements that set the limits were made with: an object of 837 bytes, and a list of 119 of them.
SMALL_BYTES: Final = 837
BIG_COUNT: Final = 119


def document() -> dict[str, Any]:
    """An OpenAPI document of one shop, in version 3.0, which every peer reads."""
    order = {"$ref": "#/components/schemas/Order"}
    ok = {"200": {"description": "It is.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            SMALL_PATH: {"post": _operation("place", ok, body=order)},
            BIG_PATH: {"post": _operation("place_all", ok, body={"type": "array", "items": order})},
            PLAIN_PATH: {"get": _operation("recent", ok)},
            "/shops/{shop}/orders/{number}": {"get": {**_operation("read", ok), "parameters": _parameters()}},
        },
        "components": {"schemas": {"Order": _order()}},
    }


def small() -> bytes:
    """An order."""
    return json.dumps(_example()).encode()


def big() -> bytes:
    """A list of orders, 100 KB."""
    return json.dumps([_example()] * BIG_COUNT).encode()


def _operation(name: str, replies: dict[str, Any], *, body: dict[str, Any] | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"operationId": name, "responses": replies}
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


def _parameters() -> list[dict[str, Any]]:
    def parameter(name: str, where: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "in": where, "required": where == "path", "schema": schema}

    return [
        parameter("shop", "path", _text(max_length=20)),
        parameter("number", "path", {"type": "integer", "minimum": 1}),
        parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 100}),
        parameter("currency", "query", {"type": "string", "pattern": CURRENCY}),
        parameter("detailed", "query", {"type": "boolean"}),
    ]


def _text(*, max_length: int, min_length: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": min_length, "maxLength": max_length}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _order() -> dict[str, Any]:
    address = {
        "street": _text(max_length=100),
        "city": _text(max_length=60),
        "zip": {"type": "string", "pattern": "^[0-9]{5}$"},
        "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    }
    customer = {
        "id": {"type": "string", "format": "uuid"},
        "name": _text(max_length=80),
        "email": {"type": "string", "pattern": "^[^@ ]+@[^@ ]+$", "maxLength": 120},
        "phone": {"type": "string", "pattern": "^[+][0-9]{6,15}$"},
    }
    item = {
        "sku": {"type": "string", "pattern": SKU},
        "name": _text(max_length=80),
        "quantity": {"type": "integer", "minimum": 1, "maximum": 999},
        "price": {"type": "number", "minimum": 0},
    }
    return _closed(
        {
            "id": {"type": "string", "format": "uuid"},
            "reference": {"type": "string", "pattern": REFERENCE},
            "status": {"type": "string", "enum": list(STATUSES)},
            "placed_at": {"type": "string", "format": "date-time"},
            "currency": {"type": "string", "pattern": CURRENCY},
            "customer": _closed(customer),
            "address": _closed(address),
            "items": {"type": "array", "items": _closed(item), "minItems": 1, "maxItems": 50},
            "note": _text(max_length=500, min_length=0),
        }
    )


def _example() -> dict[str, Any]:
    items = [
        {"sku": f"LMP-{number:04}", "name": "Lantern, brass, for ships", "quantity": number, "price": 12.5}
        for number in range(1, 4)
    ]
    found = {
        "id": "6f1c2f4e-8a51-4f0c-9d3e-0b6f4c1d2e3a",
        "reference": "ABC-123456",
        "status": "placed",
        "placed_at": "2026-11-22T20:15:00Z",
        "currency": "EUR",
        "customer": {
            "id": "0d9f7c3a-1b2c-4d5e-8f90-a1b2c3d4e5f6",
            "name": "Ada Lovelace",
            "email": "ada@example.com",
            "phone": "+493012345678",
        },
        "address": {"street": "Hauptstraße 1", "city": "Berlin", "zip": "10115", "country": "DE"},
        "items": items,
        "note": "",
    }
    found["note"] = "x" * (SMALL_BYTES - len(json.dumps(found)))
    return found
