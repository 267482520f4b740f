"""Lines of a structured log are whole under load, as they are when quiet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.watch.replies import Faults, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.load.promise import Promise
    from garrison_harness.load.watch.log_reading import LogSeen

_TITLE: Final = "Log lines are whole"


def judge_lines(streams: Sequence[tuple[LogSeen, LogSeen]]) -> Promise:
    """Whether JSON lines are torn under load in a stream that has nothing but whole ones when quiet.

    What an app prints beside its log, such as a traceback, is no line of JSON and tears none.

    Args:
        streams: For standard output and standard error, what was seen when quiet and under load.
    """
    faults, lines, known = Faults(), 0, False
    for quiet, loaded in streams:
        known |= loaded.known
        if quiet.objects and quiet.objects == quiet.lines and not quiet.torn.count:
            lines += loaded.objects
            faults.replies += loaded.torn.count
            faults.examples.extend(loaded.torn.examples)
    if not known:
        detail = "the target was not started here, so its log is not known"
    elif not lines:
        detail = "the quiet app writes no JSON lines for its requests"
    elif faults.replies:
        detail = f"{faults.replies:,} of {counted(lines, 'line', 'lines')} of JSON are torn"
    else:
        detail = f"{counted(lines, 'line', 'lines')} of JSON under load"
    return faults.promise("log lines", _TITLE, judged=lines > 0, detail=detail)
