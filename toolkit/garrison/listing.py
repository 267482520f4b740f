"""Effective settings on paper: as a page for people, as JSON, and as a commented template."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click
import orjson

from garrison.sections import attribute_docs, optional_sections, sections_of, settings_of
from garrison.stack import Settings
from garrison.wording import describe, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from garrison.preflight import Advice
    from garrison.settings import Loaded

DEFAULT: Final = "default"
OFF: Final = "section off"
MASKED: Final = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting as it is.

    Attributes:
        section: the field name of its section; empty for a setting of the whole.
        variable: its name in the environment.
        value: in the notation that is read, with secrets masked.
        origin: where the value comes from, `default` or `section off` among others.
        expects: what it accepts, a noun phrase.
        about: what it is for.
    """

    section: str
    variable: str
    value: str
    origin: str
    expects: str
    about: str

    @property
    def is_set(self) -> bool:
        """Whether somebody set it, to whatever value."""
        return self.origin not in {DEFAULT, OFF}


def rows_of(loaded: Loaded[Settings]) -> tuple[Row, ...]:
    """Every setting in the order of its class; those of a section that is off have their defaults."""
    sections, defaults = sections_of(Settings), Settings()
    docs = {name: attribute_docs(section) for name, section in sections.items()}
    found = []
    for setting in settings_of(Settings):
        name = setting.section or ""
        holder = getattr(loaded.value, name) if name else loaded.value
        origin = loaded.origins.get(setting.variable, DEFAULT)
        if holder is None:
            holder, origin = getattr(defaults, name), OFF
        found.append(
            Row(
                section=name,
                variable=setting.variable,
                value=render(getattr(holder, setting.name), setting.annotation),
                origin=origin,
                expects=describe(setting.annotation),
                about=(docs[name] if name else attribute_docs(Settings))[setting.name],
            )
        )
    return tuple(found)


def page(loaded: Loaded[Settings], *, width: int | None = None) -> str:
    """The settings for people: what each section does, and a `*` at what is not left to its default.

    Args:
        loaded: the settings.
        width: columns to fit into; None writes one line for each variable, whatever its length.
    """
    about, rows = attribute_docs(Settings), rows_of(loaded)
    blocks = [_block("", [row for row in rows if not row.section], width)]
    for name in sections_of(Settings):
        title = f"{click.style(name, bold=True)}: {about[name]}"
        if getattr(loaded.value, name) is None:
            origin = loaded.origins.get(f"GARRISON_{name.upper()}", "code")
            blocks.append(f"{title}\n* GARRISON_{name.upper()}  {_marked('off')}  ({origin})")
        else:
            blocks.append(_block(title, [row for row in rows if row.section == name], width))
    return "\n\n".join(blocks) + "\n"


def _block(title: str, rows: Sequence[Row], width: int | None) -> str:
    name_width = max(len(row.variable) for row in rows)
    lines = [title] if title else []
    for row in rows:
        head = f"{'*' if row.is_set else ' '} {row.variable:<{name_width}}  "
        value = row.value or '""'
        if width is not None and len(head) + len(value) > width:
            value = _fitted(row, value, max(20, width - len(head)), " " * len(head))
        if row.is_set:
            value = "\n".join(_marked(line) for line in value.split("\n"))
            longest = len(head) + len(row.value) + len(row.origin) + 4
            gap = "  " if width is None or longest <= width else "\n" + " " * len(head)
            value += f"{gap}({row.origin})"
        lines.append(f"{head}{value}")
    return "\n".join(lines)


def _fitted(row: Row, value: str, width: int, indent: str) -> str:
    """A value over several lines, or one that nobody chose cut to a single line."""
    if not row.is_set:
        return f"{value[: width - 3]}..."
    # A blank behind each comma is somewhere to break, and does not change what a list means.
    parts = textwrap.wrap(value.replace(",", ", "), width, break_on_hyphens=False)
    return f"\n{indent}".join(parts)


def _marked(text: str) -> str:
    return click.style(text, fg="cyan")


def document(loaded: Loaded[Settings], advice: Iterable[Advice] | None = None) -> bytes:
    """The settings as JSON.

    Args:
        loaded: the settings.
        advice: what was found in them, where somebody looked.
    """
    found: dict[str, object] = {
        "settings": {row.variable: {"value": row.value, "origin": row.origin} for row in rows_of(loaded)},
        "off": [name for name in sections_of(Settings) if getattr(loaded.value, name) is None],
        "unused": list(loaded.unused),
    }
    if advice is not None:
        found["advice"] = [
            {"level": item.level, "variable": item.variable, "text": item.text} for item in advice
        ]
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)


def template(loaded: Loaded[Settings]) -> str:
    """A file for `--env-file` that has every setting in it, with what is at its default commented out."""
    lines = ["# Every setting of Garrison with its value. Take the # off what you change.", ""]
    section = ""
    for row in rows_of(loaded):
        if row.section != section:
            section = row.section
            lines += _chapter(section, loaded)
        lines += [f"# {line}" for line in _wrapped(f"{sentence(row.about)} Expects {row.expects}.")]
        lines += [_assignment(row), ""]
    return "\n".join(lines)


def _chapter(section: str, loaded: Loaded[Settings]) -> list[str]:
    title = f"{section.upper().replace('_', ' ')}: {attribute_docs(Settings)[section]}"
    lines = ["", *(f"# {line}" for line in _wrapped(title)), "#"]
    switch = f"GARRISON_{section.upper()}"
    if getattr(loaded.value, section) is None:
        lines += [f"{switch}=off"]
    elif section in optional_sections(Settings):
        lines += [f"# {switch}=off switches this layer off."]
    return [*lines, ""]


def _assignment(row: Row) -> str:
    if row.is_set and row.origin.startswith("file "):
        return f"{row.variable}_FILE={row.origin.removeprefix('file ')}"
    # What is masked would be taken for the secret itself.
    hidden = MASKED in row.value
    return f"{'' if row.is_set and not hidden else '#'}{row.variable}={_as_read(row.value)}"


def _as_read(value: str) -> str:
    """A value that stays what it is when it is read: it may begin with a quote, or seem to have a comment."""
    if value[:1] in {'"', "'"} or " #" in value:
        quote = "'" if '"' in value else '"'
        return f"{quote}{value}{quote}"
    return value


def sentence(text: str) -> str:
    """What a docstring says of an attribute, with the capital letter of a sentence."""
    return text[:1].upper() + text[1:]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width=78, break_long_words=False, break_on_hyphens=False)
