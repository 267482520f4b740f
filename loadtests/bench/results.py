"""From rounds to figures: what is compared within one round comes first, medians come after."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from loadtests.bench.names import (
    ALONE,
    BARE,
    DOWN_TO,
    GARRISON,
    LIMITER,
    OUR_LIMITER,
    QUOTA,
    RECIPE,
    REST,
)

if TYPE_CHECKING:
    from loadtests.bench.names import Group

# µs per request by variant and round; all variants of a group have the same rounds.
Rounds: TypeAlias = dict[str, list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What one variant costs.

    Attributes:
        us: µs per request, median of the rounds.
        added: µs per request over the bare app of the same round, median.
        low: the lower quartile of what is added.
        high: the upper quartile of what is added.
        scaled: µs added if the bare app of the same round had cost `REFERENCE`, median.
        times_cheaper: what the recipe adds, divided by what this adds in the same round, median;
            None where this adds nothing.
    """

    us: float
    added: float
    low: float
    high: float
    scaled: float
    times_cheaper: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one layer costs.

    Attributes:
        name: of its section.
        alone: µs that it adds to the bare app, median.
        down_to: µs that it and all layers outside of it add, median.
    """

    name: str
    alone: float
    down_to: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiter:
    """What one rate limiter costs.

    Attributes:
        name: whose it is.
        added: µs that it adds to the bare app, median.
        times: the same, divided by what Garrison's adds in the same round, median; None where that
            adds nothing.
    """

    name: str
    added: float
    times: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What Garrison promises beside what this run found.

    Attributes:
        text: what is promised.
        limit: of µs added, at most; or of times cheaper than the recipe, at least.
        found: the same, measured.
        scaled: what was found, as on the machine that the limits were set on; ratios are as they are.
        met: whether the promise holds for what was found here.
    """

    text: str
    limit: float
    found: float
    scaled: float
    met: bool


# µs of the bare app on the machine that the limits were set on. The speed of a shared machine
# changes by half from one second to the next, and with it every figure.
REFERENCE: Final = 8.0


# Added µs per request of the whole default stack, with no quota and no contract.
LIMITS: Final[dict[Group, float]] = {"no SDK": 20, "traces": 45, "traces and histogram": 56}
QUOTA_LIMIT: Final = 3.0
BROWSER_LIMIT: Final = 3.5
TIMES_CHEAPER: Final = 15.0


def figures(rounds: Rounds) -> dict[str, Figure]:
    """Sum up the stacks of a group, without its single layers and rate limiters.

    Args:
        rounds: of one group; the bare app and the recipe must be there.
    """
    recipe = _more(rounds, RECIPE)
    single = (ALONE, DOWN_TO, LIMITER)
    return {name: _figure(rounds, name, recipe) for name in rounds if not name.startswith(single)}


def layers(rounds: Rounds) -> list[Layer]:
    """Sum up the single layers of a group, outermost first."""
    return [
        Layer(
            name=name.removeprefix(ALONE),
            alone=statistics.median(_more(rounds, name)),
            down_to=statistics.median(_more(rounds, DOWN_TO + name.removeprefix(ALONE))),
        )
        for name in rounds
        if name.startswith(ALONE)
    ]


def limiters(rounds: Rounds) -> list[Limiter]:
    """Sum up the rate limiters of a group, Garrison's first."""
    names = [name for name in rounds if name.startswith(LIMITER)]
    added = {name: _more(rounds, name) for name in names}
    return [
        Limiter(
            name=name.removeprefix(LIMITER),
            added=statistics.median(more),
            times=_times(more, added[OUR_LIMITER]),
        )
        for name, more in added.items()
    ]


def targets(groups: dict[Group, Rounds]) -> list[Target]:
    """Every promise beside what was found."""
    found = [
        _added(f"µs added, {group}", LIMITS[group], rounds, GARRISON, BARE)
        for group, rounds in groups.items()
    ]
    plain = groups["no SDK"]
    found.append(_added("µs added by a quota on top", QUOTA_LIMIT, plain, QUOTA, GARRISON))
    found.append(_added("µs added by the rate limiter alone", QUOTA_LIMIT, plain, OUR_LIMITER, BARE))
    found.append(_added("µs added by the browser policy", BROWSER_LIMIT, plain, GARRISON, REST))
    for group, rounds in groups.items():
        text = f"times cheaper, {group}"
        times = figures(rounds)[GARRISON].times_cheaper or 0.0
        met = times >= TIMES_CHEAPER
        found.append(Target(text=text, limit=TIMES_CHEAPER, found=times, scaled=times, met=met))
    return found


def _added(text: str, limit: float, rounds: Rounds, name: str, over: str) -> Target:
    added = _more(rounds, name, over)
    found = statistics.median(added)
    return Target(text=text, limit=limit, found=found, scaled=_scaled(added, rounds), met=found <= limit)


def _scaled(added: list[float], rounds: Rounds) -> float:
    return statistics.median(us * REFERENCE / bare for us, bare in zip(added, rounds[BARE], strict=True))


def _more(rounds: Rounds, name: str, over: str = BARE) -> list[float]:
    # The two ran within the same second, so what the machine did meanwhile hits both.
    return [mine - base for mine, base in zip(rounds[name], rounds[over], strict=True)]


def _figure(rounds: Rounds, name: str, recipe: list[float]) -> Figure:
    added = _more(rounds, name)
    low, _, high = statistics.quantiles(added, n=4)
    return Figure(
        us=statistics.median(rounds[name]),
        added=statistics.median(added),
        low=low,
        high=high,
        scaled=_scaled(added, rounds),
        times_cheaper=_times(recipe, added),
    )


def _times(theirs: list[float], ours: list[float]) -> float | None:
    ratios = [their / our for their, our in zip(theirs, ours, strict=True) if our > 0]
    return statistics.median(ratios) if ratios else None
