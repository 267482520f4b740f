"""The form of a check: what it asks, and how it judges what was recorded."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from garrison_harness.exchange import Exchange, Reply, Request
from garrison_harness.finding import (
    Confidence,
    Finding,
    Location,
    Severity,
    Verdict,
    judged,
    not_run,
    printable,
)
from garrison_harness.site import Need, Site
from garrison_harness.stage import Fact, Stage

BROKEN = "a fault of this check, please report it"
"""How the reason begins where a check could not judge because it is wrong itself."""

Item = TypeVar("Item")

_TARGET_LENGTH = 80
_EXCERPT_LENGTH = 160
_MESSAGE_LENGTH = 400
_SAMPLING = 8.0  # seconds; some apps let a caller wait for each refusal
_LEFT_OUT = "left out"
# The app took a request of this kind no further, so nothing can be said about what it does with it.
_CLOSED_STATUSES = frozenset({401, 403, 404, 405, 415, 421, 429, 501, 503})
# The app turned the client away, whatever it asked for.
_TURNED_AWAY = frozenset({429, 503})
# A connection that is closed or reset is an answer too: the server refused.
_UNHEARD = frozenset({"abandoned", "refused", "timeout"})


class Layer(enum.Enum):
    """What kind of layer can make a check pass."""

    APP = "app or middleware"
    SERVER = "server"
    PROXY = "proxy"


class Unjudged(Exception):  # noqa: N818 - a check that cannot judge has met no error
    """What was recorded allows no verdict; the text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """How a target ended while it was audited.

    Attributes:
        cause: How it ended, in a few words.
        log: The last lines that it wrote.
    """

    cause: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a judge may look at.

    Attributes:
        site: What is known of the app.
        exchanges: What this check asked, by label.
        record: Everything that the audit asked, in the order of the catalogue.
        death: How the target ended, None where it is alive.
        facts: What this check noted that no reply tells.
        log: What the target wrote while this check asked, where its log is known.
    """

    site: Site
    exchanges: Mapping[str, Exchange]
    record: Sequence[Exchange] = ()
    death: Death | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    log: str = ""

    def reply(self, label: str) -> Reply:
        """The reply to one of this check's own requests, whatever became of it."""
        return self.exchanges[label].reply

    def control(self, label: str) -> Reply:
        """The reply to a request that any healthy app answers, which the others are compared with.

        Raises:
            Unjudged: The app did not answer it, or did not let it through.
        """
        exchange = self.exchanges[label]
        reply = exchange.reply
        if reply.status is None or reply.failure or reply.status >= 500 or reply.status in _CLOSED_STATUSES:
            raise Unjudged(
                f"{exchange.request.summary} answered {reply.outcome}, so there is nothing to compare with"
            )
        return reply

    def answer(self, label: str) -> Reply:
        """The reply to a request that the app may refuse, if it was refused for what it asks.

        Raises:
            Unjudged: The request was not answered, or the client was turned away whatever it asks.
        """
        exchange = self.exchanges[label]
        reply = exchange.reply
        if (reply.status is None and reply.failure in _UNHEARD) or reply.status in _TURNED_AWAY:
            raise Unjudged(f"{exchange.request.summary} got {reply.outcome}, which says nothing of the app")
        return reply

    def page(self, label: str) -> Reply:
        """The reply to the page itself, if it is one that a browser would show.

        Raises:
            Unjudged: There is no such page.
        """
        reply = self.control(label)
        if not 200 <= (reply.status or 0) < 300:
            led = f" and leads to {printable(reply.get('location'))}" if reply.get("location") else ""
            raise Unjudged(
                f"{self.exchanges[label].request.summary} answered {reply.outcome}{led}:"
                " name a page with --path"
            )
        if not reply.is_html:
            kind = reply.media_type or "no media type"
            raise Unjudged(f"{self.exchanges[label].request.summary} is {kind} and no page for a browser")
        return reply

    def plain(self) -> list[Exchange]:
        """Every exchange of the audit in which an ordinary request got a whole reply from the app."""
        return [
            seen
            for seen in self.record
            if seen.request.plain and seen.reply.status and not seen.reply.failure
        ]

    def finding(
        self,
        where: str | Exchange,
        message: str,
        *,
        show: Sequence[str] = (),
        excerpt: str = "",
        lines: Sequence[str] = (),
        confidence: Confidence = Confidence.CONFIRMED,
        severity: Severity | None = None,
    ) -> Finding:
        """A finding with the exchange that proves it.

        Args:
            where: The exchange, or the label of one of this check's own.
            message: What is wrong.
            show: Names of the reply's headers that belong to the evidence.
            excerpt: A passage of the reply that belongs to it.
            lines: Lines of the target's log that belong to it.
            confidence: How sure this is.
            severity: How bad, where it differs from the check's severity.
        """
        exchange = self.exchanges[where] if isinstance(where, str) else where
        wanted = {name.lower() for name in show}
        evidence = [exchange.summary]
        evidence += [f"{name}: {value}" for name, value in exchange.reply.headers if name.lower() in wanted]
        evidence += [excerpt] if excerpt else []
        evidence += lines
        return Finding(
            message=printable(message, _MESSAGE_LENGTH),
            location=Location(
                method=exchange.request.method, target=printable(exchange.request.target, _TARGET_LENGTH)
            ),
            evidence=tuple(printable(line, _EXCERPT_LENGTH) for line in evidence),
            confidence=confidence,
            severity=severity,
            exchange=exchange,
        )


