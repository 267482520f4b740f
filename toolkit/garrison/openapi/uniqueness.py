"""Whether an array has a member twice, in time that does not grow with the square of its length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jsonschema_rs
import orjson

if TYPE_CHECKING:
    from typing import Any

_NATIVE: Final = jsonschema_rs.Draft202012Validator({"uniqueItems": True})


class UniqueItems:
    """The keyword `uniqueItems`, for jsonschema-rs.

    Its own one compares integers that do not fit 64 bits with each other, one by one: two thousand of them,
    40 KB, take it four seconds.

    Args:
        parent_schema: the schema with the keyword.
        value: of the keyword.
        schema_path: of the schema.
    """

    def __init__(self, parent_schema: Any, value: Any, schema_path: Any) -> None:  # noqa: ARG002 - its interface
        self._wanted = value is True

    def validate(self, instance: Any) -> None:
        """Check a value.

        Raises:
            ValueError: it is an array that has a member twice.
        """
        if self._wanted and isinstance(instance, list) and not are_unique(instance):
            raise ValueError


def are_unique(members: list[object]) -> bool:
    """Whether no two members are equal, as JSON Schema has it: 1 is 1.0, and is not true.

    Args:
        members: values of JSON.
    """
    if len(members) < 2:
        return True
    try:
        # The quickest way to learn that no integer is a long one.
        orjson.dumps(members, option=orjson.OPT_STRICT_INTEGER)
    except TypeError:
        # Texts, since anybody can make up integers that all have the same hash.
        return len({written(member) for member in members}) == len(members)
    return _NATIVE.is_valid(members)


def written(value: object) -> str:
    """A text that equal values have in common, and others have not.

    Args:
        value: of JSON.

    Raises:
        RecursionError: it is nested hundreds of levels deep.
    """
    if isinstance(value, str):
        return f"s{len(value)}:{value}"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return hex(int(value)) if value.is_integer() else value.hex()
    if isinstance(value, int):
        # Decimal digits take quadratic time.
        return hex(value)
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{written(name)}:{written(value[name])}' for name in sorted(value))}}}"
    raise TypeError
