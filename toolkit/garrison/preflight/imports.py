"""Callables that settings name, and that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.callables import imported, search_here
from garrison.preflight.advice import Advice
from garrison.preflight.contract import callables_of
from garrison.probes.check import imported_check
from garrison.probes.notation import parse_checks
from garrison.ratelimit.costs import parse_costs
from garrison.ratelimit.targets import parse_targets
from garrison.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.middleware.rate_limit import RateLimit
    from garrison.stack import Settings


def examine_imports(settings: Settings) -> Iterator[Advice]:
    """Import what settings name as a callable, as `garrison run` will, from the current directory first.

    What cannot be imported is an error, as it is there. It runs the app's code, so that it is for who asks
    for advice, and not for `examine`.
    """
    named = {} if settings.rate_limit is None else _named(settings.rate_limit)
    if settings.contract is not None:
        named["GARRISON_CONTRACT_VERIFIERS"] = callables_of(settings.contract)
    if settings.errors is not None and settings.errors.mapping:
        named["GARRISON_ERRORS_MAPPING"] = (settings.errors.mapping,)
    if settings.health is not None:
        for name in ("checks", "startup_checks"):
            found = parse_checks(getattr(settings.health, name))
            named[f"GARRISON_HEALTH_{name.upper()}"] = tuple(dict.fromkeys(check.target for check in found))
    for variable, texts in named.items():
        read = imported_check if variable.startswith("GARRISON_HEALTH_") else imported
        for text in texts:
            search_here()
            try:
                read(text, variable)
            except SettingsError as error:
                (problem,) = error.problems
                yield Advice(
                    level="error",
                    variable=variable,
                    text=f"{text} cannot be used, and `garrison run` does not start without it."
                    f" {problem.hint}",
                )


def _named(section: RateLimit) -> dict[str, tuple[str, ...]]:
    """Import strings by their variable, each once."""
    found = {}
    for name in ("limits", "messages"):
        grants = [grant for target in parse_targets(getattr(section, name)) for grant in target.grants]
        texts = [text for grant in grants for text in (grant.tenants, *grant.identity.callables) if text]
        found[f"GARRISON_RATE_LIMIT_{name.upper()}"] = tuple(dict.fromkeys(texts))
    costs = [cost for _, cost in parse_costs(section.costs) if isinstance(cost, str)]
    found["GARRISON_RATE_LIMIT_COSTS"] = tuple(dict.fromkeys(costs))
    return found
