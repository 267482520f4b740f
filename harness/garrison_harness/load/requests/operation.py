"""Makes examples of one operation of an OpenAPI document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from garrison_harness.load.requests.bodies import body_of
from garrison_harness.load.requests.parameters import (
    Parameter,
    examples_of,
    in_path,
    in_query,
    is_sent,
    plain,
    value_of,
)
from garrison_harness.load.requests.spec import Example, parameters_of
from garrison_harness.load.requests.values import CannotMakeError
from garrison_harness.route import SENT_AS_IS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TURNS: Final = 8
"""How many examples are made, so that a cache does not make the target look fast."""

_IN_VAIN: Final = 3
"""Turns without any example, after which there are none: each may cost many steps."""

# Of a header and of a cookie: RFC 9110 section 5.6.2, and RFC 6265 section 4.1.1.
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def examples_for(
    path: str, parameters: Sequence[Parameter], operation: Mapping[str, Any], document: Mapping[str, Any]
) -> tuple[Example, ...]:
    """Different examples of a request, as many as are found, at least one.

    Args:
        path: With its parameters in braces.
        parameters: What the operation declares.
        operation: The Operation Object.
        document: Where references lead.

    Raises:
        CannotMakeError: Not even one can be made; the text says what of.
    """
    if quote(path, safe=SENT_AS_IS) != path or "?" in path or "#" in path:
        raise CannotMakeError("its path cannot be sent as it stands")
    examples: dict[Example, None] = {}
    problem = CannotMakeError("nothing can be made")
    for turn in range(_TURNS):
        try:
            examples[_example(path, parameters, operation, document, turn)] = None
        except CannotMakeError as error:
            problem = error
            if not examples and turn + 1 >= _IN_VAIN:
                break
    if not examples:
        raise problem
    return tuple(examples)


def is_sure(path: str, parameters: Sequence[Parameter], document: Mapping[str, Any]) -> bool:
    """Whether the document itself names something for each parameter of the path.

    Args:
        path: With its parameters in braces.
        parameters: What the operation declares.
        document: Where references lead.
    """
    declared = {one.name: one for one in parameters if one.place == "path"}
    return all(name in declared and examples_of(declared[name], document) for name in parameters_of(path))


def _example(
    path: str,
    parameters: Sequence[Parameter],
    operation: Mapping[str, Any],
    document: Mapping[str, Any],
    turn: int,
) -> Example:
    values: dict[str, str] = {}
    query: list[str] = []
    headers: list[tuple[str, str]] = []
    cookies: list[str] = []
    for number, parameter in enumerate(parameters):
        # Each has a turn of its own, so that not all of them change together.
        own = turn + (turn * number) // 2
        if not is_sent(parameter, document, own):
            continue
        value = value_of(parameter, document, own)
        if parameter.place == "path":
            values[parameter.name] = in_path(parameter, value)
        elif parameter.place == "query":
            query += in_query(parameter, value)
        elif not _NAME.fullmatch(parameter.name):
            raise CannotMakeError(f"the {parameter.place} parameter {parameter.name!r} (no name for one)")
        elif parameter.place == "header":
            headers.append((parameter.name, plain(parameter, value)))
        elif parameter.place == "cookie":
            cookies.append(f"{parameter.name}={quote(plain(parameter, value), safe='')}")
    if cookies:
        headers.append(("Cookie", "; ".join(cookies)))
    body = body_of(operation, document, turn)
    if body is not None:
        headers.append(("Content-Type", body[0]))
    return Example(
        # A parameter that the document forgot to declare still needs a value.
        values=tuple(values.get(name, str(turn + 1)) for name in parameters_of(path)),
        query="&".join(query),
        headers=tuple(headers),
        body=body[1] if body is not None else None,
    )
