"""What type checkers must refuse: each line is wrong, and says which error both of them have for it.

Neither mypy (`warn_unused_ignores`) nor pyright (`reportUnnecessaryTypeIgnoreComment`) takes a line here that
is right.
"""

from __future__ import annotations

import garrison
from garrison import (
    AccessLog,
    Limit,
    LoginLimit,
    RateLimit,
    RateLimitMiddleware,
    Settings,
    Timeouts,
    csp_hash,
    current_request,
    harden,
)


def wrong(app: garrison.Hardened) -> None:
    """Nobody calls it."""
    RateLimit(limits=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateLimit("5/minute")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RateLimit(limit="5/minute")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RateLimit(algorithm="leaky-bucket")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateLimit().limits = "5/minute"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    AccessLog(format="xml")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Timeouts(handler="10s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateLimitMiddleware(app, Timeouts())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    RateLimitMiddleware(settings=RateLimit())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Settings(rate_limit="5/minute")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Settings(ratelimit=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    harden(app, RateLimit())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    harden("shop:app")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Limit()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LoginLimit(attempts=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    csp_hash(None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    current_request().request_id  # type: ignore[union-attr]  # noqa: B018  # pyright: ignore[reportOptionalMemberAccess]
    garrison.hardne  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
