"""Whether what a report names can be allowed, and under which source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from garrison.csp.fallback import FALLBACKS, SCRIPTS, STYLES, governing_directive
from garrison.csp.reported_text import PORTS, origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from garrison.csp.reports import Violation

Outcome: TypeAlias = Literal["added", "refused", "left_out"]

# CSP Level 3 section 2.3.1: all that a `host-part` can be written with.
_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*")
_SOURCE = re.compile(r"(?:([a-z][a-z0-9+.-]*)://)?([^:/]*)(?::(\d+|\*))?(/.*)?", re.IGNORECASE)
_NUMERIC = re.compile(r"[0-9.]+")

# Content without an address that is harmless in itself, and content that a page makes up on the fly.
DATA_IS_FINE: Final = frozenset({"font-src", "img-src"})
MADE_UP: Final = frozenset({"blob", "data", "filesystem", "mediastream"})
CODE: Final = SCRIPTS | STYLES | {"frame-src", "object-src"}

NONCE_OR_HASH: Final = "Give its tag a nonce with csp_nonce, or add its hash: `garrison csp hash FILE`."
INLINE: Final = {
    "script-src-attr": "An event handler in an attribute, or a javascript: link. Attach it in a script, with"
    " addEventListener.",
    "style-src-attr": "A style attribute. Make it a class, or set element.style in a script.",
}
ADVICE: Final = {
    "base-uri": "Another base moves every relative address of the page, those of scripts too. Write whole"
    " addresses instead.",
    "frame-ancestors": "Somebody frames the page, and the report does not say who. Name those who may in"
    " frame-ancestors.",
    "require-trusted-types-for": "A script writes a plain string where one could run as code. Hand over what"
    " a Trusted Types policy made.",
    "sandbox": "The sandbox keeps the page from it. Add the flag that it needs, if it is to.",
    "trusted-types": "A script makes a Trusted Types policy that is not listed. Add its name if it is yours.",
}
EVAL: Final = (
    "eval, new Function, or a string for setTimeout. Do without, because 'unsafe-eval' would run whatever"
    " text gets that far."
)
STRICT_DYNAMIC: Final = (
    "'strict-dynamic' makes browsers ignore addresses. Give the tag a nonce with csp_nonce, or load it from"
    " a script that has one."
)
REDIRECT: Final = (
    "The policy allows this address, but what it redirects to is not allowed, and browsers do not say what"
    " that is."
)
NO_NAME: Final = "A policy cannot name such a host. Give the server a name in DNS."
EXTENSION: Final = "An extension of a visitor's browser, not the site."
LOCAL: Final = "A server on the visitor's own machine, such as an extension's or a virus scanner's."
SCHEME: Final = "Whatever a script puts together on the fly would be allowed."
DATA_CODE: Final = "What an attacker writes into the page would run. Serve it as a file."
UNKNOWN: Final = "A policy has no source for this."
NARROWER: Final = "A nonce on its tag, from csp_nonce, would allow this one script and not all from there."
PLAIN: Final = "Without https anybody on the network can change it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to do about one violation.

    Attributes:
        outcome: whether its source is added, cannot be, or looks as if it were not the site's.
        source: the source, or the word for what has none.
        note: why, or what to think of.
        optional: whether it would be added if it were among what to include.
    """

    outcome: Outcome
    source: str
    note: str = ""
    optional: bool = False


def judge(
    violation: Violation,
    policy: Mapping[str, tuple[str, ...]],
    include: frozenset[str] = frozenset(),
    *,
    is_reported: bool = True,
) -> Answer | None:
    """What to do about one violation; None where there is nothing to do, because the policy allows it.

    Args:
        violation: what a browser says.
        policy: what it is to be allowed by.
        include: sources that are added even if they look as if they were not the site's.
        is_reported: whether this is the policy that the browser applied.
    """
    directive, blocked = violation.directive, violation.blocked
    if violation.by_extension:
        return Answer(outcome="left_out", source=blocked, note=EXTENSION)
    if directive in ADVICE:
        return Answer(outcome="refused", source=blocked, note=ADVICE[directive])
    if directive not in FALLBACKS and directive != "form-action":
        return Answer(outcome="refused", source=blocked, note=UNKNOWN)
    governing = governing_directive(directive, policy)
    if not governing:
        return None
    values = policy[governing]
    if "://" in blocked:
        return _address(violation, values, include, is_reported=is_reported)
    return _word(violation, values, include)


