"""What the options of `garrison load` ask for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from click.core import ParameterSource

from garrison_harness.load.asked import Asked
from garrison_harness.load.compare.against import bare_of
from garrison_harness.load.compare.comparison import BARE
from garrison_harness.load.compare.earlier import read_earlier
from garrison_harness.load.compare.turns import ROUNDS
from garrison_harness.load.options.amount import amount_of, is_open
from garrison_harness.load.options.distributed import spread
from garrison_harness.load.options.users import document_of, mix_of, requests_of
from garrison_harness.load.thresholds import DEFAULT, OPEN_DEFAULT, parse_threshold
from garrison_harness.options.target import target_of
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from garrison_harness.load.compare.against import Against
    from garrison_harness.load.options.given import Given
    from garrison_harness.load.plan import Plan
    from garrison_harness.load.thresholds import Threshold
    from garrison_harness.login.settings import Login
    from garrison_harness.site import Quota
    from garrison_harness.target import Target


def asked_of(given: Given, *, login: Login | None = None) -> Asked:
    """What the run is to do.

    Args:
        given: The options.
        login: How to log in, as the file says.

    Raises:
        UsageFault: There is no such target, or options do not go together.
    """
    target = target_of(given)
    plan = plan_of(given, target)
    return Asked(
        target=target,
        plan=plan,
        thresholds=thresholds_of(given),
        wanted=document_of(given),
        login=login,
        against=against_of(given, target, plan, login=login),
        quotas=quotas_of(given),
        # What workers from elsewhere reach is not found out with a server on this machine.
        calibrated=not given["uncalibrated"] and plan.bind is None,
        progress=given["progress"],
        log_directory=given["log_directory"],
    )


def plan_of(given: Given, target: Target) -> Plan:
    """What the run does.

    Args:
        given: The options.
        target: What to load; the path of a URL is what is asked for where no option says so.

    Raises:
        UsageFault: Options do not go together, or the locustfile cannot be read.
    """
    locustfile = given["locustfile"]
    if locustfile is not None:
        _check_locustfile(locustfile, paths=given["paths"])
    return replace(
        spread(amount_of(given), given),
        paths=given["paths"] or (target.path,),
        requests=tuple(spec.to_record() for spec in requests_of(given)),
        locustfile=str(locustfile) if locustfile else None,
        mix=mix_of(given, target),
        headers=tuple(given["headers"]),
        expected=given["expected"],
        one_address=given["one_address"],
    )


def thresholds_of(given: Given) -> tuple[Threshold, ...]:
    """What the run has to keep; a run that was asked for nothing must at least have no error.

    In the open model it must also drop no arrivals to speak of, unless a threshold says how many it may: what
    never started is in no latency.

    Args:
        given: The options.

    Raises:
        UsageFault: One is about what this run does not measure.
    """
    for threshold in given["thresholds"]:
        if (lacking := _lacking(threshold, given)) is not None:
            raise UsageFault(f"--threshold {threshold.expression}: {lacking}")
    thresholds = given["thresholds"] or (parse_threshold(DEFAULT),)
    if not is_open(given) or any(one.metric.name == "dropped" for one in thresholds):
        return thresholds
    return (*thresholds, parse_threshold(OPEN_DEFAULT))


def _lacking(threshold: Threshold, given: Given) -> str | None:
    """Why this run does not measure what a threshold bounds; None where it does."""
    match threshold.metric.source:
        case "comparison" if given["compare"] is None:
            return "a difference takes two; say with --compare what the target is held against"
        case "arrivals" if not is_open(given):
            return f"{threshold.metric.name} is about arrivals, which only a run with --rate has"
        case "requests" if _out_of_reach(threshold, given):
            return (
                f"--rate {given['rate']:g} asks no more often than that, and replies come later: whether the"
                " target keeps up say dropped, errors and a time such as p95<100ms"
            )
        case "target" if blind := _blind(given):
            return f"{threshold.metric.name} is measured while the target is watched, and {blind} does not"
    return None


def _out_of_reach(threshold: Threshold, given: Given) -> bool:
    """Whether a rate is demanded that is not even asked for; a task of a user may send several requests."""
    if given["rate"] is None or given["locustfile"] is not None or given["mix"]:
        return False
    return threshold.metric.name == "rate" and not threshold.upper and threshold.bound >= given["rate"]


def _blind(given: Given) -> str:
    """What keeps the target from being watched; empty where it is."""
    return "--no-watch" if given["unwatched"] else f"--compare {BARE}" if given["compare"] == BARE else ""


def against_of(given: Given, target: Target, plan: Plan, *, login: Login | None = None) -> Against | None:
    """What the target is held against; None for nothing.

    Args:
        given: The options.
        target: What to load.
        plan: What the run does.
        login: How to log in to each variant.

    Raises:
        UsageFault: The target is not hardened here, the plan is too short, or the report is of another one.
    """
    compare, rounds = given["compare"], given["rounds"]
    if rounds is not None and compare != BARE:
        raise UsageFault(
            f"--rounds says how often --compare {BARE} loads both in turn: add that, or leave it out"
        )
    if compare is None:
        return None
    if compare == BARE:
        return bare_of(target, plan, rounds or ROUNDS, login=login)
    return read_earlier(Path(compare), plan)


def _check_locustfile(path: Path, *, paths: Sequence[str]) -> None:
    if paths:
        raise UsageFault("--path does not go with --locustfile: its users say what they ask for")
    try:
        compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        raise UsageFault(f"cannot read the locustfile {path}: {error.strerror}; check the path") from error
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise UsageFault(f"{path}{line} is not Python: {error}; mend it") from error


def without_idle_quotas(given: Given, context: click.Context) -> Given:
    """The options without the quotas of the file, in a run that cannot hold them.

    The file says what the app declares, whatever is done with it; the command line asks for it to be held.

    Args:
        given: The options.
        context: Knows which of them were given on the command line.
    """
    asked = context.get_parameter_source("quotas") is ParameterSource.COMMANDLINE
    idle = not asked and (_blind(given) or given["master"])
    return {**given, "quotas": ()} if idle else given


def quotas_of(given: Given) -> tuple[Quota, ...] | None:
    """The quotas to watch over; None where the target is not to be watched at all.

    Args:
        given: The options.

    Raises:
        UsageFault: Nobody would watch over the quotas.
    """
    blind = _blind(given)
    if blind and given["quotas"]:
        raise UsageFault(f"--quota is held while the target is watched, and {blind} does not: leave one out")
    return None if blind else given["quotas"]
