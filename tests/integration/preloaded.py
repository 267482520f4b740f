"""A server that imports its app and then forks its workers, started with the URL of a storage."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from garrison import RateLimit, Settings, harden
from tests.integration.lifespan import alive, plain
from tests.toolkit.driver import exchange, http_scope

if TYPE_CHECKING:
    from garrison.asgi import ASGIApp

WORKERS = 4
LIMIT = 100


def limited(url: str) -> ASGIApp:
    """Every layer but the log of each request; a storage that does not answer is a 503."""
    quota = RateLimit(
        limits=f"/limited: {LIMIT}/hour; {LIMIT}/hour",
        algorithm="fixed-window",
        storage=url,
        on_storage_error="closed",
        deadline=2.0,
    )
    return harden(plain, Settings(rate_limit=quota, access_log=None))


async def burst(app: ASGIApp, count: int) -> Counter[int]:
    """The statuses of so many requests of one client at the same moment."""
    replies = await asyncio.gather(*(exchange(app, http_scope("/limited")) for _ in range(count)))
    return Counter(reply.status for reply in replies)


async def work(app: ASGIApp, count: int, held: int) -> None:
    """Tell how many requests were served, refused and neither, and hold the connections as a server does."""
    async with alive(app):
        found = await burst(app, count)
        line = f"{found[200]} {found[429]} {count - found[200] - found[429]}\n"
        # In one piece, because the workers share the pipe.
        os.write(sys.stdout.fileno(), line.encode())
        await asyncio.to_thread(os.read, held, 1)


def main(url: str, count: int) -> None:
    """Run the workers until a line comes in."""
    app = limited(url)
    # Before there are workers the app is asked already, and what that leaves open is everybody's.
    asyncio.run(exchange(app, http_scope("/")))
    held, end = os.pipe()
    pids = []
    for _ in range(WORKERS):
        pid = os.fork()
        if not pid:
            os.close(end)
            asyncio.run(work(app, count // WORKERS, held))
            return
        pids.append(pid)
    sys.stdin.readline()
    os.close(end)
    sys.exit(any(os.waitpid(pid, 0)[1] for pid in pids))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
