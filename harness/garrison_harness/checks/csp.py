"""Whether the content security policy of pages limits scripts, and whether it holds what it promises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.content_policy import (
    header_policies,
    nonces,
    page_policies,
    script_sources,
    sources,
)
from garrison_harness.checks.pages import ask_pages, faults_of_pages, pages
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.checks.content_policy import Policy
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site

_POLICY: Final = "content-security-policy"
_REPORTED: Final = f"{_POLICY}-report-only"
# Directives that current drafts define or browsers still know.
_DIRECTIVES: Final = frozenset(
    {
        "base-uri",
        "block-all-mixed-content",
        "child-src",
        "connect-src",
        "default-src",
        "fenced-frame-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "navigate-to",
        "object-src",
        "plugin-types",
        "prefetch-src",
        "referrer",
        "report-to",
        "report-uri",
        "require-sri-for",
        "require-trusted-types-for",
        "sandbox",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "trusted-types",
        "upgrade-insecure-requests",
        "webrtc",
        "worker-src",
    }
)
_WITHOUT_SOURCES: Final = frozenset(
    {
        "block-all-mixed-content",
        "plugin-types",
        "referrer",
        "report-to",
        "report-uri",
        "require-sri-for",
        "require-trusted-types-for",
        "sandbox",
        "trusted-types",
        "upgrade-insecure-requests",
        "webrtc",
    }
)
_BARE_KEYWORD: Final = re.compile(
    r"(self|none|unsafe-inline|unsafe-eval|unsafe-hashes|strict-dynamic|report-sample|wasm-unsafe-eval"
    r"|(nonce|sha256|sha384|sha512)-.+)",
    re.IGNORECASE,
)
_ALLOWING: Final = re.compile(r"'(nonce|sha256|sha384|sha512)-", re.IGNORECASE)
_ANYWHERE: Final = re.compile(r"\*(:\*|:\d+)?|(https?|data):|https?://\*(:\*|:\d+)?", re.IGNORECASE)
# Hosts that serve what anybody publishes, below these paths.
_FOR_EVERYBODY: Final = {
    "ajax.googleapis.com": ("/", "/ajax/libs/"),
    "cdn.jsdelivr.net": ("/", "/npm/", "/gh/"),
    "cdnjs.cloudflare.com": ("/", "/ajax/libs/"),
    "esm.sh": ("/",),
    "raw.githack.com": ("/",),
    "unpkg.com": ("/",),
}
_SHORTEST_NONCE: Final = 22  # characters of base64 for 128 bits (CSP Level 3 section 7.1)
_SCRIPT_RULES: Final = "send Content-Security-Policy with script-src 'self', or nonces and 'strict-dynamic'"


def _presence(reply: Reply) -> Iterator[str]:
    if any(script_sources(policy) is not None for policy in page_policies(reply)):
        return
    reported = any(script_sources(policy) is not None for policy in header_policies(reply, _REPORTED))
    if reported:
        yield "the policy that limits scripts is only reported on, and enforced nowhere"
    elif header_policies(reply):
        yield "the content security policy says nothing of scripts: neither script-src nor default-src"
    else:
        yield "a page without any content security policy: whatever gets into its markup runs as script"


def _judge_presence(seen: Seen) -> Iterator[Finding]:
    yield from faults_of_pages(seen, _presence, show=(_POLICY, _REPORTED))


def _ask_twice(site: Site) -> Mapping[str, Request]:
    return {**ask_pages(site), "page again": site.get(site.path)}


def _judge_quality(seen: Seen) -> Iterator[Finding]:
    limited = [
        exchange
        for exchange in pages(seen)
        if any(script_sources(policy) is not None for policy in page_policies(exchange.reply))
    ]
    if not limited:
        raise Unjudged("no page has a policy that limits scripts: see H3")
    yield from faults_of_pages(seen, _weak_points, show=(_POLICY,))
    first, again = (
        {nonce for policy in page_policies(seen.reply(label)) for nonce in nonces(policy)}
        for label in ("page", "page again")
    )
    if first & again:
        message = "the nonce of the policy is the same in two replies, so that it can be learned and used"
        yield seen.finding("page again", message, show=(_POLICY, "cache-control", "age"))
    bare = [
        exchange
        for exchange in limited
        if all("base-uri" not in policy for policy in page_policies(exchange.reply))
    ]
    if bare and not _by_nonce(bare[0].reply):
        message = "no base-uri: a planted base element moves what the page links to by a relative address"
        yield seen.finding(bare[0], message, show=(_POLICY,), confidence=Confidence.INFO)


def _weak_points(reply: Reply) -> Iterator[str]:
    """What is weak in every policy of a page that limits scripts, and what is misspelt in any."""
    policies = page_policies(reply)
    if any(script_sources(policy) is not None for policy in policies):
        weak = [_weaknesses(policy) for policy in policies]
        # A page has to keep all its policies: one that is strict where another is not makes up for it.
        for aspect in weak[0]:
            if all(aspect in other for other in weak):
                yield next(other[aspect] for other in weak if other[aspect])
    for policy in policies:
        yield from _mistakes(policy)


def _weaknesses(policy: Policy) -> dict[str, str]:
    """What a policy leaves open, by aspect; no words where it does not speak of scripts at all."""
    listed = script_sources(policy)
    found = dict.fromkeys(("inline", "anywhere", "eval", "published"), "") if listed is None else {}
    if listed is not None:
        found = _of_scripts(policy, [source.lower() for source in listed])
    embedded = sources(policy, "object-src", "default-src")
    if embedded is None:
        found["object"] = "no object-src: objects load from anywhere"
    elif any(_ANYWHERE.fullmatch(source) for source in embedded):
        found["object"] = f"object-src {' '.join(embedded)} lets objects load from anywhere"
    if "base-uri" not in policy:
        by_nonce = any(_ALLOWING.match(source) for source in listed or ())
        if by_nonce or listed is None:
            words = "no base-uri: a planted base element moves scripts with a nonce and a relative address"
            found["base"] = words if by_nonce else ""
    return found


def _of_scripts(policy: Policy, listed: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    allowing = any(_ALLOWING.match(source) for source in listed)
    dynamic = "'strict-dynamic'" in listed
    # A nonce, a hash or 'strict-dynamic' makes browsers ignore 'unsafe-inline' (section 6.7.3.2).
    if "'unsafe-inline'" in listed and not (allowing or dynamic):
        found["inline"] = "'unsafe-inline' lets whatever gets into the markup run as script"
    # 'strict-dynamic' makes them ignore hosts and schemes (section 6.7.1.1).
    if not dynamic:
        anywhere = [source for source in listed if _ANYWHERE.fullmatch(source)]
        if anywhere:
            found["anywhere"] = f"scripts may come from anywhere: {' '.join(anywhere)}"
        published = [source for source in listed if _serves_everybody(source)]
        if published:
            found["published"] = f"anybody can publish scripts on {' '.join(published)}"
    evaluated = sources(policy, "script-src", "default-src") or ()
    if "'unsafe-eval'" in map(str.lower, evaluated):
        found["eval"] = "'unsafe-eval' lets the page run text as code"
    return found


def _serves_everybody(source: str) -> bool:
    try:
        parts = urlsplit(source if "://" in source else f"//{source}")
    except ValueError:
        return False
    return (parts.path or "/") in _FOR_EVERYBODY.get(parts.netloc.partition(":")[0], ())


def _by_nonce(reply: Reply) -> bool:
    return any(nonces(policy) for policy in page_policies(reply))


def _mistakes(policy: Policy) -> Iterator[str]:
    for name, values in policy.items():
        if name not in _DIRECTIVES:
            yield f"browsers know no directive {name!r} and skip it"
        elif name not in _WITHOUT_SOURCES:
            bare = [value for value in values if _BARE_KEYWORD.fullmatch(value)]
            if bare:
                yield f"{name} names a host {bare[0]!r}: keywords stand in single quotes"
            if "'none'" in values and len(values) > 1:
                yield f"{name} says 'none' beside other sources, and browsers skip the 'none'"
    short = [nonce for nonce in nonces(policy) if len(nonce) < _SHORTEST_NONCE]
    if short:
        yield f"a nonce of {len(short[0])} characters holds less than 128 bits"


CHECKS: Final = (
    Check(
        id="H3",
        title="Pages limit where scripts come from",
        # A policy that limits scripts can break a page, so that it is off until told.
        severity=Severity.LOW,
        layers=("SECURITY_HEADERS",),
        cwe=693,
        reference="CSP Level 3; ASVS 5.0 V3.4.3; ZAP 10038",
        fix=_SCRIPT_RULES,
        garrison="GARRISON_SECURITY_HEADERS_PRESET=web or strict; `garrison csp suggest` helps to get there",
        why=(
            "Pages show what users have written. If one of them manages to write a script and the app forgets"
            " to escape it once, every visitor's browser runs it, with the visitor's rights. A content"
            " security policy is the second lock: the browser runs only scripts that the policy lets in."
        ),
        how=(
            "The page, and a few routes that may be pages, are read. A page counts as a fault where no policy"
            " that is enforced, in a header or in a meta element, has script-src or default-src. Replies that"
            " are no HTML are not judged."
        ),
        ask=ask_pages,
        judge=_judge_presence,
    ),
    Check(
        id="H13",
        title="The content security policy holds what it promises",
        severity=Severity.LOW,
        cwe=693,
        reference="CSP Level 3; CSP Is Dead, Long Live CSP (2016); ZAP 10055",
        fix=(
            "allow scripts by a fresh nonce and 'strict-dynamic', with object-src 'none' and base-uri 'none',"
            " and neither 'unsafe-inline' nor hosts that serve everybody"
        ),
        garrison=(
            "GARRISON_SECURITY_HEADERS_PRESET=web makes a nonce for each reply, and `garrison csp suggest`"
            " finds what it lacks; the app's own policy stays as it is unless"
            " GARRISON_SECURITY_HEADERS_EXISTING says override or merge"
        ),
        why=(
            "Most policies that are in use can be got around: they let every inline script run, take scripts"
            " from any host or from one where anybody can publish, or use the same nonce again and again."
            " They cost work and protect nobody."
        ),
        how=(
            "The page is read twice, and a few routes that may be pages. Judged are policies that limit"
            " scripts, as a browser reads them: 'unsafe-inline' beside a nonce does no harm, nor do hosts"
            " beside 'strict-dynamic', and of several policies the strictest counts. Faults are inline"
            " scripts, sources that are anywhere, eval, missing object-src, missing base-uri beside nonces,"
            " nonces that repeat or are short, and what is misspelt so that browsers skip it."
        ),
        ask=_ask_twice,
        judge=_judge_quality,
    ),
)
