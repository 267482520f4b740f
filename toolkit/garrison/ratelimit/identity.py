"""Whom a quota counts as one: the notation behind `by`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from garrison.callables import is_import_string
from garrison.rules import NotationError

Stage: TypeAlias = Literal["client", "principal"]
"""When it is known who asks: before anybody is authenticated, or after."""

ADDRESS: Final = "address"
PRINCIPAL: Final = "principal"
HEADER: Final = "header:"

# RFC 9110 section 5.6.2, without the letters that the notation needs itself.
FIELD_NAME: Final = re.compile(r"[a-z0-9_.-]+")

EXPECTED: Final = (
    "quotas by address, header:x-api-key, principal, a callable such as shop.limits:tenant, or by several of"
    " them, such as address+principal"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What one client has in common with itself, request after request.

    Attributes:
        parts: `address`, `principal`, `header:NAME` or an import string, at least one.
    """

    parts: tuple[str, ...] = (ADDRESS,)

    @property
    def text(self) -> str:
        """As it is written in settings."""
        return "+".join(self.parts)

    @property
    def is_address(self) -> bool:
        """Whether it is the address and nothing else."""
        return self.parts == (ADDRESS,)

    @property
    def has_address(self) -> bool:
        """Whether somebody at another address is somebody else."""
        return ADDRESS in self.parts

    @property
    def stage(self) -> Stage:
        """When it can be known."""
        return "principal" if PRINCIPAL in self.parts else "client"

    @property
    def is_made_up(self) -> bool:
        """Whether a client can be somebody else as often as it likes, by changing a header."""
        return any(part.startswith(HEADER) for part in self.parts)

    @property
    def has_secrets(self) -> bool:
        """Whether a value of it is kept as a keyed hash: what is no address may be a person or a key."""
        return self.parts != (ADDRESS,)

    @property
    def callables(self) -> tuple[str, ...]:
        """The parts that are import strings."""
        return tuple(part for part in self.parts if ":" in part and not part.startswith(HEADER))


def parse_identity(text: str) -> Identity:
    """Read what stands behind `by`.

    Args:
        text: such as `address+header:x-tenant`; the address where it is empty.

    Raises:
        NotationError: with the part that does not fit.
    """
    parts = []
    for written in text.split("+") if text else [ADDRESS]:
        part = written.strip()
        if part.startswith(HEADER):
            part = part.lower()
            fits = FIELD_NAME.fullmatch(part.removeprefix(HEADER)) is not None
        else:
            fits = part in {ADDRESS, PRINCIPAL} or is_import_string(part)
        if not fits or part in parts:
            raise NotationError(EXPECTED, f"by {text}")
        parts.append(part)
    return Identity(tuple(parts))
