"""Finds the ids in a reply."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison_harness.load.requests.spec import Form, Gift

_MOST_OF_A_LIST: Final = 20
_LARGEST: Final = 1_000_000  # bytes of a reply that ids are looked for in
_LONGEST: Final = 200  # characters of an id
_FORMS: Final[Mapping[Form, re.Pattern[str]]] = {
    "": re.compile(r".*", re.DOTALL),
    "integer": re.compile(r"-?[0-9]+"),
    "uuid": re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}"),
}


def parsed(body: bytes) -> Any:
    """What a body holds as JSON; None where it is none, or large."""
    try:
        return json.loads(body) if len(body) <= _LARGEST else None
    except (ValueError, RecursionError):
        return None


def found_in(reply: Any, fields: Sequence[str], form: Form) -> str | None:
    """The id of an object, or of the one object in an envelope such as `data`.

    Args:
        reply: In JSON's types.
        fields: Where it may be, as a `Gift` has it.
        form: What it has to look like.
    """
    pointers = [field for field in fields if field.startswith("/")]
    found = next((text for field in pointers if (text := as_part(_pointed(reply, field), form))), None)
    if found or not isinstance(reply, dict):
        return found
    inner = [part for part in reply.values() if isinstance(part, dict)]
    objects = [reply, *inner] if len(inner) == 1 else [reply]
    return next((text for one in objects if (text := _field(one, fields, form))), None)


def listed(reply: Any, gift: Gift) -> list[str]:
    """The ids of a list of objects, or of the one list in an envelope such as `items`.

    Args:
        reply: In JSON's types.
        gift: Where they may be.
    """
    rows = reply
    if isinstance(reply, dict):
        rows = next((part for part in reply.values() if isinstance(part, list) and part), [])
    rows = rows if isinstance(rows, list) else []
    # The newest stand at the end as often as at the beginning.
    half = _MOST_OF_A_LIST // 2
    some = rows if len(rows) <= _MOST_OF_A_LIST else rows[:half] + rows[-half:]
    fields = (*gift.fields, *gift.guesses)
    return [found for row in some if isinstance(row, dict) and (found := _field(row, fields, gift.form))]


def located(location: str, gift: Gift) -> str | None:
    """The last parameter of a Location that leads to where the id belongs.

    Args:
        location: The header.
        gift: Where the id belongs.
    """
    pattern = "[^/]+".join(map(re.escape, gift.to.split("{}")[:-1])) + "([^/]+)/?"
    try:
        path = urlsplit(location).path
    except ValueError:
        return None
    match = re.search(pattern + r"\Z", path)
    return match[1] if match and _FORMS[gift.form].fullmatch(match[1]) else None


def as_part(value: Any, form: Form = "") -> str | None:
    """An id as a part of a path; None for what can be none.

    Args:
        value: In JSON's types.
        form: What it has to look like.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = quote(str(value), safe="")
    sound = 0 < len(text) <= _LONGEST and text not in {".", ".."}
    return text if sound and _FORMS[form].fullmatch(text) else None


def _field(row: Mapping[str, Any], fields: Sequence[str], form: Form) -> str | None:
    return next((found for field in fields if (found := as_part(row.get(field), form))), None)


def _pointed(reply: Any, pointer: str) -> Any:
    """What a JSON pointer leads to (RFC 6901); None for nothing."""
    found = reply
    for word in pointer[1:].split("/"):
        name = word.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        else:
            found = found.get(name) if isinstance(found, dict) else None
    return found
