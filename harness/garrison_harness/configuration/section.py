"""Reads a table inside of `[tool.garrison]` that holds the options of one more command.

Every option is a key, by the name of its flag. What can be repeated is a list, or one value.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from garrison_harness.configuration.forms import WrongValue, flag, pairs, shown
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from garrison_harness.configuration.table import Table

SECTIONS: Final = ("load",)
"""The tables that a command other than `garrison check` reads."""

REPORTS_KEY: Final = "reports"
"""The key that stands for two flags, `--format` and `--output`."""

_PAIRED: Final = ("formats", "outputs")
# What has another name, or its place in the table around this one.
_MEANT: Final = {
    "format": REPORTS_KEY,
    "output": REPORTS_KEY,
    **dict.fromkeys(("header", "headers"), "headers, outside of this table"),
    **{
        key: f"{key}, outside of this table"
        for key in ("target", "factory", "harden", "server", "env", "env-file", "start-timeout", "login")
    },
}
_REPORTS: Final = "a table of forms and the files they go to"


def read_section(table: Table, name: str, options: Iterable[click.Parameter]) -> dict[str, Any]:
    """What the options of a command would be given, by the names of their parameters.

    Args:
        table: What the file says.
        name: One of `SECTIONS`.
        options: Those of the command that may stand there.

    Raises:
        UsageFault: A key is unknown, or its value is not as it should be.
    """
    values = table.values.get(name, {})
    if not isinstance(values, Mapping):
        raise UsageFault(f"{table.at(name)}: expected a table, found {shown(values)}")
    known = {_key(option): option for option in options if isinstance(option, click.Option)}
    reports = [option for option in known.values() if option.name in _PAIRED]
    found: dict[str, Any] = {}
    for key, value in values.items():
        try:
            if key == REPORTS_KEY and reports:
                found |= _reports(value, reports, table)
            elif key not in known or known[key] in reports:
                names = [one for one, option in known.items() if option not in reports]
                raise UsageFault(_unknown(table, name, key, [*names, REPORTS_KEY]))
            else:
                found[known[key].name or ""] = _value(known[key], value, table)
        except WrongValue as wrong:
            expected = f"expected {wrong.expected}, found " if wrong.expected else ""
            raise UsageFault(f"{table.at(name, key, *wrong.keys)}: {expected}{wrong.found}") from wrong
    return found


def _key(option: click.Option) -> str:
    return next(word for word in option.opts if word.startswith("--")).removeprefix("--")


def _unknown(table: Table, name: str, key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.lower().replace("_", "-"), known, n=1, cutoff=0.5)
    meant = _MEANT.get(key, near[0] if near else "")
    told = f"did you mean {meant}?" if meant else f"there are {', '.join(known)}"
    return f"{table.at(name)}: {key} is no key: {told}"


def _value(option: click.Option, value: Any, table: Table) -> Any:
    if option.is_flag:
        return flag(value)
    if option.multiple:
        written: Any = [_word(option, one, table) for one in (value if isinstance(value, list) else [value])]
    else:
        written = _word(option, value, table)
    _process(option, written)
    return written


def _word(option: click.Option, value: Any, table: Table) -> str:
    """A value as the command line would have it; a file is looked for beside that of the table."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise WrongValue("a string or a number", shown(value))
    if not isinstance(value, str):
        return str(value)
    beside = table.file(value)
    return beside if isinstance(option.type, click.Path) or Path(beside).is_file() else value


def _process(option: click.Option, written: Any) -> None:
    try:
        # The command line looks at it once more, but would not say that it comes from the file.
        with click.Context(click.Command("command")) as context:
            option.process_value(context, written)
    except click.BadParameter as error:
        raise WrongValue("", error.message) from error


def _reports(value: Any, reports: list[click.Option], table: Table) -> dict[str, Any]:
    """The forms and the files as the two flags that stand for them."""
    written = [pair.partition("=") for pair in pairs(_REPORTS, "=")(value)]
    formats = [form for form, _, _ in written]
    _process(next(option for option in reports if option.name == "formats"), formats)
    return {
        "formats": formats,
        "outputs": [path if path == "-" else table.file(path) for *_, path in written],
    }
