"""Keys at a URL: got when they are first needed, kept, and looked at again in the background."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

from garrison.openapi.jwt_keys import KeysError, KeySet
from garrison.openapi.key_documents import LARGEST, read_keys
from garrison.openapi.key_fetch import FetchError, fetched
from garrison.openapi.verifiers import VerifierUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from garrison.events import EventLog

# All of these are seconds. How long keys are used before they are looked at again, as providers advise
# caching for minutes to hours and publish new keys hours before they use them.
FRESH: Final = 300.0
# How long they are used where the provider does not answer; who was locked out by it is by then.
LONGEST_KEPT: Final = 24 * 3600.0
# Between two fetches because of a key that is not there, which anybody can make up, or after a failure.
PAUSE: Final = 10.0
# Between two fetches as long as there are no keys at all.
FIRST_PAUSE: Final = 2.0
# How long a request waits; the fetch goes on without it.
PATIENCE: Final = 5.0


class KeyUrl:
    """Keys at a URL.

    One fetch is under way at a time, and everybody who needs it waits for the same one.

    Args:
        url: one that `is_key_url`.
        log: where the event `contract_keys` goes, when the provider begins to fail and when it is back.
        clock: seconds that never go back.
        fetch: gets a document of at most so many bytes, or raises FetchError.
    """

    def __init__(
        self,
        url: str,
        *,
        log: EventLog,
        clock: Callable[[], float] = monotonic,
        fetch: Callable[[str, int], Awaitable[bytes]] = fetched,
    ) -> None:
        self._url = url
        self._log = log
        self._clock = clock
        self._fetch = fetch
        self._text = b""
        self._keys: KeySet | None = None
        self._got = self._tried = float("-inf")
        self._failing = False
        self._task: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    async def keys(self) -> KeySet:
        """The keys.

        Raises:
            VerifierUnavailableError: they were never got, or too long ago.
        """
        age = self._clock() - self._got
        if self._keys is not None and age < LONGEST_KEPT:
            if age >= FRESH:
                self._start(PAUSE)
            return self._keys
        await self._wait(FIRST_PAUSE)
        if self._keys is None or self._clock() - self._got >= LONGEST_KEPT:
            raise VerifierUnavailableError("the keys that verify tokens cannot be had")
        return self._keys

    async def newer(self, lacking: KeySet) -> KeySet:
        """The keys once more, fetched again unless they were a moment ago."""
        if self._keys is lacking:
            await self._wait(PAUSE)
        return self._keys or lacking

    async def _wait(self, pause: float) -> None:
        task = self._start(pause)
        if task is not None:
            # Whoever is cancelled here does not take the fetch along.
            await asyncio.wait([task], timeout=PATIENCE)

    def _start(self, pause: float) -> asyncio.Task[None] | None:
        """The fetch that is under way in this loop, or a new one; None where it is too early for one."""
        loop = asyncio.get_running_loop()
        if self._task is not None and self._task[0] is loop and not self._task[1].done():
            return self._task[1]
        now = self._clock()
        if now - self._tried < pause:
            return None
        self._tried = now
        task = loop.create_task(self._refresh())
        self._task = loop, task
        return task

    async def _refresh(self) -> None:
        try:
            text = await self._fetch(self._url, LARGEST)
            if text != self._text:
                self._keys = read_keys(text, public=True)
                self._text = text
        except (FetchError, KeysError) as error:
            if not self._failing:
                self._failing = True
                self._tell("error", "failing", str(error))
            return
        self._got = self._clock()
        if self._failing:
            self._failing = False
            self._tell("info", "recovered", "")

    def _tell(self, level: str, state: str, reason: str) -> None:
        fields = {"source": self._url, "state": state}
        self._log.emit(level, "contract_keys", fields | ({"reason": reason} if reason else {}))
