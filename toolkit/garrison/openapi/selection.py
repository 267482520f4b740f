"""Lets a property choose the schema that a value is held to, in the keywords of JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison.openapi.discriminators import Choice
    from garrison.openapi.schemas import Schema


def selection(
    choice: Choice,
    branches: Sequence[tuple[tuple[str, ...], Schema]],
    default: Schema | None,
    otherwise: Schema | bool,
    *,
    needed: bool,
) -> Schema:
    """A schema that holds a value to the one alternative that its property means.

    Without it a value has to fit one of many, and who sends one that fits none learns nothing; an alternative
    that happens to fit as well is not what was meant.

    Args:
        choice: the property, and what its values mean.
        branches: values, and the alternative that they mean.
        default: what is meant by no value, and by any other one.
        otherwise: what holds without the property.
        needed: whether every alternative requires the property.
    """
    name, values = choice.property, list(choice.values)
    chosen: list[Schema] = [
        {"if": {"properties": {name: {"enum": list(meant)}}}, "then": schema} for meant, schema in branches
    ]
    then: Schema = {}
    if default is not None:
        chosen.append({"if": {"properties": {name: {"enum": values}}}, "else": default})
        otherwise = {"if": {"type": "object"}, "then": default, "else": otherwise}
    else:
        # "If the discriminating value does not match [...] validation SHOULD fail" (OpenAPI 3.1.1, 4.8.25).
        then["properties"] = {name: {"enum": values}}
        if needed:
            otherwise = {"if": {"type": "object"}, "then": {"required": [name]}, "else": otherwise}
    if chosen:
        then["allOf"] = chosen
    return {"if": {"type": "object", "required": [name]}, "then": then, "else": otherwise}
