"""Replies made by hand, and what a check says of them: no network and no waiting."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.check import Check, Death, Seen
from garrison_harness.exchange import Exchange, Failure, Reply
from garrison_harness.probe import Budget
from garrison_harness.site import Quota, Site
from garrison_harness.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding, Verdict
    from garrison_harness.stage import Fact

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


class Nobody:
    """Asks nothing, because every reply is known."""

    def ask(self, request: Request, *, source: str | None = None) -> Reply:
        """Say that nothing was sent."""
        raise AssertionError(f"{request.summary} was asked of {source}")


class Rehearsal(Stage):
    """A stage without a target: the replies are known by their labels, and no time passes."""

    def __init__(self, site: Site, replies: Mapping[str, Reply], default: Reply, log: str = "") -> None:
        """Take the replies by label, one for all the rest, and what the target is said to have written."""
        self._replies = replies
        self._default = default
        self._written = log
        self._now = 0.0
        budget = Budget(deadline=time.monotonic() + 60, requests=10_000)
        super().__init__(site=site, asker=Nobody(), budget=budget, number=1)

    def ask(self, label: str, request: Request) -> Reply:
        """Give the reply of that label."""
        answer = self._replies.get(label, self._default)
        self.exchanges[label] = Exchange(label=label, request=request, reply=answer, at=self._now)
        self._now += answer.elapsed
        return answer

    def pause(self, seconds: float) -> None:
        """Let no time pass."""
        self._now += seconds

    def until(self, true: Callable[[], bool], within: float) -> bool:
        """Look once: nothing will change."""
        self._now += 0.0 if true() else within
        return true()

    def log(self) -> str:
        """What the target is said to have written."""
        return self._written


def rehearsed(
    check: Check, replies: Mapping[str, Reply], default: Reply, site: Site = SITE, log: str = ""
) -> Rehearsal:
    """The stage after the check has acted on it, with the replies by label and one for all the rest."""
    stage = Rehearsal(site, replies, default, log)
    check.act(stage)
    return stage


def record(
    check: Check, replies: Mapping[str, Reply], default: Reply, site: Site = SITE
) -> dict[str, Exchange]:
    """What the check asks, with the replies by label and one for all the rest."""
    return rehearsed(check, replies, default, site).exchanges


def verdict(
    name: str,
    replies: Mapping[str, Reply] | None = None,
    *,
    default: Reply | None = None,
    site: Site = SITE,
    death: Death | None = None,
    facts: Mapping[str, Fact] | None = None,
    log: str = "",
    **changes: object,
) -> Verdict:
    """What a check says when `replies` are what it gets, and `default` (a bare page) everywhere else.

    Facts given here replace those that the check noted; `log` is what the target wrote meanwhile.
    """
    check = check_named(name)
    known = replace(site, **changes) if changes else site  # type: ignore[arg-type]
    stage = rehearsed(check, replies or {}, default or page(), known, log)
    exchanges = stage.exchanges
    unknown = set(replies or {}) - set(exchanges)
    assert not unknown, f"{name} asks nothing labelled {unknown}"
    return check.verdict(
        Seen(
            site=known,
            exchanges=exchanges,
            record=list(exchanges.values()),
            death=death,
            facts={**stage.facts, **(facts or {})},
            log=log,
        )
    )


def findings(name: str, replies: Mapping[str, Reply] | None = None, **more: object) -> list[Finding]:
    """The findings of a check that can judge."""
    found = verdict(name, replies, **more)  # type: ignore[arg-type]
    assert found.status != "not run", found.reason
    return list(found.findings)
