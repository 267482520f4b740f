"""Carries ids from one reply to the next request, for one user."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.load.requests.reply_ids import as_part, found_in, listed, located, parsed
from garrison_harness.load.requests.spec import Example, parameters_of, shape_of

if TYPE_CHECKING:
    from garrison_harness.load.requests.spec import Gift, RequestSpec

Ids = tuple[str, ...]
"""The values of the first parameters of a path, percent-encoded."""

MOST: Final = 100
"""Ids of one kind that a user remembers; the oldest are forgotten."""

_CREATED: Final = 201
_GONE: Final = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a request is made for.

    Attributes:
        ids: What it names; none for an example.
        own: Whether the user made that itself, so that it has to be there.
    """

    ids: Ids = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What filled in a request, beside the ids.

    Attributes:
        example: As it was sent.
        number: What made it new.
    """

    example: Example
    number: str


@dataclass(frozen=True, slots=True)
class Success:
    """A reply below 300."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Carrier:
    """What one user knows of: what it made itself, and what it saw in lists."""

    def __init__(self) -> None:
        self._made: defaultdict[str, deque[Ids]] = defaultdict(lambda: deque(maxlen=MOST))
        self._seen: defaultdict[str, deque[Ids]] = defaultdict(lambda: deque(maxlen=MOST))
        self._turn = 0

    def choose(self, spec: RequestSpec) -> Chosen | None:
        """What a request is for: what the user made, else what it saw; only the former for what deletes.

        Args:
            spec: The request.

        Returns:
            None where it takes an id and none is known.
        """
        if not spec.takes:
            return Chosen()
        self._turn += 1
        made, seen = self._made[spec.takes], self._seen[spec.takes]
        if made and (spec.method == "DELETE" or self._turn % 4 or not seen):
            return Chosen(made[self._turn % len(made)], own=True)
        if seen and spec.method != "DELETE":
            return Chosen(seen[self._turn % len(seen)])
        return None

    def knows(self, shape: str) -> bool:
        """Whether there is an id for a path.

        Args:
            shape: As `shape_of` writes it.
        """
        return bool(self._made.get(shape) or self._seen.get(shape))

    def expects(self, spec: RequestSpec, chosen: Chosen, status: int) -> bool:
        """Whether a status from 400 on is in order.

        That something is not there is, where nobody says that it is: another user may have deleted it.

        Args:
            spec: The request.
            chosen: What it was for.
            status: Of its reply.
        """
        if status in spec.expect:
            return True
        return status in _GONE and not chosen.own and (bool(chosen.ids) or not spec.sure)

    def learn(self, spec: RequestSpec, chosen: Chosen, sent: Sent, success: Success) -> None:
        """Take the ids out of a reply, and forget what was deleted.

        Args:
            spec: The request.
            chosen: What it was for.
            sent: What filled in the rest.
            success: The reply.
        """
        example = sent.example
        count = len(parameters_of(spec.path))
        named = (*chosen.ids, *example.values[len(chosen.ids) :])[:count]
        if spec.method == "DELETE":
            self._forget(spec.takes, chosen.ids)
        if not spec.gives:
            return
        reply = parsed(success.body)
        for gift in spec.gives:
            if gift.source == "path":
                self._note(chosen, gift, named, new=_is_new(spec, gift, named, sent, success))
            elif gift.source == "list":
                for value in listed(reply, gift):
                    self._add(self._seen[gift.to], (*named, value))
            else:
                found = found_in(reply, gift.fields, gift.form) if gift.source == "reply" else None
                found = found or located(success.headers.get("location") or "", gift)
                guess = None if found else found_in(reply, gift.guesses, gift.form)
                if found or guess:
                    ids = (*named, found or guess or "")
                    new = not guess and _is_new(spec, gift, ids, sent, success)
                    self._note(chosen, gift, ids, new=new)

    def _note(self, chosen: Chosen, gift: Gift, ids: Ids, *, new: bool) -> None:
        # What stands below something of others goes when that goes.
        own = new and (chosen.own or not chosen.ids)
        self._add((self._made if own else self._seen)[gift.to], ids)

    def _add(self, known: deque[Ids], ids: Ids) -> None:
        if ids not in known:
            known.append(ids)

    def _forget(self, shape: str, ids: Ids) -> None:
        """What is gone, and all that was below it."""
        for known in (self._made, self._seen):
            for other, held in known.items():
                if other == shape or other.startswith(f"{shape}/"):
                    gone = [one for one in held if one[: len(ids)] == ids]
                    for one in gone:
                        held.remove(one)


def _is_new(spec: RequestSpec, gift: Gift, ids: Ids, sent: Sent, success: Success) -> bool:
    """Whether a request made what its reply names, so that it may be deleted again.

    201 says so (RFC 9110 section 15.3.2), and so does a number that nobody had before. Else a POST makes what
    is below its own path; but not what it named itself, which may be something that it only wrote over.
    """
    if spec.reads:
        return False
    if success.status == _CREATED or sent.number in ids[-1]:
        return True
    if spec.method != "POST" or gift.source == "path" or gift.to.rpartition("/")[0] != shape_of(spec.path):
        return False
    said = parsed((sent.example.body or "").encode())
    return not isinstance(said, dict) or ids[-1] not in map(as_part, said.values())
