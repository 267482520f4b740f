"""Clients that are slow on purpose are there beside others, who have done nothing wrong."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.drills.drill import Drill
from garrison_harness.drills.judging import (
    none_refused,
    point,
    require_quiet,
    still_quick,
    unjudged,
)
from garrison_harness.drills.recording import Recording
from garrison_harness.drills.refusal import NotRun, Undecided
from garrison_harness.drills.scene import one
from garrison_harness.drills.slow_wire import KINDS, be_slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.drills.bounds import Bounds
    from garrison_harness.drills.drill import Point
    from garrison_harness.drills.scene import Scene
    from garrison_harness.drills.slow_wire import Kind, Slow

# What Garrison waits for by default (10 s, 20 s and 1 min) is longer than a drill is.
_PLANTED: Final = {
    "GARRISON_SERVER_HEADER_TIMEOUT": "2s",
    "GARRISON_TIMEOUTS_BODY_GRACE": "2s",
    "GARRISON_TIMEOUTS_READER": "2s",
}
_PLANTED_SECONDS: Final = 2.0
_SLACK: Final = 2.0  # seconds that a bound may be late
_LEFT: Final = 15.0  # seconds until the last of them has left
_LOOK: Final = 10.0  # seconds for one request
_MEBIBYTE: Final = 1024 * 1024
_SEND_BUFFERS: Final = Path("/proc/sys/net/ipv4/tcp_wmem")
_USUAL_BUFFER: Final = 4 * _MEBIBYTE


def _drive(scene: Scene) -> Recording:
    planted = _planted(scene)
    if planted:
        scene.bounds = replace(scene.bounds, slow=_PLANTED_SECONDS)
    asked, slow = scene.asked, scene.bounds.slow
    facts: dict[str, float] = {}
    with ExitStack() as stack:
        up = stack.enter_context(scene.boot(planted))
        if up.https:
            raise NotRun("slow clients speak no TLS: give the http URL behind it")
        load = stack.enter_context(scene.load(up))
        large = asked.large_path or asked.paths[0]
        size = load.done(one(load, large), _LOOK).size
        facts["reply"] = float(size)
        facts["buffer"] = float(_send_buffer())
        interruption.pause(asked.window)
        leaves = {kind: asyncio.Event() for kind in KINDS}
        paths: dict[Kind, str] = {
            "heads": asked.paths[0],
            "bodies": asked.body_path or asked.paths[0],
            "readers": large,
        }
        broke = load.now()
        clients = [
            load.do(be_slow(load, kind, paths[kind], size, leaves[kind]))
            for kind in KINDS
            for _ in range(asked.slow_clients)
        ]
        interruption.pause(max(asked.window, 0.0 if slow is None else slow + _SLACK))
        mended = load.now()
        load.do(_set(leaves["heads"], leaves["bodies"]))
        asks = load.finish()
        # What readers left is read when nobody is measured any more: that is work for this process too.
        load.do(_set(leaves["readers"]))
        interruption.settle(clients, _LEFT)
        facts["alive"] = float(up.alive())
        _count([client.result() for client in clients], facts)
    scene.requests = len(asks)
    return Recording(asks=asks, broke=broke, mended=mended, recovered=mended, facts=facts)


def _planted(scene: Scene) -> dict[str, str]:
    """Shorter bounds for Garrison, where the person has said nothing of them."""
    known = scene.bounds.slow is not None or any(scene.setting(name) is not None for name in _PLANTED)
    return {} if known or not scene.target.harden else dict(_PLANTED)


async def _set(*events: asyncio.Event) -> None:
    for event in events:
        event.set()


def _send_buffer() -> int:
    """Bytes of a reply that the system takes from a server whose client does not read (tcp(7), tcp_wmem)."""
    try:
        return int(_SEND_BUFFERS.read_text().split()[2])
    except (OSError, ValueError, IndexError):
        return _USUAL_BUFFER


def _count(clients: list[Slow], facts: dict[str, float]) -> None:
    for kind in KINDS:
        held = [client.held for client in clients if client.kind == kind]
        facts[kind] = float(len(held))
        facts[f"{kind} held"] = float(sum(seconds is None for seconds in held))
        facts[f"{kind} longest"] = max((seconds for seconds in held if seconds is not None), default=0.0)


def _judge(recording: Recording, bounds: Bounds) -> Iterator[Point]:
    require_quiet(recording, bounds)
    if not recording.during:
        raise Undecided("no request came while slow clients were there")
    yield none_refused(recording)
    yield still_quick(recording, bounds)
    for kind in KINDS:
        yield _ended(recording, bounds, kind)
    yield point("the process stays up", [] if recording.facts["alive"] else ["it ended"], "it is up")


def _ended(recording: Recording, bounds: Bounds, kind: Kind) -> Point:
    facts = recording.facts
    number, held = int(facts[kind]), int(facts[f"{kind} held"])
    if bounds.slow is None:
        reason = f"{held} of {number} were still there: declare the longest time with --slow-limit"
        return unjudged(f"slow {kind} are ended in time", reason)
    expectation = f"slow {kind} are ended within {bounds.slow:g} s"
    if kind == "readers" and facts["reply"] <= facts["buffer"]:
        least = f"{facts['buffer'] / _MEBIBYTE:g} MiB"
        reason = f"a reply of {facts['reply']:,.0f} bytes fits into the system: name one over {least}"
        return unjudged(expectation, f"{reason} with --large-path")
    faults = [f"{held} of {number} were still there {_SLACK:g} s after that"] if held else []
    if not held and kind != "readers" and facts[f"{kind} longest"] > bounds.slow + _SLACK:
        faults = [f"one was there for {facts[f'{kind} longest']:.1f} s"]
    longest = "" if kind == "readers" else f", the last after {facts[f'{kind} longest']:.1f} s"
    return point(expectation, faults, f"all {number} were{longest}")


SLOW_CLIENTS: Final = Drill(
    name="slow-clients",
    title="clients send heads and bodies slowly, or do not read",
    expectation="Whoever is slow is ended in time, and nobody else notices.",
    drive=_drive,
    judge=_judge,
)
"""Many connections that cost their clients nothing."""
