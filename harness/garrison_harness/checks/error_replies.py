"""What an error is to its client: a document that a program can read, with an id to find it by."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.request_id import ID_HEADERS, request_id
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_JSON_WANTED: Final = [("Accept", "application/json")]


def _ask_for_json(site: Site) -> Mapping[str, Request]:
    asked = {
        "page": site.get(site.path, _JSON_WANTED),
        "missing": site.get(site.missing_path, _JSON_WANTED),
        "refused": site.request("PROPFIND", site.path, _JSON_WANTED),
    }
    if site.error_path is not None:
        asked["error"] = site.get(site.error_path, _JSON_WANTED)
    return asked


def _judge_format(seen: Seen) -> Iterator[Finding]:
    labels = ["missing", "refused"] if seen.reply("page").is_json else []
    labels += ["error"] if "error" in seen.exchanges else []
    errors = [label for label in labels if (seen.reply(label).status or 0) >= 400 and seen.reply(label).body]
    if not errors:
        raise Unjudged(
            "the page is no JSON, so its errors are for people; name a route that raises with --error-path"
        )
    for label in errors:
        reply = seen.reply(label)
        if not _is_problem(reply):
            # Frameworks answer 404 and 405 in their own words; that a failure of the app is not
            # machine-readable is what clients stumble over.
            failure = (reply.status or 0) >= 500
            kind = reply.media_type or "no media type"
            yield seen.finding(
                label,
                f"a client that asks for JSON gets {kind} with a {reply.status}",
                show=("content-type",),
                confidence=Confidence.CONFIRMED if failure else Confidence.INFO,
            )


def _is_problem(reply: Reply) -> bool:
    if not reply.is_json:
        return False
    try:
        return isinstance(json.loads(reply.body), dict)
    except (ValueError, RecursionError):
        return False


def _judge_error_headers(seen: Seen) -> Iterator[Finding]:
    reply = seen.reply("error")
    if (reply.status or 0) < 500:
        raise Unjudged(f"{seen.site.error_path} answered {reply.outcome} and raised nothing")
    if not request_id(reply):
        yield seen.finding("error", "an error carries no id to find its log record by", show=ID_HEADERS)
    if "nosniff" not in reply.get("x-content-type-options").lower():
        message = "an error may be sniffed: no X-Content-Type-Options: nosniff"
        yield seen.finding("error", message, show=("x-content-type-options", "content-type"))


CHECKS = (
    Check(
        id="E3",
        title="Failures are machine-readable for clients that ask for JSON",
        severity=Severity.LOW,
        layers=("ERRORS",),
        cwe=755,
        reference="RFC 9457; ASVS 5.0 V16.5.4",
        fix="answer errors as application/problem+json",
        garrison="on by default; check that GARRISON_ERRORS is not off, and see GARRISON_ERRORS_REPLACE=all",
        why="A program that asks for JSON and gets a page fails while it reads the error, and says that the "
        "JSON is broken in place of what went wrong. People then look in the wrong place.",
        how="Routes that fail are asked with Accept: application/json. A finding is an error of the app "
        "(5xx) whose content is no JSON object. Where the page itself is JSON, errors below 500 are read "
        "too, and what is no JSON there is mere information.",
        ask=_ask_for_json,
        judge=_judge_format,
    ),
    Check(
        id="E5",
        title="Errors keep their id and the security headers",
        severity=Severity.LOW,
        layers=("ERRORS", "REQUEST_ID", "SECURITY_HEADERS"),
        needs=(Need.ERROR_PATH,),
        cwe=778,
        reference="ASVS 5.0 V16.5.4",
        fix="set the headers outside the layer that turns exceptions into replies",
        garrison="on by default; check that GARRISON_ERRORS, GARRISON_REQUEST_ID and "
        "GARRISON_SECURITY_HEADERS are not off",
        why="Somebody reports an error, and without an id nobody finds its record in the log. Without the "
        "headers a browser may read the error as whatever it looks like.",
        how="The route that raises is asked. A finding is a 5xx without a request id, or without "
        "X-Content-Type-Options: nosniff.",
        ask=lambda site: {"error": site.get(site.error_path or "/")},
        judge=_judge_error_headers,
    ),
)
