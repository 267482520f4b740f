"""Judges a body while the app reads it, and hands on every message at once and as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from garrison.openapi.bodies import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from garrison.asgi import Message, Receive
    from garrison.buffer_budget import Share
    from garrison.openapi.bodies import BodyReader
    from garrison.openapi.model import Media, Violation
    from garrison.openapi.multipart_body import MultipartReader

Why: TypeAlias = Literal["too large", "no room"]
"""Why a body is not judged: it is longer than what is read, or all requests together hold too much."""


class ObservedBody:
    """One request's body in report mode, in which nothing is refused and nothing waits.

    A copy of it is held until it is whole, up to a bound and within the budget. What the app does not read is
    not judged.

    Args:
        receive: of the request.
        reader: of the operation's bodies.
        content_type: of the body.
        coding: its Content-Encoding.
        share: what may be held; given back as soon as nothing is.
        max_body: bytes that are held.
        violated: is told what is wrong, once.
        unchecked: is told why the body is not judged, where it cannot be.
    """

    __slots__ = (
        "_coding", "_content_type", "_held", "_kept", "_max_body", "_media", "_over", "_parts", "_reader",
        "_receive", "_share", "_unchecked", "_violated",
    )  # fmt: skip

    def __init__(
        self,
        receive: Receive,
        reader: BodyReader,
        content_type: bytes | None,
        coding: bytes | None,
        share: Share,
        max_body: int,
        *,
        violated: Callable[[Sequence[Violation]], None],
        unchecked: Callable[[Why], None],
    ) -> None:
        self._receive = receive
        self._reader = reader
        self._content_type = content_type
        self._coding = coding
        self._share = share
        self._max_body = max_body
        self._violated = violated
        self._unchecked = unchecked
        self._media: Media | None = None
        self._parts: MultipartReader | None = None
        self._kept = 0
        self._held = bytearray()
        self._over = False

    def decide(self, *, has_body: bool) -> None:
        """Judge the body's media type, and whether there must be one.

        Args:
            has_body: whether there is at least one byte.
        """
        media = self._reader.media(self._content_type, has_body, self._coding)
        if isinstance(media, Refusal):
            self._end([media.violation])
        elif media is None or (way := self._reader.way(media, self._content_type)) == "pass":
            self.close()
        else:
            self._media = media
            if way == "feed":
                self._parts = self._reader.incremental(media, self._content_type)

    async def receive(self) -> Message:
        """The `receive` of the app."""
        message = await self._receive()
        if not self._over and message["type"] == "http.request":
            self._see(message.get("body", b""), more=message.get("more_body", False))
        return message

    def close(self) -> None:
        """Look at nothing more, and let go of what is held."""
        self._over = True
        self._held = bytearray()
        self._parts = None
        self._share.release()

    def _see(self, data: bytes, *, more: bool) -> None:
        if self._media is None:
            if more and not data:
                return
            self.decide(has_body=bool(data))
        if self._over or self._media is None:
            return
        if self._parts is not None:
            self._see_parts(self._parts, data, more=more)
        elif len(self._held) + len(data) > self._max_body:
            self._give_up("too large")
        elif not more:
            body = bytes(self._held + data) if self._held else data
            self._end(self._reader.check(self._media, self._content_type, body))
        elif self._share.take(len(data)):
            self._held += data
        else:
            self._give_up("no room")

    def _see_parts(self, parts: MultipartReader, data: bytes, *, more: bool) -> None:
        violations = parts.feed(data) or (() if more else parts.end())
        if violations or not more:
            self._end(violations)
        elif self._share.take(parts.kept - self._kept):
            self._kept = parts.kept
        else:
            self._give_up("no room")

    def _end(self, violations: Sequence[Violation]) -> None:
        self.close()
        if violations:
            self._violated(violations)

    def _give_up(self, why: Why) -> None:
        self.close()
        self._unchecked(why)
