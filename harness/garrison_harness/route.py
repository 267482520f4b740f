"""A route of the app under audit, as its OpenAPI document, its router or a crawl tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

SENT_AS_IS: Final = "/{}%:@!$&'()*+,;=~[]"
"""What needs no percent-encoding in the path of a template (RFC 3986 section 3.3), or is encoded already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path.

    Attributes:
        method: In capital letters; WEBSOCKET where a handshake is expected.
        template: The path as the app declares it, such as `/items/{id}`.
        target: A path, and query where one is required, that this route answers: the template with
            examples of its parameters, percent-encoded.
        source: Who tells of it.
        body: An example of a valid JSON body; None where it takes none.
        secured: Whether the document declares that a caller must authenticate; None where nobody says.
        operation: The operation of the OpenAPI document, if it tells of the route.
        file: The handler's source file, relative to the working directory; empty where it is not known.
        line: The line in that file; 0 where it is not known.
    """

    method: str
    template: str
    target: str
    source: Literal["openapi", "app", "crawl"]
    body: bytes | None = None
    secured: bool | None = None
    operation: Mapping[str, object] | None = None
    file: str = ""
    line: int = 0
