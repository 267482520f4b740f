"""Probes and the end of a process: numbers that do not add up to what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.preflight.advice import Advice
from garrison.probes.notation import parse_checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings

# What Kubernetes has for `timeoutSeconds` of a probe and `terminationGracePeriodSeconds` of a pod where they
# are not set (kubernetes.io, "Configure Liveness, Readiness and Startup Probes" and "Pod Lifecycle").
PROBE_SECONDS: Final = 1.0
POD_SECONDS: Final = 30.0


def examine_lifecycle(settings: Settings) -> Iterator[Advice]:
    """Checks that nobody asks or waits for, and an end that takes longer than it is given."""
    section = settings.health
    if section is not None:
        for field in ("checks", "startup_checks"):
            named = parse_checks(getattr(section, field))
            variable = f"GARRISON_HEALTH_{field.upper()}"
            if named and not section.readiness:
                yield Advice(
                    level="warning",
                    variable=variable,
                    text="nothing asks for these, because GARRISON_HEALTH_READINESS is empty.",
                )
            slow = [one.name for one in named if (one.timeout or section.timeout) >= PROBE_SECONDS]
            if slow:
                yield Advice(
                    level="warning",
                    variable=variable,
                    text=f"{', '.join(slow)} may take {PROBE_SECONDS:g}s or longer, and Kubernetes waits no"
                    " longer than that unless the probe has a timeoutSeconds.",
                )
    if settings.profile != "production":
        return
    server = settings.server
    if server.grace >= POD_SECONDS:
        yield Advice(
            level="warning",
            variable="GARRISON_SERVER_GRACE",
            text=f"{server.grace:g}s: Kubernetes kills a pod after {POD_SECONDS:g}s unless it has a longer"
            " terminationGracePeriodSeconds, and the app's own shutdown comes after the grace.",
        )
