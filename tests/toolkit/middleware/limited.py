"""A limited app in process, its clock, and what it keeps and logs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import orjson

from garrison import RateLimit, RateLimitMiddleware
from garrison.events import event_log
from garrison.ratelimit.memory import MemoryStore
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison.asgi import ASGIApp, Scope
    from garrison.units import Secret
    from tests.toolkit.driver import Reply

CLIENT = "192.0.2.1"


class Limited:
    """An app behind the layer, and a clock that the test moves.

    Args:
        app: what is limited; an app that serves everything unless given.
        store: keeps the counts; memory unless given.
        secret: keys the hashes.
        settings: the fields of the section.
    """

    def __init__(
        self,
        app: ASGIApp | None = None,
        *,
        store: MemoryStore | None = None,
        secret: Secret | None = None,
        **settings: Any,
    ) -> None:
        self.now = 1000.0
        self.store = MemoryStore(clock=lambda: self.now) if store is None else store
        self._stream = io.StringIO()
        self.layer = RateLimitMiddleware(
            app or replies_with(),
            RateLimit(**settings),
            store=self.store,
            secret=secret,
            log=event_log("json", self._stream),
            # Without what clients are told to wait longer than they must, which would hide a lie.
            random=lambda: 0.0,
            clock=lambda: self.now,
        )

    @property
    def logged(self) -> str:
        """All lines of the log."""
        return self._stream.getvalue()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The same, read."""
        return [orjson.loads(line) for line in self.logged.splitlines()]

    @property
    def keys(self) -> list[str]:
        """Whatever the memory remembers a client by."""
        tables = self.store._tables.values()
        return [key for table in tables for shard in table.shards.values() for key in shard]

    def get(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        client: str | None = CLIENT,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Reply:
        """One request of a client."""
        return call(self.layer, asked(path, method=method, client=client, headers=headers, **more))

    def statuses(self, count: int, path: str = "/", **more: Any) -> list[int]:
        """What so many requests get."""
        return [self.get(path, **more).status for _ in range(count)]

    def served(self, requests: Iterable[dict[str, Any]]) -> int:
        """How many of these requests are served."""
        return sum(self.get(**request).status == 200 for request in requests)


def asked(
    path: str = "/",
    *,
    method: str = "GET",
    client: str | None = CLIENT,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Scope:
    """The scope of a client's request."""
    lines = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    peer = None if client is None else (client, 40000)
    return http_scope(path, method=method, client=peer, headers=lines, **more)
