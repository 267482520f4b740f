"""Lets plain Locust follow the course of a profile: `--course ramp`, with --users as its peak and --run-time.

`garrison load` needs none of this: it has --profile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from locust import LoadTestShape, events

from garrison_harness.load.profiles import PROFILES
from garrison_harness.load.schedule import users_at

if TYPE_CHECKING:
    from argparse import ArgumentParser

COURSES = [name for name, profile in PROFILES.items() if profile.course]
_PER_SECOND = 100.0
"""Users that may start in a second, where a course leaps."""


@events.init_command_line_parser.add_listener  # type: ignore[untyped-decorator]  # Locust has no types for it
def add_course(parser: ArgumentParser) -> None:
    """Add the option to Locust's."""
    parser.add_argument(
        "--course", choices=COURSES, default=COURSES[0], help="How the number of users rises and falls"
    )


class Course(LoadTestShape):
    """As many users as the profile has at this time."""

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """How many users there should be by now, and how fast they start; None at the end."""
        assert self.runner is not None  # noqa: S101 - Locust sets it before it asks
        options: Any = self.runner.environment.parsed_options
        profile = PROFILES[options.course]
        duration = float(options.run_time or profile.duration)
        now = float(self.get_run_time())  # type: ignore[no-untyped-call]
        if now >= duration:
            return None
        stages = profile.stages(float(options.num_users or profile.users), duration)
        return users_at(stages, now), _PER_SECOND
