"""A signal that comes in the middle of a request."""

from __future__ import annotations

import asyncio
import signal
from contextvars import ContextVar

from garrison.draining.chained_signal import ChainedSignal
from garrison.events import event_log
from garrison.lifecycle import Lifecycle
from tests.toolkit.contract.subjects import sink
from tests.toolkit.driver import run

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="none")


def test_the_drain_is_no_part_of_the_request_that_a_signal_interrupts() -> None:
    """What it logs and ends has neither the ids nor the trace of whatever happened to run."""
    seen: list[str] = []

    async def main() -> None:
        lifecycle = Lifecycle(0.0, 0.0)
        lifecycle.listen(lambda _: seen.append(REQUEST.get()))
        handed_on = asyncio.Event()
        chained = ChainedSignal(lifecycle, event_log("json", sink()))
        # As uvicorn's own handler would be found.
        chained._server = lambda *_: handed_on.set()
        chained._loop = asyncio.get_running_loop()
        REQUEST.set("GET /checkout")
        chained._handle(signal.SIGTERM, None)
        await handed_on.wait()

    run(main())
    assert seen == ["none", "none"]
