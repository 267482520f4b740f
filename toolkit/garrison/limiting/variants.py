"""Quotas of routes, which are counted as the storage can, and as the layer above counts its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, get_args

from garrison.limiting.counting import refused_argument
from garrison.ratelimit.quota import Algorithm

if TYPE_CHECKING:
    from collections.abc import Callable

    from garrison.limiting.counting import Counting
    from garrison.ratelimit.quota import Store

T = TypeVar("T")


class Variants(Generic[T]):
    """Makes what consists of quotas once for each algorithm that they turn out to be counted with.

    Args:
        limit: whose quotas they are, as errors call it.
        algorithm: how they are counted; as the layer above counts its own where it is None.
        make: makes them.

    Raises:
        SettingsError: there is no such algorithm.
    """

    def __init__(self, limit: str, algorithm: Algorithm | None, make: Callable[[Algorithm], T]) -> None:
        if algorithm is not None and algorithm not in get_args(Algorithm):
            expected = f"one of {', '.join(get_args(Algorithm))}"
            raise refused_argument(f"{limit}.algorithm", expected, algorithm)
        self._limit = limit
        self._algorithm = algorithm
        self._make = make
        # Stores know quotas by identity, too.
        self._made: dict[Algorithm, T] = {}

    def of(self, counting: Counting) -> T:
        """What is counted there.

        Raises:
            SettingsError: the storage lacks the algorithm that was asked for.
        """
        only = only_algorithm(counting.limiter.store)
        wanted = self._algorithm or only or counting.algorithm
        if only not in {None, wanted}:
            expected = f"{only}, as everything on this storage is counted, or nothing"
            raise refused_argument(f"{self._limit}.algorithm", expected, wanted)
        made = self._made.get(wanted)
        if made is None:
            made = self._made[wanted] = self._make(wanted)
        return made


def only_algorithm(store: Store) -> Algorithm | None:
    """The one algorithm that a store counts with; None where it has all of them."""
    found: Algorithm | None = getattr(store, "algorithm", None)
    return found
