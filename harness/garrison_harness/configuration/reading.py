"""Turns the table into what the options would be given, and says in one line what is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from garrison_harness.checks.catalogue import choose
from garrison_harness.configuration.fields import FILES, REPORTS_KEY, fields, only_flags
from garrison_harness.configuration.forms import WrongValue, shown
from garrison_harness.configuration.readers import LOGIN
from garrison_harness.configuration.section import SECTIONS
from garrison_harness.configuration.table import Table
from garrison_harness.login.settings import Login, read_login
from garrison_harness.report.forms import FORMS
from garrison_harness.target import UsageFault

if TYPE_CHECKING:
    from collections.abc import Collection

    from garrison_harness.configuration.fields import Field

# What one might write for something that has another name, or is no key for a reason.
_MEANT: Final = {
    "format": REPORTS_KEY,
    "output": REPORTS_KEY,
    "header": "headers",
    "environment": "env",
    "severities": "severity",
    "extend-ignore": "ignore",
    "extend-select": "select",
}
_SECRET: Final = frozenset({"headers", "environment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the table says, for who reads the command line.

    Attributes:
        table: Where it comes from.
        values: What each option would be given, by the name of its parameter.
        login: How to log in, if the table says so.
    """

    table: Table
    values: Mapping[str, Any]
    login: Login | None = None


def defaults(table: Table, only: Collection[str] | None = None) -> Defaults:
    """Read and check every key, whether or not a flag replaces it.

    Args:
        table: What the file says.
        only: The parameters that are wanted, for a command that does without the others; all unless given.

    Raises:
        UsageFault: A key is unknown, or its value is not as it should be.
    """
    known = {field.key: field for field in fields()}
    values: dict[str, Any] = {}
    login = None
    for key, value in table.values.items():
        if key in SECTIONS:
            continue  # whose command reads it
        try:
            if key not in known and key != LOGIN:
                raise UsageFault(_unknown(table, key, [*known, LOGIN, *SECTIONS]))
            if only is not None and (key if key == LOGIN else known[key].name) not in only:
                continue
            if key == LOGIN:
                login = read_login(value)
            elif key == REPORTS_KEY:
                values |= _reports(known[key], value, table)
            else:
                values[known[key].name] = _value(known[key], value, table)
        except WrongValue as wrong:
            raise UsageFault(_wrong(table, key, wrong)) from wrong
    return Defaults(table=table, values=values, login=login)


def _unknown(table: Table, key: str, known: list[str]) -> str:
    reason = dict(only_flags()).get(key)
    if reason is not None and key not in _MEANT:
        return f"{table.at()}: {key} is said on the command line only: {reason}"
    near = difflib.get_close_matches(key.lower().replace("_", "-"), known, n=1, cutoff=0.5)
    meant = _MEANT.get(key, near[0] if near else "")
    told = f"did you mean {meant}?" if meant else f"there are {', '.join(known)}"
    return f"{table.at()}: {key} is no key: {told}"


def _wrong(table: Table, key: str, wrong: WrongValue) -> str:
    place = table.at(key, *wrong.keys)
    return (
        f"{place}: expected {wrong.expected}, found {wrong.found}"
        if wrong.expected
        else f"{place}: {wrong.found}"
    )


def _value(field: Field, value: Any, table: Table) -> Any:
    """What the flag would be given, after the flag's own type and callback have looked at it."""
    written = field.form.written(value)
    # A path from the root stays what it is, as does that of the app's own document.
    if field.name in FILES and written != "off":
        written = table.file(written)
    if field.name in {"select", "ignore"}:
        _require_checks(written)
    try:
        # The command line looks at it once more, but would not say that it comes from the file.
        with click.Context(click.Command("check"), resilient_parsing=False) as context:
            field.parameter.process_value(context, written)
    except click.BadParameter as error:
        found = error.message if field.name in _SECRET or field.form.named else shown(value)
        expected = "" if field.name in _SECRET or field.form.named else field.form.expected
        raise WrongValue(expected, found) from error
    return written


def _require_checks(names: list[str]) -> None:
    try:
        choose(names, [])
    except ValueError as error:
        raise WrongValue("", str(error)) from error


def _reports(field: Field, value: Any, table: Table) -> dict[str, list[str]]:
    """The forms and the files as the two flags that stand for them."""
    if isinstance(value, Mapping):
        for form in value:
            if form not in FORMS:
                near = difflib.get_close_matches(form, FORMS, n=1, cutoff=0)[0]
                raise WrongValue(f"one of {', '.join(FORMS)}", f"{form}: did you mean {near}?")
    written = [pair.partition("=") for pair in field.form.written(value)]
    paths = [path if path == "-" else table.file(path) for _, _, path in written]
    return {"formats": [form for form, _, _ in written], "outputs": paths}
