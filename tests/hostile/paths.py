"""Paths and queries that servers, routers and file systems read in different ways."""

from __future__ import annotations

from typing import Final

from tests.hostile.case import MARK, Case, cases, request

# Refused whatever the app makes of them.
NO_PATHS: Final = rb"""
/items/../etc/passwd /items/./a /.. /. /items/.. /items/. /../../../../etc/passwd /items/%2e%2e/a
/items/%2E%2e/a /items/.%2e/a /items/%2e/a /items/..%2fa /items/a%2f..%2fb /items/%2e%2e%2fa /items/%00
/items/a%00.txt /items/%0a /items/%0d%0aX:1 /items/%09 /items/%1b[31m /items/%7f /items/%01 /items/a%0A
/items/% /items/%1 /items/%zz /items/%% /items/100% /items/%u0041 /items/%-1 /items/%+1 /items/%2
/items/%ff /items/%c0%af /items/%c0%ae%c0%ae/a /items/%e9 /items/%c3 /items/%c3%28 /items/%ed%a0%80
/items/%f5%80%80%80 /items/%e0%80%af /items/%fe%ff /items/%c2%85 /items/%c2%9b /items/%80 /items/caf%e9
""".split()
ODD_PATHS: Final = rb"""
//items/1 /items//1 ///// /items/a%2fb /items/a%5cb /items/a\b /items/a;b=1 /items/a%3bb /items/a%20b
/items/%20 /items/a+b /items/%25 /items/%2500 /items/%252e%252e /items/%252f /ITEMS/1 /items/%69 /items/1/
/items/~ /items/* /items/: /items/@ /items/.git /items/.env /.well-known/x /items/... /items/....
/items/..a /items/a.. /items/a..b /items/$(id) /items/`id` /items/' /items/%22 /items/%3Cscript%3E
/items/%E2%80%AE /items/%EF%BB%BF /items/%E2%80%8B /items/%F0%9F%98%80 /items/%EF%BC%8E%EF%BC%8E
/items/%E2%88%95 /items/%C0 /items/|id /items/{{7*7}} /items/${7*7} /items/<%=7*7%> /items/a?b?c
/items/a#b /items/CON /items/aux.txt /items/C:%5C /items/::$DATA /items/%e3%80%82%e3%80%82/a
/items/%EF%BC%8F /openapi.json%20 /docs/..;/ /items/..;/a /items/%3f /items/%23
""".split()
QUERIES: Final = rb"""
q=%00 q=%0a q=%ff q=%c0%af q=% q=%zz q=100% %=1 q[]=1 q[a][b]=1 q=1&q=2&q=3 &&&& = =1 q& q=&q q=a;b=c
q=a%26b=c limit=1e400 limit=NaN limit=-1 limit=9999999999999999999999999999 limit=0x10 limit=1.5 limit=
limit=%00 limit=1%0a limit=1&limit=2 limit=true limit[]=1 limit=%D9%A1 q=%E2%80%AE q=%ED%A0%80
q=%F0%9F%98%80 q=' q=" q=<script> q={{7*7}} q=${7*7} q=../../etc/passwd q=%2e%2e%2f q=a+b q=%2b Q=1 q=;id
q=|id q=`id` __proto__[x]=1 constructor=1 q=\ q=%5c q=%u0041 q=1%20OR%201=1 ?q=1 q=1#2 q=^ q={} q=[
""".split()


def get(target: bytes) -> bytes:
    """A GET with a canary behind its target."""
    mark = (b"&" if b"?" in target else b"?") + b"x=" + MARK
    return request(target + mark, method=b"GET")


def paths() -> list[Case]:
    """Paths, and the lengths of paths."""
    long = {
        "long": b"/items/" + b"a" * 20_000,
        "very long": b"/items/" + b"a" * 200_000,
        "many segments": b"/items" + b"/a" * 1000,
        "many slashes": b"/items" + b"/" * 1000,
        "long escaped": b"/items/" + b"%41" * 6000,
    }
    return [
        *cases("path", {repr(path): get(path) for path in NO_PATHS}, 400),
        *cases("odd path", {repr(path): get(path) for path in ODD_PATHS}),
        *cases("size", {name: get(path) for name, path in long.items()}, 400, 414, 431),
        *cases("byte in a path", {repr(code): get(b"/items/%c" % code) for code in range(256)}),
        *cases("escape in a path", {repr(code): get(b"/items/%%%02x" % code) for code in range(256)}),
    ]


def queries() -> list[Case]:
    """Queries, and how many parameters they have."""
    long = {
        "parameters": b"/items/1?" + b"q=1&" * 2000,
        "names": b"/items/1?" + b"&".join(b"a%d" % number for number in range(2000)),
    }
    return [
        *cases("query", {repr(query): get(b"/items/1?" + query) for query in QUERIES}),
        *cases("query", {name: get(target) for name, target in long.items()}, 400),
        *cases("byte in a query", {repr(code): get(b"/items/1?q=%c" % code) for code in range(256)}),
        *cases("escape in a query", {repr(code): get(b"/items/1?q=%%%02x" % code) for code in range(256)}),
    ]
