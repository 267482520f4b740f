"""Errors under load are the problem documents that they are when quiet (RFC 9457)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.load.sample import BODY_LENGTH
from garrison_harness.load.watch.replies import Faults, Quiet, counted, is_error, is_problem, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.sample import Sample

_TITLE: Final = "Errors are problem documents"
_MEMBERS: Final = ("type", "title", "status", "request_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What errors are like when quiet.

    Attributes:
        always: Each of them is a problem document.
        members: The members that each of their documents has.
        unstored: None of them may be stored.
    """

    always: bool
    members: frozenset[str]
    unstored: bool


def usual_errors(quiet: Quiet) -> Usual:
    """What the errors of the quiet app have in common."""
    problems = [reply for reply in quiet.errors if is_problem(reply)]
    documents = [document for reply in problems if isinstance(document := _document(reply), dict)]
    members = frozenset(_MEMBERS).intersection(*documents) if documents else frozenset()
    return Usual(
        always=bool(problems) and len(problems) == len(quiet.errors),
        members=members,
        unstored=bool(problems) and all(_unstored(reply) for reply in problems),
    )


def judge_problems(name: str, quiet: Quiet, samples: Sequence[Sample]) -> Promise:
    """Whether any error under load is another thing than errors are when quiet.

    What calls itself a problem document must be one, whatever the quiet app does: its `status` is that of the
    reply (RFC 9457 section 3.1.2), and its `request_id` that of the header.

    Args:
        name: The header that has the id of a reply; empty where there is none.
        quiet: What the app answered without load.
        samples: Replies that were kept while load ran.
    """
    usual, faults, judged = usual_errors(quiet), Faults(), 0
    errors = [sample for sample in samples if is_error(sample)]
    for sample in errors:
        same = quiet.asked(sample) and [
            reply for reply in quiet.asked(sample) if reply.status == sample.status
        ]
        expected = all(map(is_problem, same)) if same else usual.always
        if is_problem(sample):
            judged += 1
            faults.add(sample, _faults(sample, usual, name))
        elif expected:
            judged += 1
            found = value(sample, "content-type") or "no content type"
            faults.add(sample, [f"{found}, no problem document"])
    if not errors:
        detail = "no error under load"
    elif not judged:
        detail = "the errors of the quiet app are none, and neither are those under load"
    elif faults.replies:
        detail = f"{faults.replies} of {counted(judged, 'error', 'errors')} under load: {faults.worst()}"
    else:
        detail = f"{counted(judged, 'error', 'errors')} under load"
    return faults.promise("problems", _TITLE, judged=judged > 0, detail=detail)


def _faults(sample: Sample, usual: Usual, name: str) -> Iterator[str]:
    if usual.unstored and not _unstored(sample):
        yield "may be stored, without no-store"
    if len(sample.body) >= BODY_LENGTH:
        return  # there is more of it than was kept
    document = _document(sample)
    if not isinstance(document, dict):
        yield "no JSON object"
        return
    for member in _MEMBERS:
        if member in usual.members and member not in document:
            yield f"no member {member}"
    if "status" in document and document["status"] != sample.status:
        yield f"its status is {document['status']!r}"
    header = value(sample, name) if name else ""
    if header and "request_id" in document and document["request_id"] != header:
        yield "its request_id is not that of the header"


def _document(sample: Sample) -> object:
    try:
        document: object = json.loads(sample.body)
    except (ValueError, RecursionError):
        return None
    return document


def _unstored(sample: Sample) -> bool:
    return "no-store" in value(sample, "cache-control").lower()
