"""Takes the bodies of requests in, so that no thread waits for who sends one."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import Lock
from typing import IO, TYPE_CHECKING, Final

from uvicorn.protocols.utils import ClientDisconnected

from garrison.buffer_budget import BufferBudget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison.asgi import Receive

# Bytes of a body that stay in memory whatever there is of others: about what its connection takes anyway.
SMALL: Final = 16 * 1024
# Bytes of a body that are held in memory; with more it goes to a file, in pieces of about this size.
HELD: Final = 512 * 1024
# Bytes of all bodies that are held in memory beyond the small ones.
TOGETHER: Final = 64_000_000

# Threads that write. A piece takes 0.1 ms into the page cache, and some ms now and then; a disk that hangs
# holds up nobody but those who need it.
WRITERS: Final = 4


class NoFileError(Exception):
    """A body that is too large for memory can go to no file.

    Args:
        reason: what the system says.
        whole: whether all of the body has come.

    Attributes:
        reason: what the system says.
        whole: whether all of the body has come.
    """

    def __init__(self, reason: OSError, *, whole: bool) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.whole = whole


def free_room() -> int:
    """Bytes that are free where temporary files go; a very large number where the system does not tell.

    Raises:
        OSError: there is no such place.
    """
    usage = shutil.disk_usage(tempfile.gettempdir())
    return usage.free if usage.total else sys.maxsize


class Intake:
    """What all requests of a process have in common whose bodies are taken in.

    Args:
        memory: what they may hold in memory together, beyond what is small of each.
        free: bytes that are free for files. What all of them have written never takes more than is left.

    Attributes:
        memory: as given.
        free: as given.
        writers: threads that write.
        written: bytes that are in files at the moment.
    """

    def __init__(self, memory: BufferBudget | None = None, free: Callable[[], int] = free_room) -> None:
        self.memory = BufferBudget(TOGETHER) if memory is None else memory
        self.free = free
        self.writers = ThreadPoolExecutor(WRITERS, "bodies")
        self.written = 0

    async def take(self, receive: Receive) -> TakenBody:
        """The whole body of a request, which the caller has to close.

        Args:
            receive: of the request, which has a body.

        Raises:
            ClientDisconnected: the client has left before its end. An OSError, and one that the layers know.
            NoFileError: it is too large for memory, and cannot be written.
        """
        body = TakenBody(self)
        more = True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnected("the client left before the end of the body")  # noqa: TRY301 - shorter
                more = message.get("more_body", False)
                await body.add(message.get("body", b""), last=not more)
        except BaseException:
            body.close()
            raise
        return body


class TakenBody:
    """One body, in memory or in a file without a name.

    Args:
        intake: what all of them have in common.

    Attributes:
        size: in bytes.
    """

    __slots__ = ("_closed", "_file", "_intake", "_lent", "_lock", "_memory", "_share", "_written", "size")

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._memory = BytesIO()
        self._share = intake.memory.share()
        self._file: IO[bytes] | None = None
        self._written = 0
        self._lock = Lock()
        self._lent = self._closed = False
        self.size = 0

    async def add(self, data: bytes, *, last: bool) -> None:
        """Keep more of it, in a file if it has become too large for memory.

        Args:
            data: what came.
            last: whether it is the end.

        Raises:
            NoFileError: there is no place for it.
        """
        self.size += len(data)
        held = self._memory.tell() + len(data)
        if held <= SMALL or (held <= HELD and self._share.take(len(data))):
            self._memory.write(data)
            if self._file is None or not (last and held):
                return
            data = b""
        pieces = (self._memory.getvalue(), data)
        self._memory = BytesIO()
        await self._write(pieces, whole=last)
        self._share.release()

    async def _write(self, pieces: tuple[bytes, ...], *, whole: bool) -> None:
        size = sum(map(len, pieces))
        self._written += size
        self._intake.written += size
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._intake.writers, self._put, pieces, self._intake.written)
        except OSError as error:
            raise NoFileError(error, whole=whole) from error

    def _put(self, pieces: tuple[bytes, ...], all_written: int) -> None:
        """Write to the file; in a thread."""
        with self._borrowed():
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="garrison-")  # noqa: SIM115 - outlives this
            # Who else needs this disk must find half of what there was.
            if self._intake.free() < all_written:
                raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)}: the rest is left to others")
            self._file.writelines(pieces)
            self._file.flush()

    @contextmanager
    def lent(self) -> Iterator[IO[bytes]]:
        """The body as a file for the thread of an app, from its beginning.

        Raises:
            ClientDisconnected: the request is over.
        """
        if self._file is None:
            self._memory.seek(0)
            yield self._memory
            return
        with self._borrowed():
            self._file.seek(0)
            yield self._file

    @contextmanager
    def _borrowed(self) -> Iterator[None]:
        """The file is in use in a thread, which closes it where the request ends meanwhile."""
        with self._lock:
            if self._closed:
                raise ClientDisconnected("the request is over")
            self._lent = True
        try:
            yield
        finally:
            with self._lock:
                self._lent = False
                if self._closed:  # by now
                    self._close_file()  # type: ignore[unreachable]

    def close(self) -> None:
        """Give everything back: now, or as soon as the thread that uses the file has done with it."""
        self._share.release()
        self._intake.written -= self._written
        self._written = 0
        with self._lock:
            self._closed = True
            # To give a large file back takes a while.
            if self._file is not None and not self._lent:
                self._intake.writers.submit(self._close_file)

    def _close_file(self) -> None:
        if self._file is not None:
            with suppress(OSError):  # what could not be written cannot be flushed either
                self._file.close()
