"""The ways in which a value is written in the file, each as the words that its flag would be given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from garrison_harness.configuration.variables import MissingVariable, filled

_LONGEST: Final = 60  # letters of a value in a message
_KINDS: Final = {str: "a string", bool: "a boolean", int: "a whole number", float: "a number", list: "a list"}


class WrongValue(Exception):  # noqa: N818 - the name says what happened
    """A value is not written as it should be.

    Attributes:
        keys: Of the value inside of that of the key, such as the name of a header.
        expected: What it should be; empty where `found` is a sentence of its own.
        found: What it is.
    """

    def __init__(self, expected: str, found: str, *keys: str) -> None:
        """Say what was expected, what was found, and where inside of the value."""
        super().__init__(expected, found)
        self.keys = keys
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How the value of a key is written in TOML.

    Attributes:
        expected: What a message says it should be.
        written: Turns it into what the command line would have; raises `WrongValue`.
        example: One in TOML.
        named: It is a table, whose members the command line adds to by name.
    """

    expected: str
    written: Callable[[Any], Any]
    example: str
    named: bool = False


def shown(value: object) -> str:
    """A value as a message shows it.

    Args:
        value: As TOML reads it.
    """
    if isinstance(value, Mapping):
        return "a table"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def kind(value: object) -> str:
    """What sort of value this is, for what may be a secret.

    Args:
        value: As TOML reads it.
    """
    return "a table" if isinstance(value, Mapping) else _KINDS.get(type(value), "a date or a time")


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise WrongValue("true or false", shown(value))
    return value


def text(expected: str) -> Callable[[Any], str]:
    """A string, judged further as the flag's value is."""

    def written(value: Any) -> str:
        if not isinstance(value, str):
            raise WrongValue(expected, shown(value))
        return value

    return written


def number(expected: str, *, whole: bool) -> Callable[[Any], str]:
    """A number, whose bounds are those of the flag."""

    def written(value: Any) -> str:
        if not isinstance(value, int if whole else int | float):
            raise WrongValue(expected, shown(value))
        return str(value)

    return written


def size(expected: str) -> Callable[[Any], str]:
    """A number of bytes, or a string with a unit."""

    def written(value: Any) -> str:
        if not isinstance(value, int | str):
            raise WrongValue(expected, shown(value))
        return str(value)

    return written


def texts(expected: str) -> Callable[[Any], list[str]]:
    """A list of strings."""

    def written(value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise WrongValue(expected, shown(value))
        return value

    return written


def pairs(expected: str, sign: str, *, secret: bool = False) -> Callable[[Any], list[str]]:
    """A table of names and strings, as the flag writes each: with a sign between them.

    Args:
        expected: What a message says it should be.
        sign: What stands between name and value.
        secret: A value may be one, so that no message shows it and the environment may hold it.
    """

    def written(value: Any) -> list[str]:
        if not isinstance(value, Mapping):
            raise WrongValue(expected, kind(value) if secret else shown(value))
        found = []
        for name, one in value.items():
            if not isinstance(one, str):
                raise WrongValue("a string", kind(one) if secret else shown(one), name)
            found.append(f"{name}{sign}{secret_text(one, name) if secret else one}")
        return found

    return written


def secret_text(value: str, *keys: str) -> str:
    """A string with the variables of the environment that it names.

    Args:
        value: As it stands in the file.
        keys: Where, inside of the value of the key.

    Raises:
        WrongValue: A variable is not set.
    """
    try:
        return filled(value)
    except MissingVariable as missing:
        raise WrongValue("", f"the variable {missing} is not set: export it", *keys) from missing


def words(expected: str) -> Callable[[Any], list[str]]:
    """A string, or a list of strings for a command."""

    def written(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise WrongValue(expected, shown(value))
        return value

    return written
