"""The guides about contracts and limits: what they show, and the example asked as they do."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from garrison import Settings, harden
from garrison.settings import load
from tests.integration.contract_example import FOLDER
from tests.integration.documents import blocks, commands, curl, variables
from tests.toolkit.driver import call, http_scope

if TYPE_CHECKING:
    from pathlib import Path

    from garrison.asgi import ASGIApp
    from tests.integration.documents import Command
    from tests.toolkit.driver import Reply

# What differs from one run to the next.
CHANGING = frozenset({"timestamp", "request_id", "client.address"})


def example_app() -> Any:
    """The app of the example, as new."""
    sys.path.insert(0, str(FOLDER))
    try:
        sys.modules.pop("app", None)
        return __import__("app").app
    finally:
        sys.path.remove(str(FOLDER))


def settings_of(page: Path, folder: Path, number: int) -> Settings:
    """The settings of an env block of a page.

    Args:
        page: the guide.
        folder: where a file can be written.
        number: of the block, from 0.
    """
    return loaded(variables(blocks(page, "env")[number], folder))


def loaded(environ: dict[str, str]) -> Settings:
    """The settings of these variables."""
    return load(Settings, environ=environ).value


def curls(page: Path) -> list[Command]:
    """The curl commands of a page."""
    found = [command for block in blocks(page, "console") for command in commands(block)]
    return [command for command in found if command.words[0] == "curl"]


def served(page: Path) -> list[Command]:
    """Its `garrison run` commands."""
    found = [command for block in blocks(page, "console") for command in commands(block)]
    return [command for command in found if command.words[:2] == ("garrison", "run")]


def ask(app: ASGIApp, command: Command, **replaced: str) -> Reply:
    """Send what a curl command sends, with some texts replaced."""
    words = []
    for word in command.words:
        for old, new in replaced.items():
            word = word.replace(f"$({old})", new)  # noqa: PLW2901 - one after the other
        words.append(word)
    asked = curl(tuple(words))
    path, _, query = asked.path.partition("?")
    headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers]
    if asked.body:
        headers.append((b"content-length", str(len(asked.body)).encode()))
    scope = http_scope(path, method=asked.method, headers=headers, query=query.encode())
    return call(app, scope, asked.body)


def request(
    app: ASGIApp,
    method: str,
    path: str,
    body: bytes = b"",
    *headers: tuple[str, str],
    query: bytes = b"",
    **more: Any,
) -> Reply:
    """Any other request; a body says how long it is."""
    lines = [(name.lower().encode(), value.encode()) for name, value in headers]
    if body:
        lines.append((b"content-length", str(len(body)).encode()))
    return call(app, http_scope(path, method=method, headers=lines, query=query, **more), body)


def hardened(settings: Settings, app: ASGIApp | None = None) -> ASGIApp:
    """The example with these settings."""
    return harden(example_app() if app is None else app, settings)


def documents(page: Path) -> list[dict[str, Any]]:
    """The JSON documents of a page, without what changes."""
    return [steady(json.loads(block.text)) for block in blocks(page, "json")]


def events(text: str, name: str) -> list[dict[str, Any]]:
    """The events of that name among the lines that were written, without what changes."""
    found = [json.loads(line) for line in text.splitlines()]
    return [steady(each) for each in found if each["event"] == name]


def shown_replies(page: Path) -> list[tuple[int, dict[str, str]]]:
    """Status and headers of the replies that a page shows."""
    found = []
    for block in blocks(page, ""):
        if block.text.startswith("HTTP/1.1"):
            first, *lines = block.text.splitlines()
            found.append((int(first.split()[1]), dict(line.split(": ", 1) for line in lines)))
    return found


def steady(document: dict[str, Any]) -> dict[str, Any]:
    """A document without what differs from one run to the next."""
    return {name: value for name, value in document.items() if name not in CHANGING}
