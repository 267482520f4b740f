"""What became of drills, for people, in 80 columns."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from rich.text import Text

from garrison_harness.finding import printable
from garrison_harness.report.console import ReportConsole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from garrison_harness.drills.drill import Drill, Result, Verdict
    from garrison_harness.drills.performing import Outcome

_WIDTH: Final = 80
_STYLES: Final[dict[str, str]] = {
    "held": "green",
    "broken": "bold red",
    "not run": "yellow",
    "inconclusive": "bold yellow",
}
_LONGEST: Final = 300
_COLUMN: Final = 10  # letters; the longest verdict and a gap


def write(outcome: Outcome, stream: TextIO) -> None:
    """Write the report, in colour where the stream is a terminal and NO_COLOR is not set.

    Args:
        outcome: What became of the drills.
        stream: Where to.
    """
    console = ReportConsole(stream)
    harden = " under garrison run" if outcome.target.harden else ""
    title = f"{printable(str(outcome.target))}{harden}"
    console.print(Text.assemble(("garrison drill ", "bold"), title), soft_wrap=True)
    asked = outcome.asked
    for line in _lines("", f"{asked.rate:g} requests/s on {', '.join(asked.paths)}"):
        console.print(line, soft_wrap=True)
    for result in outcome.results:
        console.print()
        for line in _told(result):
            console.print(line, soft_wrap=True)
    console.print()
    console.print(_summary(outcome), soft_wrap=True)


def write_catalogue(drills: Sequence[Drill], stream: TextIO) -> None:
    """Write what drills there are, and what is expected of an app.

    Args:
        drills: Which.
        stream: Where to.
    """
    console = ReportConsole(stream)
    for drill in drills:
        console.print(Text(drill.name, "bold"), soft_wrap=True)
        for sentence in (f"{drill.title[:1].upper()}{drill.title[1:]}.", drill.expectation):
            for line in wrap(sentence, _WIDTH - 2):
                console.print(Text(f"  {line}"), soft_wrap=True)


def _told(result: Result) -> Iterator[Text]:
    head = Text.assemble(
        (result.verdict.ljust(_COLUMN), _STYLES[result.verdict]), (result.drill.name, "bold")
    )
    head.append(f": {result.drill.title}")
    yield head
    if result.reason:
        yield from _lines(" " * _COLUMN, printable(result.reason, _LONGEST))
    for point in result.points:
        yield from _point(point.verdict, f"{point.expectation}: {printable(point.detail, _LONGEST)}")


def _point(verdict: Verdict, saying: str) -> Iterator[Text]:
    first, *others = wrap(saying, _WIDTH - 2 - _COLUMN, break_on_hyphens=False) or [""]
    yield Text.assemble("  ", (verdict.ljust(_COLUMN), _STYLES[verdict]), first)
    for line in others:
        yield Text(f"  {' ' * _COLUMN}{line}")


def _lines(indent: str, saying: str) -> Iterator[Text]:
    for line in wrap(saying, _WIDTH - len(indent), break_on_hyphens=False):
        yield Text(f"{indent}{line}")


def _summary(outcome: Outcome) -> Text:
    counts = Counter(result.verdict for result in outcome.results)
    parts = [f"{counts[verdict]} {verdict}" for verdict in ("broken", "held", "not run") if counts[verdict]]
    end = "" if outcome.complete else ", interrupted"
    return Text.assemble(
        (outcome.verdict, _STYLES[outcome.verdict]), f": {', '.join(parts)} in {outcome.duration:.0f} s{end}"
    )
