"""Puts together what is known of an app's routes."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from garrison_harness import interruption
from garrison_harness.discovery.document import USUAL_PATHS, parse_document, routes_of
from garrison_harness.discovery.links import crawl
from garrison_harness.discovery.route_table import FACTORY, MARK, table
from garrison_harness.probe import Budget
from garrison_harness.process import Child
from garrison_harness.route import SENT_AS_IS, Route
from garrison_harness.stage import Stage
from garrison_harness.target import TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison_harness.exchange import Request
    from garrison_harness.site import Site
    from garrison_harness.stage import Reached
    from garrison_harness.target import Target

_SECONDS: Final = 15.0
_REQUESTS: Final = 100
_NUMBER: Final = 251  # under which nobody else speaks
_IMPORT_SECONDS: Final = 15.0
_POLL: Final = 0.02  # seconds
_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_UNREAD: Final = "what the app serves could not be read, a fault of this audit, please report it"
_UNSAFE: Final = frozenset({"HEAD", "OPTIONS"})


def surveyed(
    reached: Reached, site: Site, target: Target, *, openapi: str | None = None, app: object | None = None
) -> Site:
    """The site with the routes of the app, and its OpenAPI document where it has one.

    What the document tells comes first, then what the router tells, and links are followed only where
    neither tells anything.

    Args:
        reached: The target, which answers.
        site: What is known of it.
        target: What it is; the router of an import string is read in a process of its own.
        openapi: The document as a path of the app or as a file; looked for in the usual places otherwise.
        app: The app itself, where it is in this process.

    Raises:
        TargetFailed: What was named makes the app, and nobody said so.
        UsageFault: The document that was named is none, or cannot be read.
    """
    budget = Budget(deadline=time.monotonic() + _SECONDS, requests=_REQUESTS)
    asker = reached.asker(site.host, budget)
    block = f"127.{20 + os.getpid() % 200}"
    stage = Stage(site=site, asker=asker, budget=budget, number=_NUMBER, block=block)
    try:
        document = _document(stage, openapi)
        rows = table(app) if app is not None else _rows(target)
        declared = routes_of(document) if document is not None else ()
        return replace(site, routes=_merged(declared, rows) or crawl(stage), document=document)
    except (TargetFailed, UsageFault):
        raise
    except Exception as error:  # noqa: BLE001 - whatever an app says of itself must not end the audit
        return replace(site, unread=f"{_UNREAD}: {error!r}")


def _document(stage: Stage, named: str | None) -> Mapping[str, Any] | None:
    if named is None:
        for path in USUAL_PATHS:
            reply = stage.ask(f"document {path}", _whole(stage, path))
            found = parse_document(reply.body) if reply.status == 200 else None
            if found is not None:
                return found
        return None
    file = Path(named)
    if file.is_file():
        try:
            content, answered = file.read_bytes(), f"the file {named} holds none"
        except OSError as error:
            raise UsageFault(f"--openapi {named} cannot be read: {error.strerror}") from error
    elif named.startswith("/"):
        reply = stage.ask(f"document {named}", _whole(stage, named))
        content, answered = reply.body, f"{named} answered {reply.outcome}"
    else:
        raise UsageFault(f"--openapi {named}: there is no such file, and a path of the app begins with /")
    found = parse_document(content)
    if found is None:
        raise UsageFault(f"--openapi wants an OpenAPI 3 document in JSON, and {answered}")
    return found


def _whole(stage: Stage, path: str) -> Request:
    return replace(stage.site.get(path), kept=_DOCUMENT_BYTES)


def _rows(target: Target) -> Sequence[Mapping[str, Any]]:
    """What a process of its own says of the router; nothing where it cannot."""
    if target.kind != "import":
        return ()
    command = [sys.executable, "-m", "garrison_harness.discovery.route_table", target.words[0]]
    command += ["--factory"] if target.factory else []
    deadline = time.monotonic() + _IMPORT_SECONDS
    with tempfile.TemporaryDirectory(prefix="garrison-") as logs:
        try:
            child = Child(command, logs=Path(logs), environment=dict(target.environment))
        except OSError:
            return ()
        try:
            while child.exit_status() is None and time.monotonic() < deadline:
                interruption.pause(_POLL)
        finally:
            child.end(grace=0)
        if child.exit_status() == FACTORY:
            # Not every server says so: some serve it, and answer everything with an error.
            raise TargetFailed(child.log_tail(1)[0])
        for line in child.stdout_path.read_text(errors="replace").splitlines():
            if line.startswith(MARK):
                rows: Sequence[Mapping[str, Any]] = json.loads(line.removeprefix(MARK))
                return rows
    return ()


def _merged(declared: Sequence[Route], rows: Sequence[Mapping[str, Any]]) -> tuple[Route, ...]:
    """The declared routes with the places of their handlers, and the routes that nobody declared."""
    places = {(row["method"], row["template"]): (row["file"], row["line"]) for row in rows}
    found = []
    for route in declared:
        file, line = places.pop((route.method, route.template), ("", 0))
        found.append(replace(route, file=file, line=line))
    for (method, template), (file, line) in places.items():
        if method not in _UNSAFE:
            target = _filled(template)
            found.append(
                Route(method=method, template=template, target=target, source="app", file=file, line=line)
            )
    return tuple(found)


def _filled(template: str) -> str:
    """A path of this template, with 1 for each parameter."""
    target = template
    while "{" in target and "}" in target:
        before, _, rest = target.partition("{")
        target = f"{before}1{rest.partition('}')[2]}"
    return quote(target, safe=SENT_AS_IS)
