"""The figures of being observed: has them measured in processes of their own, and shows them."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench.names import BARE, GROUPS, Group
from loadtests.bench.observability_apps import BARE_FASTAPI, ERRORS, ID_AND_LOG, OVER, SPAN
from loadtests.bench.results import REFERENCE, Rounds, Target
from loadtests.bench.stores_table import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

# Rounds, and seconds of each variant in each.
FULL: Final = (60, 0.003)
QUICK: Final = (3, 0.001)

# What others are added to.
BOTTOM: Final = frozenset({BARE, BARE_FASTAPI})

# µs added, however many routes the app has.
LIMITS: Final[tuple[tuple[str, Group, str, float], ...]] = (
    ("id and log", "no SDK", ID_AND_LOG, 9.5),
    ("errors", "no SDK", ERRORS, 1.0),
    ("span, no SDK", "no SDK", SPAN, 2.0),
    ("span", "traces", SPAN, 25.0),
    ("span and histogram", "traces and histogram", SPAN, 36.0),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        groups: µs per request by SDK, number of routes, variant and round.
    """

    groups: dict[Group, dict[str, Rounds]]


def measured(*, quick: bool) -> Report:
    """Measure in other processes, one for each SDK.

    Args:
        quick: a few rounds: shows that it runs, and no more.

    Raises:
        WorkerError: if a process ends otherwise.
    """
    much = QUICK if quick else FULL
    return Report(groups={group: printed("observability_costs", group, *much) for group in GROUPS})


def targets(report: Report) -> list[Target]:
    """What Garrison promises of its layers, beside what was found."""
    found = []
    for text, group, name, limit in LIMITS:
        for routes, rounds in report.groups[group].items():
            added = _more(rounds, name)
            scaled = statistics.median(
                us * REFERENCE / bare for us, bare in zip(added, rounds[BARE], strict=True)
            )
            us = statistics.median(added)
            words = f"µs, {text}, {routes} routes"
            found.append(Target(text=words, limit=limit, found=us, scaled=scaled, met=us <= limit))
    return found


def text(report: Report) -> Iterator[str]:
    """The lines of the table.

    Args:
        report: what was measured.
    """
    columns = [rounds for group in report.groups.values() for rounds in group.values()]
    yield f"{'being observed, µs added':<32}" + "".join(f"{_heading(group):>16}" for group in report.groups)
    counts = [routes for group in report.groups.values() for routes in group]
    yield f"{'  routes':<32}" + "".join(f"{routes:>8}" for routes in counts)
    for name in report.groups["no SDK"][counts[0]]:
        cells = (_cell(rounds, name) if name in rounds else "" for rounds in columns)
        yield f"  {name:<30}" + "".join(f"{cell:>8}" for cell in cells)
    yield "  Tracing and errors are measured alone, and where they are in the whole stack."
    yield "  Starlette is made to find its route at once, FastAPI looks for it; what"
    yield "  observes FastAPI is compared with FastAPI."


def document(report: Report) -> dict[str, Any]:
    """The same as `text` and the targets, for a JSON file."""
    added = {
        group: {
            routes: {name: statistics.median(_more(rounds, name)) for name in rounds if name not in BOTTOM}
            for routes, rounds in each.items()
        }
        for group, each in report.groups.items()
    }
    return {**asdict(report), "added": added, "targets": [asdict(target) for target in targets(report)]}


def _heading(group: Group) -> str:
    return "and histogram" if group == "traces and histogram" else group


def _cell(rounds: Rounds, name: str) -> str:
    us = statistics.median(rounds[name] if name in BOTTOM else _more(rounds, name))
    sign = "" if name in BOTTOM else "+"
    return f"{us:{sign},.{0 if us >= 1000 else 1}f}"


def _more(rounds: Rounds, name: str) -> list[float]:
    """What is added to the app below in the same round."""
    return [mine - base for mine, base in zip(rounds[name], rounds[OVER.get(name, BARE)], strict=True)]
