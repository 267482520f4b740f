"""Ways to a Valkey or Redis server: one connection, or a cluster's nodes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from valkey.exceptions import (
    ConnectionError as LostError,
)
from valkey.exceptions import (
    NoScriptError,
    ReadOnlyError,
    ValkeyError,
)

from garrison.ratelimit.unavailable import StoreUnavailableError
from garrison.ratelimit.valkey_script import SCRIPT, digest, packed, script_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from valkey.asyncio import Valkey
    from valkey.asyncio.cluster import ValkeyCluster
    from valkey.asyncio.connection import AbstractConnection, ConnectionPool

    from garrison.ratelimit.coalescing import Ask

# Seconds for closing connections that are given up.
GOODBYE: Final = 0.5


class DirectLine:
    """One connection to one server, or to the master that a Sentinel names.

    It takes the client's connection, which knows TLS, passwords, unix sockets and Sentinels, and leaves out
    its pool: batches go one after the other, so that more connections would only wait.

    Args:
        pool: makes the connection.
        script: what decides.
        sentinels: clients that the pool asks for the master.
    """

    joins = True

    def __init__(
        self, pool: ConnectionPool, script: bytes = SCRIPT, sentinels: Sequence[Valkey] = ()
    ) -> None:
        # A Sentinel's connection knows its pool by a weak reference.
        self._pool = pool
        self._sentinels = sentinels
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        self._by_digest = (b"EVALSHA", digest(script))
        self._in_full = (b"EVAL", script)

    async def carry(self, asks: Sequence[Ask]) -> list[Any]:
        """See `Line`."""
        arguments = script_arguments(asks)
        # The client drops a connection whose trip was given up, so that no late reply meets the next one.
        # A server that was restarted has closed the connection, and only using it shows that. On a fresh
        # one there is no such excuse, and a batch must not be counted twice.
        fresh = not self._connection.is_connected
        try:
            try:
                return await self._decide(arguments)
            except LostError:
                if fresh:
                    raise
                await self._connection.disconnect(nowait=True)
                return await self._decide(arguments)
        except (ValkeyError, OSError) as error:
            await self._connection.disconnect(nowait=True)
            raise StoreUnavailableError(str(error)) from error

    async def aclose(self) -> None:
        """See `Line`."""
        await self._connection.disconnect()
        for sentinel in self._sentinels:
            await sentinel.aclose()

    async def _decide(self, arguments: list[bytes]) -> list[Any]:
        try:
            replies = await self._call(chain(self._by_digest, arguments))
        except NoScriptError:
            # The cache was flushed, or the server is a new one; this also puts the script back.
            replies = await self._call(chain(self._in_full, arguments))
        if any(isinstance(reply, ReadOnlyError) for reply in replies):
            # It was demoted. Connecting again asks the Sentinel, or the name server, who the master is now.
            raise LostError("the server is a replica")
        return replies

    async def _call(self, words: chain[bytes]) -> list[Any]:
        await self._connection.send_packed_command([packed(words)], check_health=False)
        replies: list[Any] = await self._connection.read_response()
        return replies


class ClusterLine:
    """A cluster: the asks of one key are one command, and all commands of a batch are one pipeline.

    A script may touch one slot only, so that every key goes by itself. Nodes answer side by side; one that
    hangs delays the decisions of the whole batch.

    Args:
        connect: makes a client, which finds the nodes when it is first used.
        script: what decides.
    """

    joins = False

    def __init__(self, connect: Callable[[], ValkeyCluster], script: bytes = SCRIPT) -> None:
        self._connect = connect
        self._cluster = connect()
        self._script = script
        self._digest = digest(script)

    async def carry(self, asks: Sequence[Ask]) -> list[Any]:
        """See `Line`."""
        numbers: dict[bytes, list[int]] = {}
        for number, ask in enumerate(asks):
            numbers.setdefault(ask.key, []).append(number)
        commands = [script_arguments([asks[number] for number in group]) for group in numbers.values()]
        try:
            results = await self._decide(commands)
        except BaseException:
            # Whatever state it is in; it also leaks a connection that was given up.
            await self._reconnect()
            raise
        replies: list[Any] = [None] * len(asks)
        for group, result in zip(numbers.values(), results, strict=True):
            if isinstance(result, ValkeyError | OSError):
                result = [StoreUnavailableError(str(result))] * len(group)  # noqa: PLW2901 - one for each ask
            for number, reply in zip(group, result, strict=True):
                replies[number] = reply
        return replies

    async def aclose(self) -> None:
        """See `Line`."""
        await self._cluster.aclose()

    async def _decide(self, commands: list[list[bytes]]) -> list[Any]:
        try:
            results = await self._call(b"EVALSHA", self._digest, commands)
        except (ValkeyError, OSError) as error:
            raise StoreUnavailableError(str(error)) from error
        # One more try for each: whose node has lost the script, or was lost itself.
        for failure, name, script in (
            (LostError, b"EVALSHA", self._digest),
            (NoScriptError, b"EVAL", self._script),
        ):
            missed = [number for number, result in enumerate(results) if isinstance(result, failure)]
            if not missed:
                continue
            if failure is LostError:
                await self._reconnect()
            try:
                again = await self._call(name, script, [commands[number] for number in missed])
            except (ValkeyError, OSError) as error:
                raise StoreUnavailableError(str(error)) from error
            for number, result in zip(missed, again, strict=True):
                results[number] = result
        return results

    async def _call(self, name: bytes, script: bytes, commands: list[list[bytes]]) -> list[Any]:
        pipeline = self._cluster.pipeline()
        for command in commands:
            pipeline.execute_command(name.decode(), script, *command)
        results: list[Any] = await pipeline.execute(raise_on_error=False)
        return results

    async def _reconnect(self) -> None:
        cluster, self._cluster = self._cluster, self._connect()
        # A node that hangs does not say goodbye.
        with suppress(ValkeyError, OSError):
            async with asyncio.timeout(GOODBYE):
                await cluster.aclose()
