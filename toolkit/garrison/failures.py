"""What an exception of the app means for its client: a problem, or that there is no client any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from garrison.problems import Problem

if TYPE_CHECKING:
    from typing import TypeAlias

Mapping: TypeAlias = Callable[[Exception], Problem | None]
"""Given an exception that nobody handled: the problem that it is to the client, or None for a fault."""

# By name, because importing a framework that an app does not use costs start-up time. An attribute
# `status_code` alone says nothing: clients of other services raise exceptions with one.
HTTP_ERRORS: Final = frozenset(
    {
        ("starlette.exceptions", "HTTPException"),
        ("litestar.exceptions.http_exceptions", "HTTPException"),
    }
)
DEPARTURES: Final = frozenset(
    {
        ("starlette.requests", "ClientDisconnect"),
        ("starlette.websockets", "WebSocketDisconnect"),
        ("starlette.websockets", "WebSocketDisconnected"),
        ("litestar.exceptions.websocket_exceptions", "WebSocketDisconnect"),
        ("uvicorn.protocols.utils", "ClientDisconnected"),
    }
)
# How far causes are followed, so that a chain that a client can make long is not.
LONGEST_CHAIN: Final = 16
MOST_LEAVES: Final = 256


class Outcome(NamedTuple):
    """What to make of an exception.

    Attributes:
        problem: what the client is told.
        fault: whether it is one, of which the log has a traceback, rather than an answer.
    """

    problem: Problem
    fault: bool


def outcome(error: BaseException, mapping: Mapping | None) -> Outcome:
    """What to make of an exception that nobody handled.

    What the mapping says counts. An exception that means an HTTP status is that answer, also inside of a
    group; a group with a fault in it is a fault. A timeout is a 504, everything else a 500.

    Args:
        error: the exception.
        mapping: of the app; what it raises goes through.
    """
    if mapping is not None and isinstance(error, Exception):
        mapped = mapping(error)
        if mapped is not None:
            return Outcome(mapped, fault=mapped.status >= 500)
    if isinstance(error, BaseExceptionGroup):
        found = [outcome(leaf, mapping) for leaf in leaves(error) if not is_departure(leaf)]
        if found:
            return max(found, key=lambda one: (one.fault, one.problem.status))
    if (problem := _answer(error)) is not None:
        return Outcome(problem, fault=False)
    return Outcome(Problem(status=504 if isinstance(error, TimeoutError) else 500), fault=True)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions of a group that are no groups themselves, or just the one."""
    found = 0
    waiting = [error]
    while waiting and found < MOST_LEAVES:
        one = waiting.pop()
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(reversed(one.exceptions))
        else:
            found += 1
            yield one


def is_departure(error: BaseException) -> bool:
    """Whether an exception says no more than that the client has gone."""
    return _is_one_of(error, DEPARTURES)


def is_quoted(reason: object, error: BaseException) -> bool:
    """Whether a WebSocket is closed for what an exception says, or for the begin of that.

    A reason has 123 bytes at most (RFC 6455 section 5.5), so that the rest is left out, for dots or nothing.

    Args:
        reason: of the close.
        error: what is being handled.
    """
    if not isinstance(reason, str):
        return False
    try:
        return str(error).startswith(reason.removesuffix("..."))
    except Exception:  # noqa: BLE001 - its own `__str__` fails, so that nobody has quoted it
        return False


def comes_of(error: BaseException, lost: BaseException | None) -> bool:
    """Whether an exception is what became of the client's going: all of a group, or something in its chain.

    Args:
        error: what was raised at last.
        lost: what the server raised when it was told to send; None where it raised nothing.
    """
    return all(_came_of(leaf, lost) for leaf in leaves(error))


def _came_of(error: BaseException, lost: BaseException | None) -> bool:
    one: BaseException | None = error
    for _ in range(LONGEST_CHAIN):
        if one is None:
            return False
        if one is lost or is_departure(one):
            return True
        one = one.__cause__
    return False


def _answer(error: BaseException) -> Problem | None:
    """The problem of an exception that means an HTTP status; its detail is what its framework would send."""
    if not _is_one_of(error, HTTP_ERRORS):
        return None
    said: Any = error
    own = getattr(said, "problem", None)
    if isinstance(own, Problem):
        return own
    status = getattr(said, "status_code", None)
    if not isinstance(status, int) or not 400 <= status <= 599:
        return None
    detail = getattr(said, "detail", "")
    headers = getattr(said, "headers", None) or {}
    return Problem(
        status=status,
        detail=detail if isinstance(detail, str) and status < 500 else "",
        headers={str(name): str(value) for name, value in dict(headers).items()},
    )


def _is_one_of(error: BaseException, classes: frozenset[tuple[str, str]]) -> bool:
    return any((cls.__module__, cls.__qualname__) in classes for cls in type(error).__mro__)
