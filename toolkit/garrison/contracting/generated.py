"""A generated document as its framework means it: what it says more narrowly than the app is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from garrison.contracting.loose_text import loosened, loosened_form
from garrison.openapi.model import DocumentError

if TYPE_CHECKING:
    from garrison.contracting.own_routes import OwnRoute

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

# How the bytes of a value are sent, and not what it may be.
KEPT_FORMATS: Final = frozenset({"binary", "byte"})


def as_meant(
    document: Mapping[str, Any],
    routes: tuple[OwnRoute, ...],
    *,
    verifies: bool = False,
    refuses_unknown: bool = False,
) -> Mapping[str, Any]:
    """A document that lets pass what the app takes by design; the one that is given stays as it is.

    - Its paths are the app's own: where `servers` puts them is the business of a proxy in front.
    - A `format` of text names the type that the framework reads, which takes more than the format does (a
      time without an offset, which it also sends), and judges it itself.
    - Numbers and truth values in parameters and forms have more spellings than in JSON, and an empty field of
      a form is one that is not there.
    - Forms come as multipart too, which the framework reads alike.
    - A security scheme that only looks (`auto_error=False`) is not needed.
    - A variable that takes slashes has paths of which OpenAPI knows nothing; they are left to the app.

    Args:
        document: that an app has made.
        routes: of the app, as far as they are known.
        verifies: whether callers are verified by this document, so that nothing in it may become optional.
        refuses_unknown: whether paths that it does not have are refused, so that nothing is left to the app.

    Raises:
        DocumentError: callers are verified, and paths with slashes would pass without.
    """
    made: dict[str, Any] = _without_formats(document)
    made["servers"] = [{"url": "/"}]
    paths = made.get("paths")
    if not isinstance(paths, dict):
        return made
    for route in routes:
        item = paths.get(route.template, {})
        for method in route.methods & item.keys():
            if route.optional and not verifies:
                _relax(item[method], route.optional)
            if route.is_greedy and not refuses_unknown:
                if verifies:
                    raise _open_path(route.template)
                del item[method]
    for item in paths.values():
        for operation in item.values() if isinstance(item, dict) else ():
            if isinstance(operation, dict):
                _take_text(operation, made)
    return made


def _without_formats(value: Any) -> Any:
    if isinstance(value, Mapping):
        copied = {key: _without_formats(member) for key, member in value.items()}
        form = copied.get("format")
        if copied.get("type") == "string" and isinstance(form, str) and form not in KEPT_FORMATS:
            del copied["format"]
        return copied
    if isinstance(value, list | tuple):
        return [_without_formats(member) for member in value]
    return value


def _open_path(template: str) -> DocumentError:
    where = template.replace("~", "~0").replace("/", "~1")
    expected = (
        "a path whose variables take no slashes, because this document verifies callers; or set"
        " GARRISON_CONTRACT_UNKNOWN=refuse"
    )
    return DocumentError(f"/paths/{where}", expected, f"{{…:path}} in {template}")


def _relax(operation: dict[str, Any], optional: frozenset[str]) -> None:
    """Want only what the handler is not called without."""
    alternatives = operation.get("security")
    if isinstance(alternatives, list):
        needed = [each for each in alternatives if optional.isdisjoint(each)]
        operation["security"] = needed or [*alternatives, {}]


def _take_text(operation: dict[str, Any], document: dict[str, Any]) -> None:
    if str(document.get("openapi", "")).startswith("3.0"):
        # Its schemas cannot say so; frameworks make them only for tools that know no later ones.
        return
    for parameter in operation.get("parameters", ()):
        if isinstance(parameter, dict) and "schema" in parameter:
            parameter["schema"] = loosened(parameter["schema"])
    body = operation.get("requestBody")
    content = body.get("content") if isinstance(body, dict) else None
    if not isinstance(content, dict):
        return
    for name in (URLENCODED, MULTIPART):
        media = content.get(name)
        if isinstance(media, dict):
            # Bodies in JSON may have the same schema, so that what it refers to stays as it is.
            content[name] = {**media, "schema": loosened_form(_schema_of(media, document))}
    if URLENCODED in content:
        content.setdefault(MULTIPART, content[URLENCODED])


def _schema_of(media: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """The schema of a form itself, where the document has it under its components."""
    schema = media.get("schema", {})
    name = str(schema.get("$ref", "")).removeprefix("#/components/schemas/")
    found = document.get("components", {}).get("schemas", {}).get(name) if name else None
    if not isinstance(found, dict):
        return schema if isinstance(schema, dict) else {}
    return found
