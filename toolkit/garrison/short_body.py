"""Reads a short body whole, for a layer that answers in place of the app."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from garrison.asgi import Rest
from garrison.problems import Problem

if TYPE_CHECKING:
    from garrison.asgi import Receive


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a body is not taken.

    Attributes:
        problem: what to say.
        rest: what became of the body.
    """

    problem: Problem
    rest: Rest = "read"


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


def too_large(limit: int) -> Problem:
    """The 413 for a body over its limit.

    Args:
        limit: bytes.
    """
    return Problem(status=413, detail=f"The body is longer than {limit} bytes.")
