"""Replies made by hand for the checks of bounds, quotas, traces, logs and the stop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from garrison_harness.checks import tracing
from garrison_harness.site import Quota
from tests.harness.recordings import CANARY, SITE, lost, page, reply

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply
    from garrison_harness.stage import Fact

Case = tuple[str, str, "dict[str, Reply]"]

KNOWN = replace(
    SITE,
    slow_path="/slow",
    time_limit=2.0,
    slow_limit=2.0,
    concurrency=4,
    quota=Quota(limit=5, period=2),
)
"""A site that declares all there is to declare."""

FULL = reply(503, {"Retry-After": "1"})
TAKEN = reply(200, elapsed=1.5)
LATER = reply(429, {"Retry-After": "2"})
ROUTE = reply(200, {"Content-Type": "application/json"}, b"{}")
BROKEN = reply(400)
SPENT = {"request 6": LATER}
SMALL = {"small": ROUTE, "small in gzip": ROUTE, "no gzip": BROKEN}
CROWD = [f"request {number}" for number in range(1, 13)]
LEAVING = {f"client {number} that leaves": lost("left") for number in range(1, 49)}
OVER = [f"request {number}" for number in range(11, 22)]
AGAIN = [f"request of another client {number}" for number in range(1, 22)]
AFTER = [f"page after {number * 0.5:g} s" for number in range(1, 11)]
STORED = (("Content-Type", "application/json"), ("Cache-Control", "public, max-age=60"))
SECRET = f"s3cret-cookie-{CANARY}"


def limits(policy: str, left: str, **more: str) -> dict[str, Reply]:
    """A page that tells of its quota."""
    return {"page": page({"RateLimit-Policy": policy, "RateLimit": left, **more})}


def trace(label: str, *, upper: bool = False) -> str:
    """A reply's trace that continues the one of that label."""
    found = tracing.trace_of(SITE, label)
    return f"00-{found.upper() if upper else found}-00f067aa0ba902b7-01"


FOLLOWED = tracing.trace_of(SITE, "followed")
RECORDS = "".join(f"{word} /{CANARY}-{word.lower()}-record 200\n" for word in ("GET", "POST", "DELETE"))
PROBE = reply(200, {"Content-Type": "application/json"}, b"{}")
TOLD = {"page": page({"Traceresponse": trace("another")})}
NEW = {
    label: page({"Traceresponse": trace("another")})
    for label in ("version ff", "no parent", "capital letters", "no flags", "zeros")
}

