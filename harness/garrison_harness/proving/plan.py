"""Decides with which settings the planted routes are served, and which layers have something to do then."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from garrison_harness.proving import planted
from garrison_harness.site import Quota

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.proving.settings import Effective

HOST: Final = "prove.example"
"""The name that requests ask for where the settings name hosts, and theirs cannot be told."""

_QUOTA: Final = Quota(limit=10, period=10)
_QUOTA_RULE: Final = f"{planted.ROOT}/*: {_QUOTA.limit}/{_QUOTA.period} seconds"
MAX_BODY: Final = 1_000_000
"""The bound on bodies of the planted routes, in bytes: one that is quickly exceeded, over and over."""

_HERE: Final = ("127.0.0.1", "::1")
_LOOPBACK: Final = ipaddress.IPv4Network("127.0.0.0/8")

_CLOSED: Final = "docs; metrics; dotfiles"

TIME_LIMIT: Final = 2.0
"""The longest that a planted handler may take, in seconds, where handlers have a bound."""

_BODY_GRACE: Final = 2.0  # seconds in which a body need not come at any rate
SLOW_LIMIT: Final = _BODY_GRACE + 1.0
"""The longest that a client may take to send a body at no rate to speak of, in seconds."""

CONCURRENCY: Final = 8
"""How many requests there may be at the same time, where that is bounded."""

# The settings without which a layer leaves everything as it is; one of them is enough.
_IDLE_WITHOUT: Final[Mapping[str, tuple[str, ...]]] = {
    "HOSTS": ("GARRISON_HOSTS_ALLOWED", "GARRISON_HOSTS_HTTPS"),
    "EXPOSURE": ("GARRISON_EXPOSURE_CLOSED",),
    "CSP_REPORTS": ("GARRISON_CSP_REPORTS_PATH",),
    # It watches the event loop as well, which nothing that is planted holds up for as long as it takes.
    "OVERLOAD": ("GARRISON_OVERLOAD_LIMIT",),
    "RATE_LIMIT": ("GARRISON_RATE_LIMIT_LIMITS",),
    "TIMEOUTS": ("GARRISON_TIMEOUTS_BODY_RATE", "GARRISON_TIMEOUTS_HANDLER"),
    "CONTRACT": ("GARRISON_CONTRACT_DOCUMENT",),
}
# The settings with which a layer only reports.
_REPORTING: Final[Mapping[str, str]] = {
    "CONTRACT": "GARRISON_CONTRACT_MODE",
    "CROSS_ORIGIN": "GARRISON_CROSS_ORIGIN_MODE",
}
# What `--all` sets where nobody did.
_PROVING: Final[Mapping[str, str]] = {
    "GARRISON_SECURITY_HEADERS_PRESET": "web",
    "GARRISON_COOKIES_SAME_SITE": "Lax",
    "GARRISON_CROSS_ORIGIN_MODE": "enforce",
    "GARRISON_HOSTS_ALLOWED": HOST,
    "GARRISON_EXPOSURE_CLOSED": _CLOSED,
    "GARRISON_CSP_REPORTS_PATH": planted.REPORTS,
    "GARRISON_RATE_LIMIT_LIMITS": _QUOTA_RULE,
    "GARRISON_CONTRACT_DOCUMENT": "planted",
    "GARRISON_TIMEOUTS_HANDLER": f"{TIME_LIMIT:g}s",
    "GARRISON_OVERLOAD_LIMIT": str(CONCURRENCY),
}
# What hides the planted routes or what is said of them, and how the app is served: not what is proven. It is
# one process, on a loopback port, with what it counts in memory.
_ASIDE: Final[Mapping[str, str]] = {
    "GARRISON_ACCESS_LOG_QUIET": "",
    "GARRISON_ACCESS_LOG_SAMPLE": "",
    "GARRISON_HEALTH_LIVENESS": "/livez",
    "GARRISON_HEALTH_READINESS": "/readyz",
    "GARRISON_HEALTH_STARTUP": "/startupz",
    "GARRISON_HOSTS_HTTPS": "off",
    "GARRISON_RATE_LIMIT_STORAGE": "memory://",
    "GARRISON_SERVER_FACTORY": "off",
    "GARRISON_SERVER_TLS_CERTIFICATE": "",
    "GARRISON_SERVER_TLS_KEY": "",
    "GARRISON_SERVER_UNIX_SOCKET": "",
    "GARRISON_SERVER_WORKERS": "1",
    "GARRISON_TRACING_EXCLUDE": "",
}
# Bounds of the server that would hide those of the layers, traces of anybody, because nobody who is trusted
# takes part, and ids of requests that are not those of their traces. Telemetry of a proof belongs to nobody's
# statistics.
_ALWAYS: Final[Mapping[str, str]] = {
    "GARRISON_REQUEST_ID_TRACE": "off",
    "GARRISON_REQUEST_LIMITS_MAX_BODY": str(MAX_BODY),
    "GARRISON_SERVER_HEADER_BYTES": "1MiB",
    "GARRISON_SERVER_HEADER_LINES": "10000",
    "GARRISON_TIMEOUTS_BODY_GRACE": f"{_BODY_GRACE:g}s",
    "GARRISON_TRACING_CONTINUE": "always",
}
_TELEMETRY_OFF: Final = "OTEL_SDK_DISABLED"
_NOTHING: Final = frozenset({"", "0", "off", '""'})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be proven.

    Attributes:
        layers: All of them, outermost first, as in `RATE_LIMIT`.
        idle: Why a layer has nothing to prove, for those that have not.
        environment: The variables on top of those that the settings come from.
        host: The name that requests ask for; empty for the address.
        quota: What a client may ask, where that is limited.
        contract: Whether the planted document counts.
        proxied: Whether a proxy on this machine is believed, which may speak https to its clients.
        time_limit: How long a handler may take, in seconds, where that is bounded.
        concurrency: How many requests there may be at the same time, where that is bounded.
    """

    layers: tuple[str, ...]
    idle: Mapping[str, str]
    environment: Mapping[str, str]
    host: str = ""
    quota: Quota | None = None
    contract: bool = False
    proxied: bool = False
    time_limit: float | None = None
    concurrency: int | None = None

    @property
    def active(self) -> tuple[str, ...]:
        """The layers that have something to prove."""
        return tuple(layer for layer in self.layers if layer not in self.idle)

    def without(self, layer: str) -> dict[str, str]:
        """The variables for a start with one layer off.

        Args:
            layer: As in `RATE_LIMIT`.
        """
        return {**self.environment, f"GARRISON_{layer}": "off"}


