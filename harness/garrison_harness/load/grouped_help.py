"""A command whose help has its options by subject: there are too many for one list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from garrison_harness.configuration.command import ConfiguredCommand

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class GroupedCommand(ConfiguredCommand):
    """A command that is made of subjects, each with its parameters."""

    def __init__(self, *, subjects: Mapping[str, Sequence[click.Parameter]], **settings: Any) -> None:
        """Take the parameters of all subjects.

        Args:
            subjects: Parameters by the heading above them.
            settings: What click's command takes; its own parameters are replaced.
        """
        self._subjects = subjects
        params = [one for subject in subjects.values() for one in subject]
        super().__init__(**settings | {"params": params})

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the heading of their subject."""
        shown = {*(parameter.name for subject in self._subjects.values() for parameter in subject)}
        other = [one for one in self.get_params(ctx) if one.name not in shown]
        for heading, parameters in {**self._subjects, "Other": other}.items():
            options = (one for one in parameters if isinstance(one, click.Option))
            records = (option.get_help_record(ctx) for option in options)
            if rows := [record for record in records if record is not None]:
                with formatter.section(heading):
                    formatter.write_dl(rows)
