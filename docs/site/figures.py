"""`python -m docs.site.figures BENCH`: puts the figures of `make bench` into the documentation."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from docs.site.sources import DOCS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE: Final = DOCS / "explanation" / "performance.md"
# What was measured last, so that a test can tell that the page says it.
KEPT: Final = DOCS / "explanation" / "performance.json"
PLACE: Final = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
# A run with fewer shows that it works, and no more; `make bench` has 80.
ENOUGH: Final = 20
SHORT: Final = """\
**This was a short run** of {rounds} rounds on a machine that others used too: it shows what is measured, and
the figures are worth an order of magnitude. `make bench` takes 80 rounds."""
STACKS: Final = """\
µs of CPU that a request takes on the event loop's thread, in process. *Added* is what comes on top of the
bare app, with the quartiles of all rounds; *cheaper* says how many times less that is than what the usual
recipe adds."""
TARGETS: Final = """\
The limits were set on a machine where the bare app takes 8 µs. *Scaled* is what this run would have shown
there, where that makes a difference."""


def main(words: list[str]) -> int:
    """Write both files; 2 where there is nothing to read."""
    if len(words) != 1:
        print("usage: python -m docs.site.figures BENCH", file=sys.stderr)
        return 2
    try:
        found = rounded(json.loads(Path(words[0]).read_bytes()))
        text = tables(found)
    except (OSError, ValueError, KeyError) as error:
        print(f"figures: {words[0]} holds no figures of the bench ({error}): run make bench", file=sys.stderr)
        return 2
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PLACE.sub(lambda _: text, page), encoding="utf-8")
    print(f"{PAGE.relative_to(DOCS.parent)} has the figures of {found['measured']}.")
    return 0


def tables(found: dict[str, Any]) -> str:
    """Everything between the marks of the page.

    Args:
        found: the document of `make bench`.
    """
    parts = [_about(found), *_stacks(found), *_single(found), *_whole(found), *_targets(found)]
    return "\n" + "\n\n".join(parts) + "\n\n"


def rounded(value: Any) -> Any:
    """The same with the digits that mean something, so that a run changes no more than it has to.

    Args:
        value: of a JSON document.
    """
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _about(found: dict[str, Any]) -> str:
    machine = found["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    lines = [
        f"Measured on {found['measured']} on {machine['cores']} cores ({machine['architecture']}) with",
        f"{machine['python']}: {packages}.",
    ]
    if found["rounds"] < ENOUGH:
        lines += ["", SHORT.format(rounds=found["rounds"])]
    return "\n".join(lines)


def _stacks(found: dict[str, Any]) -> Iterator[str]:
    yield "### The whole stack"
    yield STACKS
    rows = []
    for group, measured in found["groups"].items():
        for name, figure in measured["variants"].items():
            times = figure["times_cheaper"]
            spread = f"{figure['low']:.1f} to {figure['high']:.1f}"
            bare = name == "bare app"
            rows.append(
                [
                    group,
                    name,
                    f"{figure['us']:.1f}",
                    "" if bare else f"{figure['added']:.1f}",
                    "" if bare else spread,
                    "" if bare or times is None else f"{times:.1f}",
                ]
            )
    yield _table(["OpenTelemetry", "app", "µs", "added", "quartiles", "cheaper"], rows, texts=2)


def _single(found: dict[str, Any]) -> Iterator[str]:
    plain = found["groups"]["no SDK"]
    yield "### Layer by layer"
    yield "µs that a layer adds to the bare app by itself, and with all layers outside of it."
    layers = [
        [f"`{each['name']}`", f"{each['alone']:.1f}", f"{each['down_to']:.1f}"] for each in plain["layers"]
    ]
    yield _table(["layer", "alone", "with all outside"], layers)
    yield "### Rate limiters alone"
    yield "µs that each adds to the bare app when it counts in memory and lets the request pass."
    limiters = [
        [each["name"], f"{each['added']:.1f}", "" if each["times"] is None else f"{each['times']:.1f}"]
        for each in plain["limiters"]
    ]
    yield _table(["rate limiter", "added", "times Garrison's"], limiters)
    yield "### Held to an OpenAPI document"
    yield "µs added to an app that parses what it is sent, by how much there is to judge."
    costs = found["contracts"]["added"]
    names = list(next(iter(costs.values())))
    rows = [[name, *(f"{each[name]:,.1f}" for each in costs.values())] for name in names]
    yield _table(["", *costs], rows)


def _whole(found: dict[str, Any]) -> Iterator[str]:
    yield "### Over sockets"
    yield "32 connections that ask without a pause; CPU is that of the server for one request."
    rows = []
    for name, spells in found["wire"]["spells"].items():
        rate, cpu = (sum(each[key] for each in spells) / len(spells) for key in ("rate", "cpu"))
        rows.append([name, f"{rate:,.0f}", f"{cpu:.0f}"])
    yield _table(["server", "requests/s", "µs CPU"], rows)
    yield "### Under twice the load that the app can carry"
    yield "Replies within 300 ms in a second, with an adaptive limit and without."
    rows = [
        [
            {"/cpu": "computing"}.get(load["path"], "waiting"),
            *(f"{load[key]:.0f}" for key in ("capacity", "plain", "protected", "p99")),
        ]
        for load in found["overload"]["loads"]
    ]
    yield _table(["the app is", "capacity", "without", "with", "p99 with, ms"], rows)
    yield "### Starting"
    yield "ms of CPU of a process until it ends, or until it listens."
    rows = [[name, f"{each:.0f}"] for name, each in found["start"]["cpu"].items()]
    yield _table(["process", "ms"], rows)
    total = sum(found["start"]["megabytes"].values())
    yield f"The base install takes {total:.1f} MB in {len(found['start']['megabytes'])} packages."


def _targets(found: dict[str, Any]) -> Iterator[str]:
    yield "### What was promised"
    yield TARGETS
    rows = [
        [
            target["text"],
            f"{target['limit']:g}",
            f"{target['found']:.1f}",
            "" if target["scaled"] == target["found"] else f"{target['scaled']:.1f}",
            "yes" if target["met"] else "no",
        ]
        for target in found["targets"]
    ]
    yield _table(["", "limit", "found", "scaled", "met here"], rows)


def _table(head: list[str], rows: Iterable[list[str]], texts: int = 1) -> str:
    """Columns of text first, and of figures after them."""
    marks = [*["---"] * texts, *["---:"] * (len(head) - texts)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, marks, *rows])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