def in_time(stage: Stage, items: Iterable[Item]) -> Iterator[Item]:
    """One item after the other for as long as a check of many routes may take.

    Args:
        stage: Notes that some are left out, so that the check does not pass for what it did not ask.
        items: What there is to ask.
    """
    until = time.monotonic() + _SAMPLING
    for item in items:
        if time.monotonic() > until:
            stage.note(_LEFT_OUT, None)
            return
        yield item


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A thing that should hold, and how to find out.

    Attributes:
        id: Stable and short; people select and ignore checks by it.
        title: What holds when the check passes.
        severity: How bad it is when it does not.
        fixed_by: The kind of layer that can mend it.
        layers: The sections of Garrison's settings that it depends on.
        needs: What it cannot do without.
        cwe: The number of the weakness in the Common Weakness Enumeration; 0 where none fits.
        reference: Where the rule comes from.
        fix: What to do about it, whatever the app is made with.
        garrison: What to do about it with Garrison, empty where Garrison does not help.
        why: What can happen where it does not hold, for somebody who has never heard of it.
        how: How it is judged: what is sent, what it is compared with, and what counts as a finding.
        ask: What to send. Labels are sent in their order.
        drive: In place of `ask`: what to do where that depends on replies, on time, or on the process.
        judge: What the replies say. It sees recordings only, and raises `Unjudged` where they say nothing.
        alone: Asked when nothing else is but what mostly waits, because it loads the target or measures time.
        patient: Mostly waits, and so goes on beside all others from the beginning.
        instance: Has a target of its own, started for it alone, because it stops it or breaks it.
        after_death: Judged even if the target ended before all was asked.
        sampled: Asks many routes, of which some may turn everybody away; its judge says if all of them do.
    """

    id: str
    title: str
    severity: Severity
    fixed_by: Layer = Layer.APP
    layers: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    cwe: int
    reference: str
    fix: str
    garrison: str = ""
    why: str = ""
    how: str = ""
    ask: Callable[[Site], Mapping[str, Request]] | None = None
    drive: Callable[[Stage], None] | None = None
    judge: Callable[[Seen], Iterator[Finding]]
    alone: bool = False
    patient: bool = False
    instance: bool = False
    after_death: bool = False
    sampled: bool = False

    def act(self, stage: Stage) -> None:
        """Ask everything that there is to ask.

        Args:
            stage: Where to act; it keeps the record.
        """
        if self.drive is not None:
            self.drive(stage)
        elif self.ask is not None:
            asked = self.ask(stage.site).items()
            for label, request in in_time(stage, asked) if self.sampled else asked:
                stage.ask(label, request)

    def verdict(self, seen: Seen) -> Verdict:
        """What the recordings say: faults that were found stay, whatever else could not be judged."""
        found: list[Finding] = []
        reason = ""
        try:
            for finding in self.judge(seen):
                found.append(finding)  # noqa: PERF402 - what came before an exception is kept
            self._require_answers(seen)
        except Unjudged as unjudged:
            reason = str(unjudged)
        except Exception as error:  # noqa: BLE001 - a reply that a judge chokes on must not end the audit
            reason = f"{BROKEN}: {error!r}"
        verdict = judged(tuple(found))
        return not_run(reason) if reason and verdict.status == "passed" else verdict

    def _require_answers(self, seen: Seen) -> None:
        """See to it that everything was asked and heard, before a check passes.

        Raises:
            Unjudged: It was not.
        """
        # The checks of a quota want to be turned away; for any other it hides what there is to see.
        for label in seen.exchanges if Need.QUOTA not in self.needs else ():
            if not (self.sampled and seen.reply(label).status in _TURNED_AWAY):
                seen.answer(label)
        if _LEFT_OUT in seen.facts:
            raise Unjudged(f"the app answers so slowly that after {_SAMPLING:g} s there was more to ask")
