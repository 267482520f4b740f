"""Writes the parameters of a request as its OpenAPI document wants them (OpenAPI 3.1, Parameter Object)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from garrison_harness.discovery.examples import resolve
from garrison_harness.load.requests.fitting import surely_fits
from garrison_harness.load.requests.spec import KEPT_BY_CLIENT, Form
from garrison_harness.load.requests.values import CannotMakeError, authored, make

if TYPE_CHECKING:
    from collections.abc import Sequence

# Which page of a list there is, nobody knows beforehand; and a cursor comes from a reply.
_UNKNOWABLE: Final = ("page", "cursor", "token", "after", "before", "offset", "skip", "marker")
_SEPARATORS: Final = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
_IGNORED: Final = frozenset({"accept", "content-type", "authorization"}) | KEPT_BY_CLIENT
"""Headers that a document says elsewhere (OpenAPI 3.1, Parameter Object), or that are not its to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        name: As the document has it.
        place: `path`, `query`, `header` or `cookie`.
        required: Whether it has to be there.
        holder: The Parameter Object itself.
        schema: What its value keeps.
    """

    name: str
    place: str
    required: bool
    holder: Mapping[str, Any]
    schema: object


def parameters_in(listed: Sequence[object], document: Mapping[str, Any]) -> list[Parameter]:
    """The parameters of an operation; where two have the same name and place, the later one counts.

    Args:
        listed: Those of the path, and then those of the operation.
        document: Where references lead.
    """
    found: dict[tuple[str, str], Parameter] = {}
    for part in listed:
        holder = resolve(part, document)
        name, place = holder.get("name"), holder.get("in")
        if not isinstance(name, str) or not isinstance(place, str):
            continue
        if place == "header" and name.lower() in _IGNORED:
            continue
        media = next(iter(_dict(holder.get("content")).values()), None)
        schema = holder.get("schema", {}) if media is None else _dict(media).get("schema", {})
        required = holder.get("required") is True or place == "path"
        found[name, place] = Parameter(
            name=name, place=place, required=required, holder=holder, schema=schema
        )
    return list(found.values())


def forms_of(parameters: Sequence[Parameter], document: Mapping[str, Any]) -> dict[str, Form]:
    """What the parameters of a path have to look like, by name, where their schemas say that.

    Args:
        parameters: Of an operation.
        document: Where references lead.
    """
    forms: dict[str, Form] = {}
    for one in parameters:
        schema = resolve(one.schema, document)
        if one.place == "path" and schema.get("type") == "integer":
            forms[one.name] = "integer"
        elif one.place == "path" and schema.get("format") == "uuid":
            forms[one.name] = "uuid"
    return forms


def is_sent(parameter: Parameter, document: Mapping[str, Any], turn: int) -> bool:
    """Whether a turn sends the parameter: all that must be there, now and then what is safe besides.

    What an author names, and what a schema lists or bounds, is safe. A free text is not: it may be a cursor.

    Args:
        parameter: The parameter.
        document: Where references lead.
        turn: The first sends only what must be there.
    """
    if parameter.required:
        return True
    if parameter.place != "query" or turn % 2 == 0:
        return False
    if examples_of(parameter, document):
        return True
    schema = resolve(parameter.schema, document)
    if any(word in parameter.name.lower() for word in _UNKNOWABLE):
        return False
    return (
        bool(schema.get("enum")) or schema.get("type") == "boolean" or {"minimum", "maximum"} <= set(schema)
    )


def examples_of(parameter: Parameter, document: Mapping[str, Any]) -> list[Any]:
    """The values that the author gives for a parameter, as far as they keep its schema.

    Args:
        parameter: The parameter.
        document: Where references lead.
    """
    found = authored(parameter.holder, document, named=True)
    for media in _dict(parameter.holder.get("content")).values():
        found += authored(_dict(media), document, named=True)
    schema = resolve(parameter.schema, document)
    found += authored(schema, document, named=False)
    found += schema["enum"] if isinstance(schema.get("enum"), list) else []
    found += [schema[word] for word in ("default", "const") if word in schema]
    return [value for value in found if value is not None and surely_fits(value, parameter.schema, document)]


def value_of(parameter: Parameter, document: Mapping[str, Any], turn: int) -> Any:
    """A value for a parameter.

    Args:
        parameter: The parameter.
        document: Where references lead.
        turn: Different ones give different values.

    Raises:
        CannotMakeError: None can be made; the text names the parameter.
    """
    given = examples_of(parameter, document)
    if given:
        return given[turn % len(given)]
    try:
        return make(parameter.schema, document, turn)
    except CannotMakeError as error:
        raise CannotMakeError(f"the {parameter.place} parameter {parameter.name} ({error})") from error


def in_path(parameter: Parameter, value: Any) -> str:
    """The value percent-encoded as a part of the path.

    Raises:
        CannotMakeError: It would be empty, and the path another one.
    """
    style = parameter.holder.get("style", "simple")
    explode = parameter.holder.get("explode") is True
    prefix, separator = {"label": (".", "."), "matrix": (";", ";")}.get(str(style), ("", ","))
    parts = _parts(value, explode=explode)
    if style == "matrix" and not (isinstance(value, dict) and explode):
        name = f"{quote(parameter.name, safe='')}="
        parts = [name + part for part in parts] if explode else [name + ",".join(parts)]
    text = (separator if explode else ",").join(parts)
    if not text or text in {".", ".."}:
        raise CannotMakeError(f"the path parameter {parameter.name} (an empty part of a path)")
    return prefix + text


def in_query(parameter: Parameter, value: Any) -> list[str]:
    """The value as `name=value` pairs, percent-encoded."""
    name = quote(parameter.name, safe="")
    if parameter.holder.get("content"):
        return [f"{name}={quote(json.dumps(value), safe='')}"]
    style = str(parameter.holder.get("style", "form"))
    explode = parameter.holder.get("explode", style == "form") is True
    if style == "deepObject" and isinstance(value, dict):
        return [f"{name}%5B{quote(key, safe='')}%5D={_text(part)}" for key, part in value.items()]
    if isinstance(value, dict) and explode:
        return [f"{quote(key, safe='')}={_text(part)}" for key, part in value.items()]
    if isinstance(value, list) and explode:
        return [f"{name}={_text(part)}" for part in value]
    return [f"{name}={_SEPARATORS.get(style, ',').join(_parts(value, explode=False))}"]


def plain(parameter: Parameter, value: Any) -> str:
    """The value as a header or a cookie has it.

    Raises:
        CannotMakeError: No header can hold it.
    """
    if isinstance(value, list):
        text = ",".join(str(_plain(part)) for part in value)
    elif isinstance(value, dict):
        text = json.dumps(value)
    else:
        text = _plain(value)
    if not text.isascii() or not text.isprintable():
        raise CannotMakeError(f"the {parameter.place} parameter {parameter.name} (a text for no header)")
    return text


def _parts(value: Any, *, explode: bool) -> list[str]:
    if isinstance(value, dict):
        pairs = [(quote(key, safe=""), _text(part)) for key, part in value.items()]
        return ["=".join(pair) for pair in pairs] if explode else [word for pair in pairs for word in pair]
    return [_text(part) for part in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> str:
    return quote(_plain(value), safe="")


def _plain(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or isinstance(value, bool)
        else str(value)
    )


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
