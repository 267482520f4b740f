"""What a caller sends in confidence is not written to the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.log_lines import is_record, is_traceback, lines_of
from garrison_harness.finding import Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    if site.error_path is not None:
        # Tools that report errors write down whatever the handler had at hand.
        stage.ask("error", site.get(f"{site.error_path}?{query}", lines))
    stage.ask("last", site.get(f"/{_mark(site)}"))
    # Paths are logged everywhere, and what was asked before is logged before.
    stage.until(lambda: _mark(site) in stage.log(), _LOGGED_WITHIN)


def _judge(seen: Seen) -> Iterator[Finding]:
    lines = lines_of(seen.log)
    for place, (label, words) in _PLACES.items():
        secret = _secret(seen.site, place)
        holding = [number for number, line in enumerate(lines) if secret in line]
        if not holding:
            continue
        # A record is what people keep and copy, so it is told of first.
        number = next((number for number in holding if is_record(lines[number])), holding[0])
        start = lines[number].index(secret)
        shown = f"{lines[number][max(0, start - _EXCERPT) : start]}(the secret)"
        # Servers log the query without being asked, and it is on its way through other logs as well.
        severity = Severity.LOW if place == "query" else None
        if is_record(lines[number]):
            message, shown = f"a secret in {words} is written to the log", f"log: {shown}"
        elif is_traceback(lines, number):
            message, shown = f"a secret in {words} is in a traceback that the app writes", f"log: {shown}"
        else:
            message, shown = f"the app prints a secret in {words}, beside its log", f"printed: {shown}"
        yield seen.finding(label, message, lines=[shown], severity=severity)
    if seen.site.canary not in seen.log:
        raise Unjudged("nothing of what was asked is in the log, so it is kept somewhere else or not at all")


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
        "known. A finding is such a secret in what the target writes to its output. It says whether the "
        "secret is in a record of the log, which begins with a date, a time, a level, an address, a request "
        "line, JSON or logfmt, in a traceback, or in what the app prints beside them. The finding for a "
        "query is low. A log that holds nothing of the requests is not judged.",
        drive=_drive,
        judge=_judge,
        sampled=True,
    ),
)
