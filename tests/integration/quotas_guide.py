"""The guide to rate limiting: what it shows, and requests that try it."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

from garrison import Settings
from garrison.settings import load
from tests.integration.documents import DOCS, blocks, variables
from tests.integration.lifespan import alive
from tests.toolkit.driver import call, exchange, http_scope

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp
    from tests.toolkit.driver import Reply

PAGE = DOCS / "how-to" / "rate-limiting.md"
CLIENT = "203.0.113.9"
# What differs from one run to the next.
CHANGING = frozenset({"timestamp", "request_id", "store", "seconds"})


def environ_of(folder: Path, words: str) -> dict[str, str]:
    """The variables of the only env block of the page with these words in it."""
    (found,) = [block for block in blocks(PAGE, "env") if words in block.text]
    return variables(found, folder)


def settings_of(folder: Path, words: str, **more: str) -> Settings:
    """The settings of that block."""
    return load(Settings, environ={**environ_of(folder, words), **more}).value


def ask(app: ASGIApp, path: str = "/", *, method: str = "GET", client: str = CLIENT, **more: Any) -> Reply:
    """One request of a client."""
    return call(app, http_scope(path, method=method, client=(client, 40000), **more))


def served(app: ASGIApp, count: int, path: str = "/", method: str = "GET") -> list[Reply]:
    """As many requests of a client, to an app that is started and shut down, as storages need it."""

    async def serve() -> list[Reply]:
        scope = http_scope(path, method=method, client=(CLIENT, 40000))
        async with alive(app):
            return [await exchange(app, dict(scope)) for _ in range(count)]

    return asyncio.run(serve())


def policy(reply: Reply) -> list[str]:
    """The names of the quotas that a reply tells of."""
    return re.findall(r'"([^"]+)"', reply.header("ratelimit-policy") or "")


def documents(member: str, value: str = "") -> list[dict[str, Any]]:
    """The JSON documents of the page that have a member with this name, without what changes.

    Args:
        member: its name.
        value: what it must be; anything unless given.
    """
    found = [json.loads(block.text) for block in blocks(PAGE, "json")]
    return [steady(each) for each in found if member in each and (not value or each[member] == value)]


def emitted(text: str, event: str) -> list[dict[str, Any]]:
    """The events of that name among the lines that were written, without what changes."""
    found = [json.loads(line) for line in text.splitlines()]
    return [steady(each) for each in found if each["event"] == event]


def steady(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what differs from one run to the next."""
    return {name: value for name, value in document.items() if name not in CHANGING}
