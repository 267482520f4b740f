"""Users for any target: `from garrison_harness.load.driving.users import BrowserUser`.

Each is an abstract class of Locust's: derive your own in a locustfile, for plain Locust or `garrison load`,
and set what its `Attributes:` name. Importing them imports Locust, which patches the standard library for
gevent.
"""

from __future__ import annotations

from garrison_harness.load.driving.users.api import ApiUser
from garrison_harness.load.driving.users.browser import BrowserUser
from garrison_harness.load.driving.users.malformed import MalformedUser
from garrison_harness.load.driving.users.over_limit import ImpatientUser, PatientUser
from garrison_harness.load.driving.users.slow import SlowUser
from garrison_harness.load.driving.users.websocket import WebSocketUser

__all__ = [
    "ApiUser",
    "BrowserUser",
    "ImpatientUser",
    "MalformedUser",
    "PatientUser",
    "SlowUser",
    "WebSocketUser",
]
