"""Remembers which paths answer with a stream that has no end, so that nobody waits for it twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison_harness.exchange import Headers, Reply, Request

_READING: Final = 1.0  # seconds


class Endless:
    """The paths of one target whose replies began and did not end; used by several threads at a time."""

    def __init__(self) -> None:
        """Begin with none."""
        self._paths: set[str] = set()

    def hurried(self, request: Request) -> Request:
        """The request, which waits a second only for the end of a reply that is known to have none.

        Args:
            request: What is to be sent.
        """
        if _is_patient(request) and _path(request) in self._paths:
            return replace(request, reading=_READING)
        return request

    def noted(self, request: Request, reply: Reply) -> Reply:
        """The reply, once it is known whether it had an end.

        Args:
            request: What was sent.
            reply: What came back.
        """
        if _is_patient(request) and reply.status is not None and reply.failure == "timeout":
            self._paths.add(_path(request))
        return reply


def seconds_to_read(request: Request, headers: Headers) -> float | None:
    """How long to wait for the end of a reply whose head is there; None for as long as the request may take.

    A stream of events is meant to go on, so that nobody waits longer for the end of one to learn that.

    Args:
        request: What was sent.
        headers: Of the reply.
    """
    if _is_patient(request) and any(
        name.lower() == "content-type" and value.lower().startswith("text/event-stream")
        for name, value in headers
    ):
        return _READING
    return request.reading


def _is_patient(request: Request) -> bool:
    return request.reading is None and request.leaves is None


def _path(request: Request) -> str:
    return request.target.partition("?")[0]
