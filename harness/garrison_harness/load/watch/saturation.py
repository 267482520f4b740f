"""What the app refuses because it is full, it refuses in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.http_date import http_date
from garrison_harness.load.watch.problem_documents import usual_errors
from garrison_harness.load.watch.replies import Faults, Quiet, counted, is_error, is_problem, value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.sample import Sample

_TITLE: Final = "What is too much is refused in order"
_FULL: Final = 503
_GATEWAY: Final = frozenset({502, 504})
_SECONDS: Final = re.compile(r"\d{1,15}")
# By the names of the exceptions in the load process: the connection went before there was a whole reply.
_CUT: Final = re.compile(
    r"Reset|Aborted|BrokenPipe|ConnectionClosed|ParseError|RemoteDisconnected", re.IGNORECASE
)


def judge_saturation(quiet: Quiet, samples: Sequence[Sample]) -> Promise:
    """Whether 503s say when to come back, and nothing beside them is cut off, or a proxy's error.

    Args:
        quiet: What the app answered without load.
        samples: Replies that were kept while load ran.
    """
    faults, full = Faults(), 0
    always = usual_errors(quiet).always
    cut = []
    for sample in samples:
        if any(reply.status == sample.status for reply in quiet.asked(sample)):
            continue  # it has nothing to do with load
        if sample.status == _FULL:
            full += 1
            faults.add(sample, _disorder(sample, always=always))
        elif sample.status in _GATEWAY:
            full += 1
            faults.add(sample, [f"a {sample.status} in place of a 503"])
        elif not sample.status and _CUT.search(sample.fault):
            cut.append(sample)
    if full:
        for sample in cut:
            faults.add(sample, ["a connection that was cut in place of a 503"])
    if not full:
        detail = "the app was never full: no 503"
    elif faults.replies:
        seen = counted(full + len(cut), "refusal", "refusals")
        detail = f"{faults.replies} of {seen}: {faults.worst()}"
    else:
        detail = f"{counted(full, 'reply', 'replies')} of 503, each with Retry-After"
    return faults.promise("saturation", _TITLE, judged=full > 0, detail=detail)


def _disorder(sample: Sample, *, always: bool) -> Iterator[str]:
    # RFC 9110 section 15.6.4: a 503 may say when to come back; who is not told comes back at once.
    told = value(sample, "retry-after")
    if not told:
        yield "no Retry-After"
    elif not _SECONDS.fullmatch(told) and http_date(told) is None:
        yield f"Retry-After is {told}"
    if always and is_error(sample) and not is_problem(sample):
        yield "no problem document"
