"""The app is told to stop while requests are under way, and started again."""

from __future__ import annotations

import asyncio
import math
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from garrison_harness import interruption
from garrison_harness.checks.probes import USUAL
from garrison_harness.drills.drill import Drill
from garrison_harness.drills.judging import is_lost, none_lost, point, require_quiet, unjudged
from garrison_harness.drills.recording import Recording, outcomes
from garrison_harness.drills.scene import one
from garrison_harness.drills.wire import Body, ask
from garrison_harness.target import TargetFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from garrison_harness.drills.bounds import Bounds
    from garrison_harness.drills.constant_load import ConstantLoad
    from garrison_harness.drills.drill import Point
    from garrison_harness.drills.recording import Ask
    from garrison_harness.drills.scene import Scene
    from garrison_harness.running import Running

_DRAIN: Final = "GARRISON_SERVER_DRAIN_DELAY"
# Long enough for a look at readiness, and short beside the 5 s that balancers are given by default.
_SHORT_DRAIN: Final = "1s"
_PENDING: Final = 4  # requests that are under way at the stop
_BEGUN: Final = 0.3  # seconds until a handler waits for the rest of its body
_REST: Final = 0.5  # seconds after the stop until the rest is sent
_DOWN: Final = 0.3  # seconds until it is started again
_POLL: Final = 0.05
_SOON: Final = 1.0  # seconds for an answer about readiness
_CLOSING: Final = 0.25  # seconds before the first refusal, in which a connection may wait in vain
_LONG: Final = 15.0  # seconds that a look at the app may take
_JSON: Final = b'{"garrison": "drill"}'
# The order itself is an orderly end too: some servers hand it on once they are done.
_CLEAN: Final = frozenset({0, -signal.SIGTERM, 128 + signal.SIGTERM})


def _drive(scene: Scene) -> Recording:
    scene.require_start()
    facts: dict[str, float] = {}
    with ExitStack() as stack:
        first = stack.enter_context(ExitStack())
        up = first.enter_context(scene.boot({_DRAIN: scene.setting(_DRAIN) or _SHORT_DRAIN}))
        load = stack.enter_context(scene.load(up))
        ready = _readiness(scene, load)
        interruption.pause(scene.asked.window)
        go = asyncio.Event()
        pending = _begin(scene, load, go)
        interruption.pause(_BEGUN)
        facts["under way"] = sum(not future.done() for future in pending)
        broke = load.now()
        up.terminate()
        _watch(scene, load, up, (ready, go), facts)
        facts["stopped"] = float(up.exit_status() is not None)
        mended = _restart(scene, load, (first, stack), up, facts)
        interruption.pause(scene.asked.window)
        asks = load.finish()
        begun = tuple(future.result() for future in pending if future.done())
    scene.requests = len(asks)
    others = {"under way": begun}
    return Recording(asks=asks, broke=broke, mended=mended, recovered=mended, facts=facts, others=others)


def _readiness(scene: Scene, load: ConstantLoad) -> str:
    """The path that says whether the app is ready, empty where none is known."""

    async def found() -> str:
        # An app that has a page for everything says nothing with it.
        missing = await one(load, "/garrison-drill-no-such-path")
        for path in [scene.asked.ready_path] if scene.asked.ready_path else USUAL:
            told = await one(load, path)
            if told.status in {200, 204} and missing.status != told.status:
                return path
        return ""

    return load.done(found(), _LONG)


def _begin(scene: Scene, load: ConstantLoad, go: asyncio.Event) -> list[Future[Ask]]:
    """Requests that the app cannot answer before it is told to stop."""
    asked = scene.asked
    if asked.slow_path and not asked.body_path:
        return [load.do(one(load, asked.slow_path)) for _ in range(_PENDING)]
    lines = (("Content-Type", "application/json"), ("Content-Length", str(len(_JSON))))
    head = load.place.lines(asked.body_path or asked.paths[0], *lines, method="POST")
    half = len(_JSON) // 2
    body = Body(_JSON[:half], _JSON[half:], go)

    async def begun() -> Ask:
        return await ask(
            load.place,
            head,
            load.now,
            due=load.now(),
            address=load.addresses.new(),
            body=body,
            patience=_LONG,
        )

    return [load.do(begun()) for _ in range(_PENDING)]


