"""Clients that make, read, change and delete what the app's OpenAPI document describes.

locust -f loadtests/scenarios/crud.py --headless --host http://127.0.0.1:8000 -u 10 -t 30s
"""

from __future__ import annotations

from locust import between

from garrison_harness.load.driving.users import ApiUser


class Clerk(ApiUser):
    """Works on what it made before."""

    wait_time = between(0.05, 0.2)
