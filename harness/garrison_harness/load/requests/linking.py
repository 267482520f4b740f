"""Finds out which replies bring the ids that other requests need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.discovery.examples import resolve
from garrison_harness.load.requests.spec import Form, Gift, RequestSpec, Source, parameters_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOURCES: Final[Mapping[str, Source]] = {"POST": "reply", "GET": "list"}
_LAST: Final = re.compile(r"^(/.*)/\{\}$")
_USUAL: Final = ("id", "_id", "uuid")
"""What a field is called that names an object, where the parameter is called otherwise."""

_GUESSES: Final = ("key", "slug", "name")
"""What it may be called as well, though the app need not find anything by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """An operation of a document, and what is asked of it.

    Attributes:
        spec: What is asked.
        operation: The Operation Object; empty for what no document declares.
        forms: What the parameters of its path have to look like, by name.
    """

    spec: RequestSpec
    operation: Mapping[str, Any]
    forms: Mapping[str, Form] = field(default_factory=dict)


def linked(declared: Sequence[Declared], document: Mapping[str, Any]) -> tuple[RequestSpec, ...]:
    """The same requests, with the ids that they take and give.

    `POST /items` and `GET /items` give what `/items/{id}` takes. Links of the document (OpenAPI 3.1, Link
    Object) count first. Without either, a PUT gives the id that it named itself.

    Args:
        declared: What is asked.
        document: Where references lead.
    """
    wanted = {shape for one in declared for shape in _shapes(one.spec.path)}
    gifts = [_gifts(one, declared, wanted, document) for one in declared]
    given = {gift.to for some in gifts for gift in some}
    for one, some in zip(declared, gifts, strict=True):
        shape = shape_of(one.spec.path)
        if one.spec.method == "PUT" and shape in wanted and shape not in given and not some:
            some.append(Gift(to=shape, source="path"))
    given = {gift.to for some in gifts for gift in some}
    return tuple(
        replace(one.spec, gives=tuple(some), takes=_taken(one.spec, given, some))
        for one, some in zip(declared, gifts, strict=True)
    )


def _taken(spec: RequestSpec, given: set[str], gifts: Sequence[Gift]) -> str:
    """The longest part of the path whose ids somebody else gives."""
    own = {gift.to for gift in gifts if gift.source == "path"}
    return next((shape for shape in _shapes(spec.path) if shape in given and shape not in own), "")


def _shapes(path: str) -> list[str]:
    """Every part of a path that ends in a parameter, the longest first: `/users/{}/posts/{}`, `/users/{}`."""
    parts = shape_of(path).split("/")
    return ["/".join(parts[: at + 1]) for at in range(len(parts) - 1, 0, -1) if parts[at] == "{}"]


def _gifts(
    one: Declared, declared: Sequence[Declared], wanted: set[str], document: Mapping[str, Any]
) -> list[Gift]:
    gifts = _links(one, declared, document)
    child = f"{shape_of(one.spec.path).rstrip('/')}/{{}}"
    if child not in wanted or any(gift.to == child for gift in gifts):
        return gifts
    taker = next(other for other in declared if child in _shapes(other.spec.path))
    source: Source | None = _SOURCES.get(one.spec.method)
    if source is not None:
        name = _last_name(taker.spec.path, child)
        fields, form = fields_for(name), taker.forms.get(name, "")
        guesses = tuple(guess for guess in _GUESSES if guess not in fields)
        gifts.append(Gift(to=child, source=source, fields=fields, guesses=guesses, form=form))
    return gifts


def _last_name(path: str, shape: str) -> str:
    """What a path calls the last parameter of a part of it."""
    return parameters_of(path)[shape.count("{}") - 1]


def fields_for(parameter: str) -> tuple[str, ...]:
    """What a field may be called that holds the value of a parameter, the likeliest first.

    Args:
        parameter: Such as `itemId`: `itemId`, `item_id`, `id`, and the usual ones.
    """
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parameter).lower().replace("-", "_")
    words = snake.split("_")
    camel = words[0] + "".join(word.title() for word in words[1:])
    # Of `item_slug` the last word, and of `item` what items are known by.
    return tuple(dict.fromkeys((parameter, snake, camel, words[-1], *_USUAL)))


def _links(one: Declared, declared: Sequence[Declared], document: Mapping[str, Any]) -> list[Gift]:
    """What the Link Objects of an operation's replies say, as far as it is one id in the reply's body."""
    gifts = []
    responses = one.operation.get("responses")
    for status, reply in responses.items() if isinstance(responses, dict) else ():
        links = resolve(reply, document).get("links") if str(status).startswith("2") else None
        for link in links.values() if isinstance(links, dict) else ():
            gift = _link(resolve(link, document), one, declared)
            if gift is not None:
                gifts.append(gift)
    return gifts


def _link(link: Mapping[str, Any], one: Declared, declared: Sequence[Declared]) -> Gift | None:
    target = _operation(link, declared)
    expressions = link.get("parameters")
    if target is None or not isinstance(expressions, dict):
        return None
    shape = next(iter(_shapes(target.spec.path)), "")
    names = parameters_of(target.spec.path)
    before = parameters_of(one.spec.path)
    # Of the path of the request come the parameters before the last one.
    if not shape or len(names) != len(before) + 1:
        return None
    name = names[-1]
    expression = str(expressions.get(name, expressions.get(f"path.{name}", "")))
    if expression.startswith("$response.body#/"):
        return Gift(to=shape, source="reply", fields=(expression.removeprefix("$response.body#"),))
    if expression.lower() == "$response.header.location":
        return Gift(to=shape, source="header")
    return None


def _operation(link: Mapping[str, Any], declared: Sequence[Declared]) -> Declared | None:
    wanted = link.get("operationId")
    reference = str(link.get("operationRef", ""))
    for one in declared:
        if wanted is not None and one.operation.get("operationId") == wanted:
            return one
        escaped = one.spec.path.replace("~", "~0").replace("/", "~1")
        if reference == f"#/paths/{escaped}/{one.spec.method.lower()}":
            return one
    return None
