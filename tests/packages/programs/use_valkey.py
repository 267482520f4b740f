"""Counts in a real server with what the extra `valkey` brings: the third of three is refused."""

from __future__ import annotations

import asyncio
import sys

from asking import asked, hello  # type: ignore[import-not-found]  # beside this file

from garrison import RateLimit, RateLimitMiddleware


async def main() -> None:
    """Print the status of each reply."""
    layer = RateLimitMiddleware(hello, RateLimit(limits="2/hour", storage=sys.argv[1]))
    print(*[(await asked(layer)).status for _ in range(3)])


asyncio.run(main())
