"""The beginning and the end of an overload."""

from __future__ import annotations

import asyncio
import gc
import json
from contextvars import ContextVar
from weakref import ref

from garrison.events import event_log
from garrison.shedding.outcomes import OVER, Outcomes
from tests.own_time import OwnTime
from tests.toolkit.contract.subjects import logged, sink


class Upload:
    """What a request may hold on to."""


REQUEST: ContextVar[Upload] = ContextVar("REQUEST")


def test_a_request_that_was_refused_is_not_kept_until_the_overload_is_over() -> None:
    """Whatever its context holds is let go with it, and the end of the overload is logged all the same."""
    stream = sink()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        outcomes = Outcomes(event_log("json", stream), loop.time)
        held: list[ref[Upload]] = []

        async def refused() -> None:
            upload = Upload()
            REQUEST.set(upload)
            held.append(ref(upload))
            outcomes.count("lag", loop, None)

        await asyncio.create_task(refused())
        await asyncio.sleep(OVER / 2)
        gc.collect()
        assert outcomes.shedding
        assert held[0]() is None
        await asyncio.sleep(OVER)
        assert not outcomes.shedding

    with asyncio.Runner(loop_factory=OwnTime) as runner:
        runner.run(main())
    assert [json.loads(line)["state"] for line in logged(stream)] == ["shedding", "over"]
