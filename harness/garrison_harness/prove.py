"""The command line: `garrison prove`."""

from __future__ import annotations

import secrets
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from garrison_harness.checks.catalogue import choose
from garrison_harness.configuration.command import ConfiguredCommand, config_option
from garrison_harness.configuration.readers import PROVE
from garrison_harness.extras import require
from garrison_harness.interruption import termination_interrupts
from garrison_harness.one_line_errors import faults_stop
from garrison_harness.options import reading
from garrison_harness.options.seconds import Seconds
from garrison_harness.output import pair_outputs, write_all
from garrison_harness.progress import Progress
from garrison_harness.proving.asking import checks_for, checks_without, narrowed
from garrison_harness.proving.matrix import exit_status
from garrison_harness.proving.plan import planned
from garrison_harness.proving.settings import effective
from garrison_harness.target import IMPORT_STRING, UsageFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from garrison_harness.checks.check import Check
    from garrison_harness.proving.proof import Proof


@click.command(
    cls=ConfiguredCommand,
    context_settings={"max_content_width": 100, "help_option_names": ["-h", "--help"]},
    # The checks that a project is held to are another matter: every layer has to be missed by its own.
    params=[config_option(only=PROVE)],
)
@click.argument("target", required=False)
@click.option("--factory", is_flag=True, help="The attribute is called to get the app.")
@click.option("--all", "proving", is_flag=True, help="Give layers that the settings leave idle a value.")
@click.option(
    "--env",
    "environment",
    metavar="NAME=VALUE",
    multiple=True,
    callback=reading.variables,
    help="A variable for the app.  Repeatable.",
)
@click.option(
    "--env-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
    help="File of NAME=value lines; the environment wins.",
)
@click.option(
    "--select",
    metavar="IDS",
    multiple=True,
    callback=reading.comma_separated,
    help="Checks to run, by id or family: E1,M.",
)
@click.option(
    "--ignore",
    metavar="IDS",
    multiple=True,
    callback=reading.comma_separated,
    help="Checks to leave out, likewise.",
)
@click.option(
    "--format", "formats", multiple=True, type=click.Choice(["text", "json"]), help="[default: text]"
)
@click.option(
    "--output", "outputs", metavar="PATH", multiple=True, help="Where the format goes; - is stdout."
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=Seconds(min=10, max=3600),
    default=150,
    show_default=True,
    help="Seconds that the proof may take.",
)
def prove(
    target: str | None,
    factory: bool,
    proving: bool,
    environment: list[tuple[str, str]],
    env_file: Path | None,
    select: list[str],
    ignore: list[str],
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    timeout: float,
) -> None:
    """Prove that every layer of the toolkit does its work.

    TARGET is module:attribute. It is started under garrison run with your settings, with routes planted
    beside its own that do what no app should; then once more for each layer, with that layer off. Exactly
    the checks that name the layer must turn red.

    \b
    Examples:
      garrison prove shop.main:app --env-file shop.env
      garrison prove shop.main:app --all --format json --output proof.json

    Exit status: 0 pass, 1 a layer is not missed or a check is wrong about it, 2 usage, 3 the app did not
    start, 4 inconclusive.
    """  # noqa: D301 - click wants the backspace itself
    with faults_stop():
        require("prove", "h11", "rich")
        if target is None:
            raise UsageFault("no target: give module:attribute, or name it in [tool.garrison]")
        if not IMPORT_STRING.fullmatch(target):
            raise UsageFault(f"{target!r} is no module:attribute, and only such an app can be taken apart")
        checks = _choose(select, ignore)
        destinations = pair_outputs(formats, outputs)
        proof = _prove(target, factory, proving, environment, env_file, checks, timeout)
        from garrison_harness.proving.report import write  # noqa: PLC0415 - needs the extra

        write_all(destinations, partial(write, proof))
    sys.exit(exit_status(proof.rows))


def _choose(select: Sequence[str], ignore: Sequence[str]) -> tuple[Check, ...]:
    try:
        chosen = choose(select, ignore)
    except ValueError as error:
        raise UsageFault(str(error).replace("--list names", "garrison explain --list names")) from error
    return chosen


def _prove(
    words: str,
    factory: bool,
    proving: bool,
    environment: Sequence[tuple[str, str]],
    env_file: Path | None,
    checks: Sequence[Check],
    timeout: float,
) -> Proof:
    from garrison_harness.proving.proof import prove as proven  # noqa: PLC0415 - needs the extra
    from garrison_harness.proving.shimmed import Shimmed  # noqa: PLC0415 - needs the extra

    target = Shimmed(
        kind="import",
        words=(words,),
        factory=factory,
        server="garrison",
        environment=tuple(environment),
        env_file=env_file,
    )
    with ExitStack() as stack:
        stack.enter_context(termination_interrupts())
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="garrison-")))
        plan = planned(effective(dict(environment), env_file), directory, proving=proving)
        if not any(set(plan.layers).intersection(check.layers) for check in checks):
            raise UsageFault("--select and --ignore leave no check that names a layer: ignore fewer")
        plan = narrowed(plan, checks)
        asked = [checks_for(plan, checks), *(checks_without(layer, plan, checks) for layer in plan.active)]
        progress = stack.enter_context(Progress(sum(map(len, asked))))
        canary = f"garrison-{secrets.token_hex(6)}"
        return proven(target, plan, checks, canary=canary, timeout=timeout, progress=progress.count)
