"""What a caller sends in confidence is not written to the log."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.confided import confided
from garrison_harness.checks.log_lines import is_record, is_traceback, lines_of
from garrison_harness.finding import Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_LOGGED_WITHIN: Final = 1.0  # seconds; a record may be written after the reply is sent
_NAMES: Final = ("password", "token", "api_key")
_PLACES: Final = {
    "authorization": ("credentials", "the Authorization header"),
    "cookie": ("credentials", "a cookie"),
    "key": ("credentials", "the X-API-Key header"),
    "body": ("body", "a JSON body"),
    "form": ("form", "a form"),
    "query": ("query", "the query"),
}
"""By what its secret is called: the request that it is in, and the place in words."""
_EXCERPT: Final = 60  # characters before a secret


def _secret(site: Site, place: str) -> str:
    return f"s3cret-{place}-{site.canary}"


def _confided_secret(site: Site, number: int) -> str:
    # With a capital letter, a digit and a sign: some apps look at nothing else before that.
    return f"S3cret-declared-{number}-{site.canary}"


def _mark(site: Site) -> str:
    return f"{site.canary}-last"


def _drive(stage: Stage) -> None:
    site = stage.site
    path = site.path.partition("?")[0]
    lines = [
        ("Authorization", f"Bearer {_secret(site, 'authorization')}"),
        ("Cookie", f"session={_secret(site, 'cookie')}"),
        ("X-API-Key", _secret(site, "key")),
    ]
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    stage.ask("credentials", site.get(path, lines))
    query = urlencode(dict.fromkeys(_NAMES, _secret(site, "query")))
    stage.ask("query", site.get(f"{path}?{query}"))
    body = json.dumps(dict.fromkeys(_NAMES, _secret(site, "body"))).encode()
    stage.ask("body", site.request("POST", site.body_path, [("Content-Type", "application/json")], body=body))
    fields = urlencode(dict.fromkeys(_NAMES, _secret(site, "form"))).encode()
    stage.ask("form", site.request("POST", site.body_path, form, body=fields))
    # What an app has no use for it turns away unread; a login that fails is what many of them log.
    for operation, request in confided(site, partial(_confided_secret, site)).items():
        stage.ask(operation, request)
    if site.error_path is not None:
        # Tools that report errors write down whatever the handler had at hand.
        stage.ask("error", site.get(f"{site.error_path}?{query}", lines))
    stage.ask("last", site.get(f"/{_mark(site)}"))
    # Paths are logged everywhere, and what was asked before is logged before.
    stage.until(lambda: _mark(site) in stage.log(), _LOGGED_WITHIN)


def _judge(seen: Seen) -> Iterator[Finding]:
    lines = lines_of(seen.log)
    leaking = set()
    for place, (label, words) in _PLACES.items():
        told = _told(lines, _secret(seen.site, place), words)
        if told is not None:
            leaking.add(place)
            # Servers log the query without being asked, and it is on its way through other logs as well.
            severity = Severity.LOW if place == "query" else None
            yield seen.finding(label, told[0], lines=[told[1]], severity=severity)
    # Who logs every body logs these too, which is one fault.
    asked = [label for label in seen.exchanges if label.startswith("POST ")]
    for number, operation in enumerate(asked if not leaking & {"body", "form"} else ()):
        told = _told(lines, _confided_secret(seen.site, number), "a body that it takes")
        if told is not None:
            yield seen.finding(operation, told[0], lines=[told[1]])
    if seen.site.canary not in seen.log:
        raise Unjudged("nothing of what was asked is in the log, so it is kept somewhere else or not at all")


def _told(lines: Sequence[str], secret: str, words: str) -> tuple[str, str] | None:
    """What is to be said of a secret in the log, and the line that holds it; None where it is in none."""
    holding = [number for number, line in enumerate(lines) if secret in line]
    if not holding:
        return None
    # A record is what people keep and copy, so it is told of first.
    number = next((number for number in holding if is_record(lines[number])), holding[0])
    start = lines[number].index(secret)
    shown = f"{lines[number][max(0, start - _EXCERPT) : start]}(the secret)"
    if is_record(lines[number]):
        return f"a secret in {words} is written to the log", f"log: {shown}"
    if is_traceback(lines, number):
        return f"a secret in {words} is in a traceback that the app writes", f"log: {shown}"
    return f"the app prints a secret in {words}, beside its log", f"printed: {shown}"


CHECKS: Final = (
    Check(
        id="T4",
        title="Secrets are not written to the log",
        severity=Severity.MEDIUM,
        needs=(Need.LOGS,),
        cwe=532,
        reference="ASVS 5.0 V16.2.5",
        fix="log the path without its query, no Authorization and no Cookie, and mask by name what is left; "
        "switch off the server's own access log where it writes the query",
        garrison="GARRISON_ACCESS_LOG writes paths and masked queries, and garrison run masks known secrets "
        "in what the app logs",
        why="Logs are copied to places that were never meant to keep secrets, are read by more people "
        "and are "
        "kept for longer than the database. A token in a log is a login for whoever reads it.",
        how="Authorization, Cookie, X-API-Key, a JSON body, a form and a query each hold a secret of their "
        "own, with words that occur nowhere by themselves, and a route that raises gets them where one is "
        "known. Up to three POST operations of the OpenAPI document whose body has a field for a password, "
        "a token or a key get a valid body with a secret there. A finding is such a secret in what the "
        "target writes to its output. It says whether the "
        "secret is in a record of the log, which begins with a date, a time, a level, an address, a request "
        "line, JSON or logfmt, in a traceback, or in what the app prints beside them. The finding for a "
        "query is low. A log that holds nothing of the requests is not judged.",
        drive=_drive,
        judge=_judge,
        sampled=True,
    ),
)
