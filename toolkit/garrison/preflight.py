"""What is missing from settings for production, and what in them contradicts itself or is unsafe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from garrison.headers.override import parse_overrides
from garrison.origins.origin import is_plain
from garrison.ratelimit.costs import parse_costs, parse_refunds
from garrison.ratelimit.targets import of_stage, parse_targets
from garrison.rules import Rule, covers, parse_paths
from garrison.sections import sections_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings

# Layers that do nothing until they are told what to do, and are looked at by themselves.
NEED_A_SETTING: Final = frozenset({"proxy", "hosts", "exposure", "csp_reports", "rate_limit"})

EVERYTHING: Final = Rule(methods=frozenset(), path="/*", value="", identity="")

# What listens on all addresses of a machine, those that strangers reach among them.
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing to change in the settings.

    Attributes:
        level: an `error` keeps `garrison run` from starting, a `warning` does not.
        variable: what to set.
        text: what is wrong, and what to do.
    """

    level: Literal["error", "warning"]
    variable: str
    text: str


def examine(settings: Settings) -> tuple[Advice, ...]:
    """Look over settings that are each fine by themselves.

    Args:
        settings: as they will be used.

    Returns:
        Errors first.
    """
    return tuple(sorted(_examine(settings), key=lambda advice: advice.level))


def _examine(settings: Settings) -> Iterator[Advice]:
    yield from _examine_quotas(settings)
    yield from _examine_cross_origin(settings)
    yield from _examine_exposure(settings)
    yield from _examine_headers(settings)
    yield from _examine_rules(settings)
    if settings.profile != "production":
        return
    if settings.rate_limit is None or not settings.rate_limit.limits:
        yield Advice(
            level="warning",
            variable="GARRISON_RATE_LIMIT_LIMITS",
            text="no client is limited. Set a quota such as 100/minute"
            + (
                "."
                if settings.proxy and settings.proxy.trusts_somebody
                else ", once GARRISON_PROXY_TRUSTED names the proxies in front of this app."
            ),
        )
    yield from _examine_proxy(settings)
    if settings.hosts is None or not settings.hosts.allowed:
        yield Advice(
            level="warning",
            variable="GARRISON_HOSTS_ALLOWED",
            text="every Host is answered, and may end up in links. Name yours, such as shop.example.",
        )
    if settings.hosts is None or settings.hosts.https is None:
        yield Advice(
            level="warning",
            variable="GARRISON_HOSTS_HTTPS",
            text="what comes over plain http is served like the rest, if something lets it through. Set it to"
            " redirect for a site or to refuse for an API, once GARRISON_PROXY_TRUSTED names what ends TLS.",
        )
    # The other layers do their work without a setting, so that being off is all that can be wrong.
    for name in sections_of(type(settings)):
        if name not in NEED_A_SETTING and getattr(settings, name) is None:
            yield Advice(
                level="warning", variable=f"GARRISON_{name.upper()}", text="this layer is switched off."
            )


def _examine_quotas(settings: Settings) -> Iterator[Advice]:
    section = settings.rate_limit
    if section is None:
        return
    if (section.limits or section.messages) and not section.is_shared and settings.server.workers > 1:
        yield Advice(
            level="error",
            variable="GARRISON_SERVER_WORKERS",
            text=f"each of {settings.server.workers} workers counts for itself, so that a client gets"
            f" {settings.server.workers} times its quota. Name a Valkey or Redis server in"
            " GARRISON_RATE_LIMIT_STORAGE, or run one worker.",
        )
    if section.needs_secret and settings.secret is None:
        yield Advice(
            level="error",
            variable="GARRISON_SECRET",
            text=f"it is missing. {section.needs_secret} `openssl rand -hex 32` makes one.",
        )
    alike = settings.proxy is None or not settings.proxy.trusts_somebody
    for name in ("limits", "messages"):
        grants = [grant for target in parse_targets(getattr(section, name)) for grant in target.grants]
        if any(grant.identity.stage == "principal" for grant in grants):
            yield Advice(
                level="error",
                variable=f"GARRISON_RATE_LIMIT_{name.upper()}",
                text="no layer of this stack verifies who asks, so that what is `by principal` counts nobody."
                " Put RateLimitMiddleware below the app's own authentication, or garrison.Limit on its"
                " routes, and take it away here.",
            )
        if settings.profile == "production" and alike and any(grant.identity.has_address for grant in grants):
            yield Advice(
                level="warning",
                variable=f"GARRISON_RATE_LIMIT_{name.upper()}",
                text="no proxy is trusted. If one stands in front of this app, every client behind it shares"
                " one quota. Name it in GARRISON_PROXY_TRUSTED.",
            )


