"""Compares what the checks say with a layer and without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison_harness.checks.check import Check

Status = Literal["proven", "not missed", "not exact", "idle", "not started", "not reached"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of one layer.

    Attributes:
        layer: As in `RATE_LIMIT`.
        status: `proven` if exactly the checks that name it turned red; `not missed` if none did, `not exact`
            if some did not or others did; `idle` if the settings leave it nothing to do; `not started` if
            the app does not start without it; `not reached` if the time was up before.
        reason: Why, where it is idle, not started or not reached.
        missed: The checks that name it and turned red.
        blind: Those that name it, passed with it, and pass without it.
        strays: Those that do not name it and turned red.
        spoiled: Those that name it and were red with it already.
        unseen: Those that name it and could not be run with it, or without it.
    """

    layer: str
    status: Status
    reason: str = ""
    missed: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    strays: tuple[str, ...] = ()
    spoiled: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether this is a reason for exit status 1."""
        return self.status in {"not missed", "not exact"}

    @property
    def is_open(self) -> bool:
        """Whether nothing was found out that should have been."""
        return self.status in {"not started", "not reached"}


def compared(
    layer: str, checks: Sequence[Check], whole: Mapping[str, str], lacking: Mapping[str, str]
) -> Row:
    """The row of a layer.

    Args:
        layer: As in `RATE_LIMIT`.
        checks: All that were asked.
        whole: The status of each check with every layer on, by its id.
        lacking: The same with this layer off, of the checks that were asked then.
    """
    lacking = {**whole, **lacking}
    naming = [check.id for check in checks if layer in check.layers]
    fit = [name for name in naming if whole[name] == "passed"]
    missed = tuple(name for name in fit if lacking[name] == "failed")
    blind = tuple(name for name in fit if lacking[name] == "passed")
    turned = [name for name in whole if whole[name] == "passed" and lacking[name] == "failed"]
    strays = tuple(name for name in turned if name not in naming)
    status: Status = "not missed" if not missed else "not exact" if blind or strays else "proven"
    return Row(
        layer=layer,
        status=status,
        missed=missed,
        blind=blind,
        strays=strays,
        spoiled=tuple(name for name in naming if whole[name] == "failed"),
        unseen=tuple(
            name
            for name in naming
            if whole[name] == "not run" or (whole[name] == "passed" and lacking[name] == "not run")
        ),
    )


def exit_status(rows: Sequence[Row]) -> int:
    """The exit status of the proof: 1 for what is not missed or not exact, 4 for what is open, else 0.

    Args:
        rows: One for each layer.
    """
    if any(row.fails for row in rows):
        return 1
    nothing = all(row.status == "idle" for row in rows)
    return 4 if nothing or any(row.is_open for row in rows) else 0
