"""The document that an app makes of itself, read as its framework means it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from garrison.contracting.generated import as_meant
from garrison.contracting.own_routes import routes_of
from garrison.contracting.unlisted import NONE, Unlisted, unlisted_of
from garrison.openapi.model import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

# Middlewares nest, but not endlessly.
DEEPEST: Final = 100
LONGEST_TEXT: Final = 200


def document_of(app: object, *, verifies: bool = False, refuses_unknown: bool = False) -> Mapping[str, Any]:
    """The OpenAPI document of a FastAPI or Litestar app, which may have middlewares around it.

    It is that of the moment: what routes an app adds later is not in it. An app that keeps its document once
    it is made is left to make its own later.

    Args:
        app: the app, or an ASGI app that has it as `.app`.
        verifies: whether callers are verified by it.
        refuses_unknown: whether paths that it does not have are refused.

    Raises:
        DocumentError: it makes none, or one by which callers cannot be verified.
    """
    for layer in _layers(app):
        found = _made(layer)
        if found is not None:
            return as_meant(found, routes_of(layer), verifies=verifies, refuses_unknown=refuses_unknown)
    kind = f"{type(app).__module__}.{type(app).__qualname__}"
    expected = "an app that makes an OpenAPI document of itself, as FastAPI and Litestar do"
    raise DocumentError("", f"{expected}; a layer that is added within it needs own=app", kind)


def unlisted_below(app: object) -> Unlisted:
    """What the app that makes the document has besides by design, as far as its framework says so.

    Args:
        app: the app, or an ASGI app that has it as `.app`, whose document has been made.
    """
    for layer in _layers(app):
        if hasattr(layer, "openapi") or hasattr(layer, "openapi_config"):
            return unlisted_of(layer)
    return NONE


def _layers(app: object) -> Iterator[Any]:
    layer: Any = app
    for _ in range(DEEPEST):
        if layer is None:
            return
        yield layer
        layer = getattr(layer, "app", None)


def _made(app: Any) -> Mapping[str, Any] | None:
    try:
        return _litestar(app) or _fastapi(app)
    except Exception as error:  # noqa: BLE001 - whatever its models do not like
        text = " ".join(str(error).split())[:LONGEST_TEXT]
        raise DocumentError(
            "", "an app that can make its document", f"{type(error).__name__}: {text}"
        ) from None


def _fastapi(app: Any) -> Mapping[str, Any] | None:
    make = getattr(app, "openapi", None)
    if not callable(make):
        return None
    kept = getattr(app, "openapi_schema", None)
    found = make()
    if kept is None and getattr(app, "openapi_schema", None) is found:
        # It would never look at its routes again.
        app.openapi_schema = None
    return found if isinstance(found, Mapping) else None


def _litestar(app: Any) -> Mapping[str, Any] | None:
    schema = getattr(app, "openapi_schema", None)
    to_schema = getattr(schema, "to_schema", None)
    found = to_schema() if callable(to_schema) else None
    return found if isinstance(found, Mapping) else None
