"""`python -m loadtests.bench.overload`: what is served in time when twice as much is asked as can be."""

from __future__ import annotations

import asyncio
import io
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Final

from garrison.middleware.overload import Overload
from garrison.stack import Settings, harden
from loadtests.bench.arrivals import Answer, arrivals, closed_loop
from loadtests.bench.measure import request_scope
from loadtests.bench.overload_app import Path
from loadtests.bench.results import Target
from loadtests.bench.worker import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.asgi import Message, Receive, Scope, Send

# An answer is of use to somebody who waits for it for so many seconds.
IN_TIME: Final = 0.3

# Times its capacity, and the part of it before and afterwards.
OVERLOAD: Final = 2.0
USUAL: Final = 0.5
RECOVERY: Final = 2.0

LEAST_GOODPUT: Final = 85.0
# µs of CPU.
DEAREST: Final = 100.0

# Enough to keep the app busy without a queue that matters.
NAMES: Final[dict[Path, str]] = {"/cpu": "computing", "/wait": "waiting"}
CLIENTS: Final[dict[Path, int]] = {"/cpu": 4, "/wait": 24}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goodput:
    """What became of a load.

    Attributes:
        path: what the app was busy with.
        capacity: replies a second that it can give.
        plain: replies a second in time without protection.
        protected: the same with `adaptive`.
        p99: of what was accepted with `adaptive`, in ms.
        refused: part of the usual load that was refused before the overload.
        recovered: the same from two seconds after it.
    """

    path: Path
    capacity: float
    plain: float
    protected: float
    p99: float
    refused: float
    recovered: float

    @property
    def share(self) -> float:
        """Goodput with `adaptive`, in per cent of the capacity."""
        return 100 * self.protected / self.capacity


@contextmanager
def served(limit: str) -> Iterator[int]:
    """The app behind uvicorn, in a process that is ended in any case; gives its port.

    Args:
        limit: `none`, or of requests in flight.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        descriptor = listener.fileno()
        command = [sys.executable, "-m", "loadtests.bench.overload_app", limit, str(descriptor)]
        process = subprocess.Popen(command, pass_fds=[descriptor])  # noqa: S603 - of our own words
        try:
            yield listener.getsockname()[1]
        finally:
            process.kill()
            process.wait()


def measured(path: Path, seconds: float) -> Goodput:
    """Find the capacity of the app, and ask twice as much of it, without protection and with it.

    Args:
        path: what the app is busy with.
        seconds: for how long it is overloaded.
    """
    with served("none") as port:
        asyncio.run(closed_loop(port, path, 1, 1))
        capacity = asyncio.run(closed_loop(port, path, CLIENTS[path], seconds / 2))
        plain = asyncio.run(arrivals(port, path, capacity * OVERLOAD, seconds))
    with served("adaptive") as port:
        asyncio.run(closed_loop(port, path, 1, 1))
        before = asyncio.run(arrivals(port, path, capacity * USUAL, seconds / 2))
        during, after = asyncio.run(_overloaded(port, path, capacity, seconds))
    accepted = sorted(answer.seconds for answer in during if answer.status == 200)
    return Goodput(
        path=path,
        capacity=capacity,
        plain=_in_time(plain) / seconds,
        protected=_in_time(during) / seconds,
        p99=accepted[int(len(accepted) * 0.99)] * 1000 if accepted else float("inf"),
        refused=_refused(before),
        recovered=_refused(after),
    )


async def _overloaded(
    port: int, path: Path, capacity: float, seconds: float
) -> tuple[list[Answer], list[Answer]]:
    during = asyncio.create_task(arrivals(port, path, capacity * OVERLOAD, seconds))
    await asyncio.sleep(seconds + RECOVERY)
    after = await arrivals(port, path, capacity * USUAL, seconds / 2)
    return await during, after


def _in_time(answers: list[Answer]) -> int:
    return sum(answer.status == 200 and answer.seconds <= IN_TIME for answer in answers)


def _refused(answers: list[Answer]) -> float:
    return sum(answer.status != 200 for answer in answers) / max(1, len(answers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What was measured.

    Attributes:
        loads: of each kind of work.
        refusal: µs of CPU for a refused request, with all default layers.
    """

    loads: list[Goodput]
    refusal: float


async def refusal(count: int) -> float:
    """µs of CPU for a request that is refused.

    Args:
        count: of them.
    """
    over = asyncio.Event()

    async def held(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI
        await over.wait()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    statuses: list[int] = []
    with redirect_stdout(io.StringIO()):
        app = harden(held, Settings(overload=Overload(limit=1)))
    task = asyncio.create_task(app(request_scope(), receive, send))
    await asyncio.sleep(0)
    spent = []
    for _ in range(10):
        began = time.thread_time()
        for _ in range(count // 10):
            await app(request_scope(), receive, send)
        spent.append((time.thread_time() - began) / (count // 10) * 1e6)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    if set(statuses) != {503}:
        raise WorkerError(f"refused requests got {sorted(set(statuses))}, not 503")
    return median(spent)


def text(drill: Drill) -> list[str]:
    """The figures for people."""
    head = f"{'replies in 300 ms at twice the capacity':<40}{'capacity':>9}{'plain':>7}{'adaptive':>9}"
    return [
        f"{head}{'p99 ms':>8}",
        *map(_line, drill.loads),
        f"  {'a refusal, all default layers':<38}{drill.refusal:>9.1f} µs",
    ]


def _line(found: Goodput) -> str:
    name = f"{NAMES[found.path]}, a second"
    figures = f"{found.capacity:>9.0f}{found.plain:>7.0f}{found.protected:>9.0f}{found.p99:>8.0f}"
    return f"  {name:<38}{figures}"


def targets(drill: Drill) -> list[Target]:
    """What was promised beside what was found; a limit of the least is met by what is above it."""
    promised: list[Target] = []
    for each in drill.loads:
        name = NAMES[each.path]
        lowest = Target(
            text=f"{name}: goodput, % of capacity",
            limit=LEAST_GOODPUT,
            found=each.share,
            scaled=each.share,
            met=each.share >= LEAST_GOODPUT,
        )
        rest = [
            (f"{name}: p99 of what is accepted, ms", 1000 * IN_TIME, each.p99),
            (f"{name}: refused 2 s afterwards, %", 0.0, 100 * each.recovered),
        ]
        highest = [
            Target(text=text, limit=limit, found=value, scaled=value, met=value <= limit)
            for text, limit, value in rest
        ]
        promised += [lowest, *highest]
    found = drill.refusal
    met = found <= DEAREST
    refused = Target(text="overload: a refusal, µs", limit=DEAREST, found=found, scaled=found, met=met)
    return [*promised, refused]


def drilled(*, quick: bool) -> Drill:
    """Both kinds of work, and what a refusal costs.

    Args:
        quick: to show that it runs, and no more.
    """
    return Drill(
        loads=[measured(path, 1.0 if quick else 6.0) for path in CLIENTS],
        refusal=asyncio.run(refusal(100 if quick else 5000)),
    )


if __name__ == "__main__":
    print(*text(drilled(quick=False)), sep="\n")
