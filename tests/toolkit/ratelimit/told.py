"""A Valkey store whose server goes by the time that a test tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import valkey

from garrison.ratelimit.valkey import ValkeyStore
from garrison.ratelimit.valkey_script import SCRIPT

if TYPE_CHECKING:
    import asyncio

    from tests.toolkit.ratelimit.servers import Server

# With a clock that the test sets, the server's own must not end a key before its time.
TIMES = (
    (
        b"local time = redis.call('TIME')\n",
        b"local time = redis.call('HMGET', 'clock', 'seconds', 'micros')\n",
    ),
    (b"max(1, ceil(longest / 1000))", b"3600000"),
)
# A day in 2026, in microseconds.
TODAY = 1_790_000_000_000_000
MICROSECONDS = 1_000_000


class Told:
    """A store whose server reads the time from a key, in an event loop that lasts.

    Attributes:
        run: runs a coroutine there.
        store: the store.
    """

    def __init__(self, server: Server, runner: asyncio.Runner) -> None:
        script = SCRIPT
        for ours, theirs in TIMES:
            assert script.count(ours) == 1
            script = script.replace(ours, theirs)
        self.run = runner.run
        self.store = ValkeyStore(server.url, script=script)
        self._client = valkey.Valkey(port=server.port)

    def at(self, micros: int) -> None:
        """Set the server's clock."""
        now = {"seconds": micros // MICROSECONDS, "micros": micros % MICROSECONDS}
        self._client.hset("clock", mapping=now)

    def forget(self) -> None:
        """Forget everybody."""
        self._client.flushdb()

    def close(self) -> None:
        """Let go of the server."""
        self._client.connection_pool.disconnect()
        self.run(self.store.aclose())
