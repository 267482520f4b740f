"""A command whose options have their defaults in `[tool.garrison]`, where there is such a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from garrison_harness.configuration import table
from garrison_harness.one_line_errors import OneLineCommand, Stop
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from garrison_harness.configuration.reading import Defaults
    from garrison_harness.login.settings import Login

OFF: Final = "off"
"""What `--config` is given so that no file is read."""

_META: Final = "garrison_harness.configuration"
_OWN: Final = ("configuration", "help")  # what no file says of itself
# They say in different ways how an import string is served, and the last word has it.
_SERVED: Final[dict[str, Any]] = {"harden": False, "server": None, "in_process": False}
# They are about the target that the file names, and about no other.
_OF_TARGET: Final[dict[str, Any]] = {"factory": False, **_SERVED}


def config_option(only: Collection[str] | None = None, *, section: str = "") -> click.Option:
    """The option that names the file; without it the nearest `pyproject.toml` with the table is read.

    Args:
        only: The parameters that have their defaults there; all of those that the file knows unless given.
        section: The table inside of it that holds all others; none unless given.
    """
    return click.Option(
        ["--config", "configuration"],
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_taking(only, section),
        help=f"A TOML file with {table.NAME}; {OFF} for none.  [default: the nearest pyproject.toml with it]",
    )


def login_of(context: click.Context) -> Login | None:
    """How to log in, as the file says.

    Args:
        context: Of a command that has read its options.
    """
    found: Defaults | None = context.meta.get(_META)
    return found.login if found is not None else None


def _taking(
    only: Collection[str] | None, section: str
) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def take(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
        try:
            found = None if value == OFF else table.read(Path(value)) if value else table.find(Path.cwd())
            if found is None:
                return
            from garrison_harness.configuration.reading import defaults  # noqa: PLC0415 - only where needed
            from garrison_harness.configuration.section import read_section  # noqa: PLC0415 - the same

            read = defaults(found, only)
            values = _renamed(read.values, context.command)
            if section:
                options = [one for one in context.command.params if one.name not in {*(only or ()), *_OWN}]
                values |= read_section(found, section, options)
        except UsageFault as fault:
            raise Stop(str(fault)) from fault
        context.meta[_META] = read
        context.default_map = {**(context.default_map or {}), **values}

    return take


def _renamed(values: Mapping[str, Any], command: click.Command) -> dict[str, Any]:
    """What the file says, where a command has another name for it, or takes several."""
    names = {parameter.name for parameter in command.params}
    found = dict(values)
    if "words" in found and "words" not in names:
        found["target"] = " ".join(found["words"])
    if "quota" in found and "quota" not in names:
        found["quotas"] = [found["quota"]]
    return found


class ConfiguredCommand(OneLineCommand):
    """A command with `config_option` among its options, where flags win over the file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, and take out of the file's share what they rule out."""
        rest = super().parse_args(ctx, args)
        if ctx.meta.get(_META) is not None:
            _Settling(ctx).settle()
        return rest


class _Settling:
    """Where a flag and the file speak of the same thing in different words."""

    def __init__(self, context: click.Context) -> None:
        self._context = context
        self._params = context.params
        self._file: dict[str, Any] = dict(context.default_map or {})

    def settle(self) -> None:
        """Let the command line have the last word."""
        self._settle_target()
        self._settle_reports()
        self._settle_names()
        self._settle_checks()

    def _given(self, *names: str) -> bool:
        """Whether the command line says one of these."""
        sources = map(self._context.get_parameter_source, names)
        return ParameterSource.COMMANDLINE in sources

    def _take_back(self, values: dict[str, Any]) -> None:
        """Give parameters another value, unless it is the command line's."""
        for name, value in values.items():
            if name in self._params and not self._given(name):
                self._params[name] = value

    def _settle_target(self) -> None:
        words = self._words()
        url = words[0] if len(words) == 1 and "://" in words[0] else ""
        if self._given("words", "target") and words != self._file.get("words", words):
            self._take_back(_OF_TARGET)
        if self._given(*_SERVED):
            self._take_back(_SERVED)
        if url:
            # What is up already has its variables.
            self._take_back({"environment": [], "env_file": None})
        if url and self._given("words") and urlsplit(url).path not in {"", "/"}:
            self._take_back({"path": None})

    def _words(self) -> list[str]:
        """The target, whatever its parameter is called."""
        return list(self._params["words"]) if "words" in self._params else [self._params["target"] or ""]

    def _settle_reports(self) -> None:
        if self._given("formats", "outputs"):
            self._take_back({"formats": (), "outputs": ()})

    def _settle_names(self) -> None:
        for name in ("headers", "environment", "severities"):
            if self._given(name) and name in self._file:
                ours, theirs = self._params[name], self._of_file(name)
                if isinstance(ours, dict):
                    self._params[name] = {**theirs, **ours}
                else:
                    said = {key.lower() for key, _ in ours}
                    kept = [pair for pair in theirs if pair[0].lower() not in said]
                    self._params[name] = [*kept, *ours]

    def _settle_checks(self) -> None:
        """What is selected by a flag is run, and what is ignored by one is not, whatever the file says."""
        if self._given("select"):
            self._take_back({"ignore": []})
        elif self._given("ignore") and {"select", "ignore"} & self._file.keys():
            from garrison_harness.checks.catalogue import choose  # noqa: PLC0415 - only where it is needed

            chosen = choose(self._of_file("select"), self._of_file("ignore"))
            try:
                left = [check.id for check in choose([], self._params["ignore"]) if check in chosen]
            except ValueError as error:
                raise Stop(str(error)) from error
            if not left:
                raise Stop("--ignore and the file leave no check to run: ignore fewer")
            self._params.update(select=left, ignore=[])

    def _of_file(self, name: str) -> Any:
        """What the file says, as the option reads it."""
        parameter = next(one for one in self._context.command.params if one.name == name)
        return parameter.process_value(self._context, self._file.get(name, []))