def _watch(
    scene: Scene, load: ConstantLoad, up: Running, held: tuple[str, asyncio.Event], facts: dict[str, float]
) -> None:
    """Until the process is gone, or had its time: what readiness says, and the rest of the bodies."""
    ready, go = held
    began = time.monotonic()
    facts["readiness known"] = float(bool(ready))
    load.do(_release(go))
    while up.exit_status() is None and time.monotonic() - began < scene.bounds.grace:
        interruption.pause(_POLL)
        if ready and "readiness" not in facts:
            told = load.done(one(load, ready, patience=_SOON), _LONG)
            if told.status not in {200, 204}:
                facts["readiness"] = float(told.status)
    facts["took"] = time.monotonic() - began
    status = up.exit_status()
    if status is not None:
        facts["status"] = float(status)


async def _release(go: asyncio.Event) -> None:
    await asyncio.sleep(_REST)
    go.set()


def _restart(
    scene: Scene,
    load: ConstantLoad,
    stacks: tuple[ExitStack, ExitStack],
    up: Running,
    facts: dict[str, float],
) -> float:
    """Start it again where it was, and return when it answered."""
    first, stack = stacks
    first.close()
    interruption.pause(_DOWN)
    began = time.monotonic()
    try:
        stack.enter_context(scene.boot(port=up.port, logs=scene.directory / "again"))
    except TargetFailed:
        return load.now()
    facts["again"] = time.monotonic() - began
    return load.now()


def _judge(recording: Recording, bounds: Bounds) -> Iterator[Point]:
    require_quiet(recording, bounds)
    facts = recording.facts
    yield _finished(recording)
    yield _readiness_first(recording)
    faults = []
    if not facts["stopped"]:
        faults = [f"it still ran {bounds.grace:g} s later"]
    elif facts["status"] not in _CLEAN:
        faults = [f"exit status {facts['status']:g} after {facts['took']:.1f} s"]
    seen = f"exit status {facts.get('status', 0):g} after {facts['took']:.1f} s"
    yield point(f"it ends in order within {bounds.grace:g} s", faults, seen)
    yield none_lost(recording, allowed=_nobody_took(recording))
    if "again" in facts:
        bad = [ask for ask in recording.after if is_lost(ask) or ask.status >= 500]
        faults = [f"{len(bad)} of {len(recording.after)} ended in {outcomes(bad)}"] if bad else []
        yield point("it serves as before once it is back", faults, f"back after {facts['again']:.1f} s")
    else:
        yield point("it serves as before once it is back", ["it did not start again on its port"], "")


def _nobody_took(recording: Recording) -> Callable[[Ask], bool]:
    """Whether a request found nobody while the app was down, or was not taken any more when its port closed.

    The system accepts connections for the app, and resets those that wait when it closes the port: no client
    can tell that from a refusal, and no server without a drain can help it.
    """
    since = [ask for ask in recording.asks if ask.began >= recording.broke]
    closed = min((ask.began for ask in since if ask.failure == "refused"), default=math.inf)

    def found_nobody(ask: Ask) -> bool:
        if ask.failure == "reset":
            at_the_end = max(recording.broke, closed - _CLOSING) <= ask.began <= closed
            return at_the_end and ask.ended - ask.began < _CLOSING
        return ask.failure == "refused" and ask.due < recording.mended

    return found_nobody


def _finished(recording: Recording) -> Point:
    expectation = "requests under way at the stop are finished"
    begun = recording.others["under way"]
    if not recording.facts["under way"]:
        reason = f"the app answered them before the stop ({outcomes(begun)}): name --slow-path or --body-path"
        return unjudged(expectation, reason)
    bad = [ask for ask in begun if is_lost(ask) or ask.status >= 500]
    missing = int(recording.facts["under way"]) - len(begun)
    faults = [f"{len(bad)} of {len(begun)} ended in {outcomes(bad)}"] if bad else []
    faults += [f"{missing} never ended"] if missing > 0 else []
    return point(expectation, faults, f"{len(begun)} were: {outcomes(begun)}")


def _readiness_first(recording: Recording) -> Point:
    expectation = "readiness fails before the port is closed"
    if not recording.facts["readiness known"]:
        return unjudged(expectation, "no path says whether the app is ready: name one with --ready-path")
    status = recording.facts.get("readiness")
    if status is None:
        return point(expectation, ["it said that it was ready to the end"], "")
    return point(expectation, [] if status else ["nobody answered first"], f"it answered {status:g}")


STOPPED: Final = Drill(
    name="stopped",
    title="the app is told to stop (SIGTERM), and started again",
    expectation="What is under way is finished, balancers are told first, and nobody gets half a reply.",
    drive=_drive,
    judge=_judge,
)
"""What every release does."""
