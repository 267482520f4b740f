"""Exceptions of every kind that an app may raise, some of which fail themselves when they are looked at."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from litestar.exceptions import NotAuthorizedException
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable


class MuteError(Exception):
    """Says nothing of itself."""

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class NotelessError(Exception):
    """Cannot be asked for what was added to it."""

    def __getattribute__(self, name: str) -> Any:
        """Fail for that."""
        if name == "__notes__":
            raise RuntimeError("no notes")
        return super().__getattribute__(name)


class StatusError(Exception):
    """Has a status that nobody can read."""

    @property
    def status_code(self) -> int:
        """Fail."""
        raise RuntimeError("no status")


class BrokenHTTPError(HTTPException):
    """Is an answer that cannot be read."""

    def __init__(self) -> None:
        super().__init__(418)

    @property
    def headers(self) -> Any:
        """Fail."""
        raise RuntimeError("no headers")

    @headers.setter
    def headers(self, value: Any) -> None:
        """Forget it."""


class StopError(BaseException):
    """Is none of those that an app handles."""


def _noted(error: BaseException, *notes: Any) -> BaseException:
    error.__notes__ = list(notes)
    return error


def _chained(length: int) -> BaseException:
    first = last = ValueError("0")
    for number in range(1, length):
        last.__cause__ = last = ValueError(str(number))
    last.__cause__ = first if length % 2 else None
    return first


def _nested(depth: int) -> BaseException:
    error: Exception = HTTPException(403, "no")
    for _ in range(depth):
        error = ExceptionGroup("more\r\n", [error])
    return error


FAILURES: Final[tuple[Callable[[], BaseException], ...]] = (
    lambda: ValueError("password=hunter2"),
    lambda: KeyError("\ud800\x1b[31m\r\n{}"),
    lambda: RuntimeError("x" * 200_000),
    lambda: OSError(104, "reset"),
    TimeoutError,
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
    lambda: SyntaxError("bad", ("<x>", 1, 2, "token = 'hunter2' \ud800", 1, 3)),
    lambda: HTTPException(404, "nothing", {"x-why": "a\r\nb"}),
    lambda: HTTPException(500),
    lambda: HTTPException(99, "no"),
    lambda: NotAuthorizedException(detail="who?"),
    BrokenHTTPError,
    lambda: StatusError("no"),
    lambda: MuteError("no"),
    lambda: NotelessError("no"),
    lambda: _noted(ValueError("no"), "a\nb", 7, MuteError()),
    lambda: _chained(60),
    lambda: _chained(3),
    lambda: _nested(30),
    lambda: ExceptionGroup("two", [HTTPException(403), MuteError()]),
    lambda: BaseExceptionGroup("two", [StopError(), ValueError()]),
    ClientDisconnect,
    lambda: WebSocketDisconnect(1001),
    lambda: StopError("no"),
    lambda: asyncio.CancelledError("the app's own"),
)
