"""Locust by itself, as its users would run it: `python -m loadtests.bench.plain_locust URL USERS SECONDS`.

Prints requests per second, and µs of CPU for each, once all users are there.
"""

from __future__ import annotations

import sys
import time
from typing import Any

# It patches when it is imported, and what imports ssl has to come after that.
import locust  # noqa: F401 # isort: skip
import gevent
from locust.env import Environment

from loadtests.bench.plain_user import PlainUser


def main(url: str, users: int, seconds: float) -> None:
    """Run, and print what came of it."""
    environment = Environment(user_classes=[PlainUser], host=url)
    runner: Any = environment.create_local_runner()
    runner.start(users, users)
    gevent.sleep(seconds / 4)
    requests, started, cpu = environment.stats.total.num_requests, time.perf_counter(), time.process_time()
    gevent.sleep(seconds)
    count = environment.stats.total.num_requests - requests
    passed, spent = time.perf_counter() - started, time.process_time() - cpu
    runner.quit()
    print(count / passed, 1e6 * spent / max(1, count))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
