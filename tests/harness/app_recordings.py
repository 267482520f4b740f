"""Replies made by hand for the checks of errors, injection, methods, exposure and contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from garrison_harness.checks import traversal
from garrison_harness.discovery.document import routes_of
from tests.harness.apps import shop
from tests.harness.recordings import CANARY, SITE, check_named, page, rehearsed, reply

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply

Case = tuple[str, str, "dict[str, Reply]"]

FOREIGN = f"{CANARY}.example"
SHOP: dict[str, object] = {"document": shop.DOCUMENT, "routes": routes_of(shop.DOCUMENT)}
CHANGES = dict.fromkeys(("E6", "I4", "I5", "I6", "X2", "P1", "P2", "P3", "P4", "P5"), SHOP)
"""What is known of the site for a check that needs it."""

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
DATA = reply(200, JSON, b'["ann"]')
TAKEN = reply(201, JSON, b"{}")
NOT_FOUND = reply(404, JSON, b'{"status": 404}')
REFUSED = reply(401, JSON, b'{"status": 401}')
INVALID = reply(422, JSON, b'{"status": 422}')
FAILED = reply(500, JSON, b'{"status": 500}')
SETTINGS = reply(200, TEXT, b"# of the shop\nSECRET_KEY=hunter2\n")
PLANTED = Path(traversal.__file__).read_bytes()
USERS = "GET /admin/users"
ADD = "POST /items"
ITEM = "GET /items/{number}"
GUARD = "/admin/users"
MARKUP = f"\" {CANARY}-x=\"' {CANARY}-x='><{CANARY}></{CANARY}>"

GUARDED = {"missing": NOT_FOUND, f"guard of {GUARD}": REFUSED}
CONTROL = {f"control 1 at {ADD}": INVALID}
CLOSED = {"missing": NOT_FOUND, f"{USERS} as a stranger": REFUSED}


def past(name: str, answer: Reply, path: str = GUARD) -> dict[str, Reply]:
    """The guard, and an answer behind it."""
    return {**GUARDED, f"{name} past the guard of {path}": answer}


def leading(location: str, status: int = 303) -> dict[str, Reply]:
    """A login that leads there."""
    return {"an address at /login": reply(status, {"Location": location}, b"")}


BAD: list[Case] = [
    (
        "E6",
        "a number fails",
        {f"{ITEM} a NUL in the path": FAILED, f"{ITEM} a NUL in the path, again": FAILED},
    ),
    (
        "E6",
        "zero fails",
        {f"{ITEM} zero in the path": FAILED, f"{ITEM} zero in the path, again": FAILED},
    ),
    (
        "E6",
        "zero in the body fails",
        {
            f"{ADD} zero as count of the body": FAILED,
            f"{ADD} zero as count of the body, again": FAILED,
        },
    ),
    ("E6", "the example fails", {f"{ADD} as declared": FAILED}),
    ("I4", "the login leads anywhere", leading(f"https://{FOREIGN}/")),
    ("I4", "a backslash", leading(f"/\\{FOREIGN}/")),
    ("I4", "two slashes", {"a path of two slashes": reply(308, {"Location": f"//{FOREIGN}/"}, b"")}),
    ("I4", "a refresh", {"an address at /login": page({"Refresh": f"0;url=https://{FOREIGN}/"})}),
    ("I5", "an element", {"query of /search": page(body=f"<p>{MARKUP}".encode())}),
    (
        "I5",
        "an attribute",
        {"query of /search": page(body=f'<input value="{MARKUP.replace("<", "&lt;")}">'.encode())},
    ),
    ("I5", "in a script", {"missing": page(body=f"<script>x = '<{CANARY}>'</script>".encode())}),
    ("I6", "a file", {"encoded dots below /static": reply(200, TEXT, PLANTED)}),
    (
        "I6",
        "the accounts",
        {"dots in the path of /files/{name}": reply(200, TEXT, b"root:x:0:0:root:/root:/bin/sh\n")},
    ),
    ("I7", "a forged record", {}),
    ("I8", "a header", {"overridden": reply(405)}),
    ("I8", "a parameter", {"overridden in the query": reply(501)}),
    ("I8", "a POST shows the page", {"post": reply(405)}),
    ("X1", "settings", {"/.env": SETTINGS}),
    ("X1", "the repository", {"/.git/HEAD": reply(200, TEXT, b"ref: refs/heads/main\n")}),
    ("X1", "docs", {"/docs": page(body=b"<div id=swagger-ui>")}),
    ("X1", "metrics", {"/metrics": reply(200, TEXT, b"# HELP requests Requests\n# TYPE requests counter\n")}),
    ("X2", "nobody asks", {"missing": NOT_FOUND, f"{USERS} as a stranger": DATA}),
    ("X2", "anything will do", {**CLOSED, f"{USERS} with a made-up credential": DATA}),
    ("P1", "capital letters", {**CONTROL, f"capital letters at {ADD}": TAKEN}),
    ("P1", "it fails behind the check", {**CONTROL, f"a charset at {ADD}": FAILED}),
    ("P1", "plain text", {**CONTROL, f"plain text at {ADD}": TAKEN}),
    ("P2", "one chunk", {**CONTROL, f"one chunk at {ADD}": TAKEN}),
    (
        "P3",
        "HEAD",
        {**GUARDED, "HEAD of nothing": NOT_FOUND, f"HEAD past the guard of {GUARD}": reply(200, JSON, b"")},
    ),
    ("P4", "two slashes", past("two slashes in the middle", DATA)),
    ("P5", "a prefix", {"page": page(), **past("a forwarded prefix", DATA)}),
]

# A shop that keeps its contract, and of which each check knows the answers.
KEPT = {f"{name} at {ADD}": INVALID for name in ("capital letters", "a charset", "a parameter", "no type")}
OTHER = {f"{name} at {ADD}": reply(415) for name in ("a type of its own", "plain text")}
CHUNKS = ("one chunk", "chunks of three bytes", "Chunked in capitals", "chunks with an extension")


def refused_past(name: str) -> dict[str, Reply]:
    """The guard, and a refusal behind it for everything that a check tries."""
    site = replace(SITE, **SHOP)  # type: ignore[arg-type]
    asked = rehearsed(check_named(name), GUARDED, page(), site).exchanges
    return GUARDED | {label: REFUSED for label in asked if " past the guard of " in label}


GOOD: list[Case] = [
    ("E6", "refusals", {f"{ITEM} a NUL in the path": INVALID}),
    ("E6", "a minimum that is kept", {f"{ITEM} zero in the path": INVALID}),
    ("E6", "an outage, said as such", {f"{ITEM} a NUL in the path": reply(504)}),
    ("I4", "a path of its own", leading("/")),
    ("I4", "the host in a query", leading(f"https://login.example/?next=https://{FOREIGN}/")),
    ("I5", "escaped", {"query of /search": page(body=b"<p>" + MARKUP.replace("<", "&lt;").encode())}),
    ("I5", "JSON", {"query of /search": reply(200, JSON, MARKUP.encode())}),
    ("I6", "not found", {"dots in the path of /files/{name}": NOT_FOUND}),
    ("I8", "ignored", {"post": reply(405), "post for get": reply(405)}),
    ("X1", "a page for everything", {}),
    ("X1", "a page that repeats the path", {"/.env": page(body=b"A=/.env")}),
    ("X2", "refused", {**CLOSED, f"{USERS} with a made-up credential": REFUSED}),
    (
        "X2",
        "led to the login",
        {"missing": NOT_FOUND, f"{USERS} as a stranger": reply(303, {"Location": "/login"})},
    ),
    ("P1", "kept", {**CONTROL, **KEPT, **OTHER}),
    ("P2", "kept", {**CONTROL, **{f"{name} at {ADD}": INVALID for name in CHUNKS}}),
    (
        "P3",
        "refused",
        {**GUARDED, "HEAD of nothing": NOT_FOUND, f"HEAD past the guard of {GUARD}": reply(401, JSON, b"")},
    ),
    ("P4", "refused", refused_past("P4")),
    ("P4", "the same page for everything", {f"guard of {GUARD}": REFUSED}),
    ("P5", "refused", refused_past("P5")),
]

LOGS = {
    ("I7", "a forged record"): f"GET /{CANARY}-path-carrier\r\n{CANARY}-path-forged\n",
    ("I7", "an escape sequence"): f"GET /\x1b[31m{CANARY}-raw-coloured\n",
    ("I7", "escaped"): f'{{"path": "/\\r\\n{CANARY}-path-forged\\u001b[31m{CANARY}-path-coloured"}}\n',
}
"""What the target wrote meanwhile."""
BAD.append(("I7", "an escape sequence", {}))
GOOD.append(("I7", "escaped", {}))

UNJUDGED: list[tuple[str, dict[str, Reply], str]] = [
    ("I7", {}, "nothing of what was asked is in the log"),
    ("I8", {"another header": reply(202)}, "does not answer alike twice"),
    ("P1", {}, "no operation with a JSON body refuses"),
    ("P3", {"missing": NOT_FOUND}, "no guard to get around"),
    ("P3", GUARDED, "HEAD of a path that does not exist"),
    ("X2", {"missing": NOT_FOUND, f"{USERS} as a stranger": NOT_FOUND}, "shows who may call it"),
]
