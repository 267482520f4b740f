"""Bounds on a body: what is refused by its header lines alone, and what judges the rest as it arrives."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Final

from garrison.bounding.codings import MOST, Inflated, can_inflate
from garrison.bounding.framing import FORM, MULTIPART
from garrison.bounding.json_body import JsonBounds, SuspectedJson, text_without_coding
from garrison.bounding.multipart import PartBounds, judge_of
from garrison.short_body import Refusal, too_large, unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.bounding.framing import Framing
    from garrison.middleware.request_limits import RequestLimits
    from garrison.problems import Problem

    Judge = Callable[[bytes], Problem | None]

UNCERTAIN: Final = unread(400, "The length or the type of the body is not certain.")
NO_LENGTH: Final = unread(411, "A body needs a Content-Length here.")

# What a body may be in that is to be judged however it is written.
COUNTABLE: Final = b"gzip, deflate"


class BodyBounds:
    """What a body may be like.

    Args:
        bounds: the section, or what a rule makes of it.

    Attributes:
        max_body: bytes of a body that is held whole.
    """

    def __init__(self, bounds: RequestLimits) -> None:
        self.max_body = bounds.max_body
        self._max_upload = bounds.max_upload
        self._needs_length = bounds.length_required
        self._is_strict = bounds.json == "strict"
        self._max_depth = bounds.max_json_depth
        self._json = JsonBounds(bounds.max_json_depth, strict=self._is_strict)
        self._parts = PartBounds(
            parts=bounds.max_parts,
            header=bounds.max_part_header,
            field=bounds.max_field,
            file=bounds.max_file,
        )
        types = [name.lower().encode("ascii") for name in bounds.content_types]
        self._types = frozenset(name for name in types if not name.endswith(b"*"))
        self._ranges = tuple(name.removesuffix(b"*") for name in types if name.endswith(b"*"))
        self._is_choosy = bool(types)
        self._codings = frozenset(name.lower().encode("ascii") for name in bounds.content_encodings)
        self._other_type = unread(
            415, "A body of this media type is not taken here.", [(b"accept", b", ".join(types))]
        )
        self._other_coding = unread(
            415,
            "A body in this content coding is not taken here.",
            [(b"accept-encoding", b", ".join(sorted(self._codings)) or COUNTABLE)],
        )

    def refusal(self, framing: Framing) -> Refusal | None:
        """Why a body is refused before it is read, if it is.

        Args:
            framing: what its header lines say.
        """
        length = framing.length
        if not framing.certain:
            return UNCERTAIN
        if self._needs_length and length is None and framing.announced:
            return NO_LENGTH
        if self._is_choosy and framing.announced and not self._takes(framing.media_type):
            return self._other_type
        if framing.codings and not self._decodes(framing):
            return self._other_coding
        limit = self.limit(framing)
        if limit is not None and length is not None and length > limit:
            return Refusal(problem=too_large(limit), rest="unread")
        return None

    def limit(self, framing: Framing) -> int | None:
        """How many bytes the body may have, before and after it is inflated; None for any number."""
        is_small = framing.is_json or framing.media_type == FORM
        return self.max_body if is_small else self._max_upload

    def judge(self, framing: Framing) -> Judge | Refusal | None:
        """What looks at a body as it streams through; None where there is nothing to see.

        Returns:
            A refusal where none of it needs to be seen.
        """
        if (self._needs_length or self._is_choosy) and not framing.announced:
            return lambda _: (NO_LENGTH if self._needs_length else self._other_type).problem
        judge: Judge | Refusal | None = None
        if framing.media_type.startswith(MULTIPART):
            judge = judge_of(framing.content_type, self._parts)
        elif framing.is_untyped:
            judge = SuspectedJson(self._max_depth)
        if not framing.codings or isinstance(judge, Refusal):
            return judge
        limit = self.limit(framing)
        if limit is None or not can_inflate(framing.codings):
            # Without an end to it, inflating would be the harm that it is to prevent.
            return judge
        inflated = Inflated(framing.codings, limit, too_large(limit), copy(judge))
        # Most apps never look at the coding, and read what was sent as it is.
        return inflated if judge is None else partial(_judged_twice, judge, inflated)

    def broken_json(self, framing: Framing, body: bytes) -> Problem | None:
        """What is wrong with a whole body that is JSON, if anything is.

        Args:
            framing: what its header lines say.
            body: as it was sent.
        """
        if framing.codings:
            # Most apps never look at the coding, and read what was sent as it is.
            text = text_without_coding(body)
            problem = self._json.broken(text) if text else None
            if problem is not None or not can_inflate(framing.codings):
                return problem
            pieces: list[bytes] = []
            inflated = Inflated(framing.codings, self.max_body, too_large(self.max_body), pieces.append)
            problem = inflated(body)
            if problem is not None:
                return problem
            body = b"".join(pieces)
        return self._json.broken(body)

    def _takes(self, media_type: bytes) -> bool:
        return media_type in self._types or media_type.startswith(self._ranges)

    def _decodes(self, framing: Framing) -> bool:
        if self._codings and not self._codings.issuperset(framing.codings):
            return False
        if self._is_strict and framing.is_json and not can_inflate(framing.codings):
            return False
        return len(framing.codings) <= MOST


def _judged_twice(as_sent: Judge, inflated: Judge, data: bytes) -> Problem | None:
    return as_sent(data) or inflated(data)
