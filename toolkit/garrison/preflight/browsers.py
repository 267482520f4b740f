"""What browsers are told, and what is done about requests that other sites send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.origins.origin import is_plain
from garrison.preflight.advice import Advice
from garrison.rules import EVERYTHING, covers, parse_paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings


def examine_headers(settings: Settings) -> Iterator[Advice]:
    """What is asked of browsers."""
    section = settings.security_headers
    if section is None or section.reports or (settings.csp_reports and settings.csp_reports.path):
        return
    for name in ("policy", "permissions", "opener", "embedder"):
        if getattr(section, f"page_{name}_report_only") not in {"preset", "", None}:
            yield Advice(
                level="warning",
                variable=f"GARRISON_SECURITY_HEADERS_PAGE_{name.upper()}_REPORT_ONLY",
                text="it is not sent while reports go nowhere. Name a path in GARRISON_CSP_REPORTS_PATH.",
            )


def examine_cross_origin(settings: Settings) -> Iterator[Advice]:
    """What other sites may do."""
    section = settings.cross_origin
    if section is None:
        return
    if section.credentials and not section.allowed:
        yield Advice(
            level="error",
            variable="GARRISON_CROSS_ORIGIN_CREDENTIALS",
            text="nobody reads with credentials while GARRISON_CROSS_ORIGIN_ALLOWED is empty. Name the"
            " origins there, or take this away.",
        )
    if settings.profile != "production":
        return
    for name in ("allowed", "posting"):
        plain = [origin for origin in getattr(section, name) if is_plain(origin)]
        if plain:
            yield Advice(
                level="warning",
                variable=f"GARRISON_CROSS_ORIGIN_{name.upper()}",
                text=f"whoever is on the network between can be {plain[0]}, because it is not https.",
            )
    if any(covers(rule, EVERYTHING) for rule in parse_paths(section.exempt, "/payments/*")):
        yield Advice(
            level="warning",
            variable="GARRISON_CROSS_ORIGIN_EXEMPT",
            text="every path is exempt, so that nothing is refused. Name the paths that other sites send to.",
        )
    if not section.enforces:
        yield Advice(
            level="warning",
            variable="GARRISON_CROSS_ORIGIN_MODE",
            text="requests that other sites send in a user's name are only logged. Set it to enforce, once"
            " every cross_origin_refusal in the log is one to refuse.",
        )
