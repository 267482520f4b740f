"""Where the planted routes are, and what an OpenAPI document says of them."""

from __future__ import annotations

from typing import Final

from garrison_harness.checks import probes
from garrison_harness.discovery.document import routes_of
from garrison_harness.route import Route

BEGINNING: Final = "/garrison-"
"""What the path of everything that is planted begins with, and that of what no app serves."""
ROOT: Final = f"{BEGINNING}prove"
PAGE: Final = f"{ROOT}/page"
BODY: Final = f"{ROOT}/body"
RAISE: Final = f"{ROOT}/raise"
DEBUG: Final = f"{ROOT}/debug"
SLEEP: Final = f"{ROOT}/sleep"
STREAM: Final = f"{ROOT}/stream"
SOCKET: Final = f"{ROOT}/socket"
REPORTS: Final = f"{ROOT}/reports"
ITEMS: Final = f"{ROOT}/items"
ORDERS: Final = f"{ROOT}/orders"
MEMBERS: Final = f"{ROOT}/members"

METRICS: Final = "/metrics"
SETTINGS_FILE: Final = "/.env"
DOCS: Final = "/docs"
PROBES: Final = probes.USUAL
"""Where nothing is, whatever the app inside has there: those who ask for its health shall miss the layer."""

DOCUMENT: Final[dict[str, object]] = {
    "openapi": "3.1.0",
    "info": {"title": "Planted routes", "version": "1"},
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Planted-Key"}}},
    "paths": {
        f"{ITEMS}/{{number}}": {
            "get": {
                "operationId": "plantedItem",
                "parameters": [
                    {
                        "name": "number",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "integer", "minimum": 1, "maximum": 1000},
                        "example": 7,
                    }
                ],
                "responses": {"200": {"description": "the item"}, "4XX": {"description": "refused"}},
            }
        },
        ORDERS: {
            "post": {
                "operationId": "plantedOrder",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["quantity"],
                                "properties": {"quantity": {"type": "integer", "minimum": 1}},
                                "example": {"quantity": 1},
                            }
                        }
                    },
                },
                "responses": {"200": {"description": "the order"}, "4XX": {"description": "refused"}},
            }
        },
        MEMBERS: {
            "get": {
                "operationId": "plantedMembers",
                "security": [{"key": []}],
                "responses": {"200": {"description": "the members"}, "4XX": {"description": "refused"}},
            }
        },
    },
}
"""Three operations with a fault each, which only somebody who reads the document can mend: nothing is looked
at in the handlers. What no document describes is planted beside them, because a contract that refuses a body
would hide what the bounds on bodies do."""


def planted_routes(*, declared: bool) -> tuple[Route, ...]:
    """The planted routes as an audit knows routes.

    Args:
        declared: Whether the document counts, because there is a contract to be kept.
    """
    bare = (
        Route(method="GET", template=PAGE, target=PAGE, source="app"),
        Route(method="GET", template=DEBUG, target=DEBUG, source="app"),
        Route(method="POST", template=BODY, target=BODY, source="app", body=b'{"garrison": "check"}'),
        Route(method="WEBSOCKET", template=SOCKET, target=SOCKET, source="app"),
    )
    return (*bare, *routes_of(DOCUMENT)) if declared else bare
