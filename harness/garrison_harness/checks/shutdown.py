"""What happens to those who are being served when the app is told to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Layer, Unjudged
from garrison_harness.checks.probes import readiness_paths
from garrison_harness.checks.request_bounds import JSON_LINES, small_body
from garrison_harness.exchange import Request
from garrison_harness.finding import Confidence, Severity
from garrison_harness.site import Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.finding import Finding
    from garrison_harness.stage import Stage

_BODY: Final = b'{"garrison": "check"}'
_BEGUN: Final = 0.4  # seconds until a handler waits for the rest of its body
_REST: Final = 1.2  # seconds after which the rest is sent
_GRACE: Final = 10.0  # seconds; what process managers wait for at least before they kill
_STATUS: Final = "exit status"
_WAITS: Final = "waits for its body"
_ASKED_FOR: Final = 8.0  # seconds
_EVERY: Final = 0.1


def _drive_stop(stage: Stage) -> None:
    site = stage.site
    stage.ask("small", small_body(site))
    head = site.head("POST", site.body_path, [*JSON_LINES, ("Content-Length", str(len(_BODY)))])
    half = len(_BODY) // 2
    pieces = (head + _BODY[:half], _REST, _BODY[half:])
    pending = stage.begin("under way", Request(method="POST", target=site.body_path, pieces=pieces))
    stage.pause(_BEGUN)
    waits = pending.alive()
    stage.terminate()
    pending.reply()
    stage.note(_WAITS, float(waits))
    status = stage.ended(_GRACE)
    stage.note(_STATUS, None if status is None else float(status))


def _judge_stop(seen: Seen) -> Iterator[Finding]:
    small, reply = seen.reply("small"), seen.reply("under way")
    if small.status is None:
        raise Unjudged(f"{seen.exchanges['small'].request.summary} answered {small.outcome}")
    if seen.facts.get(_STATUS) is None:
        message = f"the app still runs {_GRACE:g} s after it was told to stop (SIGTERM)"
        yield seen.finding("under way", message)
    # What is refused for what its body says is under way until the body is there, as what is taken is.
    if not seen.facts.get(_WAITS):
        raise Unjudged(
            f"POST {seen.site.body_path} answers {small.outcome} without waiting for its body, so no "
            "request was"
            " under way when the app was told to stop: name a route that takes JSON with --body-path"
        )
    if reply.status is None or reply.failure or (reply.status >= 500 and reply.status != small.status):
        message = f"a request that is under way at the stop (SIGTERM) ends in {reply.outcome}"
        yield seen.finding("under way", message)


def _drive_readiness(stage: Stage) -> None:
    site = stage.site
    missing = stage.ask("missing", site.get(site.missing_path))
    for path in readiness_paths(site):
        reply = stage.ask(f"readiness at {path}", site.get(path))
        # A page for everything is no readiness.
        if reply.status in {200, 204} and missing.status != reply.status:
            _watch(stage, path)
            return


def _watch(stage: Stage, path: str) -> None:
    stage.terminate()
    for number in range(int(_ASKED_FOR / _EVERY)):
        reply = stage.ask(f"after {number * _EVERY:.1f} s", stage.site.get(path))
        if reply.status not in {200, 204}:
            return
        stage.pause(_EVERY)


def _judge_readiness(seen: Seen) -> Iterator[Finding]:
    seen_after = [exchange for label, exchange in seen.exchanges.items() if label.startswith("after ")]
    if seen.reply("missing").status is None:
        raise Unjudged(f"a path that does not exist answered {seen.reply('missing').outcome}")
    if not seen_after:
        raise Unjudged("no route that says whether the app is ready is known, such as /readyz")
    last = seen_after[-1]
    if last.reply.status is None:
        message = "the port is closed at the stop (SIGTERM) before readiness has said so"
        yield seen.finding(last, message)
    elif last.reply.status < 400:
        message = f"{_ASKED_FOR:g} s after it was told to stop (SIGTERM) the app still says that it is ready"
        yield seen.finding(last, message, confidence=Confidence.CONFIRMED)


CHECKS: Final = (
    Check(
        id="G1",
        title="A request that is under way at the stop is finished",
        severity=Severity.MEDIUM,
        fixed_by=Layer.SERVER,
        layers=("SERVER",),
        cwe=404,
        reference="ASVS 5.0 V16.5.3",
        fix="on SIGTERM stop accepting, finish what was begun, then exit; bound that time below what the "
        "process manager waits",
        garrison="garrison run does so, for at most GARRISON_SERVER_GRACE",
        why="Every release stops the old process. What is under way then ends in an error, or is done and "
        "never confirmed, such as a payment; and a process that does not end is killed with all it holds.",
        how="On a target of its own half of a JSON body is sent, then SIGTERM, then the rest. Findings "
        "are no "
        "reply or a failure where the same body was answered before, and a process that still runs "
        f"{_GRACE:g} s later. A route that does not wait for its body is not judged.",
        drive=_drive_stop,
        judge=_judge_stop,
        instance=True,
        sampled=True,
    ),
    Check(
        id="G2",
        title="Readiness fails before the port closes",
        # Where a proxy tries another instance by itself, nobody notices.
        severity=Severity.LOW,
        fixed_by=Layer.SERVER,
        layers=("SERVER",),
        needs=(Need.SOCKET,),
        cwe=404,
        reference="ASVS 5.0 V16.5.3; Kubernetes, termination of pods",
        fix="on SIGTERM answer 503 on the readiness route, go on serving for some seconds, then close "
        "the port",
        garrison="garrison run does so for GARRISON_SERVER_DRAIN_DELAY; GARRISON_HEALTH_SIGNALS=on has "
        "harden() do it under uvicorn, GARRISON_HEALTH_DRAIN_FILE under others",
        why="A load balancer learns from readiness that an instance is going. If the port closes at the same "
        "moment, it sends requests there until its next look, and clients see them fail at every release.",
        how="On a target of its own the readiness route is found (/readyz, /health and the like, which "
        "answer "
        "200 where a path that does not exist does not). After SIGTERM it is asked ten times a second. A "
        "finding is a port that closes before readiness has failed, or an app that stays ready.",
        drive=_drive_readiness,
        judge=_judge_readiness,
        instance=True,
        sampled=True,
    ),
)
