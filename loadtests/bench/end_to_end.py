"""`python -m loadtests.bench.end_to_end`: what a client sees of the layers, and how sure that is.

The servers of `wire` are loaded in turn by what `garrison load --compare` loads with: requests at a fixed
rate, whatever the replies do, far below what each server can take. So the latencies are those of the app and
its layers, and not those of a queue. How many requests a second each can take is what `wire` finds out.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from garrison_harness.load.compare.comparison import Comparison
from garrison_harness.load.compare.interval import Figures, Interval, paired_margins
from garrison_harness.load.compare.table import figure_text, interval_text, scale_of
from garrison_harness.load.compare.turns import Variant, take_turns
from garrison_harness.load.plan import Plan
from garrison_harness.process import cpu_time
from garrison_harness.running import Running
from loadtests.bench import wire
from loadtests.bench.measure import PATH
from loadtests.bench.wire import PEERS, PLAIN, RUN
from loadtests.bench.worker import WorkerError

if TYPE_CHECKING:
    import subprocess

    from garrison_harness.load.compare.difference import Difference

# Requests a second, and seconds of each server in all rounds.
RATE: Final = 150.0
FULL: Final = (10, 10.0)
QUICK: Final = (1, 0.3)

NAMES: Final = (PLAIN, RUN, PEERS)
HEADS: Final = ("uvicorn", "garrison run", "the usual recipe")


class Served(Running):
    """A server that was started elsewhere, and whose process is known all the same."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        super().__init__(host="127.0.0.1", port=port)
        self._process = process

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def exit_status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def cpu(self) -> float | None:
        """CPU time that it has used so far, in seconds; None where that is not known."""
        return cpu_time(self._process.pid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        comparisons: `garrison run` and the recipe against plain uvicorn.
        rates: what they reach of plain uvicorn's rate at full speed less all of it, as a share; none where
            there were too few rounds.
    """

    comparisons: tuple[Comparison, ...]
    rates: tuple[Interval, ...]


def measured(wired: wire.Report, *, quick: bool) -> Report:
    """Load each server in turn.

    Args:
        wired: what each server reaches at full speed.
        quick: to show that it runs, and no more.

    Raises:
        KeyboardInterrupt: it was interrupted.
        WorkerError: a server does not start, or does not answer.
    """
    rounds, seconds = QUICK if quick else FULL
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        variants = []
        for name in NAMES:
            process, port = stack.enter_context(wire.served(name, folder / "log"))
            variants.append(Variant(Served(process, port), name=name))
        plan = Plan(rate=RATE, duration=seconds, paths=(PATH,))
        outcome = take_turns(variants, plan, rounds=rounds, warm_up=not quick)
    if outcome.how == "interrupted":
        raise KeyboardInterrupt
    if outcome.how != "finished":
        raise WorkerError(f"end to end: {outcome.how} ({outcome.detail})")
    plain, *others = variants
    return Report(
        comparisons=tuple(
            Comparison(
                baseline=PLAIN,
                interleaved=True,
                baseline_rounds=tuple(plain.rounds),
                target_rounds=tuple(other.rounds),
            )
            for other in others
        ),
        rates=() if quick else tuple(_rate(wired, name) for name in NAMES[1:]),
    )


def _rate(wired: wire.Report, name: str) -> Interval:
    """How much less than plain uvicorn's a server's rate is, as a share of that."""
    plain, other = (
        Figures(fmean(rates), tuple(rates))
        for rates in ([spell.rate for spell in wired.spells[one]] for one in (PLAIN, name))
    )
    _, margin = paired_margins(plain, other)
    return Interval.around(other.whole / plain.whole - 1, margin)


def text(report: Report) -> list[str]:
    """The figures for people.

    Args:
        report: what was measured.
    """
    count = report.comparisons[0].rounds
    rounds = f"{count} round{'s' if count > 1 else ''}"
    rows = [
        _row(differences)
        for differences in zip(*(one.differences for one in report.comparisons), strict=True)
        if differences[0].measure.name not in {"rate", "errors"}
    ]
    speed = [interval_text(one, 100, "%") for one in report.rates] or ["-", "-"]
    return [
        f"{f'end to end, {RATE:.0f} requests/s':<30}{HEADS[0]:>10}{HEADS[1]:>20}{HEADS[2]:>20}",
        *rows,
        f"  {'rate at full speed':<28}{'':>10}{speed[0]:>20}{speed[1]:>20}",
        f"  What is added to plain uvicorn, found in {rounds} of turns, and how far that",
        "  may be off in 95 of 100 cases. CPU is that of the server for one request.",
    ]


def _row(differences: tuple[Difference, ...]) -> str:
    first = differences[0]
    scale, suffix = scale_of(first.measure.unit, first.baseline or 0.0)
    changes = [interval_text(one.change, scale, suffix) if one.change else "-" for one in differences]
    name = "CPU" if first.measure.name == "cpu" else first.measure.name
    return f"  {name:<28}{figure_text(first.baseline, scale, suffix):>10}" + "".join(
        f"{change:>20}" for change in changes
    )


def document(report: Report) -> dict[str, Any]:
    """The same as `text`, for a JSON file; latencies and CPU in seconds."""
    return {
        "requests_per_second": RATE,
        "against_plain_uvicorn": {
            name: comparison.to_record()["differences"]
            for name, comparison in zip(NAMES[1:], report.comparisons, strict=True)
        },
        "rate_at_full_speed": {
            name: rate.to_record() for name, rate in zip(NAMES[1:], report.rates, strict=False)
        },
    }


if __name__ == "__main__":
    print(*text(measured(wire.measured(quick=False), quick=False)), sep="\n")
