"""The operations of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.openapi.declared import Declarations
from garrison.openapi.model import Body, Need, Operation, Reply
from garrison.openapi.path_items import PathItem
from garrison.openapi.servers import read_servers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison.openapi.definitions import Definitions
    from garrison.openapi.document import Document
    from garrison.openapi.model import Parameter, Scheme
    from garrison.openapi.places import Place
    from garrison.openapi.shapes import Shapes


class Operations:
    """Reads the operations of a document.

    Args:
        document: that has them.
        schemes: its security schemes, by name.
        requests: collects the schemas of requests.
        replies: collects those of replies.
        shapes: of schemas.
    """

    def __init__(
        self,
        document: Document,
        schemes: Mapping[str, Scheme],
        requests: Definitions,
        replies: Definitions,
        shapes: Shapes,
    ) -> None:
        self._document = document
        self._schemes = schemes
        self._requests = Declarations(requests, shapes)
        self._replies = Declarations(replies, shapes, of_replies=True)

    def read(self) -> Iterator[Operation]:
        """All operations.

        Raises:
            DocumentError: a part of one is missing, or is not what it must be.
        """
        paths = self._document.root.get("paths")
        if paths is None:
            # OpenAPI 3.0 wants it; a document with webhooks alone has none.
            if self._document.version == "3.0":
                raise self._document.root.wrong("paths, an object", "")
            return
        for template, found in paths.members():
            if not template.startswith("/"):
                raise found.wrong("a path that begins with a slash", repr(template[:120]))
            item = PathItem(found, self._document.version)
            shared = self._parameters(item.get("parameters"))
            servers = item.servers()
            for method, place in item.operations():
                yield self._operation(template, method, place, shared, servers)

    def _operation(
        self,
        template: str,
        method: str,
        place: Place,
        shared: dict[tuple[str, str], Parameter],
        servers: tuple[str, ...],
    ) -> Operation:
        return Operation(
            method=method,
            template=template,
            name=place.text("operationId", f"{method} {template}"),
            parameters=tuple({**shared, **self._parameters(place.get("parameters"))}.values()),
            body=self._body(place),
            security=self._security(place),
            replies=dict(self._replies_of(place)),
            servers=read_servers(place) or servers,
            pointer=place.where,
        )

    def _parameters(self, declared: Place | None) -> dict[tuple[str, str], Parameter]:
        found: dict[tuple[str, str], Parameter] = {}
        for member in () if declared is None else declared.entries():
            parameter = self._requests.parameter(member.target())
            if parameter is None:
                continue
            if found.setdefault((parameter.location, parameter.name), parameter) is not parameter:
                raise member.wrong("a parameter that is declared once", repr(parameter.name[:120]))
        return found

    def _body(self, place: Place) -> Body | None:
        declared = place.get("requestBody")
        if declared is None:
            return None
        body = declared.target()
        content = body.get("content")
        if content is None:
            raise body.wrong("content, an object", "")
        return Body(required=body.flag("required"), content=self._requests.content(content))

    def _replies_of(self, place: Place) -> Iterator[tuple[str, Reply]]:
        declared = place.get("responses")
        for status, member in () if declared is None else declared.members():
            reply = member.target()
            headers, content = reply.get("headers"), reply.get("content")
            yield (
                status.upper() if status != "default" else status,
                Reply(
                    headers=() if headers is None else self._replies.headers(headers),
                    content=() if content is None else self._replies.content(content),
                ),
            )

    def _security(self, place: Place) -> tuple[tuple[Need, ...], ...]:
        declared = place.get("security") or self._document.root.get("security")
        return tuple(
            tuple(self._need(name, scopes) for name, scopes in requirement.named())
            for requirement in (() if declared is None else declared.entries())
        )

    def _need(self, name: str, place: Place) -> Need:
        scheme = self._schemes.get(name)
        if scheme is None:
            raise place.wrong("a security scheme that is in /components/securitySchemes", repr(name[:120]))
        scopes = place.entries()
        if not all(isinstance(scope.value, str) for scope in scopes):
            raise place.wrong("an array of scopes, each a string")
        return Need(scheme, tuple(str(scope.value) for scope in scopes))
