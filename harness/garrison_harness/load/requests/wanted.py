"""Reads what the options name: a list of requests, or the OpenAPI document of a target that is up."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.discovery.document import USUAL_PATHS, parse_document
from garrison_harness.load.requests.drawing import METHODS, draw
from garrison_harness.load.requests.streams import MOST_ASKED, without_streams
from garrison_harness.probe import Budget
from garrison_harness.site import Site
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison_harness.exchange import Reply
    from garrison_harness.load.plan import Plan
    from garrison_harness.running import Running

AUTO: Final = "auto"
"""Has the document looked for where frameworks put it."""

_SECONDS: Final = 20.0
_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_STREAM_SECONDS: Final = 10.0  # for all operations whose replies the document does not describe
_END_SECONDS: Final = 1.0  # for one of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The document whose requests a plan is to get.

    Attributes:
        openapi: `auto`, a path of the app, or a file; None for a look in the usual places, where there may be
            none.
        methods: Only the operations of these.
    """

    openapi: str | None = None
    methods: tuple[str, ...] = METHODS


def fill(plan: Plan, up: Running, wanted: Wanted | None) -> tuple[Plan, list[str]]:
    """The plan with the requests of a document, and what its reader has to know of them.

    Args:
        plan: What the run does; its headers go with every request.
        up: The target.
        wanted: Which document; None where none is asked for.

    Raises:
        UsageFault: The document that was named is none, or has no request that can be made.
    """
    if wanted is None:
        return plan, []
    document = _document(up, plan, wanted.openapi)
    if document is None:
        return plan, ["no OpenAPI document was found, so the api users ask for one path only"]
    drawn = without_streams(draw(document, wanted.methods), _stream_asker(up, plan))
    if not drawn.specs:
        reasons = "; ".join(drawn.describe()) or "it lists no operation"
        raise UsageFault(f"--openapi: no request can be made of the document: {reasons}")
    # A login that was given is one that needs no asking for.
    told = drawn.describe() if not plan.headers else replace(drawn, secured=()).describe()
    return replace(plan, requests=tuple(spec.to_record() for spec in drawn.specs)), told


def _document(up: Running, plan: Plan, named: str | None) -> Mapping[str, Any] | None:
    if named not in {None, AUTO} and (Path(str(named)).is_file() or not str(named).startswith("/")):
        return _from_file(Path(str(named)))
    looked_for = USUAL_PATHS if named in {None, AUTO} else (str(named),)
    outcome = ""
    for path in looked_for:
        reply = _ask(up, plan, path)
        outcome = f"{path} answered {reply.outcome}"
        document = parse_document(reply.body) if reply.status == 200 else None
        if document is not None:
            return document
    if named is None:
        return None
    where = f"looked for {', '.join(looked_for)}" if named == AUTO else outcome
    raise UsageFault(f"--openapi wants an OpenAPI 3 document in JSON: {where}; name its path, or a file")


def _from_file(path: Path) -> Mapping[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageFault(
            f"--openapi {path} cannot be read: {error.strerror}; a path of the app begins with /"
        ) from error
    document = parse_document(content)
    if document is None:
        raise UsageFault(f"--openapi {path} holds no OpenAPI 3 document in JSON; convert it if it is YAML")
    return document


def _ask(up: Running, plan: Plan, path: str) -> Reply:
    budget = Budget(deadline=time.monotonic() + _SECONDS, requests=1)
    return up.asker("", budget).ask(replace(_site(up, plan).get(path), kept=_DOCUMENT_BYTES))


def _stream_asker(up: Running, plan: Plan) -> Callable[[str], Reply]:
    site = _site(up, plan)
    asker = up.asker("", Budget(deadline=time.monotonic() + _STREAM_SECONDS, requests=MOST_ASKED))
    return lambda path: asker.ask(replace(site.get(path), leaves=_END_SECONDS))


def _site(up: Running, plan: Plan) -> Site:
    host = f"[{up.host}]" if ":" in up.host else up.host
    return Site(authority=f"{host}:{up.port}", canary="garrison", https=up.https, headers=tuple(plan.headers))
