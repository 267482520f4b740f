"""The keys of `[tool.garrison]`: the options of `garrison check`, written in TOML.

The options themselves are the table: a new one is a key here, is checked by its own type and callback, and
stands in the reference. Only where TOML has a better form than a word has a key a line of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from garrison_harness.configuration.forms import (
    Form,
    flag,
    number,
    pairs,
    size,
    text,
    texts,
    words,
)
from garrison_harness.options.limits import LIMITS
from garrison_harness.options.reports import REPORTS
from garrison_harness.options.requests import REQUESTS
from garrison_harness.options.target import TARGET
from garrison_harness.options.verdict import VERDICT

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORTS_KEY: Final = "reports"
"""The key that stands for two flags, `--format` and `--output`."""

SUBJECTS: Final = (
    ("The target", TARGET),
    ("Requests", REQUESTS),
    ("Limits that the app declares", LIMITS),
    ("Checks, and what fails", VERDICT),
    ("Reports", REPORTS),
)
"""The options of `garrison check` by what they are about."""

ONLY_FLAGS: Final = {
    "remote": "consent is given on the command line, by whoever starts the audit",
    "catalogue": "it asks for something else than an audit",
    "outputs": f"{REPORTS_KEY} names the file of each form",
}
"""The options that no file says, with the reason, by the name of their parameter."""

FILES: Final = frozenset({"baseline", "openapi", "log_directory", "env_file"})
"""The options that name a file, which is relative to that of the table."""

_KEYS: Final = {"words": "target", "environment": "env", "headers": "headers", "formats": REPORTS_KEY}
_IDS: Final = "a list of ids or families of checks"
_TARGET: Final = "module:attribute, a URL, or a command as a list with {port} in it"
_REPORT: Final = "a table of forms and the files they go to"
# Where TOML says it better than one word does, by the name of the parameter.
_FORMS: Final = {
    "words": Form(expected=_TARGET, written=words(_TARGET), example='"shop.main:app"'),
    "environment": Form(
        expected="a table of names and strings",
        written=pairs("a table of names and strings", "=", secret=True),
        example='{ DATABASE_URL = "sqlite://" }',
        named=True,
    ),
    "headers": Form(
        expected="a table of names and strings",
        written=pairs("a table of names and strings", ":", secret=True),
        example='{ X-Api-Key = "${API_KEY}" }',
        named=True,
    ),
    "severities": Form(
        expected="a table of checks and severities",
        written=pairs("a table of checks and severities", "="),
        example='{ H7 = "low", C = "high" }',
        named=True,
    ),
    "select": Form(expected=_IDS, written=texts(_IDS), example='["H", "E1"]'),
    "ignore": Form(expected=_IDS, written=texts(_IDS), example='["H7"]'),
    "formats": Form(
        expected=_REPORT, written=pairs(_REPORT, "="), example='{ text = "-", sarif = "garrison.sarif" }'
    ),
}
# What a text is and looks like, by the word that the help has for it.
_TEXTS: Final = {
    "PATH": ("a path that begins with /", '"/"'),
    "FILE": ("the path of a file", '"garrison"'),
    "DIRECTORY": ("the path of a directory", '"logs"'),
    "NAME": ('a host such as "shop.example"', '"shop.example"'),
    "URL": ("the address of a page", '"https://docs.example/checks.html"'),
    "QUOTA": ('a quota such as "5/minute" or "POST /login: 5/minute"', '"5/minute"'),
}
# Better than what can be made of the type.
_EXAMPLES: Final = {
    "path": '"/orders"',
    "body_path": '"/orders"',
    "error_path": '"/raise"',
    "slow_path": '"/report"',
    "openapi": '"/openapi.json"',
    "baseline": '"accepted.toml"',
    "env_file": '"shop.env"',
    "time_limit": "10",
    "slow_limit": "20",
    "concurrency": "20",
    "timeout": "120",
    "start_timeout": "60",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key of the table.

    Attributes:
        key: How it is written.
        parameter: The option of `garrison check`.
        form: How its value is written.
        subject: What it is about.
    """

    key: str
    parameter: click.Parameter
    form: Form
    subject: str

    @property
    def name(self) -> str:
        """The name of the parameter."""
        return self.parameter.name or ""

    @property
    def flag(self) -> str:
        """What the command line calls it."""
        long = [word for word in self.parameter.opts if word.startswith("--")]
        return long[0] if long else "TARGET"


def fields() -> Iterator[Field]:
    """Every key but that of the login, in the order of the help."""
    for subject, options in SUBJECTS:
        for parameter in options:
            name = parameter.name or ""
            if name not in ONLY_FLAGS:
                long = next((word for word in parameter.opts if word.startswith("--")), name)
                key = _KEYS.get(name, long.removeprefix("--"))
                yield Field(key=key, parameter=parameter, form=_form(parameter), subject=subject)


def _files(parameter: click.Parameter) -> str:
    """What sort of file an option names; empty for one that names none."""
    if parameter.name not in FILES:
        return ""
    kind = parameter.type
    return "DIRECTORY" if isinstance(kind, click.Path) and kind.dir_okay else "FILE"


def only_flags() -> Iterator[tuple[str, str]]:
    """The options that no file says, as a key would be written, and the reason."""
    for _, options in SUBJECTS:
        for parameter in options:
            if parameter.name in ONLY_FLAGS:
                yield parameter.opts[0].removeprefix("--"), ONLY_FLAGS[parameter.name]


def _form(parameter: click.Parameter) -> Form:
    """How the value of an option is written, as its own type says."""
    known = _FORMS.get(parameter.name or "")
    if known is not None:
        return known
    kind = parameter.type
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return Form(expected="true or false", written=flag, example="true")
    if isinstance(kind, click.Choice):
        expected = f"one of {', '.join(map(str, kind.choices))}"
        return Form(expected=expected, written=text(expected), example=f'"{kind.choices[-1]}"')
    if isinstance(kind, click.IntRange | click.FloatRange):
        whole = isinstance(kind, click.IntRange)
        noun = "a whole number" if whole else "a number of seconds"
        expected = f"{noun} from {kind.min:g} to {kind.max:g}"
        example = _EXAMPLES.get(parameter.name or "", f"{kind.max:g}")
        return Form(expected=expected, written=number(expected, whole=whole), example=example)
    metavar = parameter.metavar or ""
    if metavar == "SIZE":
        expected = 'a size such as "10MB", or a number of bytes'
        return Form(expected=expected, written=size(expected), example='"10MB"')
    noun, usual = _TEXTS[_files(parameter) or metavar]
    example = _EXAMPLES.get(parameter.name or "", usual)
    return Form(expected=noun, written=text(noun), example=example)
