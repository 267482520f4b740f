"""Who is believed about clients, who is let in, and under which names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.preflight.advice import Advice
from garrison.ratelimit.targets import parse_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings

# What listens on all addresses of a machine, those that strangers reach among them.
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})


def examine_proxies(settings: Settings) -> Iterator[Advice]:
    """Whose word counts about a client."""
    section = settings.proxy
    if section is None or not section.trusts_somebody:
        alike = ", all of them share one quota," if _counts_addresses(settings) else ","
        yield Advice(
            level="warning",
            variable="GARRISON_PROXY_TRUSTED",
            text="no proxy is trusted. If one stands in front of this app, every client looks like it"
            f"{alike} and https is not seen. (`garrison run` trusts those on its own machine.)",
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


def _counts_addresses(settings: Settings) -> bool:
    section = settings.rate_limit
    targets = () if section is None else (*parse_targets(section.limits), *parse_targets(section.messages))
    return any(grant.identity.has_address for target in targets for grant in target.grants)


def examine_closed_doors(settings: Settings) -> Iterator[Advice]:
    """What is closed to strangers."""
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


def examine_hosts(settings: Settings) -> Iterator[Advice]:
    """Which names the app answers to, and whether over plain http."""
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
