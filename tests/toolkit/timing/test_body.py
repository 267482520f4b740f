"""A body that comes about as fast as it must, in a loop with a time of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from garrison import Timeouts, TimeoutsMiddleware
from tests.own_time import OwnTime
from tests.toolkit.driver import Wire, echo, http_scope

if TYPE_CHECKING:
    from garrison.asgi import Message

RATE = 500
GRACE = 2.0


class Steady(Wire):
    """The server's end of an upload that comes in ten pieces a second.

    Args:
        rate: bytes a second.
        seconds: how long it takes.
    """

    def __init__(self, rate: int, seconds: int) -> None:
        super().__init__([])  # type: ignore[arg-type]
        self._piece = bytes(rate // 10)
        self._left = seconds * 10

    async def receive(self) -> Message:
        """The next piece when it is due."""
        if not self._left:
            return await super().receive()
        await asyncio.sleep(0.1)
        self._left -= 1
        return {"type": "http.request", "body": self._piece, "more_body": self._left > 0}


@pytest.mark.parametrize(("rate", "status"), [(RATE + 10, 200), (RATE, 200), (RATE - 100, 408)])
def test_a_body_is_held_to_its_rate(rate: int, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute at the least rate is many times the grace, and a little less than it is too slow."""

    async def main() -> Wire:
        # In place of the clock on the wall, for the loop goes on as fast as it can.
        monkeypatch.setattr("garrison.timing.sweep.monotonic", asyncio.get_running_loop().time)
        wire = Steady(rate, 60)
        app = TimeoutsMiddleware(echo, Timeouts(body_rate=RATE, body_grace=GRACE))
        await app(
            http_scope(method="POST", headers=[(b"content-length", b"%d" % (rate * 60))]),
            wire.receive,
            wire.send,
        )
        return wire

    with asyncio.Runner(loop_factory=OwnTime) as runner:
        assert runner.run(main()).reply.status == status
