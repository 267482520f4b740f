"""Which other origins may read what the app answers (CORS, as the Fetch standard defines it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from garrison_harness.checks.check import Check, Unjudged
from garrison_harness.checks.origins import (
    PERMISSION,
    allowed_origin,
    allows_credentials,
    asked_from,
    foreign_origin,
    look_alikes,
    perhaps_trusted,
    targets,
)
from garrison_harness.finding import Confidence, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from garrison_harness.checks.check import Seen
    from garrison_harness.exchange import Reply, Request
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site
    from garrison_harness.stage import Stage

_LISTED: Final = "GARRISON_CROSS_ORIGIN_ALLOWED lists who may read; take the app's own CORS rules out"


def _ask_foreign(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path)}
    for name, target in targets(site).items():
        asked[f"{name} from a stranger"] = asked_from(site, foreign_origin(site), target)
    return asked


def _judge_foreign(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    foreign = foreign_origin(seen.site)
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        if label == "page":
            continue
        if allowed_origin(reply) == foreign and allows_credentials(reply):
            message = "any site may read this with its visitors' cookies: the Origin is sent back as it comes"
            yield seen.finding(label, message, show=PERMISSION)
            return
        if allowed_origin(reply) == "*" and allows_credentials(reply):
            message = (
                "* together with credentials, which browsers refuse: somebody wanted to allow everything"
            )
            yield seen.finding(label, message, show=PERMISSION, severity=Severity.LOW)
            return
        if allowed_origin(reply) == foreign:
            message = "any site may read this, though without its visitors' cookies, as with *"
            yield seen.finding(label, message, show=PERMISSION, confidence=Confidence.INFO)
            return


def _ask_null(site: Site) -> Mapping[str, Request]:
    asked = {"page": site.get(site.path), "stranger": asked_from(site, foreign_origin(site), site.path)}
    for name, target in targets(site).items():
        asked[f"{name} from null"] = asked_from(site, "null", target)
    return asked


def _judge_null(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    _require_choice(seen)
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        if label.endswith("from null") and allowed_origin(reply) == "null":
            message = "the origin null may read this, and any site can have that: a frame in a sandbox does"
            severity = None if allows_credentials(reply) else Severity.LOW
            yield seen.finding(label, message, show=PERMISSION, severity=severity)
            return


def _require_choice(seen: Seen) -> None:
    """Make sure that the app tells origins apart.

    Raises:
        Unjudged: It lets everybody read, which O1 says.
    """
    if allowed_origin(seen.reply("stranger")) == foreign_origin(seen.site):
        raise Unjudged("any origin at all may read, so that this one tells nothing more: see O1")


def _drive_look_alikes(stage: Stage) -> None:
    site = stage.site
    page = stage.ask("page", site.get(site.path))
    stranger = stage.ask("stranger", asked_from(site, foreign_origin(site), site.path))
    named = {allowed_origin(reply) for reply in (page, stranger) if "://" in allowed_origin(reply)} - {
        foreign_origin(site)
    }
    for origin in (*perhaps_trusted(site), *sorted(named)[:2]):
        stage.ask(f"trusted {origin}", asked_from(site, origin, site.path))
        for careless, other in look_alikes(origin, site.canary).items():
            if other.isascii() and other.isprintable() and " " not in other:
                stage.ask(f"{origin} {careless}", asked_from(site, other, site.path))


def _judge_look_alikes(seen: Seen) -> Iterator[Finding]:
    seen.control("page")
    _require_choice(seen)
    trusts = chooses = False
    for label, exchange in seen.exchanges.items():
        reply = exchange.reply
        origin, _, careless = label.partition(" ")
        chooses = chooses or "origin" in reply.get("vary").lower()
        if origin == "trusted":
            trusts = trusts or allowed_origin(reply) == careless
        elif seen.site.canary in allowed_origin(reply) or _is_wrong_dot(careless, reply):
            message = (
                f"{allowed_origin(reply)} may read this, which a stranger can own: {origin} is {careless}"
            )
            severity = None if allows_credentials(reply) else Severity.LOW
            yield seen.finding(label, message, show=PERMISSION, severity=severity)
            return
    if chooses and not trusts:
        raise Unjudged(
            "some origin may read, to go by Vary, and none is known: name the app's host with --host"
        )


def _is_wrong_dot(careless: str, reply: Reply) -> bool:
    return careless.startswith("where a dot") and "://" in allowed_origin(reply)


CHECKS: Final = (
    Check(
        id="O1",
        title="Strangers' scripts may not read with a visitor's cookies",
        severity=Severity.HIGH,
        cwe=942,
        reference="Fetch, CORS protocol; ASVS 5.0 V3.4.2; ZAP 40040",
        fix="answer Access-Control-Allow-Origin for a list of origins only, and never send the Origin back",
        garrison=_LISTED,
        why=(
            "Browsers keep the scripts of one site from reading another one, unless that allows it. An app"
            " that sends back whatever Origin it is asked from, with credentials, lets any site that a"
            " logged-in visitor opens read all that the visitor may read."
        ),
        how=(
            "The page, the body path and a few routes are read from an origin that was made up for this"
            " audit, with a cookie. An Access-Control-Allow-Origin that names it, with credentials, is the"
            " fault. Without credentials it is as open as *, which is mentioned only; * with credentials is"
            " refused by browsers, and a small fault."
        ),
        ask=_ask_foreign,
        judge=_judge_foreign,
    ),
    Check(
        id="O2",
        title="The origin null may not read",
        severity=Severity.HIGH,
        cwe=942,
        reference="Fetch, CORS protocol; ASVS 5.0 V3.4.2",
        fix="take null off the list of allowed origins; for files on a disk use a server while developing",
        garrison=_LISTED,
        why=(
            "Browsers send Origin: null from files and from frames in a sandbox. Any site can put its script"
            " into such a frame, so that who allows null allows everybody."
        ),
        how=(
            "The page, the body path and a few routes are read from the origin null, with a cookie. Compared"
            " with that is an origin that was made up: where that may read as well, O1 says so. A reply that"
            " allows null is the fault, a small one without credentials."
        ),
        ask=_ask_null,
        judge=_judge_null,
    ),
    Check(
        id="O3",
        title="Origins that look like an allowed one may not read",
        severity=Severity.HIGH,
        cwe=942,
        reference="Fetch, CORS protocol; ASVS 5.0 V3.4.2",
        fix="compare the whole origin with a list, or anchor the pattern at both ends and escape its dots",
        garrison=_LISTED,
        why=(
            "Whoever checks that an origin begins with https://shop.example also allows"
            " https://shop.example.evil.example, and who checks how it ends allows https://evilshop.example."
            " Anybody can register such a name."
        ),
        how=(
            "The page is read from origins that an app may well allow (its own, those of a front end on"
            " localhost, any that a reply names) and from look-alikes of each: one that goes on after it,"
            " one with something before it, one with another letter for a dot. A look-alike that may read,"
            " where a stranger may not, is the fault, a small one without credentials."
        ),
        drive=_drive_look_alikes,
        judge=_judge_look_alikes,
    ),
)
