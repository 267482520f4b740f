"""Every reply under load carries an id, and no two the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.watch.header_names import ID_HEADERS
from garrison_harness.load.watch.replies import MOST_EXAMPLES, Faults, Quiet, counted, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.sample import Sample
    from garrison_harness.load.watch.observed import Observed

_TITLE: Final = "Every reply has a request id of its own"


def id_header(quiet: Quiet) -> str:
    """The header by which quiet replies can be told apart; empty where there is none.

    A header that some replies lack, or whose value comes twice, is no id.
    """
    for name in ID_HEADERS:
        found = [value(reply, name) for reply in quiet.replies]
        if len(found) > 1 and all(found) and len(set(found)) == len(found):
            return name
    return ""


def judge_ids(
    name: str, quiet: Quiet, samples: Sequence[Sample], observed: Observed, *, processes: int = 1
) -> Promise:
    """Whether ids are missing or come twice.

    Args:
        name: The header that has the id, as `id_header` found it before the load.
        quiet: What the app answered without load.
        samples: Replies that were kept while load ran.
        observed: What the load processes saw of the ids of all replies.
        processes: How many there were: none of them knows the ids that the others saw.
    """
    faults = Faults()
    if not name:
        return faults.promise(
            "ids", _TITLE, judged=False, detail="the quiet app gives its replies no ids of their own"
        )
    answered = [sample for sample in samples if sample.status]
    for sample in answered:
        never = [reply for reply in quiet.same(sample) if not value(reply, name)]
        if not value(sample, name) and not never:
            faults.add(sample, [f"no {name}"])
    lacking = faults.replies
    faults.replies += observed.repeated
    examples = dict.fromkeys([*(f"again: {one}" for one in observed.repeats), *faults.examples])
    faults.examples = list(examples)[:MOST_EXAMPLES]
    told = [
        f"{counted(observed.repeated, 'reply has', 'replies have')} the {name} of another"
        if observed.repeated
        else "",
        f"{lacking} of {counted(len(answered), 'reply', 'replies')} without one" if lacking else "",
    ]
    detail = ", ".join(filter(None, told)) or f"{observed.ids:,} different ids in {name}"
    if processes > 1:
        detail += f"; each of {processes} load processes compared those that it got itself"
    return faults.promise("ids", _TITLE, judged=observed.ids > 0, detail=detail)
