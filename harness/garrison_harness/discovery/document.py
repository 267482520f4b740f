"""Reads routes out of an OpenAPI document, with what it takes to ask for them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from garrison_harness.discovery.examples import example, resolve
from garrison_harness.route import SENT_AS_IS, Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# Where the frameworks that write documents serve them: FastAPI, Litestar, Connexion, BlackSheep, Springdoc,
# Quart-Schema and others.
USUAL_PATHS: Final = (
    "/openapi.json",
    "/schema/openapi.json",
    "/api/openapi.json",
    "/swagger.json",
    "/v3/api-docs",
)


def parse_document(content: bytes) -> Mapping[str, Any] | None:
    """The OpenAPI 3 document in JSON; None where it is none.

    Args:
        content: Of a file, or of a reply.
    """
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not str(found.get("openapi", "")).startswith("3."):
        return None
    return found if isinstance(found.get("paths"), dict) else None


def routes_of(document: Mapping[str, Any]) -> tuple[Route, ...]:
    """Every operation of a document as a route with an example of a request.

    Args:
        document: As `parse_document` gives it; what is broken in it is left out.
    """
    return tuple(_routes(document))


def _routes(document: Mapping[str, Any]) -> Iterator[Route]:
    prefix = _prefix(document.get("servers"))
    for template, item in document["paths"].items():
        found = resolve(item, document)
        if not isinstance(template, str) or not template.startswith("/"):
            continue
        for method in METHODS:
            operation = found.get(method)
            if isinstance(operation, dict):
                parameters = [*_list(found.get("parameters")), *_list(operation.get("parameters"))]
                # There is no end to what can be wrong with a schema, nor may it hide the other operations.
                with suppress(Exception):
                    yield _route(method, prefix, template, operation, parameters, document)


def _route(
    method: str,
    prefix: str,
    template: str,
    operation: Mapping[str, Any],
    parameters: Sequence[object],
    document: Mapping[str, Any],
) -> Route:
    (prefix + template).encode()  # half a surrogate pair is no letter, and in no report
    return Route(
        method=method.upper(),
        template=prefix + template,
        target=quote(prefix, safe=SENT_AS_IS) + _target(template, parameters, document),
        source="openapi",
        body=_body(operation, document),
        secured=_secured(operation, document),
        operation=operation,
    )


def _prefix(servers: object) -> str:
    """The path under which the document says that everything is."""
    first = servers[0] if isinstance(servers, list) and servers else {}
    url = first.get("url") if isinstance(first, dict) else None
    if not isinstance(url, str) or "{" in url:
        return ""
    try:
        path = urlsplit(url).path.rstrip("/")
        path.encode()
    except ValueError:
        return ""
    return path if path.startswith("/") else ""


def _target(template: str, parameters: Sequence[object], document: Mapping[str, Any]) -> str:
    target, query = template, []
    for parameter in parameters:
        found = resolve(parameter, document)
        name, place = found.get("name"), found.get("in")
        if not isinstance(name, str):
            continue
        if place == "path":
            target = target.replace(f"{{{name}}}", quote(_text(_value(found, document)) or "1", safe=""))
        elif place == "query" and found.get("required") is True:
            query.append((name, _text(_value(found, document))))
    # A parameter that the document forgot to declare still needs a value.
    while "{" in target and "}" in target:
        before, _, rest = target.partition("{")
        target = f"{before}1{rest.partition('}')[2]}"
    target = quote(target, safe=SENT_AS_IS)
    return f"{target}?{urlencode(query)}" if query else target


def _value(parameter: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    if "example" in parameter:
        return parameter["example"]
    for named in _dict(parameter.get("examples")).values():
        return resolve(named, document).get("value")
    for media in _dict(parameter.get("content")).values():
        return example(_dict(media).get("schema", {}), document)
    return example(parameter.get("schema", {}), document)


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "true" if value else "null" if value is None else "false"
    if isinstance(value, list):
        return ",".join(_text(part) for part in value)
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> bytes | None:
    content = _dict(resolve(operation.get("requestBody"), document).get("content"))
    for name, media in content.items():
        kind = name.partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            continue
        found = _dict(media)
        named = next(iter(_dict(found.get("examples")).values()), None)
        if "example" in found:
            value = found["example"]
        elif named is not None:
            value = resolve(named, document).get("value")
        else:
            value = example(found.get("schema", {}), document)
        return json.dumps(value).encode()
    return None


def _secured(operation: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a caller must authenticate (OpenAPI 3.1, Security Requirement Object)."""
    requirements = operation.get("security", document.get("security"))
    # An empty requirement among others makes authentication optional.
    return isinstance(requirements, list) and bool(requirements) and all(requirements)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
