"""The phases of a process."""

from __future__ import annotations

import asyncio

from garrison.lifecycle import Lifecycle, Phase
from tests.toolkit.driver import run


def test_a_process_only_goes_on() -> None:
    """Going back, or to where it is, does nothing and is told to nobody; phases can be left out."""
    seen: list[Phase] = []
    lifecycle = Lifecycle()
    lifecycle.listen(seen.append)
    for phase in ("ready", "starting", "ready", "ending", "draining"):
        lifecycle.enter(phase)
    assert seen == ["ready", "ending"]
    assert lifecycle.phase == "ending"


def test_the_grace_is_counted_from_the_order_to_stop() -> None:
    """The drain delay is part of it, and nothing is left of it in the end."""
    now = 100.0
    lifecycle = Lifecycle(5, 25, clock=lambda: now)
    lifecycle.enter("ready")
    assert lifecycle.deadline is None
    assert lifecycle.remaining() == float("inf")
    lifecycle.enter("draining")
    now = 105.0
    lifecycle.enter("ending")
    assert lifecycle.remaining() == 20
    now = 200.0
    assert lifecycle.remaining() == 0


def test_a_drain_is_begun_once() -> None:
    """The end begins when the delay is over; a second order changes nothing."""

    async def main() -> None:
        seen: list[Phase] = []
        lifecycle = Lifecycle(0.05, 1)
        lifecycle.enter("ready")
        lifecycle.listen(seen.append)
        loop = asyncio.get_running_loop()
        lifecycle.drain(loop)
        lifecycle.drain(loop)
        assert seen == ["draining"]
        await asyncio.sleep(0.1)
        assert seen == ["draining", "ending"]

    run(main())
