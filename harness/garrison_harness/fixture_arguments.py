"""Reads what a test tells the fixtures of its app, by the rules of the flags of `garrison check`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

import click

from garrison_harness.options.limits import LIMITS
from garrison_harness.options.requests import REQUESTS
from garrison_harness.target import IMPORT_STRING

# What a test may say of its app; in process there is but one address, and no document is fetched.
_KNOWN: Final = {
    parameter.name or "": parameter
    for parameter in (*REQUESTS, *LIMITS)
    if parameter.name not in {"openapi", "one_address", "as_https"}
}
_FIELDS: Final = {"host": "authority"}
_OWN: Final = ("select", "ignore", "fail_on", "timeout", "baseline")

ARGUMENTS: Final = {
    **{parameter.opts[0]: name for name, parameter in _KNOWN.items()},
    **{f"--{name.replace('_', '-')}": name for name in _OWN},
}
"""The arguments of the fixtures, by the flags of `garrison check`."""


def require_app(app: object) -> None:
    """Take an app, and nothing that only stands for one.

    Args:
        app: What a test gave.

    Raises:
        TypeError: It is no app.
    """
    __tracebackhide__ = True
    if isinstance(app, str):
        told = f"or run pytest --garrison-target {app}" if IMPORT_STRING.fullmatch(app) else "by its name"
        raise TypeError(f"{app!r} is a string and no app: import the app and give it, {told}")
    if not callable(app):
        raise TypeError(f"{app!r} is no ASGI app: give the app itself, such as app of shop.main")


def known_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a test says of its app, by the fields of `Site`.

    Args:
        given: The arguments, by name.

    Raises:
        TypeError: One has another name.
        ValueError: One is not as it should be.
    """
    __tracebackhide__ = True
    known = {}
    for name, value in given.items():
        if name not in _KNOWN:
            names = [*_OWN, *_KNOWN]
            near = difflib.get_close_matches(name, names, n=1)
            told = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise TypeError(f"{name} is no argument of an audit: {told}")
        if value is not None:
            known[_FIELDS.get(name, name)] = _value(name, value)
    return known


def _value(name: str, value: Any) -> Any:
    """What the flag would hold, after its own type and callback have looked at it."""
    __tracebackhide__ = True
    written = _lines(value) if name == "headers" else value
    try:
        with click.Context(click.Command("audit")) as context:
            found = _KNOWN[name].process_value(context, written)
    except click.BadParameter as error:
        raise ValueError(f"{name}: {error.message}") from None
    return tuple(found) if name == "headers" else found


def _lines(value: Any) -> list[str]:
    """Headers as the command line writes them."""
    __tracebackhide__ = True
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(pairs, list | tuple) or not all(map(_is_header, pairs)):
        raise ValueError(
            f'headers: expected names and values, such as {{"Authorization": "Bearer abc"}}, found {value!r}'
        )
    return [f"{name}:{content}" for name, content in pairs]


def _is_header(pair: object) -> bool:
    return isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
