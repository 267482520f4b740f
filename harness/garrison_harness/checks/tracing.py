"""Whose trace a request belongs to, as far as anybody outside can see."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.request_log import has_record
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

# W3C Trace Context section 3.2, and section 3 of level 2 for what goes back.
_CONTEXT: Final = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_TELLING: Final = ("traceresponse", "traceparent", "x-trace-id", "trace-id", "server-timing")
_ZEROS: Final = "0" * 32
_LOGGED_WITHIN: Final = 2.0  # seconds; a record may be written after the reply is sent


def trace_of(site: Site, label: str) -> str:
    """A trace id of this audit's own.

    Args:
        site: Its canary makes it new.
        label: What the trace is for.
    """
    return sha256(f"{site.canary} {label}".encode()).hexdigest()[:32]


def _contexts(site: Site) -> dict[str, str]:
    parent = trace_of(site, "parent")[:16]
    return {
        "a trace": f"00-{trace_of(site, 'a trace')}-{parent}-01",
        "version ff": f"ff-{trace_of(site, 'version ff')}-{parent}-01",
        "no parent": f"00-{trace_of(site, 'no parent')}-{'0' * 16}-01",
        "capital letters": f"00-{trace_of(site, 'capital letters').upper()}-{parent}-01",
        "no flags": f"00-{trace_of(site, 'no flags')}-{parent}",
        "zeros": f"00-{_ZEROS}-{parent}-01",
    }


def _ask(site: Site) -> Mapping[str, Request]:
    said = _contexts(site)
    return {
        "page": site.get(site.path),
        **{label: site.get(site.path, [("traceparent", value)]) for label, value in said.items()},
    }


def _told(reply: Reply) -> str:
    return " ".join(reply.get(name) for name in _TELLING).lower()


def _judge(seen: Seen) -> Iterator[Finding]:
    page = seen.control("page")
    for label in _contexts(seen.site):
        if label == "a trace":
            continue
        trace = _ZEROS if label == "zeros" else trace_of(seen.site, label)
        if trace in _told(seen.reply(label)) or _logged(seen.log, trace):
            message = f"an invalid traceparent ({label}) is taken over in place of a trace of its own"
            yield seen.finding(label, message, show=_TELLING)
    said = page.get("traceresponse")
    if said and not _CONTEXT.fullmatch(said):
        yield seen.finding("page", "traceresponse fits no grammar", show=_TELLING)
    trace = trace_of(seen.site, "a trace")
    continued = trace in _told(seen.reply("a trace")) or _logged(seen.log, trace)
    if continued:
        return
    if not _told(page).strip() and not re.search(r"trace_?id", seen.log, re.IGNORECASE):
        raise Unjudged("neither a reply nor the log names a trace, so there is nothing to see from outside")
    # Some continue the traces of their own proxies only, and are right.
    yield seen.finding("a trace", "a stranger's trace is not continued", confidence=Confidence.INFO)


def _logged(log: str, trace: str) -> bool:
    """Whether the log names it as the trace of a record, and not just as a header that came in."""
    return re.search(rf"trace_?id[\"']?\s*[=:]\s*[\"']?{trace}", log, re.IGNORECASE) is not None


def _drive_followed(stage: Stage) -> None:
    site = stage.site
    trace = trace_of(site, "followed")
    lines = [("traceparent", f"00-{trace}-{trace[:16]}-01")]
    # Many continue the traces of their own proxies only, so that it is one of these who asks.
    asked = {"page": site.path, "missing": _followed_path(site)}
    replies = [stage.ask(label, replace(site.get(path, lines), near=True)) for label, path in asked.items()]
    if not any(trace in _told(reply) for reply in replies):
        stage.until(lambda: _is_named(stage.log(), trace), _LOGGED_WITHIN)


def _is_named(log: str, trace: str) -> bool:
    """Whether the log names it by itself, under whatever name, and not just within a header that came in."""
    return re.search(rf"{trace}(?![0-9a-z-])", log, re.IGNORECASE) is not None


def _followed_path(site: Site) -> str:
    return f"{site.missing_path}-followed"


def _judge_followed(seen: Seen) -> Iterator[Finding]:
    trace = trace_of(seen.site, "followed")
    if _is_named(seen.log, trace) or any(trace in _told(seen.reply(label)) for label in seen.exchanges):
        return
    if not has_record(seen.log, _followed_path(seen.site), seen.answer("missing").status):
        raise Unjudged("the log holds no record of what was asked, so that no trace could be in it")
    yield seen.finding("missing", "neither the log nor a reply names the trace that a request belongs to")


CHECKS: Final = (
    Check(
        id="T3",
        title="No trace is continued from an invalid traceparent",
        severity=Severity.LOW,
        cwe=20,
        reference="W3C Trace Context sections 3.2.2 and 4.3",
        fix="parse traceparent as the standard says, and begin a new trace where it does not fit",
        garrison="GARRISON_TRACING_CONTINUE=trusted continues valid traces of your own proxies only",
        why="Traces are stored by their id. One that nobody can parse is lost with all that hangs on it, and "
        "an id of zeros puts requests of everybody into one trace in which nothing can be found.",
        how="The page is asked with a valid traceparent and with five that the standard calls invalid. A "
        "finding is that the trace id of an invalid one is the trace in the reply (traceresponse and the "
        "like) or in the log. Whether the valid one is continued is mentioned, since some trust their own "
        "proxies only. An app that shows no trace anywhere is not judged.",
        ask=_ask,
        judge=_judge,
    ),
)

FOLLOWED: Final = (
    Check(
        id="T5",
        title="The log names the trace of a request",
        severity=Severity.INFO,
        layers=("TRACING",),
        needs=(Need.LOGS,),
        cwe=778,
        reference="W3C Trace Context section 3.2; ASVS 5.0 V16.2.1",
        fix="continue the trace of whoever is trusted, and write its id into every record of the request",
        garrison="GARRISON_TRACING, on by default, continues the traces of trusted proxies, and "
        "GARRISON_ACCESS_LOG writes trace_id",
        why="A request goes through a proxy and several services, each with a log of its own. Without an id "
        "that all of them share nobody can put together what one request did, least of all in a hurry.",
        how="The page and a path that does not exist are asked with a traceparent, from the address of this "
        "machine, as a proxy on it would. A finding is that its trace id is neither in the log, unless as "
        "part of a traceparent, nor in the reply (traceresponse and the like). A log that holds nothing of "
        "the requests is not judged.",
        drive=_drive_followed,
        judge=_judge_followed,
    ),
)