def planned(settings: Effective, directory: Path, *, proving: bool) -> Plan:
    """Plan the proof.

    Args:
        settings: As a start would find them.
        directory: Takes the document of the planted routes.
        proving: Give a value to whatever has nothing to do until it has one (`--all`).
    """
    changed: dict[str, str] = {}
    if proving:
        added = {name: value for name, value in _PROVING.items() if name in settings.values}
        changed.update((name, value) for name, value in added.items() if name not in settings.given)
        changed.update((f"GARRISON_{layer}", "on") for layer in settings.off)
    values = {**settings.values, **changed}
    idle = {layer: why for layer in settings.layers if (why := _why_idle(layer, settings, values, proving))}
    completed = _completed(values, idle, directory)
    changed.update((name, value) for name, value in completed.items() if value != values.get(name))
    changed.update((name, value) for name, value in _ASIDE.items() if name in settings.given)
    changed[_TELEMETRY_OFF] = "true"
    limited = "RATE_LIMIT" not in idle
    return Plan(
        layers=settings.layers,
        idle=idle,
        environment=changed,
        host="" if _is_nothing(values, "GARRISON_HOSTS_ALLOWED") else _host(values["GARRISON_HOSTS_ALLOWED"]),
        quota=_QUOTA if limited else None,
        contract="CONTRACT" not in idle,
        proxied="PROXY" in settings.layers and "PROXY" not in idle,
        time_limit=None if _is_nothing(values, "GARRISON_TIMEOUTS_HANDLER") else TIME_LIMIT,
        concurrency=None if _is_nothing(values, "GARRISON_OVERLOAD_LIMIT") else CONCURRENCY,
    )


