"""Writes the body of a request in a media type that the operation takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from garrison_harness.discovery.examples import resolve
from garrison_harness.load.requests.fitting import surely_fits
from garrison_harness.load.requests.values import CannotMakeError, authored, make

if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUNDARY: Final = "garrison-load-0c6f2e9ab1d54781"
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"


def body_of(operation: Mapping[str, Any], document: Mapping[str, Any], turn: int) -> tuple[str, str] | None:
    """The content type and the body; None where the operation takes none.

    Args:
        operation: Of an OpenAPI document.
        document: Where references lead.
        turn: Different ones give different bodies.

    Raises:
        CannotMakeError: It takes one, and none can be made; the text says why.
    """
    wanted = resolve(operation.get("requestBody"), document)
    content = wanted.get("content")
    if not isinstance(content, dict) or not content:
        return None
    problem = CannotMakeError(f"a body of {next(iter(content))}")
    for kind in sorted(content, key=_preference):
        media = content[kind] if isinstance(content[kind], dict) else {}
        try:
            return _written(kind, media, document, turn)
        except CannotMakeError as error:
            problem = error
    if wanted.get("required") is not True:
        return None
    raise problem


def _preference(kind: str) -> int:
    """JSON first, since what is in it is checked best."""
    plain = kind.partition(";")[0].strip().lower()
    if plain == "application/json":
        return 0
    return 1 if plain.endswith("+json") else 2 if plain == _FORM else 3 if plain == _MULTIPART else 4


def _written(kind: str, media: Mapping[str, Any], document: Mapping[str, Any], turn: int) -> tuple[str, str]:
    plain = kind.partition(";")[0].strip().lower()
    plain = "application/json" if plain in {"*/*", "application/*"} else plain
    if plain == "application/json" or plain.endswith("+json"):
        return plain, json.dumps(_value(media, document, turn))
    if plain in {_FORM, _MULTIPART}:
        value = _value(media, document, turn)
        if not isinstance(value, dict):
            raise CannotMakeError(f"a body of {plain} that is no object")
        if plain == _FORM:
            return plain, "&".join(_pairs(value))
        return f"{plain}; boundary={_BOUNDARY}", _multipart(value, media, document)
    if plain.startswith("text/") or plain == "application/octet-stream":
        value = _value(media, document, turn)
        if isinstance(value, str) and (plain == "text/plain" or authored(media, document, named=True)):
            return plain, value
    raise CannotMakeError(f"a body of {plain}")


def _value(media: Mapping[str, Any], document: Mapping[str, Any], turn: int) -> Any:
    schema = media.get("schema", {})
    given = [value for value in authored(media, document, named=True) if surely_fits(value, schema, document)]
    if given:
        return given[turn % len(given)]
    try:
        return make(schema, document, turn)
    except CannotMakeError as error:
        raise CannotMakeError(f"the body ({error})") from error


def _pairs(value: Mapping[str, Any]) -> list[str]:
    return [
        f"{quote_plus(name)}={quote_plus(_text(one))}"
        for name, part in value.items()
        for one in (part if isinstance(part, list) else [part])
    ]


def _multipart(value: Mapping[str, Any], media: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """The parts of a form (RFC 7578); what the schema calls binary goes as a file."""
    properties = resolve(media.get("schema"), document).get("properties")
    properties = properties if isinstance(properties, dict) else {}
    lines = []
    for name, part in value.items():
        schema = resolve(properties.get(name, {}), document)
        for one in part if isinstance(part, list) else [part]:
            lines += [f"--{_BOUNDARY}", f"{_disposition(name)}{_file(schema, document)}", "", _text(one)]
    return "\r\n".join([*lines, f"--{_BOUNDARY}--", ""])


def _disposition(name: str) -> str:
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'Content-Disposition: form-data; name="{escaped}"'


def _file(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """What makes a file out of a field, where the schema says that it is one."""
    inner = resolve(schema.get("items"), document) if schema.get("type") == "array" else schema
    binary = inner.get("format") == "binary" or "contentMediaType" in inner
    return '; filename="file.txt"\r\nContent-Type: text/plain' if binary else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
