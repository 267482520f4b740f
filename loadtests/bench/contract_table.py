"""The figures of contracts: has them measured in processes of their own, and shows them."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench.contract_apps import BARE_FASTAPI, BOTH, CONTRACT, OVER
from loadtests.bench.contract_costs import BIG, PLAIN, SMALL, Measured
from loadtests.bench.contract_documents import DOCUMENTS, Ready
from loadtests.bench.names import BARE
from loadtests.bench.results import REFERENCE, Target
from loadtests.bench.stores_table import printed

if TYPE_CHECKING:
    from collections.abc import Iterator

# Rounds, and seconds of each variant in each.
FULL: Final = (25, 0.008)
QUICK: Final = (3, 0.002)

# µs added: by limits and contract together where there is no body, by the contract where there is one.
LIMITS: Final = ((PLAIN, BOTH, 4.0), (SMALL, CONTRACT, 15.0), (BIG, CONTRACT, 600.0), (BIG, BOTH, 600.0))
# Seconds and MB until a document is ready, and times the look-up among ten operations.
READY: Final = {"GitHub": (1.0, 250.0), "Stripe": (0.5, None)}
MATCH_LIMIT: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was measured.

    Attributes:
        requests: what they cost.
        documents: what they take until they are ready; those that are not here are left out.
    """

    requests: Measured
    documents: dict[str, Ready]


def measured(*, quick: bool) -> Report:
    """Measure in other processes.

    Args:
        quick: a few rounds: shows that it runs, and no more.

    Raises:
        WorkerError: if a process ends otherwise.
    """
    requests = Measured(**printed("contract_costs", *(QUICK if quick else FULL)))
    documents = {
        name: Ready(**printed("contract_documents", *([] if path is None else [path])))
        for name, path in DOCUMENTS.items()
        if path is None or path.exists()
    }
    return Report(requests=requests, documents=documents)


def targets(report: Report) -> list[Target]:
    """What Garrison promises of contracts, beside what was found."""
    rounds = report.requests.rounds
    # That of a request without a body says how fast the machine is; others parse theirs.
    speed = REFERENCE / statistics.median(rounds[PLAIN][BARE])
    found = []
    for asked, name, limit in LIMITS:
        added = _added(rounds[asked], name)
        text = f"µs, {name.removeprefix('Garrison, ')}, {asked}"
        found.append(Target(text=text, limit=limit, found=added, scaled=added * speed, met=added <= limit))
    few = report.documents["ten operations"].match
    for name, (seconds, megabytes) in READY.items():
        ready = report.documents.get(name)
        if ready is None:
            continue
        found.append(_target(f"seconds until {name}'s document is ready", seconds, ready.seconds))
        if megabytes is not None:
            found.append(_target(f"MB that {name}'s document takes", megabytes, ready.megabytes))
        found.append(_target(f"times a route of ten, {name}'s", MATCH_LIMIT, ready.match / few))
    return found


def text(report: Report) -> Iterator[str]:
    """The lines of the tables.

    Args:
        report: what was measured.
    """
    rounds = report.requests.rounds
    yield f"{'held to a document, µs added':<36}" + "".join(f"{name:>11}" for name in _heads())
    yield f"  {BARE + ', all of it':<34}" + "".join(
        f"{statistics.median(each[BARE]):>11,.1f}" for each in rounds.values()
    )
    for name in rounds[PLAIN]:
        if name not in {BARE, BARE_FASTAPI}:
            yield f"  {name:<34}" + "".join(f"{_added(each, name):>+11,.1f}" for each in rounds.values())
    for name, package in report.requests.missing.items():
        yield f"  {name:<34}  not measured: {package} is missing"
    yield "  A GET; one with five parameters; JSON of 837 bytes, and of 100 KB. The bare"
    yield "  app parses JSON as well, and looks at nothing. FastAPI is compared with itself"
    yield "  where nothing is declared; openapi-core is told to leave replies alone."
    yield ""
    yield f"{'a document':<24}{'operations':>12}{'seconds':>10}{'MB':>8}{'µs per route':>14}{'segments':>12}"
    for name, ready in report.documents.items():
        yield (
            f"  {name:<22}{ready.operations:>12,}{ready.seconds:>10.2f}{ready.megabytes:>8.0f}"
            f"{ready.match:>14.2f}{ready.segments:>12.1f}"
        )
    if len(report.documents) < len(DOCUMENTS):
        yield "  GitHub's and Stripe's are not here; `make proof` gets them, if there is npm."


def document(report: Report) -> dict[str, Any]:
    """The same as `text` and the targets, for a JSON file."""
    rounds = report.requests.rounds
    added = {
        asked: {name: _added(each, name) for name in each if name not in {BARE, BARE_FASTAPI}}
        for asked, each in rounds.items()
    }
    return {**asdict(report), "added": added, "targets": [asdict(target) for target in targets(report)]}


def _heads() -> tuple[str, ...]:
    return ("no body", "parameters", "small", "100 KB")


def _added(rounds: dict[str, list[float]], name: str) -> float:
    """The median of what is added to the app below in the same round; a slow variant has fewer of them."""
    below = rounds[OVER.get(name, BARE)]
    return statistics.median(mine - base for mine, base in zip(rounds[name], below, strict=False))


def _target(text: str, limit: float, found: float) -> Target:
    return Target(text=text, limit=limit, found=found, scaled=found, met=found <= limit)
