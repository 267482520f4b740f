"""`python -m loadtests.bench.generator_table`: the figures of what makes the load."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench.generator import LOCUSTFILE, PATHS, PLAIN, RATE, USERS, measured
from loadtests.bench.results import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtests.bench.generator import Report

# In per cent: of the requests a second of Locust by itself, of arrivals, and of the truth.
LEAST_SHARE: Final = 90.0
MOST_LATE: Final = 0.1
MOST_WRONG: Final = 5.0


def text(report: Report) -> Iterator[str]:
    """The table, at most 80 columns wide.

    Args:
        report: what was measured.
    """
    yield f"{f'{USERS} users, a server that does nothing':<40}{'requests/s':>12}{'µs CPU':>9}{'share':>10}"
    for name, spells in report.spells.items():
        rate, cpu = median(one.rate for one in spells), median(one.cpu for one in spells)
        share = f"{report.share(name):.0f} %" if name != PLAIN else ""
        yield f"  {name:<38}{rate:>12,.0f}{cpu:>9.0f}{share:>10}"
    yield f"  {len(report.late)} rounds; the share is the median of what was compared within one."
    yield ""
    yield f"{f'{RATE:,.0f} arrivals/s on one core':<40}{'requests/s':>12}{'late':>12}{'best round':>14}"
    yield (
        f"  {'garrison load --rate':<38}{median(report.done):>12,.0f}{median(report.late):>10.2f} %"
        f"{min(report.late):>12.2f} %"
    )
    yield ""
    yield f"{'a server frozen a fifth of the time, ms':<40}" + "".join(
        f"{f'p{percent}':>12}" for percent in report.found
    )
    for name, figures in (("reported", report.found), ("the truth", report.truth)):
        yield f"  {name:<38}" + "".join(f"{value:>12.0f}" for value in figures.values())


def document(report: Report) -> dict[str, Any]:
    """The same for a JSON file."""
    return {
        "closed": {
            name: {"rate": median(one.rate for one in spells), "cpu": median(one.cpu for one in spells)}
            for name, spells in report.spells.items()
        },
        "share": {name: report.share(name) for name in (PATHS, LOCUSTFILE)},
        "open": {"rate": median(report.done), "late": median(report.late), "best": min(report.late)},
        "frozen": {
            f"p{percent}": {"found": report.found[percent], "truth": truth}
            for percent, truth in report.truth.items()
        },
    }


def targets(report: Report) -> Iterator[Target]:
    """What is promised, beside what was found."""
    for name in (PATHS, LOCUSTFILE):
        share = report.share(name)
        yield _target(f"{name}, % of Locust", LEAST_SHARE, share, met=share >= LEAST_SHARE)
    late = median(report.late)
    yield _target(f"{RATE:,.0f} arrivals/s, % late", MOST_LATE, late, met=late < MOST_LATE)
    yield _target("frozen server, % off the truth", MOST_WRONG, report.wrong, met=report.wrong <= MOST_WRONG)


def _target(words: str, limit: float, found: float, *, met: bool) -> Target:
    return Target(text=words, limit=limit, found=found, scaled=found, met=met)


if __name__ == "__main__":
    print("\n".join(text(measured(quick="--quick" in sys.argv))))
