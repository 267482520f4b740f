"""How fast `garrison load` is, how punctual, and how honest."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.request import urlopen

from garrison_harness.load.account import Account
from garrison_harness.load.histogram import Histogram
from garrison_harness.load.plan import Plan
from garrison_harness.load.stream import FILE_NAME, Follower
from loadtests.bench.worker import WorkerError, interrupts_ignored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USERS: Final = 50
RATE: Final = 5000.0
FREEZING_RATE: Final = 100.0
PERCENTILES: Final = (90, 95, 99)
# The order changes from round to round, and is the same in every run.
SEED: Final = 20

PLAIN: Final = "Locust by itself"
PATHS: Final = "garrison load --path"
LOCUSTFILE: Final = "garrison load --locustfile"

_STARTS_IN: Final = 20.0
_PATIENCE: Final = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """How much is measured.

    Attributes:
        rounds: of each generator.
        seconds: of each in a round.
        every: seconds from one freeze to the next.
        freezes: how many there are.
    """

    rounds: int
    seconds: float
    every: float
    freezes: int


FULL: Final = Length(rounds=9, seconds=2.0, every=5.0, freezes=6)
QUICK: Final = Length(rounds=1, seconds=0.4, every=0.5, freezes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """What one generator did in one round: requests a second, and µs of CPU for each."""

    rate: float
    cpu: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        spells: of the closed model, by generator and round.
        late: arrivals that started more than 10 ms late, or never, in per cent of each round.
        done: requests a second of each round of the open model.
        found: percentiles of the latency that were reported of the server that freezes, in ms.
        truth: the same, from the times when it was frozen.
    """

    spells: dict[str, list[Spell]]
    late: list[float]
    done: list[float]
    found: dict[int, float]
    truth: dict[int, float]

    def share(self, name: str) -> float:
        """Requests a second over those of Locust by itself in the same round, in per cent, median."""
        pairs = zip(self.spells[name], self.spells[PLAIN], strict=True)
        return median(100 * one.rate / other.rate for one, other in pairs)

    @property
    def wrong(self) -> float:
        """How far a percentile is from the truth at most, in per cent."""
        return max(abs(100 * self.found[percent] / truth - 100) for percent, truth in self.truth.items())


def measured(*, quick: bool) -> Report:
    """Let each generator ask a server that does nothing, in turn, and one that freezes.

    Args:
        quick: to show that it runs, and no more.

    Raises:
        WorkerError: a generator or a server does not run.
    """
    length = QUICK if quick else FULL
    with serving() as url:
        spells = _closed(url, length)
        opened = [generated(Plan(rate=RATE, duration=length.seconds), url) for _ in range(length.rounds)]
    late = [100 * (one.arrivals.late + one.arrivals.dropped) / max(1, one.arrivals.due) for one in opened]
    found, truth = _frozen(length)
    return Report(spells=spells, late=late, done=[one.rate for one in opened], found=found, truth=truth)


def _closed(url: str, length: Length) -> dict[str, list[Spell]]:
    shuffle = random.Random(SEED).shuffle  # noqa: S311 - an order, no secret
    spells: dict[str, list[Spell]] = {name: [] for name in (PLAIN, PATHS, LOCUSTFILE)}
    for _ in range(length.rounds):
        order = list(spells)
        shuffle(order)
        for name in order:
            spells[name].append(_spell(name, url, length.seconds))
    return spells


def _spell(name: str, url: str, seconds: float) -> Spell:
    if name == PLAIN:
        words = ["loadtests.bench.plain_locust", url, str(USERS), str(seconds)]
        rate, cpu = map(float, _run(words).split())
        return Spell(rate=rate, cpu=cpu)
    locustfile = str(Path(__file__).with_name("plain_user.py")) if name == LOCUSTFILE else None
    # As above, the first part is for the users to come, and does not count.
    plan = Plan(users=USERS, spawn_rate=USERS, duration=1 + seconds, locustfile=locustfile)
    _first, *others = generated(plan, url).series
    requests, width = sum(one.tally.requests for one in others), sum(one.width for one in others)
    cpu = sum(one.cpu * one.width for one in others)
    return Spell(rate=requests / width, cpu=1e6 * cpu / max(1, requests))


def _frozen(length: Length) -> tuple[dict[int, float], dict[int, float]]:
    with serving(str(length.every), str(length.every / 5)) as url:
        account = generated(Plan(rate=FREEZING_RATE, duration=length.every * length.freezes), url)
        with urlopen(f"{url}/freezes", timeout=10) as reply:  # noqa: S310 - our own server
            freezes: list[tuple[float, float]] = json.load(reply)
    truth = Histogram()
    for number in range(account.arrivals.due):
        due = account.began + number / FREEZING_RATE
        truth.record(sum(end - due for start, end in freezes if start <= due < end))
    latency = account.tally.latency
    return _percentiles(latency), _percentiles(truth)


def _percentiles(histogram: Histogram) -> dict[int, float]:
    return {percent: 1000 * histogram.quantile(percent) for percent in PERCENTILES}


def generated(plan: Plan, url: str) -> Account:
    """What the load process of `garrison load` sees, with a core to itself where there are two.

    Args:
        plan: what it does.
        url: where to.

    Raises:
        WorkerError: it does not run.
    """
    with TemporaryDirectory() as folder:
        plan.at(url).write(Path(folder, "plan.json"))
        stream = Path(folder, FILE_NAME)
        _run(["garrison_harness.load.driving.locust_child", str(Path(folder, "plan.json")), str(stream)])
        account = Account()
        for delta in Follower(stream).deltas():
            account.add(delta)
    if not account.tally.requests:
        raise WorkerError("the load process sent nothing")
    return account


def _run(words: Sequence[str]) -> str:
    with _core(0):
        ended = subprocess.run(  # noqa: S603 - of our own words
            [sys.executable, "-m", *words], capture_output=True, text=True, check=False, timeout=_PATIENCE
        )
    if ended.returncode:
        raise WorkerError(f"{words[0]} failed: {ended.stderr.strip().rpartition(chr(10))[2]}")
    return ended.stdout


@contextmanager
def serving(*words: str) -> Iterator[str]:
    """The server that does nothing, with the last core to itself; gives its URL.

    Args:
        words: when it freezes; none for never.

    Raises:
        WorkerError: it does not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "loadtests.bench.do_nothing", str(port), *words]
    with _core(-1), interrupts_ignored():
        process = subprocess.Popen(command)  # noqa: S603 - of our own words
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _STARTS_IN
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise WorkerError(f"the server that does nothing did not listen within {_STARTS_IN:.0f} seconds")


@contextmanager
def _core(place: int) -> Iterator[None]:
    """What is started inside runs on one core, where this system lets it be chosen."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[place]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
