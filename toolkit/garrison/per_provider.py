"""One set of instruments for each meter provider: an SDK takes the callbacks of the first of a name only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakKeyDictionary

from opentelemetry import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider

T = TypeVar("T")


class PerProvider(Generic[T]):
    """What there is once for each meter provider.

    Args:
        make: makes it for a provider, or, for None, for the global one, whichever that is: instruments that
            are made before it is set become its own.
    """

    def __init__(self, make: Callable[[MeterProvider | None], T]) -> None:
        self._make = make
        self._global: T | None = None
        self._others: WeakKeyDictionary[MeterProvider, T] = WeakKeyDictionary()

    def of(self, provider: MeterProvider | None) -> T:
        """What there is for a provider; None is the global one."""
        if provider is None or provider is metrics.get_meter_provider():
            if self._global is None:
                self._global = self._make(None)
            return self._global
        if provider not in self._others:
            self._others[provider] = self._make(provider)
        return self._others[provider]
