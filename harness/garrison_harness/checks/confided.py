"""Requests that operations take, with a secret of ours where they ask for one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode

from garrison_harness.checks.inputs import mapping
from garrison_harness.checks.quota_requests import declared
from garrison_harness.discovery.examples import resolve
from garrison_harness.load.requests.fitting import surely_fits
from garrison_harness.load.requests.values import CannotMakeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from garrison_harness.exchange import Request
    from garrison_harness.route import Route
    from garrison_harness.site import Site

_MOST: Final = 3
_FORM: Final = "application/x-www-form-urlencoded"
# What changes a password or ends a session would lock the audit out.
_AVOIDED: Final = re.compile(r"pass(?:word|wd|phrase|code)|reset|log[-_]?out|sign[-_]?out", re.IGNORECASE)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PASSWORDS: Final = frozenset({"password", "passwd", "passphrase", "passcode", "pwd", "secret"})
_REPEATED: Final = frozenset({"confirm", "confirmation", "again", "repeat", "repeated"})
_KEYS: Final = frozenset({"api", "access", "private", "secret", "auth"})
# Where a list goes on, and what guards forms, may be read by anybody who sees the page.
_PUBLIC: Final = frozenset({"page", "next", "continuation", "sync", "csrf", "xsrf", "public", "new"})


def confided(site: Site, secret: Callable[[int], str]) -> dict[str, Request]:
    """Requests to operations that ask for a secret, by their names, a few at most.

    Args:
        site: Holds the document. What is asked writes, so that the app has to be one that was started here.
        secret: That of the first one, the second, and so on.
    """
    found: dict[str, Request] = {}
    routes = [route for route in site.routes if route.method == "POST" and route.source == "openapi"]
    for route in sorted(routes, key=lambda route: route.template != site.body_path):
        if len(found) >= _MOST:
            break
        request = None if _AVOIDED.search(route.template) else _confiding(site, route, secret(len(found)))
        if request is not None:
            found[f"POST {route.template}"] = request
    return found


def is_secret(name: str) -> bool:
    """Whether a field of that name holds what nobody else may know.

    Args:
        name: As the app calls it.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if words and words[-1] in _REPEATED:
        words.pop()
    if not words or _PUBLIC & set(words):
        return False
    key = words[-1] == "apikey" or (words[-1] == "key" and bool(_KEYS & set(words)))
    return key or words[-1] in _PASSWORDS or words[-1] == "token"


def _confiding(site: Site, route: Route, secret: str) -> Request | None:
    """A valid request with the secret in it; None where there is no place for one."""
    document = site.document or {}
    content = mapping(resolve((route.operation or {}).get("requestBody"), document).get("content"))
    try:
        made = declared(site, route)
    except CannotMakeError:
        return None
    kind = next((value for name, value in made.headers if name == "Content-Type"), "")
    media: object = next(
        (part for name, part in content.items() if name.partition(";")[0].strip().lower() == kind), None
    )
    schema = resolve(mapping(media).get("schema"), document)
    text = (made.body or b"").decode()
    if kind == _FORM:
        body = _in_form(text, schema, document, secret)
    elif kind == "application/json":
        body = _in_json(json.loads(text), schema, document, secret)
    else:
        return None
    return site.request("POST", made.target, made.headers, body=body) if body else None


def _in_json(
    example: Any, schema: Mapping[str, Any], document: Mapping[str, Any], secret: str
) -> bytes | None:
    value = _planted(example, secret)
    if isinstance(example, dict):
        # What may be left out is asked for too.
        for name in mapping(schema.get("properties")):
            more = {**value, name: secret}
            if is_secret(name) and surely_fits(more, schema, document):
                value = more
    return json.dumps(value).encode() if value != example and surely_fits(value, schema, document) else None


def _planted(value: Any, secret: str) -> Any:
    """The value with the secret in place of those that it holds."""
    if isinstance(value, dict):
        return {
            name: secret if isinstance(part, str) and is_secret(name) else _planted(part, secret)
            for name, part in value.items()
        }
    return [_planted(part, secret) for part in value] if isinstance(value, list) else value


def _in_form(text: str, schema: Mapping[str, Any], document: Mapping[str, Any], secret: str) -> bytes | None:
    fields = parse_qsl(text, keep_blank_values=True)
    properties = mapping(schema.get("properties")).items()
    names = {name for name, part in properties if is_secret(name) and surely_fits(secret, part, document)}
    kept = [(name, value) for name, value in fields if name not in names]
    return urlencode([*kept, *((name, secret) for name in sorted(names))]).encode() if names else None
