"""Where the reference of checks can be read, to which findings link."""

from __future__ import annotations

from importlib.metadata import metadata
from typing import Final

_LABELS: Final = ("checks", "documentation")


def published() -> str:
    """The address that the package itself names for it; empty where it names none.

    That is its project URL called Checks, or else the one called Documentation.
    """
    named = {}
    for line in metadata("garrison").get_all("Project-URL") or ():
        label, _, address = line.partition(",")
        named[label.strip().lower()] = address.strip()
    return next((named[label] for label in _LABELS if label in named), "")


def page_of(reference: str, name: str) -> str:
    """The address of what is said of one check; empty where that of the reference is not known.

    Args:
        reference: The address of the reference, whatever part of the page it names.
        name: The id of the check, such as `H1`.
    """
    return f"{reference.partition('#')[0]}#{name.lower()}" if reference else ""
