"""Users that ask for the paths of a plan, in turn."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from locust import FastHttpUser, User, task

if TYPE_CHECKING:
    from locust.env import Environment

    from garrison_harness.load.plan import Plan


def path_user(plan: Plan) -> type[User]:
    """A user that asks for the plan's paths in turn, each user beginning at another one."""
    numbers = itertools.count()

    class PathUser(FastHttpUser):
        """Asks for one path after the other. Redirects are not followed: they may lead to another host."""

        network_timeout = 30.0
        connection_timeout = 10.0
        concurrency = 1

        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            number = next(numbers) % len(plan.paths)
            self._turns = itertools.cycle(plan.paths[number:] + plan.paths[:number])

        @task
        def ask(self) -> None:
            self.client.get(next(self._turns), allow_redirects=False)

    return PathUser