def _word(violation: Violation, values: tuple[str, ...], include: frozenset[str]) -> Answer | None:
    """An answer about what has no address."""
    directive, blocked = violation.directive, violation.blocked
    if blocked == "inline":
        return Answer(outcome="refused", source=blocked, note=INLINE.get(directive, NONCE_OR_HASH))
    if blocked == "eval":
        return Answer(outcome="refused", source=blocked, note=EVAL)
    if blocked == "wasm-eval" and directive in SCRIPTS:
        source, wanted = "'wasm-unsafe-eval'", True
    elif blocked in MADE_UP and directive not in CODE:
        source = f"{blocked}:"
        wanted = (blocked == "data" and directive in DATA_IS_FINE) or source in include
    else:
        note = DATA_CODE if blocked in MADE_UP else UNKNOWN
        return Answer(outcome="refused", source=blocked, note=note)
    if source in values:
        return None
    if wanted:
        return Answer(outcome="added", source=source)
    return Answer(outcome="left_out", source=source, note=SCHEME, optional=True)


def _address(
    violation: Violation, values: tuple[str, ...], include: frozenset[str], *, is_reported: bool
) -> Answer | None:
    directive = violation.directive
    source, page = origin_of(violation.blocked), origin_of(violation.document)
    host = host_of(source)
    is_local = is_own_machine(host) and not is_own_machine(host_of(page))
    if is_local and source not in include:
        return Answer(outcome="left_out", source=source, note=LOCAL, optional=True)
    if directive in SCRIPTS and "'strict-dynamic'" in map(str.lower, values):
        return Answer(outcome="refused", source=source, note=STRICT_DYNAMIC)
    wanted = "'self'" if source == page else source
    if any(covers(value, source, page) for value in values):
        # With the policy that the browser applied, this cannot be all.
        return Answer(outcome="refused", source=wanted, note=REDIRECT) if is_reported else None
    if source != page and (not _HOST.fullmatch(host) or _NUMERIC.fullmatch(host)):
        return Answer(outcome="refused", source=source, note=NO_NAME)
    note = PLAIN if source.startswith(("http://", "ws://")) and source != page else ""
    if not note and directive in SCRIPTS and any(value.lower().startswith("'nonce") for value in values):
        note = NARROWER
    return Answer(outcome="added", source=wanted, note=note)


def covers(value: str, origin: str, page: str) -> bool:
    """Whether a source of a policy surely lets in everything of an origin.

    Args:
        value: of a directive.
        origin: of what is asked for.
        page: the origin of the page, which is `'self'`.
    """
    lowered = value.lower()
    if lowered == "'self'":
        return origin == page
    scheme, _, authority = origin.partition("://")
    if lowered == f"{scheme}:":
        return True
    match = _SOURCE.fullmatch(lowered)
    if match is None or lowered.startswith("'") or match[4] not in {None, "/"} or not match[2]:
        return False
    host, _, port = authority.partition(":")
    own = PORTS[scheme]
    if (match[1] or page.partition("://")[0]) != scheme or (match[3] or own) not in {"*", port or own}:
        return False
    return host == match[2] or (match[2].startswith("*.") and host.endswith(match[2][1:]))


def host_of(origin: str) -> str:
    """The host of an origin, without its port."""
    authority = origin.partition("://")[2]
    return authority if authority.endswith("]") else re.sub(r":\d+$", "", authority)


def is_own_machine(host: str) -> bool:
    """Whether a host is the machine itself (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3)."""
    return host in {"localhost", "[::1]"} or host.endswith(".localhost") or host.startswith("127.")
