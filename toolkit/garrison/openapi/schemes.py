"""The security schemes of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from garrison.openapi.model import Scheme

if TYPE_CHECKING:
    from typing import Literal

    from garrison.openapi.document import Document
    from garrison.openapi.places import Place

_TYPES: Final = ("apiKey", "http", "mutualTLS", "oauth2", "openIdConnect")
_LOCATIONS: Final = ("query", "header", "cookie")


def read_schemes(document: Document) -> dict[str, Scheme]:
    """The security schemes of a document, by name (OpenAPI 3.1 section 4.8.27).

    Raises:
        DocumentError: one of them is none.
    """
    components = document.root.get("components")
    schemes = None if components is None else components.get("securitySchemes")
    return {} if schemes is None else {name: _scheme(name, place.target()) for name, place in schemes.named()}


def _scheme(name: str, place: Place) -> Scheme:
    kind = place.text("type")
    if kind not in _TYPES:
        raise place.child("type").wrong(f"one of {', '.join(_TYPES)}")
    location = parameter = scheme = ""
    if kind == "apiKey":
        location, parameter = place.text("in"), place.text("name")
        if location not in _LOCATIONS:
            raise place.child("in").wrong(f"one of {', '.join(_LOCATIONS)}")
        if location == "header":
            parameter = parameter.lower()
    elif kind == "http":
        scheme = place.text("scheme").lower()
    return Scheme(
        name=name,
        type=cast('Literal["apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"]', kind),
        location=location,
        parameter=parameter,
        scheme=scheme,
        pointer=place.where,
    )
