"""The result of a run as people read it, in 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.load.report.row import plain, wrapped
from garrison_harness.load.report.text_requests import name_rows, request_rows
from garrison_harness.load.report.text_target import resource_rows, target_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from garrison_harness.load.report.row import Row
    from garrison_harness.load.result import Result
    from garrison_harness.load.thresholds import Judgement

_STYLES: Final = {"passed": "bold green", "failed": "bold red", "inconclusive": "bold yellow"}
_WORDS: Final = {"PASS": "green", "FAIL": "bold red", "UNSURE": "yellow"}
_WIDEST: Final = 44
"""Letters of an expression up to which the measured values stand under each other."""


def render(result: Result) -> str:
    """The report without colours, ending with a newline."""
    return "".join(f"{plain(row)}\n" for row in _rows(result))


def write(result: Result, stream: TextIO) -> None:
    """Write the report, in colour where the stream is a terminal and NO_COLOR is not set."""
    # The rest of a run does without rich.
    from rich.text import Text  # noqa: PLC0415

    from garrison_harness.report.console import ReportConsole  # noqa: PLC0415

    console = ReportConsole(stream)
    for row in _rows(result):
        console.print(Text.assemble(*row), soft_wrap=True)


def _rows(result: Result) -> Iterator[Row]:
    for line in wrapped(f"Load on {result.target}", hanging=2):
        yield [(line, "bold")]
    yield from request_rows(result)
    yield from resource_rows(result)
    yield from name_rows(result.outcome.account)
    yield from target_rows(result)
    yield []
    yield from threshold_rows(result.judgements)
    yield from verdict_rows(result)


def word_of(judgement: Judgement) -> str:
    """`PASS`, `FAIL`, or `UNSURE` where a difference is too uncertain."""
    if judgement.passed:
        return "PASS"
    return "UNSURE" if judgement.undecided else "FAIL"


def threshold_rows(judgements: tuple[Judgement, ...]) -> Iterator[Row]:
    """A line for each threshold, with what was measured.

    Args:
        judgements: What became of them.
    """
    words = max((len(word_of(one)) for one in judgements), default=0)
    lengths = [len(one.threshold.expression) for one in judgements]
    width = max((length for length in lengths if length <= _WIDEST), default=0)
    for judgement in judgements:
        word = word_of(judgement)
        head = f"{word:<{words}}  {judgement.threshold.expression:<{width}}  "
        first, *others = wrapped(f"{head}{judgement.describe()}", hanging=words + 2)
        yield [(word, _WORDS[word]), (first[len(word) :], "")]
        yield from ([(line, "")] for line in others)


def verdict_rows(result: Result) -> Iterator[Row]:
    """The verdict, and why.

    Args:
        result: The run.
    """
    for line in wrapped(f"{result.verdict.upper()}: {why(result)}", hanging=2):
        yield [(line, _STYLES[result.verdict])]


def why(result: Result) -> str:
    """What the verdict rests on, one line.

    Args:
        result: The run.
    """
    if result.reason:
        return result.reason
    count = len(result.judgements)
    thresholds = f"{count} threshold{'s' if count > 1 else ''}"
    missed = sum(word_of(judgement) == "FAIL" for judgement in result.judgements)
    return f"{missed} of {thresholds} missed" if missed else f"{thresholds} kept"
