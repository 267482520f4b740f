"""Waiting in the middle of a task, as Locust's users wait between two."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import gevent
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from locust import User


@contextmanager
def waiting(user: User) -> Iterator[None]:
    """While this lasts, the end of the run ends the user at once; Locust lets finish what is no wait.

    Args:
        user: Who waits.

    Raises:
        StopUser: The run is at its end.
    """
    if user._state == LOCUST_STATE_STOPPING:  # noqa: SLF001 - Locust's own wait does the same
        raise StopUser
    user._state = LOCUST_STATE_WAITING  # noqa: SLF001
    yield
    user._state = LOCUST_STATE_RUNNING  # noqa: SLF001


def pause(user: User, seconds: float) -> None:
    """Let a user wait.

    Args:
        user: Who waits.
        seconds: How long.
    """
    with waiting(user):
        gevent.sleep(seconds)
