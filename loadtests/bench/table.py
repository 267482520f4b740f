"""The figures for people, at most 80 columns wide, and the same for programs."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench import (
    contract_table,
    end_to_end,
    generator_table,
    observability_table,
    overload,
    slow_bodies,
    startup,
    stores_table,
    valkey_store,
    wire,
)
from loadtests.bench.contract_table import Report as Contracts
from loadtests.bench.end_to_end import Report as Ends
from loadtests.bench.generator import Report as Load
from loadtests.bench.names import BARE, Group
from loadtests.bench.observability_table import Report as Observed
from loadtests.bench.overload import Drill
from loadtests.bench.results import REFERENCE, Rounds, figures, layers, limiters, targets
from loadtests.bench.slow_bodies import Report as Slowed
from loadtests.bench.startup import Report as Begun
from loadtests.bench.stores_table import Report
from loadtests.bench.wire import Report as Wired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtests.bench.results import Figure, Target
    from loadtests.bench.valkey_outage import FrozenFigures
    from loadtests.bench.valkey_store import StoreFigures

    Shared = tuple[StoreFigures, FrozenFigures]

WIDTH: Final = 80
PACKAGES: Final = (
    "garrison",
    "locust",
    "starlette",
    "structlog",
    "opentelemetry-sdk",
    "slowapi",
    "limits",
    "throttled-py",
    "valkey",
    "secure",
    "asgi-correlation-id",
    "fastapi",
    "openapi-core",
    "connexion",
    "opentelemetry-instrumentation-asgi",
    "opentelemetry-instrumentation-fastapi",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was measured.

    Attributes:
        groups: stacks, by the SDK of their process.
        requests: sent to each stack in each round.
        observed: single layers that observe, beside their peers.
        contracts: contracts beside their peers.
        stores: stores in memory.
        shared: a store that processes share.
        drill: overloads.
        wired: servers over sockets.
        ends: what a client of theirs sees.
        load: what makes the load.
        slowed: a WSGI app beside slow bodies.
        begun: processes that start.
    """

    groups: dict[Group, Rounds]
    requests: int
    observed: Observed
    contracts: Contracts
    stores: Report
    shared: Shared
    drill: Drill
    wired: Wired
    ends: Ends
    load: Load
    slowed: Slowed
    begun: Begun


def text(found: Found) -> str:
    """The whole report.

    Args:
        found: what was measured.
    """
    rounds = len(found.groups["no SDK"][BARE])
    lines = [
        f"CPU time of the event loop's thread per request, in process: {rounds} rounds of {found.requests}",
        "requests, medians. Quartiles and ratios are of what is added to the bare app.",
    ]
    for group, measured in found.groups.items():
        lines += ["", f"{group:<34}{'µs':>8}{'added':>9}{'quartiles':>20}{'cheaper':>9}"]
        lines += [_row(name, figure) for name, figure in figures(measured).items()]
        lines += _layers(measured)
        lines += _limiters(measured)
    lines += ["", *observability_table.text(found.observed), "", *contract_table.text(found.contracts)]
    lines += ["", *stores_table.text(found.stores), "", *valkey_store.lines(*found.shared)]
    lines += ["", *overload.text(found.drill), "", *wire.text(found.wired)]
    lines += ["", *end_to_end.text(found.ends), "", *generator_table.text(found.load)]
    lines += ["", *slow_bodies.text(found.slowed), "", *startup.text(found.begun)]
    lines += ["", f"{'targets':<44}{'limit':>7}{'found':>8}{'':>8}{f'at {REFERENCE:.0f} µs bare':>13}"]
    promised = [*targets(found.groups), *observability_table.targets(found.observed)]
    promised += [*contract_table.targets(found.contracts), *stores_table.targets(found.stores)]
    promised += [*valkey_store.targets(*found.shared), *overload.targets(found.drill)]
    promised += [*wire.targets(found.wired), *generator_table.targets(found.load)]
    promised += [*slow_bodies.targets(found.slowed), *startup.targets(found.begun)]
    lines += [_target(target) for target in promised]
    lines += [
        "  The limits were set where the bare app cost 8 µs; the last column scales each",
        "  round to that, because a shared machine changes its speed.",
    ]
    return "\n".join([*lines, "", *_machine()])


def document(found: Found) -> dict[str, Any]:
    """The same as `text`, for a JSON file; figures in µs of CPU per request."""
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "rounds": len(found.groups["no SDK"][BARE]),
        "requests_per_round": found.requests,
        "groups": {
            group: {
                "variants": {name: asdict(figure) for name, figure in figures(measured).items()},
                "layers": [asdict(layer) for layer in layers(measured)],
                "limiters": [asdict(limiter) for limiter in limiters(measured)],
            }
            for group, measured in found.groups.items()
        },
        "observability": observability_table.document(found.observed),
        "contracts": contract_table.document(found.contracts),
        "stores": stores_table.document(found.stores),
        "shared store": {"decisions": asdict(found.shared[0]), "frozen": asdict(found.shared[1])},
        "overload": asdict(found.drill),
        "wire": wire.document(found.wired),
        "end to end": end_to_end.document(found.ends),
        "load": generator_table.document(found.load),
        "slow bodies": slow_bodies.document(found.slowed),
        "start": startup.document(found.begun),
        "targets": [
            asdict(target)
            for target in [
                *targets(found.groups),
                *valkey_store.targets(*found.shared),
                *overload.targets(found.drill),
                *wire.targets(found.wired),
                *generator_table.targets(found.load),
                *slow_bodies.targets(found.slowed),
                *startup.targets(found.begun),
            ]
        ],
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: version(name) for name in PACKAGES},
    }


def _row(name: str, figure: Figure) -> str:
    row = f"  {name:<32}{figure.us:>8.1f}"
    if name == BARE:
        return row
    spread = f"{figure.low:+.1f} to {figure.high:+.1f}"
    return f"{row}{figure.added:>+9.1f}{spread:>20}{_times(figure.times_cheaper):>9}"


def _times(ratio: float | None) -> str:
    """A ratio of at most nine columns: that to next to nothing has more digits than there is room for."""
    if ratio is None:
        return ""
    return f"{ratio:.1f} x" if abs(ratio) < 10_000 else f"{ratio:.0e} x"


def _layers(measured: Rounds) -> Iterator[str]:
    found = layers(measured)
    if found:
        yield f"  {'layer by layer':<40}{'alone':>9}{'and all outside':>20}"
    for layer in found:
        yield f"    {layer.name:<38}{layer.alone:>+9.1f}{layer.down_to:>+20.1f}"


def _limiters(measured: Rounds) -> Iterator[str]:
    found = limiters(measured)
    if found:
        yield f"  {'a rate limiter and nothing else':<40}{'added':>9}{'times Garrison':>20}"
    for limiter in found:
        times = f"{limiter.times:.1f} x" if limiter.times is not None else ""
        yield f"    {limiter.name:<38}{limiter.added:>+9.1f}{times:>20}"


def _target(target: Target) -> str:
    word = "met" if target.met else "missed"
    row = f"  {target.text:<42}{target.limit:>7g}{target.found:>8.1f}{word:>8}"
    return row if target.scaled == target.found else f"{row}{target.scaled:>13.1f}"


def _machine() -> Iterator[str]:
    found = machine()
    line = f"{found['cores']} cores ({found['architecture']}), {found['python']}"
    for name, number in found["packages"].items():
        word = f"{name} {number}"
        # A comma before it and one behind it.
        if len(line) + len(word) + 3 > WIDTH:
            yield f"{line},"
            line = word
        else:
            line += f", {word}"
    yield line
