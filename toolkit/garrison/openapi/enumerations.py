"""Whether a value is one of several, in time that does not grow with their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.openapi.uniqueness import written

if TYPE_CHECKING:
    from typing import Any

    from garrison.openapi.schemas import Schema

# What `enum` is called where it is looked up.
LOOKED_UP: Final = "enum*"
# jsonschema-rs looks up texts and 64-bit integers, and compares a float, or anything with one, with every
# member, at a microsecond each.
FEW: Final = 2


def looked_up(schema: Schema) -> Schema:
    """A schema whose `enum` is looked up, where comparing would take long.

    Args:
        schema: in the keywords of JSON Schema 2020-12.
    """
    members = schema.get("enum")
    if not isinstance(members, list) or len(members) <= FEW or all(map(_is_quick, members)):
        return schema
    return {(LOOKED_UP if keyword == "enum" else keyword): value for keyword, value in schema.items()}


def _is_quick(member: object) -> bool:
    return member is None or isinstance(member, str | bool)


class Enumeration:
    """The keyword `enum`, for jsonschema-rs.

    Args:
        parent_schema: the schema with the keyword.
        value: of the keyword.
        schema_path: of the schema.
    """

    def __init__(self, parent_schema: Any, value: Any, schema_path: Any) -> None:  # noqa: ARG002 - its interface
        self._texts = frozenset(member for member in value if isinstance(member, str))
        self._numbers = frozenset(member for member in value if _is_number(member))
        # Of all else a text that equal values have in common; how many members it has tells most apart.
        self._others = frozenset(
            written(member) for member in value if not isinstance(member, str) and not _is_number(member)
        )
        self._sizes = frozenset(len(member) for member in value if isinstance(member, list | dict))

    def validate(self, instance: Any) -> None:
        """Check a value.

        Raises:
            ValueError: it is none of them.
        """
        if isinstance(instance, str):
            fits = instance in self._texts
        elif _is_number(instance):
            fits = instance in self._numbers
        elif isinstance(instance, list | dict) and len(instance) not in self._sizes:
            fits = False
        else:
            # What is nested too deeply for it is no member either: whatever is raised here says so.
            fits = written(instance) in self._others
        if not fits:
            raise ValueError


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
