"""Bounds on heads that the server and a layer do not agree on, and times that bound nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison.preflight.advice import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison.stack import Settings

# A client on the worst of connections has sent its head long before.
LONGEST_HEAD: Final = 60.0


def examine_heads(settings: Settings) -> Iterator[Advice]:
    """Look for bounds that the server's own make idle, and for a time in which sockets can be hoarded."""
    server, limits = settings.server, settings.request_limits
    if limits is not None:
        for name, bound, own, own_name in (
            ("MAX_HEADER_BYTES", limits.max_header_bytes, server.header_bytes, "HEADER_BYTES"),
            ("MAX_URL", limits.max_url, server.header_bytes, "HEADER_BYTES"),
            ("MAX_HEADERS", limits.max_headers, server.header_lines, "HEADER_LINES"),
        ):
            if bound > own:
                yield Advice(
                    level="warning",
                    variable=f"GARRISON_REQUEST_LIMITS_{name}",
                    text=f"{bound} has no effect under `garrison run`, which refuses more than {own}. Raise"
                    f" GARRISON_SERVER_{own_name} with it.",
                )
    if server.header_timeout > LONGEST_HEAD:
        yield Advice(
            level="warning",
            variable="GARRISON_SERVER_HEADER_TIMEOUT",
            text=f"{server.header_timeout:g}s: for so long anybody can hold a connection with a byte now and"
            " then.",
        )
