"""Asks for a file outside of what an app serves.

The file is this module, which lies on the same machine as an app that is started here. It holds a phrase that
no request contains.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from garrison_harness.checks.check import Check
from garrison_harness.checks.inputs import (
    briefly,
    query_names,
    read_routes,
    require_success,
    with_path,
    with_query,
)
from garrison_harness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_PHRASE: Final = "planted-and-never-asked-for-8d1f2c7be0"
# Where the app is not on this machine, or is in a container: the file that every Unix has.
_ACCOUNTS: Final = re.compile(r"^root:[^:\n]*:0:0:", re.MULTILINE)
_UP: Final = 16  # directories; more than anybody nests, and the root is its own parent
_MOST_ROUTES: Final = 12
_USUAL: Final = ("/static", "/assets", "/files", "/media", "/public", "/uploads", "/download")
_FILE_NAMES: Final = (
    "file",
    "filename",
    "path",
    "filepath",
    "name",
    "doc",
    "document",
    "page",
    "template",
    "f",
)
_NAMES_A_FILE: Final = re.compile(
    r"file|path|doc|name|page|template|dir|folder|image|img|src|key", re.IGNORECASE
)
# How one step up is written, each for another way in which a path is taken apart too late.
_STEPS: Final = {
    "dots": "../",
    "an encoded slash": "..%2f",
    "encoded dots": "%2e%2e/",
    "both encoded": "%2e%2e%2f",
    "encoded twice": "..%252f",
    "an encoded backslash": "..%5c",
    "dots that survive a filter": "....//",
}


def _forms(file: str) -> dict[str, str]:
    bare = file.lstrip("/")
    forms = {}
    for name, step in _STEPS.items():
        slash = next((code for code in ("%252f", "%2f") if code in step), "/")
        forms[name] = step * _UP + bare.replace("/", slash)
    # A directory that is joined with an absolute path gives way to it.
    forms["an absolute path"] = f"/{bare}"
    forms["an absolute path, encoded"] = quote(f"/{bare}", safe="")
    return forms


def _file(site: Site) -> str:
    return quote(Path(__file__).resolve().as_posix()) if site.started else "/etc/passwd"


def _ask_outside(site: Site) -> Mapping[str, Request]:
    forms = _forms(_file(site))
    asked = {"page": site.get(site.path)}
    routes = read_routes(site, _MOST_ROUTES)
    for prefix in _prefixes(site):
        for form, value in forms.items():
            asked[f"{form} below {prefix}"] = site.request("GET", f"{prefix}/{value}", plain=False)
    for route in routes:
        names = [
            name
            for name in query_names(route, site, _FILE_NAMES)
            if _NAMES_A_FILE.search(name) or name in _FILE_NAMES
        ]
        for form, value in forms.items():
            if (filled := with_path(route, value)) is not None:
                asked[f"{form} in the path of {route.template}"] = site.request("GET", filled, plain=False)
            if names and form in {"dots", "dots that survive a filter", "an absolute path"}:
                target = with_query(route.target, names, value)
                asked[f"{form} in the query of {route.template}"] = site.request("GET", target, plain=False)
    return {label: briefly(request) for label, request in asked.items()}


def _prefixes(site: Site) -> list[str]:
    """Directories that look as if files were served from them."""
    linked = [
        route.target.partition("?")[0].rpartition("/")[0]
        for route in site.routes
        if route.source == "crawl" and "." in route.target.rpartition("/")[2]
    ]
    return list(dict.fromkeys(["", *linked, *_USUAL]))[: len(_USUAL) + 4]


def _judge_outside(seen: Seen) -> Iterator[Finding]:
    page = seen.reply("page").text
    found: set[str] = set()
    for label, exchange in seen.exchanges.items():
        text = exchange.reply.text
        accounts = _ACCOUNTS.search(text)
        place = label.partition(" below ")[2] or label.partition(" in the ")[2]
        if _PHRASE in text or (accounts and not _ACCOUNTS.search(page)):
            # A usual directory may be the path of a route too, which is one hole.
            known = not found.isdisjoint({place, exchange.request.target})
            found |= {place, exchange.request.target}
            if known:
                continue
            message = f"a file outside of what is served can be read, with {label.partition(' below ')[0]}"
            yield seen.finding(label, message, excerpt=accounts[0] if accounts else _PHRASE)
    require_success(seen)


CHECKS = (
    Check(
        id="I6",
        title="No path leads out of what is served",
        severity=Severity.CRITICAL,
        cwe=22,
        reference="ASVS 5.0 V5.3.2; ZAP 6",
        fix="resolve the path and refuse it unless it is below the directory that is served, or use the "
        "framework's file serving, which does",
        garrison="GARRISON_REQUEST_LIMITS_URL refuses dot segments in paths, and strict encoded slashes too",
        why="A route that gives out files by name can be talked into giving out any file that the process "
        "may read: its source, its settings with their passwords, the keys of the machine.",
        how="Routes that take a path or a file's name, and the usual directories of files, are asked for a "
        "file that lies elsewhere on the machine, with steps up in seven spellings and by its absolute "
        "path. A finding is a reply that holds a phrase out of that file, which no request contains. An app "
        "that was not started here is asked for /etc/passwd.",
        ask=_ask_outside,
        judge=_judge_outside,
        sampled=True,
    ),
)