def _why_idle(layer: str, settings: Effective, values: Mapping[str, str], proving: bool) -> str:
    """Why a layer has nothing to do; empty if it has."""
    if layer in settings.off and not proving:
        return f"GARRISON_{layer} is off"
    needed = [name for name in _IDLE_WITHOUT.get(layer, ()) if name in values]
    if needed and all(_is_nothing(values, name) for name in needed):
        return f"nothing to prove until {' or '.join(needed)} is set"
    mode = values.get(_REPORTING.get(layer, ""), "")
    touched = any(name.startswith(f"GARRISON_{layer}_") for name in settings.given)
    if mode == "report" or (mode == "auto" and not touched):
        return f"it only reports while {_REPORTING[layer]} is {mode}"
    return ""


def _completed(values: Mapping[str, str], idle: Mapping[str, str], directory: Path) -> dict[str, str]:
    """What the active layers need to know of the planted routes, beside what they know of the app's."""
    found: dict[str, str] = {}
    if "EXPOSURE" not in idle and values.get("GARRISON_EXPOSURE_CLOSED", _CLOSED) != _CLOSED:
        found["GARRISON_EXPOSURE_CLOSED"] = f"{values['GARRISON_EXPOSURE_CLOSED']}; {_CLOSED}"
    limits = values.get("GARRISON_RATE_LIMIT_LIMITS", _QUOTA_RULE)
    if "RATE_LIMIT" not in idle and limits != _QUOTA_RULE:
        # The first target that fits counts.
        found["GARRISON_RATE_LIMIT_LIMITS"] = f"{_QUOTA_RULE}; {limits}"
    found.update(_ALWAYS)
    if trusted := values.get("GARRISON_PROXY_TRUSTED"):
        found["GARRISON_PROXY_TRUSTED"] = _trusted(trusted)
    # Smaller bounds are sooner exceeded; what they are in production is for the settings to say.
    for name in ("GARRISON_TIMEOUTS_HANDLER", "GARRISON_OVERLOAD_LIMIT"):
        if not _is_nothing(values, name):
            found[name] = _PROVING[name]
    if "CSP_REPORTS" not in idle:
        found["GARRISON_CSP_REPORTS_PATH"] = planted.REPORTS
    if "CONTRACT" not in idle:
        document = directory / "planted.json"
        document.write_text(json.dumps(planted.DOCUMENT), encoding="utf-8")
        # Whoever verifies the app's keys knows nothing of the planted one.
        about = {"DOCUMENT": str(document), "UNKNOWN": "pass", "VERIFIERS": "key=refuse", "API_KEYS": "off"}
        found.update({f"GARRISON_CONTRACT_{field}": value for field, value in about.items()})
    return {name: value for name, value in found.items() if name in values}


def _trusted(proxies: str) -> str:
    """Who is trusted, with a proxy on this machine, but without others there: strangers speak from there."""
    return ",".join([*(name for name in map(str.strip, proxies.split(",")) if not _is_here(name)), *_HERE])


def _is_here(name: str) -> bool:
    try:
        block = ipaddress.ip_network(name, strict=False)
    except ValueError:
        return not name
    return block.version == _LOOPBACK.version and block.overlaps(_LOOPBACK)


def _host(allowed: str) -> str:
    """A host that the settings allow."""
    first = next((name.strip() for name in allowed.split(",") if name.strip()), HOST)
    return first.replace("*.", "prove.", 1) if first.startswith("*.") else first


def _is_nothing(values: Mapping[str, str], name: str) -> bool:
    return values.get(name, "").strip() in _NOTHING
