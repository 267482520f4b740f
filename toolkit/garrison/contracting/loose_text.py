"""Numbers and truth values as text, in all the spellings that the framework of an app reads.

OpenAPI leaves to the implementation how a value is written as text (OpenAPI 3.2 appendix B), so that for the
document of an app its own framework decides. These are the spellings of pydantic in its lax mode; those of
msgspec are fewer. What is written in one of them is for the app to judge; bounds are checked of what is
written plainly.
"""

from __future__ import annotations

from typing import Any, Final

_INTEGERS: Final = "[0-9]+(?:_[0-9]+)*"
_FLOATS: Final = rf"(?:{_INTEGERS}\.?(?:{_INTEGERS})?|\.{_INTEGERS})(?:[eE][+-]?{_INTEGERS})?"


def _any_case(word: str) -> str:
    return "".join(f"[{letter.upper()}{letter}]" for letter in word)


_BOOLEANS: Final = "|".join(map(_any_case, ("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off")))
_NO_NUMBERS: Final = "|".join(map(_any_case, ("nan", "inf", "infinity")))


def _unlike_json(number: str) -> str:
    """A pattern of numbers that JSON writes in another way: with blanks, a plus, noughts, or underscores."""
    return "|".join(
        [
            rf"\s+[+-]?{number}\s*",
            rf"[+-]?{number}\s+",
            rf"\+{number}",
            r"-?0[0-9_]*[0-9](?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]+)?",
            r"-?[0-9]+_[0-9_]*[0-9](?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]+)?",
        ]
    )


_WHOLE: Final = _INTEGERS + r"(?:\.0*)?"

PATTERNS: Final = {
    "boolean": f"^(?:{_BOOLEANS}|0|1)$",
    "integer": rf"^(?:{_unlike_json(_WHOLE)}|-?[0-9]+\.0*)$",
    "number": rf"^(?:{_unlike_json(_FLOATS)}|-?[0-9]+\.|-?\.[0-9]+|\s*[+-]?(?:{_NO_NUMBERS})\s*)$",
}


def loosened(schema: Any, *, may_be_empty: bool = False) -> Any:
    """A schema of what is written as text, which takes these spellings too.

    Args:
        schema: as the document has it; no reference in it is followed.
        may_be_empty: whether no text at all stands for a value that is not there, as in forms.
    """
    if not isinstance(schema, dict):
        return schema
    if "items" in schema:
        return _loosened_items(schema)
    members: list[Any] = schema.get("anyOf") or schema.get("oneOf") or [schema]
    types = [member.get("type") if isinstance(member, dict) else None for member in members]
    if "string" in types:
        return schema
    patterns = [pattern for kind, pattern in PATTERNS.items() if kind in types]
    if not patterns:
        keyword = "anyOf" if "anyOf" in schema else "oneOf"
        return {**schema, keyword: [*map(_loosened_items, members)]} if keyword in schema else schema
    patterns += ["^$"] if may_be_empty else []
    # Not as one more alternative, because what is wrong is to be said in the words of the document.
    text = {"type": "string", "pattern": "|".join(patterns)}
    known = [kind for kind in types if isinstance(kind, str)]
    return {"type": [*known, "string"], "if": text, "else": schema} if len(known) == len(types) else schema


def loosened_form(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a form, whose fields take these spellings, and no text where they need not be there.

    Args:
        schema: of an object.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema
    required = schema.get("required", ())
    return {
        **schema,
        "properties": {
            name: loosened(member, may_be_empty=name not in required) for name, member in properties.items()
        },
    }


def _loosened_items(schema: Any) -> Any:
    if not isinstance(schema, dict) or "items" not in schema:
        return schema
    return {**schema, "items": loosened(schema["items"])}
