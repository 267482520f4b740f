"""What a settings class is made of: its sections, its variables, and what their docstrings say."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from typing import TYPE_CHECKING, Any, Final, Union, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "GARRISON_"

_known: Final[WeakKeyDictionary[type[Any], Mapping[str, Any]]] = WeakKeyDictionary()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One variable that a settings class understands.

    Attributes:
        variable: its name in the environment.
        section: the name of the section's field, or None for a setting of the whole.
        name: the field's name.
        annotation: the field's type with its unit.
    """

    variable: str
    section: str | None
    name: str
    annotation: Any


def sections_of(cls: type[Any]) -> dict[str, type[Any]]:
    """The sections of a settings class: field name to dataclass, in the order of the class."""
    return {name: section for name, hint in hints_of(cls).items() if (section := _section(hint))}


def optional_sections(cls: type[Any]) -> frozenset[str]:
    """The names of the sections that can be switched off: those whose field may be None."""
    return frozenset(name for name in sections_of(cls) if type(None) in get_args(hints_of(cls)[name]))


def settings_of(cls: type[Any]) -> tuple[Setting, ...]:
    """Every variable that a settings class understands, in the order of its fields."""
    sections = sections_of(cls)
    found: list[Setting] = []
    for name, annotation in hints_of(cls).items():
        if name not in sections:
            found.append(_setting(None, name, annotation))
            continue
        found += (_setting(name, field, hint) for field, hint in hints_of(sections[name]).items())
    return tuple(found)


def attribute_docs(section: type[Any]) -> dict[str, str]:
    """The `Attributes:` of a section's docstring: field name to its description in one line."""
    # Newer Pythons keep docstrings without their indentation, and getdoc() makes them all alike.
    _, _, text = (inspect.getdoc(section) or "").partition("Attributes:\n")
    docs: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        entry = re.match(r" {4}(\w+): (.+)", line)
        if entry and entry[1] in hints_of(section):
            name = entry[1]
            docs[name] = entry[2]
        elif name and line.strip():
            docs[name] += f" {line.strip()}"
    return docs


def hints_of(cls: type[Any]) -> Mapping[str, Any]:
    """The fields that a dataclass is made with, and their annotations with units.

    They are texts until somebody asks for them (PEP 563), and every section asks each time that one is made.
    """
    if cls not in _known:
        hints = get_type_hints(cls, include_extras=True)
        _known[cls] = {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}
    return _known[cls]


def _setting(section: str | None, name: str, annotation: Any) -> Setting:
    # A field that would be a Python keyword ends with an underscore; its variable does not.
    variable = PREFIX + (f"{section}_{name}" if section else name).rstrip("_").upper()
    return Setting(variable=variable, section=section, name=name, annotation=annotation)


def _section(hint: Any) -> type[Any] | None:
    members = get_args(hint) if get_origin(hint) in {Union, types.UnionType} else (hint,)
    for member in members:
        if isinstance(member, type) and dataclasses.is_dataclass(member):
            return member
    return None
