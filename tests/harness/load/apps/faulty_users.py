"""Users that meet the faults of `faulty_app`, with little patience."""

from __future__ import annotations

from locust import constant

from garrison_harness.load.driving.users import (
    ApiUser,
    BrowserUser,
    ImpatientUser,
    MalformedUser,
    PatientUser,
    SlowUser,
    WebSocketUser,
)

PAUSE = constant(0.02)


class Browser(BrowserUser):
    wait_time = PAUSE
    pages = 2


class Api(ApiUser):
    wait_time = PAUSE


class Mute(PatientUser):
    wait_time = PAUSE
    path = "/mute"


class Odd(PatientUser):
    wait_time = PAUSE
    path = "/odd"


class Never(PatientUser):
    wait_time = PAUSE
    path = "/never"


class Impatient(ImpatientUser):
    wait_time = PAUSE
    path = "/broken"


class Slow(SlowUser):
    wait_time = PAUSE
    path = "/wait"
    pace = 0.05
    patience = 0.3


class Malformed(MalformedUser):
    wait_time = PAUSE
    patience = 0.3


class Refused(WebSocketUser):
    wait_time = PAUSE
    path = "/refused"


class Ends(WebSocketUser):
    wait_time = PAUSE
    path = "/ends"
    message = "hello"


class Echo(WebSocketUser):
    wait_time = PAUSE
    path = "/echo"
    message = "hello"
    echo = True
