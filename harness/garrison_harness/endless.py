"""Remembers which paths answer with a stream that has no end, so that nobody waits for it twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply, Request

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
        if self._patient(request) and _path(request) in self._paths:
            return replace(request, reading=_READING)
        return request

    def noted(self, request: Request, reply: Reply) -> Reply:
        """The reply, once it is known whether it had an end.

        Args:
            request: What was sent.
            reply: What came back.
        """
        if self._patient(request) and reply.status is not None and reply.failure == "timeout":
            self._paths.add(_path(request))
        return reply

    @staticmethod
    def _patient(request: Request) -> bool:
        return request.reading is None and request.leaves is None


def _path(request: Request) -> str:
    return request.target.partition("?")[0]
