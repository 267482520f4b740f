"""How a command of the harness says what is wrong: in one line, with its exit status."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from garrison_harness.target import TargetFailed, UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stop(click.ClickException):
    """Ends the command with one line on stderr and exit status 2: what was asked for cannot be done."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line; whatever the message quotes, it stays one."""
        click.echo(f"garrison: {' '.join(self.message.split())}", file=file, err=file is None)


class TargetStop(Stop):
    """Ends the command because the target did not start."""

    exit_code = 3


class InterruptStop(Stop):
    """Ends the command because it was told to, before there was anything to report."""

    exit_code = 4


class OneLineCommand(click.Command):
    """A command whose usage errors take one line, instead of the usage and a hint."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments.

        Raises:
            Stop: They are wrong.
        """
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise Stop(error.format_message()) from error


class FaultStop(Stop):
    """Ends the command because it is wrong itself, and so has found out nothing."""

    exit_code = 4


@contextmanager
def faults_stop() -> Iterator[None]:
    """Turn whatever can go wrong into its line and exit status.

    Raises:
        Stop: For a usage fault.
        TargetStop: The target did not start.
        InterruptStop: The command was interrupted.
        FaultStop: Nobody foresaw what happened.
    """
    try:
        yield
    except UsageFault as fault:
        raise Stop(str(fault)) from fault
    except TargetFailed as failure:
        raise TargetStop(str(failure)) from failure
    except KeyboardInterrupt as interrupt:
        raise InterruptStop("interrupted") from interrupt
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as error:
        # Status 1 would say that the target has a fault.
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        raise FaultStop(f"a fault of garrison, please report it: {error!r} at {place}") from error
