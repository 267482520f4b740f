"""Asks for each check in its turn, and keeps what became of it."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.checks.check import BROKEN, Check, Death, Seen
from garrison_harness.finding import Verdict, not_run
from garrison_harness.obstacle import obstacle
from garrison_harness.site import Need, Site
from garrison_harness.stage import Stage
from garrison_harness.target import TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from garrison_harness.probe import Budget
    from garrison_harness.stage import Asker, Reached

_THREADS: Final = 4
_PATIENT_THREADS: Final = 32
_INSTANCES: Final = 2
_LOOK: Final = 250  # the number under which nobody else speaks: there are fewer checks
_LOG_LINES: Final = 12
_DYING: Final = 0.2  # seconds between a connection that breaks off and the end of its process


class Inquiry:
    """What was asked of a target so far, and what became of it.

    Attributes:
        death: How the target ended, None as long as it is alive.
        obstacle: What the page answered where it was no page, or why nothing is known of what else there is;
            empty if all is well.
    """

    def __init__(
        self,
        running: Reached,
        site: Site,
        budget: Budget,
        progress: Callable[[Check], None],
        launch: Callable[[], AbstractContextManager[Reached]] | None,
        enter: Callable[[Reached, Site], Site],
    ) -> None:
        self.death: Death | None = None
        self.obstacle = ""
        self._running = running
        self._site = site
        self._budget = budget
        self._progress = progress
        self._launch = launch
        self._enter = enter
        # Servers trust 127.0.0.1 as a proxy, so nobody speaks from there; every audit has addresses of its
        # own because a quota may outlast the last one.
        self._block = f"127.{20 + os.getpid() % 200}"
        self._asker = self._asker_of(running)
        self._stages: dict[str, Stage] = {}
        self._logs: dict[str, str] = {}
        self._unstarted: dict[str, str] = {}
        self._broken: dict[str, str] = {}
        self._apart: set[str] = set()

    def look(self) -> None:
        """Find out whether the page answers, which is none of the checks' business: they compare with it."""
        stage = self._stage(_LOOK)
        stage.ask("page", self._site.get(self._site.path))
        self.obstacle = obstacle(stage.exchanges["page"], self._site) or self._site.unread

    def ask_all(self, checks: Sequence[Check]) -> None:
        """Ask for every check that lacks nothing: most of them side by side, the rest one by one."""
        asked = [pair for pair in enumerate(checks) if not self._lacking(pair[1])]
        # The order of the record is that of the catalogue, whoever is answered first.
        self._stages = {check.id: self._stage(number) for number, check in asked}
        own = [check for _, check in asked if check.instance]
        self._apart = {check.id for check in own}
        alone = [check for _, check in asked if check.alone and not check.instance]
        patient = [check for _, check in asked if check.patient and not (check.alone or check.instance)]
        together = [c for _, c in asked if not (c.alone or c.instance or c.patient)]
        threads = _THREADS
        if not self._site.addresses:
            # Everybody spends one quota, so they take turns; those that use it up come after the others.
            spenders = [check for _, check in asked if Need.QUOTA in check.needs and not check.instance]
            alone = [*(check for check in alone if check not in spenders), *spenders]
            patient = [check for check in patient if check not in spenders]
            together, threads = [check for check in together if check not in spenders], 1
        with self._pool(_PATIENT_THREADS) as waiting:
            later = [waiting.submit(self._act, check) for check in patient]
            self._side_by_side(self._act, together, threads)
            self._side_by_side(self._act_apart, own, _INSTANCES)
            for check in (check for check in alone if not check.after_death):
                self._act(check)
            interruption.settle(later)
        for check in (check for check in alone if check.after_death):
            self._act(check)

    def _side_by_side(self, act: Callable[[Check], None], checks: Iterable[Check], threads: int) -> None:
        with self._pool(threads) as pool:
            interruption.settle([pool.submit(act, check) for check in checks])

    @contextmanager
    def _pool(self, threads: int) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(threads) as pool:
            try:
                yield pool
            except BaseException:
                # Leaving the pool waits for its threads, so they must come to an end.
                self._budget.stop()
                raise

    def _asker_of(self, running: Reached) -> Asker:
        return running.asker(self._site.host, self._budget)

    def _stage(self, number: int) -> Stage:
        stage = Stage(
            site=self._site, asker=self._asker, budget=self._budget, number=number, block=self._block
        )
        stage.on(self._running)
        return stage

    def _lacking(self, check: Check) -> list[str]:
        return self._site.lacking([*check.needs, *([Need.INSTANCE] if check.instance else [])])

    def _act(self, check: Check) -> None:
        stage = self._stages[check.id]
        if Need.QUOTA in check.needs:
            stage.rest()
        self._ask(check, stage)
        self._logs[check.id] = stage.log()
        unanswered = any(exchange.reply.status is None for exchange in stage.exchanges.values())
        if self.death is None and unanswered:
            self.death = _death(self._running)
            if self.death is not None:
                self._budget.stop()
        self._progress(check)

    def _ask(self, check: Check, stage: Stage) -> None:
        try:
            check.act(stage)
        except Exception as error:  # noqa: BLE001 - a reply that a check chokes on must not end the audit
            self._broken[check.id] = f"{BROKEN}: {error!r}"

    def _act_apart(self, check: Check) -> None:
        """Act on a target that is started for this check, and whose end is nobody else's business."""
        if self._launch is None or self._budget.stopped():
            return
        try:
            with self._launch() as running:
                stage = self._stages[check.id]
                stage.site = self._enter(running, replace(self._site, authority=self._authority(running)))
                stage.use(self._asker_of(running))
                stage.on(running)
                self._ask(check, stage)
                self._logs[check.id] = stage.log()
        except (TargetFailed, UsageFault) as failure:
            self._unstarted[check.id] = f"a second one did not start: {failure}"
        except Exception as error:  # noqa: BLE001 - the same of what starts it and logs in to it
            self._broken[check.id] = f"{BROKEN}: {error!r}"
        self._progress(check)

    def _authority(self, running: Reached) -> str:
        """The authority of a second target: another port, unless a name was given for both."""
        own = self._running.base_url.partition("://")[2]
        return running.base_url.partition("://")[2] if self._site.authority == own else self._site.authority

    def judge(self, check: Check, stopped: str) -> Verdict:
        """The verdict of one check; `stopped` says why not everything was asked, if so."""
        if lacking := self._lacking(check):
            return not_run("; ".join(lacking))
        if check.id in self._unstarted:
            return not_run(self._unstarted[check.id])
        if check.id in self._broken:
            return not_run(self._broken[check.id])
        stage = self._stages.get(check.id)
        if stage is None:
            return not_run(stopped)
        exchanges = stage.exchanges
        abandoned = not (exchanges or stage.facts) or any(
            seen.reply.failure == "abandoned" for seen in exchanges.values()
        )
        # What a dying app left unanswered says nothing about the check that asked it.
        unanswered = self.death is not None and any(seen.reply.status is None for seen in exchanges.values())
        if stopped and (abandoned or unanswered) and not (check.after_death and self.death is not None):
            return not_run(stopped)
        record = [
            seen
            for name, other in self._stages.items()
            if name not in self._apart
            for seen in other.exchanges.values()
        ]
        return check.verdict(
            Seen(
                site=stage.site,
                exchanges=exchanges,
                record=record,
                death=self.death,
                facts=stage.facts,
                log=self._logs.get(check.id, ""),
            )
        )


def _death(running: Reached) -> Death | None:
    """How the target ended, if it did; a process may outlast its last connection by a moment."""
    deadline = time.monotonic() + _DYING
    while running.alive():
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.02)
    status = running.exit_status()
    if status is None:
        cause = "its port takes no connections any more"
    else:
        cause = f"signal {-status}" if status < 0 else f"exit status {status}"
    return Death(cause=cause, log=tuple(running.log_tail(_LOG_LINES)))