BAD: list[Case] = [
    ("R5", "the bomb is taken", {**SMALL, "bomb": ROUTE}),
    ("R5", "the bomb makes it fail", {**SMALL, "bomb": reply(500)}),
    ("R5", "the app grows", {"bomb": reply(413)}),
    ("R7", "headers for ever", {"slow head": lost("left")}),
    ("R8", "a body for ever", {"slow body": lost("left"), "small": ROUTE}),
    ("R9", "still busy", {"slow": TAKEN, **LEAVING, "slow again": FULL, "slow at last": TAKEN}),
    (
        "R9",
        "slow afterwards",
        {"slow": TAKEN, **LEAVING, "slow again": reply(200, elapsed=4), "slow at last": TAKEN},
    ),
    ("R10", "no end", {"slow": lost("left")}),
    ("R10", "an end as an error", {"slow": reply(500, elapsed=2)}),
    ("R11", "all are taken", dict.fromkeys(CROWD, TAKEN)),
    ("R11", "no Retry-After", {**dict.fromkeys(CROWD, TAKEN), CROWD[-1]: reply(503)}),
    ("R11", "an error", {**dict.fromkeys(CROWD, TAKEN), CROWD[-2]: reply(500), CROWD[-1]: FULL}),
    ("A2", "still full", dict.fromkeys(AFTER, FULL)),
    ("A2", "still slow", dict.fromkeys(AFTER, reply(200, elapsed=4))),
    ("L3", "a race", {}),
    ("L3", "two workers that count alone", dict.fromkeys((*OVER, *AGAIN[10:]), LATER)),
    ("L4", "locked out", {**SPENT, "after the window": LATER}),
    ("L5", "too early", {**SPENT, "as told": LATER}),
    ("L5", "too long", {"request 6": reply(429, {"Retry-After": "3600"})}),
    ("L5", "no number", {"request 6": reply(429, {"Retry-After": "soon"})}),
    ("L6", "no string", limits("five;q=5", '"five";r=1')),
    ("L6", "no quota", limits('"five";w=60', "")),
    ("L6", "another name", limits('"five";q=5', '"six";r=1')),
    ("L6", "more than all", limits('"five";q=5', '"five";r=9')),
    ("L6", "no integer", limits('"five";q=5', '"five";r=half')),
    ("L6", "an older header", {"page": page({"X-RateLimit-Limit": "many"})}),
    ("T3", "zeros", {**NEW, "zeros": page({"Traceresponse": f"00-{'0' * 32}-00f067aa0ba902b7-01"})}),
    ("T3", "no flags", {**NEW, "no flags": page({"Traceresponse": trace("no flags")})}),
    ("T4", "a cookie", {}),
    ("T5", "another id", {}),
    ("T5", "in a header only", {}),
    ("T6", "no POST", {}),
    ("T6", "what is no record", {"POST": reply(404)}),
    ("G3", "in caches", {"missing": reply(404), "probe at /readyz": replace(PROBE, headers=STORED)}),
    ("W2", "a blank", {"two Content-Lengths": BROKEN, "a blank before a colon": page()}),
    ("G1", "cut off", {"small": ROUTE, "under way": lost("closed")}),
    ("G1", "no end", {"small": ROUTE, "under way": ROUTE}),
    ("G1", "a refusal cut off", {"small": reply(422), "under way": lost("closed")}),
    ("G1", "an error for a refusal", {"small": reply(422), "under way": reply(500)}),
    ("G2", "the port first", {"missing": reply(404), "after 0.0 s": lost("refused")}),
    ("G2", "ready for ever", {"missing": reply(404)}),
]
GOOD: list[Case] = [
    ("R5", "refused", {**SMALL, "bomb": reply(413)}),
    (
        "R5",
        "no coding at all",
        {"small": ROUTE, "small in gzip": reply(415), "no gzip": reply(415), "bomb": reply(415)},
    ),
    ("R5", "never unpacked", {"small": ROUTE, "small in gzip": BROKEN, "no gzip": BROKEN, "bomb": BROKEN}),
    ("R7", "408", {"slow head": reply(408)}),
    ("R7", "closed", {"slow head": lost("closed")}),
    ("R8", "408", {"small": ROUTE, "slow body": reply(408)}),
    ("R9", "as before", {"slow": TAKEN, **LEAVING, "slow again": TAKEN, "slow at last": TAKEN}),
    ("R10", "504", {"slow": reply(504, elapsed=2)}),
    ("R11", "refused", {**dict.fromkeys(CROWD, FULL), **dict.fromkeys(CROWD[:4], TAKEN)}),
    ("R11", "refused, and slow", {**dict.fromkeys(CROWD, FULL), **dict.fromkeys(CROWD[:4], lost("left"))}),
    ("A2", "full at first", {AFTER[0]: FULL}),
    ("L3", "as many as may", {**dict.fromkeys((f"request {number}" for number in range(6, 22)), LATER)}),
    ("L3", "a window that turns", dict.fromkeys((*OVER, *AGAIN[5:]), LATER)),
    ("L3", "a bucket that refills", dict.fromkeys((*CROWD[6:], *OVER, *AGAIN[6:]), LATER)),
    ("L4", "let in", SPENT),
    ("L5", "let in", SPENT),
    ("L6", "as it should be", limits('"five";q=5;w=60, "day";q=100;w=86400', '"five";r=1;t=30')),
    ("L6", "an older draft", {"page": page({"X-RateLimit-Limit": "5", "RateLimit-Limit": "5, 5;w=60"})}),
    ("T3", "new ones", {**TOLD, **NEW, "a trace": page({"Traceresponse": trace("a trace")})}),
    ("T4", "a path", {}),
    ("T5", "in the log", {}),
    ("T5", "as the id of the request", {}),
    ("T5", "in the reply", {"missing": page({"Traceresponse": f"00-{FOLLOWED}-00f067aa0ba902b7-01"})}),
    ("T6", "all of them", {}),
    ("T6", "on lines of their own", {}),
    ("G3", "ready", {"missing": reply(404), "probe at /readyz": PROBE}),
    ("G3", "not at the moment", {"missing": reply(404), "probe at /readyz": FULL}),
    ("G3", "beside a page for everything", {"missing": page(), "probe at /readyz": PROBE}),
    ("G3", "for those who log in", {"missing": reply(404), "probe at /readyz": reply(401)}),
    (
        "W2",
        "all refused",
        {
            "two Content-Lengths": BROKEN,
            "a blank before a colon": BROKEN,
            "a line that ends in LF alone": BROKEN,
        },
    ),
    ("G1", "finished", {"small": ROUTE, "under way": ROUTE}),
    ("G1", "a refusal", {"small": reply(422), "under way": reply(422)}),
    ("G2", "unready first", {"missing": reply(404), "after 0.0 s": FULL}),
]

