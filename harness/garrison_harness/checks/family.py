"""The families of checks, by the letter that their ids begin with."""

from __future__ import annotations

from typing import Final

FAMILIES: Final[dict[str, str]] = {
    "H": "Browser policy and the form of replies",
    "C": "Cookies",
    "O": "Other origins",
    "S": "TLS",
    "E": "Errors",
    "I": "Injection and trust in what clients say",
    "M": "Methods",
    "X": "Exposed paths and access",
    "P": "Contract and guarded paths",
    "R": "Bounds on requests",
    "L": "Quotas",
    "T": "Ids, traces and logs",
    "W": "HTTP on the wire",
    "G": "Readiness and graceful stop",
    "A": "Survival",
}
"""What the checks of a letter are about."""


def letter(name: str) -> str:
    """The letter of a check's id.

    Args:
        name: The id, such as `H1`.
    """
    return name.rstrip("0123456789")


def family(name: str) -> str:
    """What the family of a check is about.

    Args:
        name: The id of the check, such as `H1`.
    """
    return FAMILIES[letter(name)]
