"""Stands in for the watch where nobody watches."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.load.account import Account
    from garrison_harness.load.plan import Plan


class Unwatched:
    """Asks nothing and judges nothing.

    Attributes:
        plan: The plan of the run, as it is.
    """

    def __init__(self, plan: Plan) -> None:
        """Leave the plan alone."""
        self.plan = plan

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, nothing happens."""
        yield

    def promises(self, _account: Account) -> tuple[()]:
        """None."""
        return ()

    def resources(self, _account: Account) -> None:
        """None."""
