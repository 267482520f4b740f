"""Whether what a guard refuses is given out to the same request in another spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged, in_time
from garrison_harness.checks.denial import denies_in_words, serves, turns_away
from garrison_harness.checks.inputs import anonymous, briefly, mapping, read_routes
from garrison_harness.discovery.examples import resolve
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_MOST_ROUTES: Final = 25
_MOST_GUARDED: Final = 4
_USUAL: Final = ("/admin", "/internal", "/private")
_FORWARDED_PATHS: Final = ("X-Original-URL", "X-Rewrite-URL")


def _guarded(stage: Stage) -> list[str]:
    """Paths that turn a stranger away, found by asking for them; their queries stay with them."""
    site = stage.site
    stage.ask("missing", site.get(site.missing_path, anonymous(site)))
    known = [route.target for route in read_routes(site, _MOST_ROUTES)]
    found: list[str] = []
    for target in in_time(stage, dict.fromkeys([*known, *_USUAL])):
        reply = stage.ask(f"guard of {target}", briefly(site.get(target, anonymous(site))))
        if turns_away(reply) and target != "/":
            found.append(target)
        if len(found) >= _MOST_GUARDED:
            break
    return found


def _drive_head(stage: Stage) -> None:
    site = stage.site
    stage.ask("HEAD of nothing", site.request("HEAD", site.missing_path, anonymous(site), plain=False))
    for target in _guarded(stage):
        request = site.request("HEAD", target, anonymous(site), plain=False)
        stage.ask(f"HEAD past the guard of {target}", request)


def _judge_head(seen: Seen) -> Iterator[Finding]:
    nothing = seen.reply("HEAD of nothing")
    _require_guard(seen)
    if (nothing.status or 0) < 400:
        raise Unjudged(f"HEAD of a path that does not exist is answered with {nothing.outcome} as well")
    for label, exchange in seen.exchanges.items():
        if " past the guard of " in label and 200 <= (exchange.reply.status or 0) < 300:
            message = f"HEAD is answered with {exchange.reply.status} where a stranger's GET is refused"
            yield seen.finding(label, message, show=("content-type", "content-length"))


def _spellings(target: str) -> dict[str, str]:
    """The same path as different parts of an app may read it."""
    path, mark, query = target.partition("?")
    head, _, last = path.rstrip("/").rpartition("/")
    first = path.lstrip("/")
    letter = f"%{ord(last[:1] or 'a'):02x}{last[1:]}"
    spelled = {
        "an encoded letter": f"{head}/{letter}",
        "two slashes at the front": f"//{first}",
        "a slash at the end": f"{path}/",
        "an encoded slash at the end": f"{path}%2f",
        "a dot": f"/./{first}",
        "dots": f"/garrison/../{first}",
        "encoded dots": f"/garrison/%2e%2e/{first}",
        "a dot at the end": f"{path}/.",
        "capital letters": path.upper(),
        "a semicolon": f"{path};garrison",
        "a blank at the end": f"{path}%20",
        "a backslash": f"/%5C{first}",
    }
    if head:
        spelled["an encoded slash"] = f"{head}%2f{last}"
        spelled["two slashes in the middle"] = f"{head}//{last}"
    return {name: f"{other}{mark}{query}" for name, other in spelled.items() if other != path}


def _spelled(site: Site, target: str) -> dict[str, Request]:
    return {
        name: site.request("GET", spelled, anonymous(site), plain=False)
        for name, spelled in _spellings(target).items()
    }


def _drive_spellings(stage: Stage) -> None:
    _get_around(stage, _spelled)


def _drive_mounts(stage: Stage) -> None:
    stage.ask("page", stage.site.get(stage.site.path, anonymous(stage.site)))
    _get_around(stage, _mounted)


def _get_around(stage: Stage, ways: Callable[[Site, str], dict[str, Request]]) -> None:
    guarded = _guarded(stage)
    # What is answered in the same way for a path that nobody serves proves nothing.
    for name, request in ways(stage.site, f"{stage.site.missing_path}/users").items() if guarded else ():
        stage.ask(f"{name} past nothing", request)
    past = [
        (f"{name} past the guard of {target}", request)
        for target in guarded
        for name, request in ways(stage.site, target).items()
    ]
    for label, request in in_time(stage, past):
        stage.ask(label, briefly(request))


def _mounted(site: Site, target: str) -> dict[str, Request]:
    """Requests for the same path that name another prefix for it, or name it elsewhere."""
    scheme = "https" if site.https else "http"
    whole = f"{scheme}://{site.authority}{target}"
    first = f"/{target.lstrip('/').partition('/')[0]}"
    said = {
        "the target as a whole URL": (whole, []),
        # Frameworks put a URL together from Host and path, and take it apart again to find the path.
        "a Host that holds a path": (target, [("Host", f"{site.authority}/garrison?")]),
        "a forwarded prefix": (target, [("X-Forwarded-Prefix", "/garrison"), ("X-Script-Name", "/garrison")]),
        "the first segment as a forwarded prefix": (target, [("X-Forwarded-Prefix", first)]),
    }
    for name in _FORWARDED_PATHS:
        said[f"{name} with another path"] = (target, [(name, "/")])
        said[f"{name} with this path"] = (site.path, [(name, target)])
    for prefix in _prefixes(site, target):
        said["the path without its prefix"] = (target.removeprefix(prefix), [])
        said["the prefix twice"] = (prefix + target, [])
    return {
        name: site.request("GET", spelled, [*anonymous(site), *lines], plain=False)
        for name, (spelled, lines) in said.items()
    }


def _prefixes(site: Site, target: str) -> list[str]:
    """What the document says that the path of an operation is below of."""
    document = site.document or {}
    return [
        route.template.removesuffix(path)
        for route in site.routes
        if route.target == target and route.operation is not None
        for path, item in mapping(document.get("paths")).items()
        if resolve(item, document).get("get") is route.operation and path != route.template
    ][:1]


def _judge_spellings(seen: Seen) -> Iterator[Finding]:
    _require_guard(seen)
    missing = seen.reply("missing")
    usual = {missing.body} | ({seen.reply("page").body} if "page" in seen.exchanges else set())
    reported: set[str] = set()
    for label, exchange in seen.exchanges.items():
        name, past, target = label.partition(" past the guard of ")
        reply = exchange.reply
        if not past or target in reported or reply.body in usual or not serves(reply, missing):
            continue
        if f"{name} past nothing" in seen.exchanges and not serves(reply, seen.reply(f"{name} past nothing")):
            continue
        reported.add(target)
        # Where another path is asked for, the page may be one of another route.
        elsewhere = name.endswith(("with this path", "without its prefix"))
        stray = reply.is_html and (elsewhere or seen.reply(f"guard of {target}").is_json)
        yield seen.finding(
            label,
            f"what a stranger is refused at {target} is given out with {name}",
            show=("content-type",),
            confidence=Confidence.LIKELY if stray or denies_in_words(reply) else Confidence.CONFIRMED,
        )


def _require_guard(seen: Seen) -> None:
    """See to it that there is something to get around.

    Raises:
        Unjudged: No route turns strangers away.
    """
    if not any(" past the guard of " in label for label in seen.exchanges):
        raise Unjudged("no known route turns a stranger away, so there is no guard to get around")


CHECKS = (
    Check(
        id="P3",
        title="HEAD is refused where GET is",
        severity=Severity.LOW,
        cwe=425,
        reference="RFC 9110 section 9.3.2; OWASP API5:2023",
        fix="guard routes and not methods: refuse HEAD wherever GET is refused",
        garrison="with GARRISON_CONTRACT_DOCUMENT and GARRISON_CONTRACT_SECURITY=verify HEAD is held to "
        "what the document declares for GET",
        why="A rule that names GET and POST forgets that HEAD calls the same handler. A stranger learns "
        "what there is, how large it is and when it changed, and sets off whatever the handler does.",
        how="Routes that turn a stranger's GET away are asked with HEAD. A finding is an answer of success, "
        "where HEAD of a path that does not exist is not answered so.",
        drive=_drive_head,
        judge=_judge_head,
        sampled=True,
    ),
    Check(
        id="P4",
        title="A guarded path is guarded in every spelling",
        severity=Severity.HIGH,
        cwe=425,
        reference="OWASP API5:2023; ASVS 5.0 V8.3.1",
        fix="let the guard sit on the route, after routing, and not on the path as text; or refuse paths "
        "with encoded slashes, dots and empty segments",
        garrison="GARRISON_REQUEST_LIMITS_URL=strict refuses paths that can be read in two ways",
        why="A guard compares the path with a list, and the router behind it reads the path in its own way: "
        "//admin, /ADMIN or /%61dmin is not on the list and leads to the same handler, without a login.",
        how="Routes that turn a stranger away are asked with up to fourteen spellings of their path: "
        "encoded letters and slashes, double slashes, dots, capitals, semicolons. A finding is an answer of "
        "success that is not what the app answers for a made-up path, asked in the same way.",
        drive=_drive_spellings,
        judge=_judge_spellings,
        sampled=True,
    ),
    Check(
        id="P5",
        title="A guarded path is guarded below every prefix",
        severity=Severity.HIGH,
        cwe=348,
        reference="OWASP API5:2023; ASVS 5.0 V4.1.3",
        fix="let the guard read the path that the router reads, never one that is put together from "
        "headers, and believe X-Forwarded-Prefix and X-Original-URL from your own proxies only",
        garrison="GARRISON_PROXY_TRUSTED names the proxies whose headers are believed, and "
        "GARRISON_PROXY_STRIP more headers that nobody else may send, such as X-Original-URL",
        why="Behind a proxy an app learns from headers below which prefix it is, and some guards take the "
        "path from a URL that is put together from Host and prefix. A stranger who sends such headers has "
        "the guard look at one path while the router serves another.",
        how="Routes that turn a stranger away are asked with the target as a whole URL, with a Host that "
        "holds a path, with a prefix and another path in headers that proxies use, and with and without the "
        "prefix that the document declares. A finding is an answer of success that is neither the page nor "
        "what a made-up path gets when it is asked in the same way.",
        drive=_drive_mounts,
        judge=_judge_spellings,
        sampled=True,
    ),
)
