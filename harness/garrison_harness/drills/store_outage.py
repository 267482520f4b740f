"""The store that the app counts in crashes, or answers no more; then it is back."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.drills.drill import Drill
from garrison_harness.drills.recording import Recording
from garrison_harness.drills.refusal import NotRun
from garrison_harness.drills.scene import one
from garrison_harness.drills.store import StoreServer
from garrison_harness.drills.store_judgement import judge
from garrison_harness.site import Quota

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison_harness.drills.constant_load import ConstantLoad
    from garrison_harness.drills.recording import Ask
    from garrison_harness.drills.scene import Scene

_QUOTA: Final = "20/minute"
_LIMITS: Final = "GARRISON_RATE_LIMIT_LIMITS"
_ON_ERROR: Final = "GARRISON_RATE_LIMIT_ON_STORAGE_ERROR"
_MOST_ASKED: Final = 300  # requests of a probe
_MORE: Final = 5  # beyond the quota
_AT_ONCE: Final = 8  # of them, so that an app that takes on no more than it can do refuses nobody for that
_PROBE: Final = 20.0  # seconds that one may take
_SLICE: Final = 0.25  # seconds over which it is counted what the store does
_OUTAGE: Final = 1.5  # times the bound on a reply, at least
_ENOUGH: Final = 0.5  # of what it usually does


def _drive(
    scene: Scene, harm: Callable[[StoreServer], None], cure: Callable[[StoreServer], None]
) -> Recording:
    scene.require_start()
    facts: dict[str, float] = {}
    others: dict[str, tuple[Ask, ...]] = {}
    with ExitStack() as stack:
        server = stack.enter_context(StoreServer(scene.directory / "store"))
        planted = dict.fromkeys(scene.asked.store_variables, server.url)
        up = stack.enter_context(scene.boot({**planted, **_declare(scene)}))
        work = server.work()
        load = stack.enter_context(scene.load(up))
        interruption.pause(scene.asked.window)
        facts["usual"] = (server.work() - work) / max(1.0, load.now() * scene.asked.rate)
        if server.work() == work:
            raise NotRun(
                f"the app asked its store nothing: its URL was in {', '.join(planted)}; name the variable"
                " that it reads with --store-variable"
            )
        others["probe before"] = probe(scene, load)
        earlier, quiet = up.log_since((0, 0)), up.log_size()
        broke = load.now()
        harm(server)
        # Whoever waits for the store is late by then.
        interruption.pause(max(scene.asked.window, _OUTAGE * scene.bounds.late))
        cure(server)
        mended = load.now()
        recovered = _wait_until_asked(scene, server, load, facts)
        noisy = up.log_since(quiet)
        others["probe after"] = probe(scene, load)
        interruption.pause(scene.asked.window)
        asks = load.finish()
        facts["alive"] = float(up.alive())
        written = {"before": earlier, "during": noisy, "after": up.log_since(quiet)}
        log = {window: tuple(text.splitlines()) for window, text in written.items()}
    scene.requests = len(asks)
    return Recording(
        asks=asks, broke=broke, mended=mended, recovered=recovered, facts=facts, others=others, log=log
    )


def _declare(scene: Scene) -> Mapping[str, str]:
    """A quota where Garrison has none: without one it asks no store. And what is known of the settings."""
    limits = scene.setting(_LIMITS)
    planted = {}
    if limits is None and scene.target.harden:
        limits, planted = _QUOTA, {_LIMITS: _QUOTA}
    bounds = scene.bounds
    if not bounds.quota and limits is not None:
        try:
            quota = Quota.parse(limits)
        except ValueError:
            quota = None  # several of them, or rules: which one is met is for the person to say
        if quota is not None and not quota.path:
            bounds = replace(bounds, quota=quota.limit, refill=quota.limit / quota.period)
    scene.bounds = replace(bounds, closed=bounds.closed or scene.setting(_ON_ERROR) == "closed")
    return planted


def probe(scene: Scene, load: ConstantLoad) -> tuple[Ask, ...]:
    """As many requests of one client as its quota has, and some more."""
    quota = scene.bounds.quota
    if not load.addresses.many or not 0 < quota <= _MOST_ASKED - _MORE:
        return ()
    address, path = load.addresses.new(), scene.asked.paths[0]

    async def all_of_them() -> tuple[Ask, ...]:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one_of_them() -> Ask:
            async with room:
                return await one(load, path, address=address)

        return tuple(await asyncio.gather(*(one_of_them() for _ in range(quota + _MORE))))

    return load.done(all_of_them(), _PROBE)


def _wait_until_asked(
    scene: Scene, server: StoreServer, load: ConstantLoad, facts: dict[str, float]
) -> float:
    """Wait until the store has about as much to do as before; when that was, or was given up."""
    until = time.monotonic() + scene.bounds.recovery
    mended = load.now()
    since: float | None = None
    while time.monotonic() < until:
        work, began = server.work(), load.now()
        interruption.pause(_SLICE)
        share = (server.work() - work) / max(1.0, (load.now() - began) * scene.asked.rate)
        if share < _ENOUGH * facts["usual"]:
            since = None
        elif since is None:
            # What was sent to a store that was frozen is done at once when it goes on, and says nothing yet.
            since = began
        else:
            facts["asked again"] = since - mended
            break
    return load.now()


STORE_KILLED: Final = Drill(
    name="store-killed",
    title="the store is killed, and started again empty",
    expectation="Nobody waits for a store that is gone, or sees an error; it is used once it is back.",
    drive=partial(_drive, harm=StoreServer.kill, cure=StoreServer.start),
    judge=judge,
)
"""A crash: connections are refused at once."""

STORE_FROZEN: Final = Drill(
    name="store-frozen",
    title="the store stops answering, and goes on later",
    expectation="Nobody waits for a store that answers nothing; it is used once it goes on.",
    drive=partial(_drive, harm=StoreServer.freeze, cure=StoreServer.thaw),
    judge=judge,
)
"""A stall: connections stand, and every answer is missing."""
