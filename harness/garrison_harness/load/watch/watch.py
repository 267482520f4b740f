"""Looks after a target while load runs, and says afterwards which promises it kept."""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.load.watch.canaries import Canaries, judge_canaries
from garrison_harness.load.watch.log_lines import judge_lines
from garrison_harness.load.watch.log_reading import LogSeen, read_log
from garrison_harness.load.watch.problem_documents import judge_problems
from garrison_harness.load.watch.quiet_asking import QuietAsker, quiet_paths
from garrison_harness.load.watch.quotas import judge_quotas, suspected
from garrison_harness.load.watch.replies import Quiet
from garrison_harness.load.watch.request_ids import id_header, judge_ids
from garrison_harness.load.watch.resources import Resources, read_resources
from garrison_harness.load.watch.saturation import judge_saturation
from garrison_harness.load.watch.security_headers import common_headers, doubtful, judge_headers
from garrison_harness.load.watch.watching import Watching
from garrison_harness.probe import Budget
from garrison_harness.process import Child
from garrison_harness.report.hiding import secrets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.account import Account
    from garrison_harness.load.plan import Plan
    from garrison_harness.load.promise import Promise
    from garrison_harness.load.watch.lookout import Order
    from garrison_harness.running import Running
    from garrison_harness.site import Quota

_LOGGED_WITHIN: Final = 0.5  # seconds; a record may be written after the reply is sent
_EVERY: Final = 0.5  # seconds between two rounds of secrets; the memory is read at every second one
_POLL: Final = 0.02  # seconds
_LONGEST: Final = 7 * 86400.0  # seconds
_MOST_REQUESTS: Final = 10_000_000


class Watch:
    """Watches one target through one run.

    Attributes:
        plan: The plan of the run, with what the load process has to look for.
    """

    def __init__(self, up: Running, plan: Plan, *, quotas: Sequence[Quota] = ()) -> None:
        """Ask the target, which nobody else asks anything yet.

        Args:
            up: The target.
            plan: What the run will do.
            quotas: What the app declares that a client may ask.

        Raises:
            KeyboardInterrupt: The process was told to end.
        """
        self._up, self._quotas, self._headers = up, tuple(quotas), plan.headers
        self._canaries = Canaries()
        self._asker = QuietAsker(up, plan, self._canaries)
        start = up.log_size()
        paths = quiet_paths(plan)
        self._replies, self._path = self._asker.baseline(paths), (*paths, "/")[0]
        quiet = Quiet(self._replies)
        self._id_header = id_header(quiet)
        self._lag_request = "GET", self._asker.missing
        if quiet.replies:
            self._lag_request = self._asker.trivial()
            self._asker.send_secrets()
            self._settle(start)
        interruption.check()
        self._quiet_log, self._log_from = self._read_log(start, up.log_size()), up.log_size()
        self._memory: list[tuple[float, float]] = []
        self._lag: list[tuple[float, float, int]] = []
        self._rounds: list[float] = []
        required = common_headers(quiet) | ({self._id_header} if self._id_header else set())
        watching = Watching(
            id_header=self._id_header, required=tuple(sorted(required)), count_clients=bool(quotas)
        )
        self.plan = replace(plan, watching=watching)

    def _settle(self, start: tuple[int, int]) -> None:
        """Wait until the log of what was asked has been written."""
        until = time.monotonic() + _LOGGED_WITHIN
        known = start
        while self._up.stdout_path is not None and time.monotonic() < until:
            interruption.pause(_POLL)
            if (size := self._up.log_size()) == known != start:
                return
            known = size

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, memory and lag of the target are read, and secrets are sent to it.

        Raises:
            KeyboardInterrupt: The process was told to end.
        """
        over = threading.Event()
        budget = Budget(deadline=time.monotonic() + _LONGEST, requests=_MOST_REQUESTS)
        thread = threading.Thread(target=self._look, args=(over, budget), daemon=True)
        with ExitStack() as stack:
            scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-watch-")))
            order = scratch / "order.json"
            order.write_text(json.dumps(self._order()), encoding="utf-8")
            command = [sys.executable, "-P", "-m", "garrison_harness.load.watch.lookout", str(order)]
            lookout = Child(command, logs=scratch, environment={})
            thread.start()
            try:
                yield
            finally:
                over.set()
                budget.stop()
                lookout.end(grace=1.0)
                thread.join()
                self._lag = _read_lag(lookout.stdout_path)

    def _order(self) -> Order:
        method, path = self._lag_request
        return {
            "host": self._up.host,
            "port": self._up.port,
            "https": self._up.https,
            "method": method,
            "path": path,
            "source": self._asker.source(),
            "headers": dict(self._headers),
        }

    def _look(self, over: threading.Event, budget: Budget) -> None:
        due = time.monotonic()
        for number in itertools.count():
            if number % 2 == 0 and (memory := self._up.memory()) is not None:
                self._memory.append((time.monotonic(), memory))
            if self._asker.send_secrets(budget):
                self._rounds.append(time.monotonic())
            due = max(due + _EVERY, time.monotonic())
            if over.wait(due - time.monotonic()):
                return

    def promises(self, account: Account) -> tuple[Promise, ...]:
        """What was promised and what became of it; the target must still be up.

        Args:
            account: What the load process saw.
        """
        samples = account.samples
        # What nobody had asked for before is asked for now that all is quiet again.
        self._replies += self._asker.again(doubtful(Quiet(self._replies), samples))
        quiet, name = Quiet(self._replies), self._id_header
        # Before the first user, and after the last request, the app is quiet.
        ended = account.began + account.duration
        rounds = sum(account.began <= moment <= ended for moment in self._rounds)
        log = self._read_log(self._log_from, self._up.log_size())
        whole, quiet_whole = _joined(log), _joined(self._quiet_log)
        observed = account.observed
        # Others may have used some of the quota of a target that was up before, or that sees one address.
        fresh = self._up.stdout_path is not None and self._asker.addresses and not observed.uncounted
        crowds = {
            quota: crowd
            for quota in suspected(self._quotas, observed.clients)
            if (crowd := self._asker.crowd(self._path, quota)) is not None
        }
        return (
            judge_headers(quiet, samples),
            judge_ids(name, quiet, samples, observed, processes=self.plan.workers),
            judge_problems(name, quiet, samples),
            judge_saturation(quiet, samples),
            judge_quotas(self._quotas, observed.clients, fresh=fresh, crowds=crowds),
            judge_canaries(quiet_whole, whole, sent=rounds),
            judge_lines(list(zip(self._quiet_log, log, strict=True))),
        )

    def _read_log(self, start: tuple[int, int], end: tuple[int, int]) -> tuple[LogSeen, LogSeen]:
        needles = self._canaries.needles()
        given = (*secrets_of(self._headers), *(needle.decode() for needle in needles))
        return (
            read_log(self._up.stdout_path, start[0], end[0], needles, given),
            read_log(self._up.stderr_path, start[1], end[1], needles, given),
        )

    def resources(self, account: Account) -> Resources:
        """What the target used while load ran.

        Args:
            account: What the load process saw.
        """
        return read_resources(
            lag=self._lag,
            memory=self._memory,
            began=account.began,
            ended=account.began + account.duration,
            lag_request=" ".join(self._lag_request),
        )


def _joined(streams: Sequence[LogSeen]) -> LogSeen:
    whole = LogSeen()
    for one in streams:
        whole.merge(one)
    return whole


def _read_lag(path: Path) -> list[tuple[float, float, int]]:
    """The lines of the lookout; it was killed in the middle of the last one, perhaps."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) == 3:
            found.append((float(words[0]), float(words[1]), int(words[2])))
    return found
