"""Rules that give the fields of a section other values on some paths."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from garrison import values
from garrison.nearest import nearest_to
from garrison.rules import NotationError, covers, parse_rules
from garrison.sections import hints_of
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection

    from garrison.rules import Rule

T = TypeVar("T")


def parse_field_rules(
    text: str, section: T, without: Collection[str], example: str
) -> tuple[tuple[Rule, T], ...]:
    """Read rules such as `POST /upload: max_upload=2GB; /api/*: max_body=64KB, json=strict`.

    Each field has the notation of its setting, with `|` between the items of a list.

    Args:
        text: any number of rules, each with a path.
        section: with the values that hold everywhere else.
        without: fields that mean nothing on a single path.
        example: what to show to somebody whose text does not fit.

    Returns:
        Rules in their order, each with a whole section.

    Raises:
        NotationError: with what is expected and the part that does not fit.
    """
    hints = {name: hint for name, hint in hints_of(type(section)).items() if name not in without}
    found: list[tuple[Rule, T]] = []
    try:
        rules = parse_rules(text)
    except NotationError as error:
        raise NotationError(f"rules such as {example!r}", error.found) from None
    for rule in rules:
        if not rule.path or rule.identity:
            raise NotationError(f"a path in front of each, such as {example!r}", rule.value)
        before = next((earlier for earlier, _ in found if covers(earlier, rule)), None)
        if before is not None:
            raise NotationError(f"{rule.about} in front of {before.about}, which is about it too", rule.about)
        found.append((rule, _changed(section, rule.value, hints, without)))
    return tuple(found)


def _changed(section: T, text: str, hints: dict[str, Any], without: Collection[str]) -> T:
    changes: dict[str, Any] = dict.fromkeys(set(without) & {"rules"}, "")
    for item in filter(None, map(str.strip, text.split(","))):
        name, equals, value = map(str.strip, item.partition("="))
        if not equals or name not in hints:
            nearest = nearest_to(name, hints)
            meant = f"; did you mean {nearest}?" if nearest else ""
            raise NotationError(f"fields such as max_body=64KB, parted by commas{meant}", item)
        try:
            changes[name] = values.parse(hints[name], value.replace("|", ","))
        except ValueError as error:
            raise NotationError(f"for {name} {error}", value) from None
    try:
        return dataclasses.replace(section, **changes)  # type: ignore[type-var]
    except SettingsError as error:
        (problem, *_) = error.problems
        name = problem.name.partition(".")[2]
        raise NotationError(f"for {name} {problem.expected}", problem.found or text) from None
