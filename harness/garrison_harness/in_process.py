"""Asks an ASGI app without any connection: the request as it would be sent, the reply as it would be read."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from concurrent.futures import wait
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote_to_bytes

import h11

from garrison_harness import interruption
from garrison_harness.asgi_call import Call
from garrison_harness.asgi_wire import parsed, reply_of, taken_of
from garrison_harness.endless import Endless, seconds_to_read
from garrison_harness.exchange import Reply
from garrison_harness.startup import likely_cause
from garrison_harness.target import TargetFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from garrison_harness.asgi_call import App, Message, Scope
    from garrison_harness.exchange import Failure, Request
    from garrison_harness.probe import Budget
    from garrison_harness.stage import Asker

_TIMEOUT = 5.0  # seconds for one exchange
_SLICE = 0.05  # seconds between two looks at whether the audit was stopped
_LIFESPAN = 20.0  # seconds for the app's startup, as long as a process may take to answer
_SHUTDOWN = 5.0  # seconds
_FAREWELL = 0.5  # seconds that the app has to notice that its client has left
_SERVER = ("127.0.0.1", 80)
_CLIENT = "127.0.0.1"


class Hosted:
    """An app in an event loop of its own, in a thread of its own, between its startup and its shutdown.

    Attributes:
        endless: What is known of its replies without an end.
    """

    def __init__(self, app: App) -> None:
        """Take the app; nothing is called before the context is entered."""
        self.endless = Endless()
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="garrison-app", daemon=True)
        self._status: int | None = None
        self._state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._lifespan: Future[None] | None = None

    def __enter__(self) -> Self:
        """Start the app.

        Raises:
            KeyboardInterrupt: This process was told to end.
            TargetFailed: Its startup failed, or took too long.
        """
        self._thread.start()
        self._lifespan = asyncio.run_coroutine_threadsafe(self._live(), self._loop)
        try:
            self._start_up()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.alive() and self._lifespan is not None and not self._lifespan.done():
            with suppress(TimeoutError):
                self._tell("lifespan.shutdown").result(_patience())
        self._close()

    @property
    def base_url(self) -> str:
        """What stands for the address in reports: requests name it as their Host."""
        return "http://garrison.test"

    def asker(self, _name: str, budget: Budget) -> Asker:
        """Whoever puts requests to the app within a budget."""
        return InProcess(self, budget)

    def alive(self) -> bool:
        """Whether the app has not tried to end its process."""
        return self._thread.is_alive()

    def exit_status(self) -> int | None:
        """The status that the app tried to end its process with, None as long as it did not."""
        return self._status

    def log_tail(self, _lines: int) -> list[str]:
        """Nothing: what the app writes goes where this process writes."""
        return []

    def log_size(self) -> tuple[int, int]:
        """Nothing."""
        return 0, 0

    def log_since(self, _start: tuple[int, int]) -> str:
        """Nothing."""
        return ""

    def memory(self) -> int | None:
        """Unknown: it is that of the audit too."""
        return None

    def terminate(self) -> None:
        """Nothing: checks that stop a target need one of their own."""

    def state(self) -> dict[str, Any]:
        """What the app left for its requests when it started, in a copy for one of them."""
        return dict(self._state)

    def put(self, call: Call, *, stopped: Callable[[], bool], until: Callable[[], float]) -> bool:
        """Hand a request to the app, and wait for its reply.

        Args:
            call: The request.
            stopped: Whether to give up at once.
            until: When to give up, on the monotonic clock; looked at again and again.

        Returns:
            Whether it was given up.
        """
        task = asyncio.run_coroutine_threadsafe(call.run(self._app), self._loop)
        while wait([call.done], _SLICE).not_done:
            if stopped() or not self.alive() or time.monotonic() >= until():
                self._loop.call_soon_threadsafe(call.leave)
                self._loop.call_soon_threadsafe(self._loop.call_later, _FAREWELL, task.cancel)
                return True
        return False

    def _serve(self) -> None:
        try:
            self._loop.run_forever()
        except SystemExit as end:
            # Whatever is no number is written to stderr, and the status is 1.
            self._status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except KeyboardInterrupt:
            self._status = -signal.SIGINT

    async def _live(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        with suppress(Exception):  # an app that knows no lifespan raises, and is served all the same
            await self._app(scope, self._inbox.get, self._outbox.put)
        await self._outbox.put({"type": "lifespan.none"})

    def _tell(self, kind: str) -> Future[Message]:
        async def exchange() -> Message:
            await self._inbox.put({"type": kind})
            return await self._outbox.get()

        return asyncio.run_coroutine_threadsafe(exchange(), self._loop)

    def _start_up(self) -> None:
        until = time.monotonic() + _LIFESPAN
        answer = self._tell("lifespan.startup")
        while wait([answer], _SLICE).not_done:
            interruption.check()
            if not self.alive():
                raise TargetFailed(f"the app ended with exit status {self._status} during its startup")
            if time.monotonic() >= until:
                raise TargetFailed(
                    f"the app's startup did not end within {_LIFESPAN:g} s: what does it wait for?"
                )
        message = answer.result()
        if message["type"] == "lifespan.startup.failed":
            cause = likely_cause(str(message.get("message", "")).splitlines())
            raise TargetFailed(f"the app's startup failed: {cause or 'start it with a server to see why'}")

    def _close(self) -> None:
        if self.alive():
            with suppress(TimeoutError):
                asyncio.run_coroutine_threadsafe(_end_tasks(), self._loop).result(_patience())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_patience())
        else:
            self._loop.run_until_complete(_end_tasks())
        if not self.alive():
            self._loop.close()


def _patience() -> float:
    """Seconds that an app may take for each step of its end; a loop that is blocked takes none at all."""
    return _FAREWELL if interruption.noticed() else _SHUTDOWN


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_FAREWELL)


class InProcess:
    """Puts requests to a hosted app."""

    def __init__(self, hosted: Hosted, budget: Budget, *, https: bool = False) -> None:
        """Take the app, and what may be spent.

        Args:
            hosted: The app.
            budget: What may be spent.
            https: Whether the app is told that the client came over https.
        """
        self._hosted = hosted
        self._budget = budget
        self._scheme = "https" if https else "http"
        self._endless = hosted.endless

    def ask(self, request: Request, *, source: str | None = None) -> Reply:
        """Read a request as a server would, and record what the app answers.

        Args:
            request: What to send; pauses between its pieces are left out.
            source: The address that the client has.
        """
        if not self._budget.take():
            return Reply(failure="abandoned")
        request = self._endless.hurried(request)
        start = time.monotonic()
        try:
            head, pieces, unfinished = parsed(request)
        except h11.RemoteProtocolError:
            # What no server would bring to the app says nothing of it.
            return Reply(failure="refused")
        if not self._hosted.alive():
            return Reply(failure="refused")
        call = Call(self._scope(head, source), pieces, unfinished=unfinished, kept=request.kept)
        allowed = _TIMEOUT if request.leaves is None else request.leaves

        def until() -> float:
            ends = start + allowed
            reading = None if call.began is None else seconds_to_read(request, call.headers)
            if call.began is not None and reading is not None:
                ends = min(ends, call.began + reading)
            return ends

        given_up = self._hosted.put(call, stopped=self._budget.stopped, until=until)
        failure: Failure | None = None
        if call.died or not self._hosted.alive():
            failure = "closed"
        elif given_up and not call.whole:
            gone: Failure = "timeout" if request.leaves is None else "left"
            failure = "abandoned" if self._budget.stopped() else gone
        reply = reply_of(request, call, failure, start=start, taken=taken_of(request, pieces, call))
        return self._endless.noted(request, reply)

    def _scope(self, head: h11.Request, source: str | None) -> Scope:
        path, _, query = head.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": head.method.decode("ascii"),
            "scheme": self._scheme,
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(bytes(name), bytes(value)) for name, value in head.headers],
            "client": (source or _CLIENT, 50000),
            "server": _SERVER,
            "state": self._hosted.state(),
        }
