"""Replies made by hand for the checks of browser policy, cookies, other origins and TLS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.harness.recordings import CANARY, SITE, lost, page, reply

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply
    from garrison_harness.site import Site

Case = tuple[str, str, "dict[str, Reply]"]

STRANGER = f"https://{CANARY}.example"
SESSION = "sessionid=0123456789abcdef"
FORM = "form 1 as x-www-form-urlencoded"
NONCE = "rAnd0mrAnd0mrAnd0mrAnd0m"
WITH_COOKIES = {"Access-Control-Allow-Credentials": "true"}
NOT_FOUND = reply(404)
TAKEN = reply(204, body=b"")


def site_for(name: str) -> Site:
    """What is known of the app, as far as a check needs more than others."""
    if name == "C5":
        return replace(SITE, authority="shop.example")
    if name == "H11":
        return replace(SITE, headers=(("Cookie", SESSION),))
    return replace(SITE, https=name in {"H4", "H6", "C1", "S1"})


def policy(*texts: str) -> Reply:
    """A page with these content security policies."""
    return page({"Content-Security-Policy": list(texts)})


def both(*texts: str) -> dict[str, Reply]:
    """The same page twice, with these policies."""
    return {"page": policy(*texts), "page again": policy(*texts)}


def fresh(text: str, nonce: str = NONCE) -> dict[str, Reply]:
    """A page twice, with a nonce of its own each time."""
    return {
        "page": policy(text.replace("NONCE", nonce)),
        "page again": policy(text.replace("NONCE", nonce[::-1])),
    }


def cookie(line: str) -> dict[str, Reply]:
    """A page that sets a cookie."""
    return {"page": page({"Set-Cookie": line})}


def allowing(origin: str, **more: str) -> Reply:
    """A page that an origin may read with cookies."""
    return page({"Access-Control-Allow-Origin": origin, **WITH_COOKIES, **more})


def hello(version: bytes) -> Reply:
    """A ServerHello of that version."""
    return replace(lost("malformed"), raw=b"\x16\x03\x01\x00\x31\x02\x00\x00\x2d" + version + bytes(32))


def preflight(method: str, headers: str, origin: str = STRANGER) -> Reply:
    """The answer to a preflight."""
    lines = {"Access-Control-Allow-Methods": method, "Access-Control-Allow-Headers": headers}
    return reply(204, {"Access-Control-Allow-Origin": origin, **WITH_COOKIES, **lines}, b"")


BAD: list[Case] = [
    ("H3", "no policy", {}),
    ("H3", "a policy that says nothing of scripts", {"page": policy("base-uri 'self'")}),
    (
        "H3",
        "a policy that is only reported on",
        {"page": page({"Content-Security-Policy-Report-Only": "default-src 'self'"})},
    ),
    ("H6", "no opener policy", {}),
    (
        "H6",
        "an opener policy that parts nothing",
        {"page": page({"Cross-Origin-Opener-Policy": "unsafe-none"})},
    ),
    (
        "H6",
        "an opener policy that is sent twice",
        {"page": page({"Cross-Origin-Opener-Policy": ["same-origin", "same-origin"]})},
    ),
    ("H7", "the grammar of Feature-Policy", {"page": page({"Permissions-Policy": "camera 'none'"})}),
    ("H7", "everybody may use the camera", {"page": page({"Permissions-Policy": "usb=(), camera=*"})}),
    (
        "H11",
        "a cookie for everybody",
        {"page": page({"Set-Cookie": SESSION, "Cache-Control": "public, max-age=60"})},
    ),
    (
        "H11",
        "an account page for everybody",
        {
            "page": page({"Cache-Control": "s-maxage=60"}, b"<p>Ada's account"),
            "page for nobody": page(body=b"<p>Log in"),
        },
    ),
    ("H13", "inline scripts", both("default-src 'self' 'unsafe-inline'")),
    ("H13", "scripts from anywhere", both("script-src 'self' https:; object-src 'none'")),
    ("H13", "eval", both("default-src 'self' 'unsafe-eval'")),
    ("H13", "a host for everybody", both("default-src 'self' https://cdn.jsdelivr.net")),
    ("H13", "objects from anywhere", both("script-src 'self'")),
    ("H13", "no base-uri beside a nonce", fresh("default-src 'none'; script-src 'nonce-NONCE'")),
    ("H13", "one nonce for all", both(f"default-src 'none'; script-src 'nonce-{NONCE}'; base-uri 'none'")),
    (
        "H13",
        "a short nonce",
        fresh("default-src 'none'; script-src 'nonce-NONCE'; base-uri 'none'", nonce="abcdef01"),
    ),
    ("H13", "a keyword that is no keyword", both("default-src self")),
    ("H13", "a directive that nobody knows", both("default-src 'self'; scripts-src 'none'")),
    ("H13", "nothing and something", both("default-src 'none' https://a.example")),
    ("H14", "nobody is told", {"page": policy("default-src 'self'")}),
    ("H14", "a group that is nowhere", {"page": policy("default-src 'self'; report-to csp")}),
    (
        "H14",
        "refused",
        {"page": policy("default-src 'self'; report-uri /csp"), "report to /csp as csp-report": NOT_FOUND},
    ),
    ("C1", "no Secure", cookie(f"{SESSION}; HttpOnly")),
    ("C2", "no HttpOnly", cookie(f"{SESSION}; Secure")),
    ("C2", "Express's name", cookie("connect.sid=s%3A0123456789abcdef; Path=/")),
    ("C3", "no SameSite", cookie(f"{SESSION}; HttpOnly")),
    ("C3", "None without Secure", cookie("theme=dark; SameSite=None")),
    ("C3", "a word that browsers do not know", cookie("theme=dark; SameSite=Loose")),
    ("C4", "__Host- with a Domain", cookie("__Host-a=1; Secure; Path=/; Domain=shop.example")),
    ("C4", "__Host- below a path", cookie("__Host-a=1; Secure; Path=/a")),
    ("C4", "__Secure- without Secure", cookie("__Secure-a=1")),
    ("C4", "too large", cookie(f"a={'b' * 4096}")),
    ("C5", "somebody else's Domain", cookie("a=1; Domain=other.example")),
    ("C6", "fails over bytes", {"bytes that are no text": reply(500)}),
    ("C6", "fails over its own cookie", {"the app's own cookies with other values": reply(500)}),
    ("O1", "the origin comes back", {"page from a stranger": allowing(STRANGER)}),
    ("O1", "* with credentials", {"body path from a stranger": allowing("*")}),
    ("O2", "null", {"page from null": allowing("null")}),
    ("O2", "null without cookies", {"page from null": page({"Access-Control-Allow-Origin": "null"})}),
    (
        "O3",
        "compared at its beginning",
        {
            "http://localhost compared at its beginning": allowing(f"http://localhost.{CANARY}.example"),
            "trusted http://localhost": allowing("http://localhost"),
        },
    ),
    (
        "O3",
        "compared at its end",
        {
            "page": allowing("https://app.shop.example"),
            "https://app.shop.example compared at its end": allowing(f"https://{CANARY}shop.example"),
        },
    ),
    (
        "O3",
        "an origin that a reply names",
        {
            "page": allowing("https://app.shop.example"),
            "https://app.shop.example where a dot stands for any letter": allowing(
                "https://appxshop.example"
            ),
        },
    ),
    ("O4", "any method", {"page: any method": preflight("GARRISON", "")}),
    ("O4", "any header", {"page: any header": preflight("PUT", f"x-{CANARY}")}),
    ("O5", "no Vary", {"page from http://localhost": allowing("http://localhost")}),
    (
        "O6",
        "opens for a stranger",
        {"page": page({"Set-Cookie": SESSION}), "own /ws": reply(101), "foreign /ws": reply(101)},
    ),
    (
        "O6",
        "opens Socket.IO for a stranger",
        {
            "own /ws/socket.io/?EIO=4&transport=websocket": reply(101),
            "foreign /ws/socket.io/?EIO=4&transport=websocket": reply(101),
        },
    ),
    (
        "O7",
        "takes a stranger's form",
        {"page": page({"Set-Cookie": SESSION}), "form to nowhere": NOT_FOUND},
    ),
    ("S1", "TLS 1.0", {"TLS 1.0": hello(b"\x03\x01")}),
    ("S1", "SSL 3.0", {"SSL 3.0": hello(b"\x03\x00")}),
]

GOOD: list[Case] = [
    ("H3", "scripts by a default", {"page": policy("default-src 'self'")}),
    ("H3", "a second policy", {"page": policy("base-uri 'self'", "script-src 'none'")}),
    ("H3", "a sandbox", {"page": policy("sandbox allow-forms")}),
    (
        "H3",
        "a policy in the page",
        {
            "page": page(
                body=b'<meta http-equiv="Content-Security-Policy" content="script-src &#39;self&#39;">'
            )
        },
    ),
    ("H6", "same-origin", {"page": page({"Cross-Origin-Opener-Policy": 'same-origin; report-to="a"'})}),
    (
        "H6",
        "JSON says who may load it",
        {
            "page": reply(
                200, {"Content-Type": "application/json", "Cross-Origin-Resource-Policy": "same-site"}
            )
        },
    ),
    (
        "H7",
        "features of all kinds",
        {"page": page({"Permissions-Policy": 'camera=(), usb=(self "https://a.example"), a=self, b=*'})},
    ),
    (
        "H11",
        "a cookie for one",
        {"page": page({"Set-Cookie": SESSION, "Cache-Control": "private, max-age=9"})},
    ),
    ("H11", "a cookie and no word of caches", {"page": page({"Set-Cookie": SESSION})}),
    (
        "H11",
        "one reply for each login",
        {
            "page": page({"Cache-Control": "max-age=60", "Vary": "Accept, Cookie"}, b"<p>Ada"),
            "page for nobody": page(body=b"<p>Log in"),
        },
    ),
    (
        "H13",
        "a nonce, and hosts for old browsers",
        fresh(
            "default-src 'none'; script-src 'nonce-NONCE' 'strict-dynamic' https: 'unsafe-inline';"
            " base-uri 'none'"
        ),
    ),
    ("H13", "one strict policy among two", both("script-src *", "default-src 'self'; base-uri 'none'")),
    (
        "H13",
        "one file of a host for everybody",
        both("default-src 'self' https://cdn.jsdelivr.net/npm/vue@3/dist/; base-uri 'self'"),
    ),
    (
        "H14",
        "an old place",
        {"page": policy("default-src 'self'; report-uri /csp"), "report to /csp as csp-report": TAKEN},
    ),
    (
        "H14",
        "a new place",
        {
            "page": page(
                {
                    "Content-Security-Policy-Report-Only": "default-src 'self'; report-to csp",
                    "Reporting-Endpoints": 'other="https://a.example", csp="/csp?a=1"',
                }
            ),
            "report to /csp?a=1 as reports+json": TAKEN,
        },
    ),
    (
        "H14",
        "a place of the draft before",
        {
            "page": page(
                {
                    "Content-Security-Policy": "default-src 'self'; report-to csp",
                    "Report-To": '{"group": "csp", "max_age": 60, "endpoints": [{"url": "/csp"}]}',
                }
            ),
            "report to /csp as reports+json": TAKEN,
        },
    ),
    ("H14", "a place elsewhere", {"page": policy("default-src 'self'; report-uri https://reports.example/")}),
    ("C1", "Secure", cookie(f"{SESSION}; Secure")),
    ("C1", "a cookie that ends", {"page": page({"Set-Cookie": ["a=; Max-Age=0", "b=1; Secure"]})}),
    ("C2", "HttpOnly", cookie(f"{SESSION}; httponly")),
    (
        "C2",
        "a session that ends, and a token for scripts",
        {
            "page": page(
                {
                    "Set-Cookie": [
                        f"{SESSION}; HttpOnly",
                        "session2=; expires=Thu, 01 Jan 1970 00:00:00 GMT",
                        "csrf_session=0123456789abcdef",
                        "assessment=0123456789abcdef",
                        "session_start=1700000000",
                    ]
                }
            )
        },
    ),
    ("C3", "Lax", cookie(f"{SESSION}; SameSite=lax")),
    ("C3", "a preference without SameSite", cookie("theme=dark")),
    ("C4", "__Host- as it should be", cookie("__Host-a=1; Path=/; Secure")),
    ("C5", "no Domain", cookie("a=1; Path=/")),
    ("C6", "refused", {"a cookie of 7 KB": reply(431), "bytes that are no text": reply(400)}),
    (
        "O1",
        "everybody, without cookies",
        {"page from a stranger": page({"Access-Control-Allow-Origin": "*"})},
    ),
    ("O1", "somebody else", {"page from a stranger": allowing("https://shop.example")}),
    ("O2", "null refused", {"page from null": reply(403)}),
    ("O3", "no permissions", {}),
    (
        "O3",
        "one origin only",
        {"trusted http://localhost": allowing("http://localhost", Vary="Origin")},
    ),
    ("O4", "refused", {"page: any method": reply(400), "page: any header": reply(405)}),
    ("O4", "a list", {"page: any header": preflight("GET, PUT", "authorization")}),
    ("O4", "everything, without cookies", {"page: any header": preflight("*", "*", origin="*")}),
    ("O5", "Vary", {"page from http://localhost": allowing("http://localhost", Vary="accept, origin")}),
    (
        "O5",
        "kept nowhere",
        {"page from http://localhost": allowing("http://localhost", **{"Cache-Control": "no-store"})},
    ),
    ("O6", "refused", {"own /ws": reply(101), "foreign /ws": reply(403)}),
    ("O6", "closed at once", {"own /ws": reply(101), "foreign /ws": reply(101, rest=b"\x88\x02\x03\xf0")}),
    ("O7", "refused", {"form to nowhere": NOT_FOUND, f"foreign {FORM}": reply(403)}),
    (
        "O7",
        "sent to the login",
        {"form to nowhere": NOT_FOUND, f"foreign {FORM}": reply(302, {"Location": "/login"})},
    ),
    ("S1", "an alert", {"TLS 1.0": replace(lost("malformed"), raw=b"\x15\x03\x01\x00\x02\x02\x46")}),
    ("S1", "something newer than was offered", {"TLS 1.1": hello(b"\x03\x03")}),
]

UNJUDGED: list[tuple[str, dict[str, Reply], str]] = [
    ("H3", {"page": reply(200, {"Content-Type": "application/json"})}, "no page for a browser"),
    ("H13", {}, "see H3"),
    ("H14", {}, "see H3"),
    ("H11", {"page": page(), "page for nobody": page()}, "sets a cookie or differs"),
    ("C1", {}, "no reply sets a cookie"),
    ("C2", cookie("theme=dark"), "no cookie is named like a session"),
    ("O2", {"stranger": allowing(STRANGER)}, "see O1"),
    ("O3", {"page": page({"Vary": "Origin"})}, "none is known"),
    ("O6", {}, "no WebSocket"),
    ("O7", {}, "in the same way at a path that it does not have"),
    (
        "O7",
        {"form to nowhere": NOT_FOUND, f"own {FORM}": reply(403), "own form 1 as plain": reply(415)},
        "--body-path",
    ),
]