def _examine_proxy(settings: Settings) -> Iterator[Advice]:
    section = settings.proxy
    if section is None or not section.trusts_somebody:
        yield Advice(
            level="warning",
            variable="GARRISON_PROXY_TRUSTED",
            text="no proxy is trusted. If one stands in front of this app, every client looks like it, and"
            " https is not seen. (`garrison run` trusts those on its own machine.)",
        )
    elif any(network.prefixlen == 0 for network in section.trusted):
        yield Advice(
            level="warning",
            variable="GARRISON_PROXY_TRUSTED",
            text="everybody is trusted, so that a client can claim any address and with it a fresh quota."
            " Name the proxies only.",
        )
    if section is None:
        return
    if section.hops and settings.server.host in EVERY_ADDRESS:
        yield Advice(
            level="warning",
            variable="GARRISON_PROXY_HOPS",
            text=f"whoever reaches {settings.server.host} without the proxies can claim any address. Let only"
            " them reach it, or name them in GARRISON_PROXY_TRUSTED instead.",
        )
    if section.strip and not section.trusts_somebody:
        yield Advice(
            level="warning",
            variable="GARRISON_PROXY_STRIP",
            text=f"no proxy is trusted, so that nobody can send {section.strip[0]}. Name the proxy that"
            " does in GARRISON_PROXY_TRUSTED.",
        )
    if "host" in section.accept and (settings.hosts is None or not settings.hosts.allowed):
        # Many proxies pass on X-Forwarded-Host as the client wrote it, whatever Host they route by.
        yield Advice(
            level="error",
            variable="GARRISON_PROXY_ACCEPT",
            text="with `host`, a client whose proxy passes on what it wrote chooses the names in your links."
            " Name your hosts in GARRISON_HOSTS_ALLOWED, or take `host` away.",
        )


def _examine_headers(settings: Settings) -> Iterator[Advice]:
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


def _examine_rules(settings: Settings) -> Iterator[Advice]:
    """Rules behind a rule that fits whatever they are about."""
    listed: dict[str, list[Rule]] = {}
    if settings.security_headers is not None:
        overrides = parse_overrides(settings.security_headers.rules)
        listed["GARRISON_SECURITY_HEADERS_RULES"] = [rule for rule, _ in overrides]
    section = settings.rate_limit
    if section is not None:
        for name in ("limits", "messages"):
            # Those by principal are looked through by themselves, and are an error in this stack.
            targets = of_stage(parse_targets(getattr(section, name)), "client")
            listed[f"GARRISON_RATE_LIMIT_{name.upper()}"] = [target.rule for target in targets]
        listed["GARRISON_RATE_LIMIT_COSTS"] = [rule for rule, _ in parse_costs(section.costs)]
        listed["GARRISON_RATE_LIMIT_REFUNDS"] = [rule for rule, _ in parse_refunds(section.refunds)]
    for variable, rules in listed.items():
        for place, later in enumerate(rules):
            earlier = next((rule for rule in rules[:place] if covers(rule, later)), None)
            if earlier is not None:
                yield Advice(
                    level="warning",
                    variable=variable,
                    text=f"the rule for {later.about} is never reached, because the one for"
                    f" {earlier.about} in front of it counts. Put it in front, or take it away.",
                )


def _examine_exposure(settings: Settings) -> Iterator[Advice]:
    section = settings.exposure
    if section is None:
        return
    if not section.closed:
        for name in ("allowed", "token"):
            if getattr(section, name):
                yield Advice(
                    level="error",
                    variable=f"GARRISON_EXPOSURE_{name.upper()}",
                    text="it opens nothing while GARRISON_EXPOSURE_CLOSED is empty. Say there what is closed,"
                    " such as docs; metrics, or take this away.",
                )
        return
    unknown = settings.proxy is None or not settings.proxy.trusts_somebody
    if settings.profile == "production" and unknown and section.allowed and section.token is None:
        yield Advice(
            level="warning",
            variable="GARRISON_EXPOSURE_ALLOWED",
            text="no proxy is trusted. If one stands in front of this app, every client has its address, and"
            " all of them are allowed with it, or none is. Name it in GARRISON_PROXY_TRUSTED, or set"
            " GARRISON_EXPOSURE_TOKEN instead.",
        )


def _examine_cross_origin(settings: Settings) -> Iterator[Advice]:
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
