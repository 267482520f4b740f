"""Environment variables to frozen dataclasses, for sections that this module knows nothing of."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

from garrison import units, values, wording
from garrison.nearest import nearest_to
from garrison.sections import PREFIX, Setting, hints_of, optional_sections, sections_of, settings_of

T = TypeVar("T")

# What Kubernetes injects into every pod next to a service that is called "garrison"
# (kubernetes.io, "Discovering services", environment variables).
_INJECTED: Final = re.compile(
    r"GARRISON_(SERVICE_(HOST|PORT)(_.+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with one setting.

    Attributes:
        name: the variable, or `Section.field` for a value that was given in code.
        expected: a noun phrase.
        found: how the value was written; None where it must not be shown or there is none.
        hint: what to do about it, a sentence or nothing.
    """

    name: str
    expected: str
    found: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        found = "" if self.found is None else f", found {self.found!r}"
        return f"{self.name}: expected {self.expected}{found}.{' ' if self.hint else ''}{self.hint}"


class SettingsError(ValueError):
    """Settings that cannot be used: every problem at once.

    Args:
        problems: at least one.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def validate(section: Any, *requirements: tuple[str, bool, str]) -> None:
    """Check the fields of a section, for its `__post_init__`; its types are checked without asking.

    Requirements that need the types to be right come in a second call.

    Args:
        section: the dataclass instance.
        requirements: the field's name, whether it is fine, and what is expected of it otherwise.

    Raises:
        SettingsError: with one problem for each field that is not fine.
    """
    hints = hints_of(type(section))
    broken = {
        name: (wording.describe(hint), wording.hint_for_code(hint, value))
        for name, hint in hints.items()
        if not values.fits(hint, value := getattr(section, name))
    }
    broken |= {name: (expected, "") for name, fine, expected in requirements if not fine}
    if broken:
        raise SettingsError(
            Problem(
                name=f"{type(section).__name__}.{name}",
                expected=expected,
                found=wording.render_given(getattr(section, name), hints[name]),
                hint=hint,
            )
            for name, (expected, hint) in broken.items()
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Loaded(Generic[T]):
    """Settings, and where each of them comes from.

    Attributes:
        value: the settings.
        origins: a variable's name to `environment`, `env file PATH`, `file PATH`, `profile NAME`, `command`,
            another program's variable, or `code`; what is not in it has its default.
        unused: variables of sections that are switched off.
    """

    value: T
    origins: Mapping[str, str]
    unused: tuple[str, ...]


def load(
    cls: type[T],
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
    defaults: Mapping[str, tuple[str, str]] | None = None,
    sources: Mapping[str, str] | None = None,
) -> Loaded[T]:
    """Read a settings class from the environment.

    The class has a section (a dataclass) or a plain setting in every field. `GARRISON_<SECTION>_<FIELD>`
    sets a field, `GARRISON_<SECTION>=off` makes the section None, and `…_FILE` names a file that holds
    the value. A section's class variable `DEVELOPMENT` holds other defaults for that profile.

    Args:
        cls: the settings class.
        environ: where to read; the process environment unless given.
        overrides: field name to value; what code gives wins over the environment.
        defaults: where the environment has none: a variable to its text and the origin of that, `command`
            or the variable of another program.
        sources: where variables of the environment come from that did not begin there: a name to an origin.

    Returns:
        The settings and where they come from.

    Raises:
        SettingsError: with every problem found, unknown variables included.
    """
    reader = _Reader(os.environ if environ is None else environ, defaults or {}, sources or {})
    given = dict(overrides or {})
    sections = sections_of(cls)
    known = {setting.variable: setting for setting in settings_of(cls)}
    optional = optional_sections(cls)
    arguments: dict[str, object] = {}
    for setting in known.values():
        if setting.section is None and setting.name not in given:
            reader.read_into(arguments, setting)
    profile = str(given.get("profile", arguments.get("profile", "production")))
    for name, section in sections.items():
        fields = [setting for setting in known.values() if setting.section == name]
        arguments[name] = reader.section(name, section, fields, profile, optional=name in optional)
    reader.reject_unknown(known, sections)
    if reader.problems:
        raise SettingsError(reader.problems)
    for name, value in given.items():
        for setting in settings_of(cls):
            if name in {setting.section, setting.name if setting.section is None else None}:
                reader.origins[setting.variable] = "code"
        arguments[name] = value
    try:
        value = cls(**arguments)
    except SettingsError as error:
        plain = [setting for setting in known.values() if setting.section is None]
        raise SettingsError(reader.renamed(problem, plain) for problem in error.problems) from None
    return Loaded(value=value, origins=reader.origins, unused=tuple(reader.unused))


class _Reader:
    """One pass over one environment, which collects problems instead of stopping at the first."""

    def __init__(
        self,
        environ: Mapping[str, str],
        defaults: Mapping[str, tuple[str, str]],
        sources: Mapping[str, str],
    ) -> None:
        self.environ = environ
        self.defaults = defaults
        self.sources = sources
        self.problems: list[Problem] = []
        self.origins: dict[str, str] = {}
        self.unused: list[str] = []

    def read_into(self, arguments: dict[str, object], setting: Setting) -> None:
        """Put the setting's value into the arguments, if it is set and fits."""
        text = self._text(setting.variable)
        if text is None:
            return
        try:
            arguments[setting.name] = values.parse(setting.annotation, text)
        except ValueError as error:
            self._problem(setting, str(error), text)

    def section(
        self, name: str, section: type[Any], settings: list[Setting], profile: str, *, optional: bool
    ) -> object:
        """The section made from its variables, None where it is off or after a problem."""
        switch = f"{PREFIX}{name.upper()}"
        word = (self._text(switch) or "on").strip().lower()
        if word not in values.TRUE | values.FALSE:
            self.problems.append(Problem(name=switch, expected="on or off", found=word))
        arguments: dict[str, object] = {}
        for setting in settings:
            self.read_into(arguments, setting)
        if word in values.FALSE and not optional:
            self.problems.append(
                Problem(name=switch, expected="on: this section cannot be switched off", found=word)
            )
        elif word in values.FALSE:
            self.unused += (setting.variable for setting in settings if setting.variable in self.origins)
            return None
        if profile == "development":
            for field, value in getattr(section, "DEVELOPMENT", {}).items():
                if field not in arguments:
                    arguments[field] = value
                    self.origins[f"{switch}_{field.upper()}"] = "profile development"
        # Also where a field could not be read: what the section says of the others belongs in the same list.
        try:
            return section(**arguments)
        except SettingsError as error:
            self.problems += (self.renamed(problem, settings) for problem in error.problems)
            return None

    def reject_unknown(self, known: Mapping[str, Setting], sections: Mapping[str, type[Any]]) -> None:
        """Report every variable with our prefix that nothing reads."""
        names = {*known, *(f"{PREFIX}{name.upper()}" for name in sections)}
        for variable in sorted(self.environ):
            if not variable.startswith(PREFIX) or _INJECTED.fullmatch(variable):
                continue
            if variable in names or variable.removesuffix("_FILE") in names:
                continue
            nearest = nearest_to(variable, names)
            hint = f"Did you mean {nearest}?" if nearest else "`garrison config --format env` lists them."
            self.problems.append(Problem(name=variable, expected="a variable that Garrison knows", hint=hint))

    def _text(self, variable: str) -> str | None:
        in_file = self.environ.get(f"{variable}_FILE")
        if variable in self.environ:
            if in_file is not None:
                self.problems.append(
                    Problem(name=variable, expected=f"either this variable or {variable}_FILE, not both")
                )
            self.origins[variable] = self.sources.get(variable, "environment")
            return self.environ[variable]
        if in_file is not None:
            self.origins[variable] = f"file {in_file}"
            return self._file(variable, in_file)
        if variable not in self.defaults:
            return None
        text, self.origins[variable] = self.defaults[variable]
        return text

    def _file(self, variable: str, path: str) -> str | None:
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
            self.problems.append(
                Problem(
                    name=f"{variable}_FILE",
                    expected="the path of a readable file",
                    found=path,
                    hint=f"{reason}.",
                )
            )
            return None

    def _problem(self, setting: Setting, expected: str, text: str) -> None:
        secret = units.Secret in (setting.annotation, *get_args(setting.annotation))
        hidden = secret or self._in_file(setting.variable)
        choices = _choices(setting.annotation)
        # Of a list only the word that is wrong is near anything.
        wrong = next((word for word in map(str.strip, text.split(",")) if word not in choices), text)
        nearest = None if hidden else nearest_to(wrong, choices)
        self.problems.append(
            Problem(
                name=self._blamed(setting.variable),
                expected=expected,
                found=None if hidden else wording.mask_credentials(text),
                hint=f"Did you mean {nearest}?" if nearest else "",
            )
        )

    def renamed(self, problem: Problem, settings: list[Setting]) -> Problem:
        field = problem.name.partition(".")[2]
        for setting in settings:
            if setting.name == field:
                problem = dataclasses.replace(problem, name=self._blamed(setting.variable))
                if self._in_file(setting.variable):
                    problem = dataclasses.replace(problem, found=None)
        return problem

    def _in_file(self, variable: str) -> bool:
        """Whether the value came from a file; it may be a secret even where the field is not one."""
        return self.origins.get(variable, "").startswith("file ")

    def _blamed(self, variable: str) -> str:
        """The variable that was written by whoever set this one."""
        if self._in_file(variable):
            return f"{variable}_FILE"
        if variable in self.environ or variable not in self.defaults:
            return variable
        origin = self.defaults[variable][1]
        return variable if origin == "command" else origin


def _choices(annotation: Any) -> list[str]:
    kept = units.without_none(annotation) if units.is_optional(annotation) else annotation
    if get_origin(kept) is tuple:
        kept = get_args(kept)[0]
    return [item for item in get_args(kept) if isinstance(item, str)]


def foreign(name: str) -> str | None:
    """A variable of another program that Garrison honours, such as `FORWARDED_ALLOW_IPS`; None if unset."""
    return os.environ.get(name) or None
