"""Whether whoever runs the app can ask if it is ready."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

USUAL: Final = ("/readyz", "/health/ready", "/-/ready", "/ready", "/healthz", "/health", "/up")
"""Where apps say whether they take requests."""

_SIGNS: Final = ("ready", "health")
# A probe that wants to know who asks, or says no, is one.
_ANSWERS: Final = frozenset({200, 204, 401, 403, 503})
_STORED: Final = re.compile(r"\b(?:s-maxage|max-age)\s*=\s*[\"']?0*[1-9]", re.IGNORECASE)
_NOT_STORED: Final = re.compile(r"\b(?:no-store|no-cache|private)\b", re.IGNORECASE)


def readiness_paths(site: Site) -> list[str]:
    """Where an app may say whether it takes requests, what it declares first.

    Args:
        site: What is known of the app.
    """
    declared = [
        route.target
        for route in site.routes
        if route.method == "GET" and any(sign in route.template.rpartition("/")[2] for sign in _SIGNS)
    ]
    return list(dict.fromkeys([*declared, *USUAL]))


def _drive(stage: Stage) -> None:
    site = stage.site
    missing = stage.ask("missing", site.get(site.missing_path))
    for path in readiness_paths(site):
        if _is_probe(stage.ask(f"probe at {path}", site.get(path)), missing):
            return


def _is_probe(reply: Reply, missing: Reply) -> bool:
    """Whether a reply is more than what any path gets."""
    same = (reply.status, reply.media_type) == (missing.status, missing.media_type)
    return reply.status in _ANSWERS and not reply.failure and not same


def _judge(seen: Seen) -> Iterator[Finding]:
    missing = seen.answer("missing")
    label = list(seen.exchanges)[-1]
    reply = seen.reply(label)
    if not _is_probe(reply, missing):
        first = next((label for label in seen.exchanges if label != "missing"), "missing")
        message = "there is no route that says whether the app is ready, at least at no usual path"
        yield seen.finding(first, message, confidence=Confidence.LIKELY)
        return
    control = reply.get("cache-control")
    if _STORED.search(control) and not _NOT_STORED.search(control):
        message = "a cache may go on saying that the app is ready"
        yield seen.finding(label, message, show=("cache-control",), severity=Severity.LOW)


CHECKS: Final = (
    Check(
        id="G3",
        title="Whoever runs the app can ask whether it is ready",
        severity=Severity.INFO,
        layers=("HEALTH",),
        cwe=0,
        reference="Kubernetes, liveness, readiness and startup probes",
        fix="answer 200 at a path such as /readyz as long as requests can be served, 503 otherwise, and let "
        "no cache store it",
        garrison="GARRISON_HEALTH, on by default, answers /livez, /readyz and /startupz",
        why="Balancers and orchestrators send requests to every process that runs. One that is still "
        "starting, has lost its database or is about to stop runs as well, and clients see it fail, unless "
        "it can say so.",
        how="The usual paths of readiness are asked (/readyz, /health and the like), and those that the app "
        "declares. A finding is that none of them is answered otherwise than a path that does not exist; it "
        "is likely and not confirmed, since there may be another path. A reply that caches may store is a "
        "small fault.",
        drive=_drive,
        judge=_judge,
        sampled=True,
    ),
)
