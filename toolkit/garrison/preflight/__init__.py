"""What is missing from settings for production, and what in them contradicts itself or is unsafe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.preflight.advice import Advice
from garrison.preflight.browsers import examine_cross_origin, examine_headers
from garrison.preflight.callers import examine_closed_doors, examine_hosts, examine_proxies
from garrison.preflight.contract import examine_contract, examine_document, examine_missing_contract
from garrison.preflight.deadlines import examine_deadlines
from garrison.preflight.heads import examine_heads
from garrison.preflight.imports import examine_imports
from garrison.preflight.lifecycle import examine_lifecycle
from garrison.preflight.order import examine_order
from garrison.preflight.overload import examine_overload
from garrison.preflight.quotas import examine_absence, examine_quotas
from garrison.preflight.serving import examine_serving
from garrison.sections import sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings

__all__ = ["NEED_A_SETTING", "Advice", "examine", "examine_document", "examine_imports"]

# Layers that do nothing until they are told what to do, and are looked at by themselves.
NEED_A_SETTING: Final = frozenset({"proxy", "hosts", "exposure", "csp_reports", "rate_limit", "contract"})


def examine(settings: Settings) -> tuple[Advice, ...]:
    """Look over settings that are each fine by themselves.

    Args:
        settings: as they will be used.

    Returns:
        Errors first.
    """
    return tuple(sorted(_examine(settings), key=lambda advice: advice.level))


def _examine(settings: Settings) -> Iterator[Advice]:
    yield from examine_quotas(settings)
    yield from examine_cross_origin(settings)
    yield from examine_closed_doors(settings)
    yield from examine_headers(settings)
    yield from examine_order(settings)
    yield from examine_contract(settings)
    yield from examine_lifecycle(settings)
    yield from examine_heads(settings)
    if settings.profile != "production":
        return
    yield from examine_absence(settings)
    yield from examine_proxies(settings)
    yield from examine_hosts(settings)
    yield from examine_missing_contract(settings)
    yield from examine_serving(settings)
    yield from examine_overload(settings)
    yield from examine_deadlines(settings)
    # The other layers do their work without a setting, so that being off is all that can be wrong.
    for name in sections_of(type(settings)):
        if name not in NEED_A_SETTING and getattr(settings, name) is None:
            yield Advice(
                level="warning", variable=f"GARRISON_{name.upper()}", text="this layer is switched off."
            )
