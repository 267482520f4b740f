"""How checks are named in settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.callables import is_import_string
from garrison.rules import NotationError
from garrison.units import read_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EXAMPLE: Final = "a check such as 'database=shop.health:database' or 'search=shop.health:search within 2s'"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCheck:
    """One check as a setting names it.

    Attributes:
        name: how the check is called in events and details.
        target: the function as `module:attribute`.
        timeout: how many seconds it may take; None for what is usual.
    """

    name: str
    target: str
    timeout: float | None


def parse_checks(texts: Iterable[str]) -> tuple[NamedCheck, ...]:
    """Read checks such as `database=shop.health:database within 2s`.

    Args:
        texts: one for each check.

    Raises:
        NotationError: with the check that does not fit, or whose name is another's.
    """
    found: dict[str, NamedCheck] = {}
    for text in texts:
        check = _parse(text)
        if check.name in found:
            raise NotationError("each name of a check once", text)
        found[check.name] = check
    return tuple(found.values())


def _parse(text: str) -> NamedCheck:
    name, equals, rest = text.partition("=")
    target, within, limit = rest.partition(" within ")
    timeout = read_duration(limit) if within else None
    name, target = name.strip(), target.strip()
    if not equals or not NAME.fullmatch(name) or not is_import_string(target) or (within and not timeout):
        raise NotationError(EXAMPLE, text)
    return NamedCheck(name=name, target=target, timeout=timeout)
