"""Clients that are slow, or break the grammar of HTTP, beside some that are neither.

The others must not notice: with `garrison load`, --threshold 'p95{tag:browser}<200ms' judges just them.

    locust -f loadtests/scenarios/hostile.py --headless --host http://127.0.0.1:8000 -u 20 -t 1m
"""

from __future__ import annotations

from garrison_harness.load.driving.users import BrowserUser, MalformedUser, SlowUser


class Neighbour(BrowserUser):
    """The one who must not notice."""

    weight = 2


class Slow(SlowUser):
    """Sends and reads a byte now and then."""

    weight = 1


class Malformed(MalformedUser):
    """Sends what no server should take."""

    weight = 1
