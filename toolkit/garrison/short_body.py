"""Reads a short body whole, for a layer that answers in place of the app."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison.asgi import Headers, Rest
from garrison.problems import Problem

if TYPE_CHECKING:
    from garrison.asgi import Receive


CUT_SHORT: Final = Problem(status=400, detail="The body ended before its end.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a body is not taken.

    Attributes:
        problem: what to say.
        rest: what became of the body; `unread` also if there is more to come of it.
        headers: header lines that go with it, such as Retry-After.
    """

    problem: Problem
    rest: Rest = "read"
    headers: Headers | None = None


async def read_short_body(receive: Receive, limit: int, seconds: float) -> bytes | Refusal | None:
    """A body that is short and comes soon; None where the client goes away before its end.

    Args:
        receive: of the request.
        limit: bytes; more is a 413, as soon as it is there.
        seconds: how long the whole of it may take; longer is a 408.
    """
    parts: list[bytes] = []
    size = 0
    more = True
    try:
        async with asyncio.timeout(seconds):
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                more = message.get("more_body", False)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    return Refusal(problem=too_large(limit), rest="abandoned" if more else "read")
    except TimeoutError:
        problem = Problem(status=408, detail=f"The body took longer than {seconds:g} seconds.")
        return Refusal(problem=problem, rest="abandoned")
    return b"".join(parts)


def unread(status: int, detail: str, headers: Headers | None = None) -> Refusal:
    """A refusal before any of the body was read.

    Args:
        status: the HTTP status code.
        detail: a sentence for the client's developer.
        headers: header lines that go with it.
    """
    return Refusal(problem=Problem(status=status, detail=detail), rest="unread", headers=headers)


def too_large(limit: int) -> Problem:
    """The 413 for a body over its limit.

    Args:
        limit: bytes.
    """
    return Problem(status=413, detail=f"The body is longer than {limit} bytes.")
