"""Says whether a request keeps the example's document: another reader than the one that is judged by it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

import yaml
from jsonschema import Draft202012Validator

from tests.integration.contract_readings import (
    ESCAPE,
    integer_verdict,
    list_query_verdict,
    note_verdict,
    upload_verdict,
    verdict_of,
    worst,
)
from tests.integration.documents import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.integration.contract_readings import Verdict

DOCUMENT: Final = yaml.safe_load((EXAMPLES / "contract" / "openapi.yaml").read_text(encoding="utf-8"))
KEY: Final = "k-of-the-till-0123456789"
DEEPEST: Final = 64

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_ROUNDED: Final = re.compile(r"[0-9]{16}|[0-9][eE]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request on the wire.

    Attributes:
        method: of it.
        path: before the question mark, with its escapes.
        query: behind it.
        headers: with names in lower case.
        body: all of it.
    """

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def value(self, name: str) -> str | None:
        """The value of a header that is there once or not at all."""
        found = [value for key, value in self.headers if key == name.encode()]
        return found[0].decode("latin-1") if found else None


class Judge:
    """Judges requests.

    Args:
        token: the only one that is good.
    """

    def __init__(self, token: str) -> None:
        self._token = token
        self._order = Draft202012Validator(_request_schema())

    def verdict(self, sent: Sent) -> Verdict:
        """Whether a request may pass; what no operation has may."""
        raw = _raw(sent)
        if raw != "valid":
            return raw
        name = _operation(sent)
        if name in {"", "disputed"}:
            return "disputed" if name else "valid"
        return worst(self._parts(name, sent))

    def _parts(self, name: str, sent: Sent) -> Iterable[Verdict]:
        if name == "placeOrder":
            yield verdict_of(sent.value("x-api-key") == KEY)
            yield verdict_of(_UUID.fullmatch(sent.value("idempotency-key") or "") is not None)
        if name == "readAccount":
            scheme, _, token = (sent.value("authorization") or "").partition(" ")
            yield verdict_of(scheme.lower() == "bearer" and token == self._token)
        if "{" in name:
            yield integer_verdict(unquote_to_bytes(sent.path.split(b"/")[2]).decode(), 1, 1_000_000)
        if name == "listOrders":
            yield list_query_verdict(sent.query)
            yield verdict_of(sent.value("x-region") in {None, "eu", "us"})
        else:
            yield verdict_of(not sent.query.strip(b"&")) if b"&" not in sent.query else "disputed"
        wanted = {
            "placeOrder": "application/json",
            "{notes}": "application/x-www-form-urlencoded",
            "{picture}": "multipart/form-data",
        }.get(name)
        if wanted:
            yield _media(sent, wanted)
            if wanted == "application/json":
                yield self._json(sent.body)
            elif wanted == "multipart/form-data":
                yield upload_verdict(sent.body, sent.value("content-type") or "")
            else:
                yield note_verdict(sent.body)

    def _json(self, body: bytes) -> Verdict:
        doubtful: list[str] = []

        def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
            if len(dict(found)) < len(found):
                doubtful.append("a name twice")
            return dict(found)

        try:
            text = body.decode()
            value = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=pairs, parse_constant=_refuse)
        except ValueError:
            return "invalid"
        if doubtful or text.startswith("\ufeff") or _ROUNDED.search(_STRING.sub("", text)):
            return "disputed"
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return "disputed"
        return verdict_of(self._order.is_valid(value))


def _request_schema() -> dict[str, Any]:
    """The schema of an order as requests have to keep it (OpenAPI 3.1: readOnly)."""
    schemas = json.loads(json.dumps(DOCUMENT["components"]["schemas"]))
    order = schemas["Order"]
    order["required"].remove("id")
    order["properties"]["id"] = False
    return {"components": {"schemas": schemas}, **order}


def _raw(sent: Sent) -> Verdict:
    """What Garrison refuses with whatever document."""
    if b"%" in ESCAPE.sub(b"", sent.path):
        return "invalid"
    path = unquote_to_bytes(sent.path)
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return "invalid"
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text):
        return "invalid" if any(ord(char) < 32 or ord(char) == 127 for char in text) else "disputed"
    if {".", ".."} & set(re.split(r"[/\\]", text)):
        return "invalid" if {".", ".."} & set(text.split("/")) else "disputed"
    if _operation(sent) in {"", "disputed"} and sent.body:
        return _raw_json(sent.body)
    return "valid"


def _raw_json(body: bytes) -> Verdict:
    """Of a body that no operation has; what does not look like JSON may be refused for its encoding too."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return "disputed"
    return "disputed" if sum(map(text.count, "[{")) > DEEPEST else "valid"


def _operation(sent: Sent) -> str:
    """Which operation it is for: none, or one as some routers see it and others do not."""
    path = sent.path
    named = {
        ("GET", rb"/orders"): "listOrders",
        ("POST", rb"/orders"): "placeOrder",
        ("GET", rb"/orders/[^/]+"): "{order}",
        ("POST", rb"/orders/[^/]+/notes"): "{notes}",
        ("POST", rb"/orders/[^/]+/picture"): "{picture}",
        ("GET", rb"/account"): "readAccount",
    }
    for (method, pattern), name in named.items():
        if sent.method == method and re.fullmatch(pattern, path) and b"%2f" not in path.lower():
            return name
    plain = re.sub(rb";[^/]*", b"", unquote_to_bytes(path).lower())
    plain = re.sub(rb"[/\\]+", b"/", plain).rstrip(b"/")
    loose = [re.fullmatch(pattern.replace(rb"[^/]+", rb".*"), plain, re.DOTALL) for _, pattern in named]
    return "disputed" if any(loose) else ""


def _media(sent: Sent, wanted: str) -> Verdict:
    value = (sent.value("content-type") or "").lower()
    essence, _, parameters = value.partition(";")
    if essence.strip() != wanted:
        return "invalid"
    if wanted == "multipart/form-data":
        boundary = re.fullmatch(r" boundary=[0-9a-z]{1,70}", parameters)
        return "disputed" if boundary is None else "valid"
    return "valid" if value in {wanted, f"{wanted}; charset=utf-8"} else "disputed"


def _refuse(name: str) -> None:
    raise ValueError(name)
