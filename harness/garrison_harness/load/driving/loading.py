"""The users that a plan asks for: of a locustfile, those that ship, or those that ask for paths."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, NoReturn

from locust.argument_parser import get_parser
from locust.util.load_locustfile import load_locustfile

from garrison_harness.load.driving.path_users import path_user
from garrison_harness.load.driving.recorder import describe
from garrison_harness.load.driving.users.casting import cast_users

if TYPE_CHECKING:
    from argparse import Namespace

    from locust import LoadTestShape, User

    from garrison_harness.load.plan import Plan


class LocustfileFault(Exception):  # noqa: N818 - the fault is in the file, not in the run
    """The locustfile cannot be used; the text is one line with the fix."""


def users_of(plan: Plan) -> tuple[list[type[User]], LoadTestShape | None]:
    """The classes of users that a plan asks for, and the load shape of its locustfile, if it has one.

    Raises:
        LocustfileFault: The locustfile cannot be used.
    """
    if plan.locustfile is None:
        return cast_users(plan) if plan.mix or plan.requests else [path_user(plan)], None
    try:
        found, shapes = load_locustfile(plan.locustfile)
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise LocustfileFault(
            f"{plan.locustfile} did not import: {_where(error, plan.locustfile)}; mend it, and try it with"
            f" locust -f {plan.locustfile} --list"
        ) from error
    if not found:
        raise LocustfileFault(
            f"{plan.locustfile} has no user: define a class derived from FastHttpUser or HttpUser,"
            " with a @task"
        )
    if taskless := [name for name, user in found.items() if not user.tasks]:
        raise LocustfileFault(
            f"{plan.locustfile}: {taskless[0]} has no @task: give it one, or abstract = True"
        )
    if shapes and (plan.model == "open" or plan.stages):
        raise LocustfileFault(
            f"{plan.locustfile} has the load shape {type(shapes[0]).__name__}, which says how many users"
            " there are: leave out --rate and --profile, or the shape"
        )
    return list(found.values()), shapes[0] if shapes else None


def options_of(plan: Plan) -> Namespace | None:
    """What a locustfile finds in `environment.parsed_options`.

    That is its own options at their defaults, or as the environment variables say that it names for them, and
    the plan as far as Locust has options for it.

    Args:
        plan: Its locustfile is loaded by now; None is returned where it has none.

    Raises:
        LocustfileFault: They cannot be read.
    """
    if plan.locustfile is None:
        return None
    try:
        # A locust.conf in the current directory is for plain Locust.
        parser = get_parser(default_config_files=[])
        # It would write its usage and exit.
        parser.error = _refuse  # type: ignore[method-assign]
        options: Namespace = parser.parse_args([])
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        raise LocustfileFault(
            f"the options of {plan.locustfile} cannot be read: {_where(error, plan.locustfile)}; mend it, or"
            " the LOCUST_ variables of the environment"
        ) from error
    options.host, options.headless = plan.base_url, False
    options.run_time, options.num_users, options.spawn_rate = (
        round(plan.duration),
        plan.users,
        plan.spawn_rate,
    )
    return options


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def _where(error: BaseException, path: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    return describe(error) + (f" (line {lines[-1]})" if lines else "")
