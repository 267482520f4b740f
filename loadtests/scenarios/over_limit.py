"""Clients that ask more than a quota allows. Point `path` at something with a quota.

locust -f loadtests/scenarios/over_limit.py --headless --host http://127.0.0.1:8000 -u 4 -t 30s
"""

from __future__ import annotations

from locust import constant

from garrison_harness.load.driving.users import ImpatientUser, PatientUser

PATH = "/"


class Patient(PatientUser):
    """Waits as long as Retry-After says."""

    path = PATH


class Impatient(ImpatientUser):
    """Asks again at once, a hundred times a second."""

    path = PATH
    wait_time = constant(0.01)
