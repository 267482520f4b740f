"""A shop's document, and an app that says what it got."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import yaml

from garrison import Contract, ContractMiddleware
from garrison.events import event_log
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp, Message, Receive, Scope, Send
    from tests.toolkit.driver import Reply

DOCUMENT: Final = yaml.safe_load("""
openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
      responses: {"200": {description: orders}}
    post:
      operationId: order
      security: [{key: [orders]}]
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [item]
              properties:
                item: {type: string, maxLength: 20}
                count: {type: integer, minimum: 1}
      responses: {"201": {description: ordered}}
  /orders/{id}:
    get:
      operationId: readOrder
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: an order}}
  /pictures:
    post:
      operationId: addPicture
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema:
              type: object
              additionalProperties: false
              required: [title, picture]
              properties:
                title: {type: string}
                picture: {type: string, format: binary}
      responses: {"201": {description: added}}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-API-Key}
""")

CANARY: Final = "canary-8c1f"
JSON: Final = (b"content-type", b"application/json")
KEY: Final = (b"x-api-key", b"secret-of-alice-0123456789")


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body that it got, and who asked."""
    body, more = b"", True
    while more:
        message: Message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
    principal = scope["garrison"].principal or ""
    headers = [(b"x-principal", principal.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Shop:
    """The app behind its document, and what was logged."""

    def __init__(
        self,
        folder: Path,
        *,
        app: ASGIApp = echo,
        document: Any = None,
        secret: Any = None,
        budget: Any = None,
        **fields: Any,
    ) -> None:
        path = folder / "openapi.yaml"
        path.write_text(yaml.safe_dump(document or DOCUMENT), encoding="utf-8")
        self.log = io.StringIO()
        settings = Contract(document=str(path), **{"security": "presence", **fields})
        log = event_log(stream=self.log)
        self.app = ContractMiddleware(app, settings, secret=secret, budget=budget, log=log)

    def ask(
        self,
        path: str,
        *chunks: bytes,
        method: str = "GET",
        query: bytes = b"",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        **more: Any,
    ) -> Reply:
        """One request; one with a body says how long it is."""
        size = sum(map(len, chunks))
        lines = [*headers, (b"content-length", b"%d" % size)] if chunks else [*headers]
        return call(self.app, http_scope(path, method=method, query=query, headers=lines, **more), *chunks)

    def order(self, body: bytes, *headers: tuple[bytes, bytes]) -> Reply:
        """An order, with a key and as JSON unless the headers say otherwise."""
        return self.ask("/orders", body, method="POST", headers=headers or (JSON, KEY))
