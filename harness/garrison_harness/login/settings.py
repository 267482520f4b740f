"""How to log in, as the file says."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from garrison_harness.configuration.forms import WrongValue, kind, secret_text, shown

_METHOD: Final = re.compile(r"[A-Z]+")
_PATH: Final = re.compile(r"/[!$-~]*")
_SHORTEST: Final = 6  # letters; what is shorter is found in innocent words too, and is no secret
# RFC 6901.
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A request that logs in.

    Attributes:
        path: Where it goes, a path of the app.
        method: Its method.
        form: The fields of a form, in their order; a value may name variables, as in `${PASSWORD}`. One of
            `form` and `json` at most.
        json: A JSON body, whose strings may name variables.
        page: A page that is fetched first, as a browser does it: the hidden fields of its form are sent
            along, and its cookies.
        token: The JSON pointer (RFC 6901) to a bearer token in the reply, such as `/access_token`; without
            it the login yields cookies.
        verify: A path that has to answer 2xx with the login; not asked unless given.
        secrets: Every string of `form` and `json` that came out of a variable, for reports to hide.
    """

    path: str
    method: str = "POST"
    form: tuple[tuple[str, str], ...] | None = None
    json: Any = None
    page: str | None = None
    token: str | None = None
    verify: str | None = None
    secrets: tuple[str, ...] = ()


_A_PATH: Final = "a path that begins with /"
KEYS: Final = {
    "path": (_A_PATH, "Where the login goes.  Required."),
    "method": ("a method in capital letters", "Its method.  [default: POST]"),
    "form": ("a table of fields and strings", "The fields of a form that the login sends."),
    "json": ("a value that JSON has", "The JSON that the login sends, in place of a form."),
    "page": (
        _A_PATH,
        "A page that is fetched first: its cookies, and the hidden fields of its form, are sent along.",
    ),
    "token": (
        'a JSON pointer such as "/access_token"',
        "Where the reply holds a bearer token (RFC 6901); without it the login yields cookies.",
    ),
    "verify": (_A_PATH, "A path that has to answer 2xx to whoever is logged in."),
}
"""What the table of the login may hold: what it should be, and what it is for."""

_PATTERNS: Final = {"path": _PATH, "method": _METHOD, "page": _PATH, "token": _POINTER, "verify": _PATH}


def read_login(value: Any) -> Login:
    """Read the table.

    Args:
        value: As TOML reads it.

    Raises:
        WrongValue: It is not as it should be.
    """
    if not isinstance(value, Mapping):
        raise WrongValue("a table with a path", shown(value))
    for key in value:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.5)
            told = f"did you mean {near[0]}?" if near else f"there are {', '.join(KEYS)}"
            raise WrongValue("", f"{key} is no key: {told}")
    if "path" not in value:
        raise WrongValue("a table with a path", f"{', '.join(value) or 'nothing'}")
    if "form" in value and "json" in value:
        raise WrongValue("", "form and json are two bodies of one request: leave one out")
    found: dict[str, Any] = {}
    for key, pattern in _PATTERNS.items():
        if key in value:
            if not isinstance(value[key], str) or not pattern.fullmatch(value[key]):
                raise WrongValue(KEYS[key][0], shown(value[key]), key)
            found[key] = value[key]
    if value.get("method") == "GET" and {"form", "json"} & value.keys():
        raise WrongValue("", "a GET has no body: leave form and json out, or the method")
    secrets: list[str] = []
    if "form" in value:
        found["form"] = _form(value["form"], secrets)
    if "json" in value:
        found["json"] = _filled(value["json"], secrets, "json")
    return Login(**found, secrets=tuple(secrets))


def _form(value: Any, secrets: list[str]) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, Mapping):
        raise WrongValue(KEYS["form"][0], kind(value), "form")
    for name, one in value.items():
        if not isinstance(one, str):
            raise WrongValue("a string", kind(one), "form", name)
    return tuple((name, _text(one, secrets, "form", name)) for name, one in value.items())


def _filled(value: Any, secrets: list[str], *keys: str) -> Any:
    """A value of JSON with the variables of its strings."""
    if isinstance(value, str):
        return _text(value, secrets, *keys)
    if isinstance(value, Mapping):
        return {name: _filled(one, secrets, *keys, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, secrets, *keys) for one in value]
    try:
        json.dumps(value)
    except TypeError:
        raise WrongValue(KEYS["json"][0], kind(value), *keys) from None
    return value


def _text(value: str, secrets: list[str], *keys: str) -> str:
    found = secret_text(value, *keys)
    if found != value and len(found) >= _SHORTEST:
        secrets.append(found)
    return found
