"""Puts variables of the environment into texts of the file, so that no secret stands in it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\$")


class MissingVariable(LookupError):  # noqa: N818 - the name says what happened
    """A variable that a text refers to is not set; the text of the exception is its name."""


def filled(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text with the value of a variable in place of each `${NAME}`, and `$` in place of `$$`.

    Args:
        text: As it stands in the file.
        environment: Where variables are looked up; that of the process unless given.

    Raises:
        MissingVariable: A variable is not set.
    """
    known = os.environ if environment is None else environment

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "$"
        if name not in known:
            raise MissingVariable(name)
        return known[name]

    return _REFERENCE.sub(value, text)
