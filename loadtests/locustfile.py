"""Browsers and clients of an API, for any web app.

    locust -f loadtests/locustfile.py --headless --host http://127.0.0.1:8000 -u 5 -t 10s
    garrison load shop:app --locustfile loadtests/locustfile.py --threshold "p95<200ms"

They only read, stay on the host that they are given, and find their way by what the app itself offers: links
in its pages, and the paths of its OpenAPI document.
"""

from __future__ import annotations

from locust import between

from garrison_harness.load.driving.users import ApiUser, BrowserUser


class Browser(BrowserUser):
    """Opens pages with their assets, and asks again for what it has cached."""

    weight = 3


class ApiClient(ApiUser):
    """Asks for what the OpenAPI document lists, with ids out of the replies; without one, for `/`."""

    weight = 1
    wait_time = between(0.1, 0.5)
    methods = ("GET", "HEAD")
