"""The figures for people, at most 80 columns wide, and the same for programs."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from loadtests.bench import contract_table, stores_table, valkey_store
from loadtests.bench.names import BARE
from loadtests.bench.results import REFERENCE, figures, layers, limiters, targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtests.bench.contract_table import Report as Contracts
    from loadtests.bench.names import Group
    from loadtests.bench.results import Figure, Rounds, Target
    from loadtests.bench.stores_table import Report
    from loadtests.bench.valkey_outage import FrozenFigures
    from loadtests.bench.valkey_store import StoreFigures

    Shared = tuple[StoreFigures, FrozenFigures]

WIDTH: Final = 80
PACKAGES: Final = (
    "garrison",
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
)


def text(
    groups: dict[Group, Rounds], requests: int, stores: Report, shared: Shared, contracts: Contracts
) -> str:
    """The whole report.

    Args:
        groups: what was measured.
        requests: sent to each variant in each round.
        stores: what was measured of them.
        shared: the same of a store that processes share.
        contracts: what was measured of them.
    """
    rounds = len(groups["no SDK"][BARE])
    lines = [
        f"CPU time of the event loop's thread per request, in process: {rounds} rounds of {requests}",
        "requests, medians. Quartiles and ratios are of what is added to the bare app.",
    ]
    for group, measured in groups.items():
        lines += ["", f"{group:<34}{'µs':>8}{'added':>9}{'quartiles':>20}{'cheaper':>9}"]
        lines += [_row(name, figure) for name, figure in figures(measured).items()]
        lines += _layers(measured)
        lines += _limiters(measured)
    lines += ["", *contract_table.text(contracts), "", *stores_table.text(stores), ""]
    lines += valkey_store.lines(*shared)
    lines += ["", f"{'targets':<44}{'limit':>7}{'found':>8}{'':>8}{f'at {REFERENCE:.0f} µs bare':>13}"]
    promised = [*targets(groups), *contract_table.targets(contracts), *stores_table.targets(stores)]
    promised += valkey_store.targets(*shared)
    lines += [_target(target) for target in promised]
    lines += [
        "  The limits were set where the bare app cost 8 µs; the last column scales each",
        "  round to that, because a shared machine changes its speed.",
    ]
    return "\n".join([*lines, "", *_machine()])


def document(
    groups: dict[Group, Rounds], requests: int, stores: Report, shared: Shared, contracts: Contracts
) -> dict[str, Any]:
    """The same as `text`, for a JSON file; figures in µs of CPU per request."""
    return {
        "rounds": len(groups["no SDK"][BARE]),
        "requests_per_round": requests,
        "groups": {
            group: {
                "variants": {name: asdict(figure) for name, figure in figures(measured).items()},
                "layers": [asdict(layer) for layer in layers(measured)],
                "limiters": [asdict(limiter) for limiter in limiters(measured)],
            }
            for group, measured in groups.items()
        },
        "contracts": contract_table.document(contracts),
        "stores": stores_table.document(stores),
        "shared store": {"decisions": asdict(shared[0]), "frozen": asdict(shared[1])},
        "targets": [asdict(target) for target in [*targets(groups), *valkey_store.targets(*shared)]],
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
    times = f"{figure.times_cheaper:.1f} x" if figure.times_cheaper is not None else ""
    return f"{row}{figure.added:>+9.1f}{spread:>20}{times:>9}"


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
        if len(line) + len(word) + 2 > WIDTH:
            yield f"{line},"
            line = word
        else:
            line += f", {word}"
    yield line
