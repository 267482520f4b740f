"""What the tiny app tells of those that asked it."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen


def ask(url: str, path: str) -> Any:
    """A JSON reply."""
    with urlopen(url + path, timeout=30) as reply:  # noqa: S310 - loopback
        return json.load(reply)


def calls(url: str, path: str) -> list[tuple[str, float]]:
    """Address and time, in seconds, of every call of a path."""
    return [(str(address), float(moment)) for address, moment in ask(url, f"/calls/{path}")]


def callers(url: str, path: str) -> list[str]:
    """The addresses from which a path was asked for."""
    return sorted({address for address, _ in calls(url, path)})
