"""How an app is served, where that is not how production is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from garrison.preflight.advice import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings


def examine_serving(settings: Settings) -> Iterator[Advice]:
    """Look for what belongs to development, and for what a server behind a balancer needs."""
    section = settings.server
    if section.reload:
        yield Advice(
            level="warning",
            variable="GARRISON_SERVER_RELOAD",
            text="a file that changes while it is deployed starts the app anew. Reload is for development.",
        )
    if not section.drain_delay:
        yield Advice(
            level="warning",
            variable="GARRISON_SERVER_DRAIN_DELAY",
            text="balancers learn of a stop when it is too late, and send requests to a port that nobody"
            " listens on. Give them a few seconds.",
        )
    if section.unix_socket and settings.proxy is not None and not settings.proxy.unix:
        yield Advice(
            level="warning",
            variable="GARRISON_PROXY_UNIX",
            text="whoever connects to the Unix socket is no proxy that is believed, so that no client has an"
            " address. Set it to on where only a proxy can reach the socket.",
        )
