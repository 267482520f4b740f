"""Replies made by hand, and what a check says of them: no network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.check import Check, Death, Seen
from garrison_harness.exchange import Exchange, Failure, Reply
from garrison_harness.site import Quota, Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison_harness.finding import Finding, Verdict

CANARY = "garrison-0a1b2c"
SITE = Site(
    authority="127.0.0.1:8000",
    canary=CANARY,
    path="/",
    body_path="/json",
    error_path="/raise",
    quota=Quota(limit=5, period=60),
    max_body=100_000,
    directory="/srv/shop",
)


def reply(
    status: int | None = 200,
    headers: Mapping[str, str | Sequence[str]] | None = None,
    body: bytes = b"content",
    *,
    failure: Failure | None = None,
    rest: bytes = b"",
    sent: int = 0,
    elapsed: float = 0.01,
) -> Reply:
    """A reply; a header with several values is sent that often."""
    lines = [
        (name, value)
        for name, values in (headers or {}).items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    return Reply(
        status=status,
        reason="Reason" if status else "",
        headers=tuple(lines),
        body=body,
        failure=failure,
        rest=rest,
        sent=sent,
        elapsed=elapsed,
    )


def page(headers: Mapping[str, str | Sequence[str]] | None = None, body: bytes = b"<p>page") -> Reply:
    """A page for browsers."""
    return reply(200, {"Content-Type": "text/html; charset=utf-8", **(headers or {})}, body)


def lost(failure: Failure) -> Reply:
    """No reply at all."""
    return reply(None, body=b"", failure=failure)


def check_named(name: str) -> Check:
    """The check with that id."""
    return next(check for check in CATALOGUE if check.id == name)


def record(
    check: Check, replies: Mapping[str, Reply], default: Reply, site: Site = SITE
) -> dict[str, Exchange]:
    """What the check asks, with the replies by label and one for all the rest."""
    exchanges: dict[str, Exchange] = {}
    at = 0.0
    for label, request in check.ask(site).items():
        answer = replies.get(label, default)
        exchanges[label] = Exchange(label=label, request=request, reply=answer, at=at)
        at += answer.elapsed
    return exchanges


def verdict(
    name: str,
    replies: Mapping[str, Reply] | None = None,
    *,
    default: Reply | None = None,
    site: Site = SITE,
    death: Death | None = None,
    **changes: object,
) -> Verdict:
    """What a check says when `replies` are what it gets, and `default` (a bare page) everywhere else."""
    check = check_named(name)
    known = replace(site, **changes) if changes else site  # type: ignore[arg-type]
    exchanges = record(check, replies or {}, default or page(), known)
    unknown = set(replies or {}) - set(exchanges)
    assert not unknown, f"{name} asks nothing labelled {unknown}"
    return check.verdict(Seen(site=known, exchanges=exchanges, record=list(exchanges.values()), death=death))


def findings(name: str, replies: Mapping[str, Reply] | None = None, **more: object) -> list[Finding]:
    """The findings of a check that can judge."""
    found = verdict(name, replies, **more)  # type: ignore[arg-type]
    assert found.status != "not run", found.reason
    return list(found.findings)
