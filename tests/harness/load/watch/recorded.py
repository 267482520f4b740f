"""Builds replies as they are recorded, quiet ones and those under load."""

from __future__ import annotations

import json

from garrison_harness.load.sample import Sample
from garrison_harness.load.watch.replies import Quiet

HARDENED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'",
}


def reply(
    path: str = "/",
    status: int = 200,
    *,
    method: str = "GET",
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
    number: int = 0,
    body: str = "",
    fault: str = "",
    without: tuple[str, ...] = (),
) -> Sample:
    """A reply with the security headers and an id of its own, unless told otherwise."""
    told = {
        "content-type": kind,
        **HARDENED,
        "x-request-id": f"id-{path}-{status}-{number}",
        **(headers or {}),
    }
    return Sample(
        at=1.0,
        method=method,
        path=path,
        name=path,
        status=status,
        headers=tuple((name, value) for name, value in told.items() if name not in without) if status else (),
        body=body,
        fault=fault,
    )


def problem(
    path: str = "/",
    code: int = 404,
    *,
    number: int = 0,
    without: tuple[str, ...] = (),
    **members: object,
) -> Sample:
    """An error that is a problem document, with what its header says, unless told otherwise."""
    identity = f"id-{path}-{code}-{number}"
    document = {"type": "about:blank", "title": "No", "status": code, "request_id": identity, **members}
    return reply(
        path,
        code,
        number=number,
        kind="application/problem+json",
        headers={"cache-control": "no-store", "x-request-id": identity, "retry-after": "1"},
        body=json.dumps({name: value for name, value in document.items() if value is not None}),
        without=without,
    )


def quiet(*replies: Sample) -> Quiet:
    """What the app answers without load: a page and a missing one, twice each, or what is given."""
    usual = [reply(number=1), reply(number=2), problem("/missing", number=1), problem("/missing", number=2)]
    return Quiet(list(replies) or usual)