FACTS: dict[tuple[str, str], dict[str, Fact]] = {
    ("R5", "the app grows"): {"grown": 200e6},
    ("G1", "cut off"): {"exit status": 0.0, "waits for its body": 1.0},
    ("G1", "a refusal cut off"): {"exit status": 0.0, "waits for its body": 1.0},
    ("G1", "an error for a refusal"): {"exit status": 0.0, "waits for its body": 1.0},
    ("G1", "finished"): {"exit status": 0.0, "waits for its body": 1.0},
    ("G1", "a refusal"): {"exit status": 0.0, "waits for its body": 1.0},
}
"""What the check is said to have noted."""

LOGS = {
    ("T4", "a cookie"): f"GET / {SECRET}\n",
    ("T4", "a path"): f"GET /{CANARY}-last\n",
    ("T5", "another id"): f'{{"path": "/{CANARY}-followed", "status": 200, "trace_id": "{"ab" * 16}"}}\n',
    (
        "T5",
        "in a header only",
    ): f'{{"path": "/{CANARY}-followed", "status": 200, "at": "00-{FOLLOWED}-aa-01"}}\n',
    ("T5", "as the id of the request"): f"GET /{CANARY}-followed 200 {FOLLOWED} 3 ms\n",
    ("T5", "in the log"): f'{{"path": "/{CANARY}-followed", "trace_id": "{FOLLOWED}"}}\n',
    ("T6", "no POST"): RECORDS.replace("POST", "").replace("post", ""),
    ("T6", "what is no record"): (
        RECORDS.replace("POST", "").replace("post", "")
        + f'{{"event": "odd", "path": "/{CANARY}-post-record"}}\n{{"path": "/", "status": 404}}\n'
    ),
    ("T6", "all of them"): RECORDS,
    ("T6", "on lines of their own"): RECORDS.replace(" 200", "\nCompleted 200 OK in 3 ms"),
}
"""What the target wrote meanwhile."""

UNJUDGED: list[tuple[str, dict[str, Reply], str]] = [
    ("R5", {}, "answers alike whatever the body is"),
    ("R7", {"page": lost("refused")}, "nothing to compare with"),
    ("R8", {"small": reply(404)}, "--body-path"),
    ("R8", {"small": ROUTE, "slow body": ROUTE}, "without reading the body"),
    ("R9", {}, "--slow-path"),
    ("R10", {}, "within the bound"),
    ("R11", {}, "too quickly"),
    ("L4", {}, "see L1"),
    ("L5", {}, "see L1"),
    ("L5", {"request 6": reply(429)}, "no Retry-After"),
    ("L6", {}, "no reply tells of a quota"),
    ("T3", {}, "names a trace"),
    ("T4", {}, "nothing of what was asked is in the log"),
    ("T5", {}, "no record of what was asked"),
    ("G2", {}, "no route that says"),
]
