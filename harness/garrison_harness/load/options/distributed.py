"""The options that say how many processes make the load, and where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from garrison_harness.load.compare.comparison import BARE
from garrison_harness.load.options.reading import read_address, read_duration
from garrison_harness.load.plan import ASSEMBLY_TIME, MASTER_PORT
from garrison_harness.load.profiles import STRESS
from garrison_harness.load.worker import Errand
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from garrison_harness.load.options.given import Given
    from garrison_harness.load.plan import Plan

_MOST: Final = 1000
_OF_WORKERS: Final = frozenset(
    {"worker", "master_host", "master_port", "max_wait", "locustfile", "log_directory"}
)

DISTRIBUTED: Final[tuple[click.Parameter, ...]] = (
    click.Option(
        ["--workers"],
        metavar="NUMBER",
        type=click.IntRange(1, _MOST),
        help="Load processes on this machine that make the load together, a core for each.  [default: 1]",
    ),
    click.Option(
        ["--master"],
        is_flag=True,
        help="Let workers on other machines make the load: wait until all have come, give them the plan, and"
        " judge what they see together.",
    ),
    click.Option(
        ["--expect-workers"],
        metavar="NUMBER",
        type=click.IntRange(1, _MOST),
        help="How many workers a master waits for.  [default: 1]",
    ),
    click.Option(
        ["--bind"],
        callback=read_address,
        metavar="HOST:PORT",
        help="Where a master waits for them. Who reaches that address can be a worker: Locust's protocol"
        f" knows no passwords.  [default: 127.0.0.1:{MASTER_PORT}]",
    ),
    click.Option(
        ["--worker"],
        is_flag=True,
        help="Make load for a master, whose target is reached from here under the same loopback URL. The plan"
        " comes from it, and a locustfile of one file too; name with --locustfile what takes more files.",
    ),
    click.Option(
        ["--master-host"], metavar="HOST", help="Where a worker finds its master.  [default: 127.0.0.1]"
    ),
    click.Option(
        ["--master-port"],
        metavar="PORT",
        type=click.IntRange(1, 65535),
        help=f"The port of the master.  [default: {MASTER_PORT}]",
    ),
    click.Option(
        ["--max-wait"],
        callback=read_duration,
        metavar="DURATION",
        help="How long a master waits for its workers, and a worker for its master."
        f"  [default: {ASSEMBLY_TIME:g}s]",
    ),
)
"""In the order of the help."""


def errand_of(given: Given, context: click.Context) -> Errand | None:
    """What a worker is to do; None where this is to be none.

    Args:
        given: The options.
        context: Knows which of them were given on the command line.

    Raises:
        UsageFault: Something is said that only a master can say.
    """
    if not given["worker"]:
        for flag, value in (("--master-host", given["master_host"]), ("--master-port", given["master_port"])):
            if value is not None:
                raise UsageFault(f"{flag} tells a worker where its master is: add --worker, or leave it out")
        return None
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _OF_WORKERS and context.get_parameter_source(name) == ParameterSource.COMMANDLINE:
            word = parameter.opts[0] if isinstance(parameter, click.Option) else "TARGET"
            raise UsageFault(f"{word} does not go with --worker: say it to the master, whose plan it gets")
    return Errand(
        address=(given["master_host"] or "127.0.0.1", given["master_port"] or MASTER_PORT),
        max_wait=given["max_wait"] or ASSEMBLY_TIME,
        locustfile=given["locustfile"],
        log_directory=given["log_directory"],
    )


def spread(plan: Plan, given: Given) -> Plan:
    """The plan, with who carries it out.

    Args:
        plan: What is to be done.
        given: The options.

    Raises:
        UsageFault: Options do not go together.
    """
    master, workers = given["master"], given["workers"]
    for flag, value in (("--expect-workers", given["expect_workers"]), ("--bind", given["bind"])):
        if value is not None and not master:
            raise UsageFault(f"{flag} is for a master: add --master, or leave it out")
    if given["max_wait"] is not None and not master:
        raise UsageFault("--max-wait is for masters and workers: add --master or --worker, or leave it out")
    if not master:
        return plan if workers is None or workers == 1 else _led(plan, workers)
    if workers is not None:
        raise UsageFault(
            "--workers starts load processes here, and --master waits for others: leave one out, or start"
            " garrison load --worker here too"
        )
    several = {f"--profile {STRESS}": plan.profile == STRESS, f"--compare {BARE}": given["compare"] == BARE}
    for flag, asked in several.items():
        if asked:
            raise UsageFault(
                f"{flag} takes many runs, and a worker from elsewhere comes for one: use --workers"
                " instead of --master"
            )
    if given["quotas"]:
        raise UsageFault(
            "--quota counts clients by their source address, which is lost on the way from another machine:"
            " use --workers instead of --master"
        )
    return replace(
        _led(plan, given["expect_workers"] or 1),
        bind=given["bind"] or ("127.0.0.1", MASTER_PORT),
        max_wait=given["max_wait"] or ASSEMBLY_TIME,
    )


def _led(plan: Plan, workers: int) -> Plan:
    if plan.model == "open" and plan.max_users < workers:
        raise UsageFault(
            f"--max-users {plan.max_users} are too few for {workers} load processes: each needs one"
        )
    return replace(plan, role="master", workers=workers)
