"""Addresses of this machine to speak from, so that a quota for each client sees many clients."""

from __future__ import annotations

import itertools
import os
import socket
from typing import Final

_HOSTS: Final = 254
# Audits speak from 127.20 to 127.219, load from 127.0: two drills at the same time have other ones too.
_FIRST_BLOCK: Final = 220
_BLOCKS: Final = 34


class Addresses:
    """A new address of loopback for each client, where the target is on loopback and the system has them."""

    def __init__(self, host: str, *, one: bool = False) -> None:
        """Speak to `host`; from the address that the system picks where `one` is set."""
        self._block = f"127.{_FIRST_BLOCK + os.getpid() % _BLOCKS}"
        self._numbers = itertools.count()
        self._many = not one and host == "127.0.0.1" and _is_ours(f"{self._block}.0.1")

    @property
    def many(self) -> bool:
        """Whether there is more than one."""
        return self._many

    def new(self) -> str:
        """An address that nobody has spoken from for long; empty where the system is to pick one."""
        if not self._many:
            return ""
        third, last = divmod(next(self._numbers) % (256 * _HOSTS), _HOSTS)
        return f"{self._block}.{third}.{last + 1}"


def _is_ours(address: str) -> bool:
    try:
        with socket.socket() as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
