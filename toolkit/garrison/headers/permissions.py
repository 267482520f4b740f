"""Permissions-Policy: which features of the browser a page and its frames may use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison.csp.policy_error import PolicyError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

# OWASP's list (owasp.org/www-project-secure-headers, "headers_add.json") and what else gives away something
# of the user or the machine, as far as Chromium 156 knows it: that is the one engine that reads this header,
# and a name that it does not know is a warning on the console of every page. (`bluetooth` and `web-share` it
# knows on some systems only.)
DENIED: Final = (
    "accelerometer",
    "autoplay",
    "bluetooth",
    "browsing-topics",
    "camera",
    "captured-surface-control",
    "clipboard-read",
    "clipboard-write",
    "compute-pressure",
    "cross-origin-isolated",
    "digital-credentials-create",
    "digital-credentials-get",
    "display-capture",
    "encrypted-media",
    "fullscreen",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "interest-cohort",
    "keyboard-map",
    "local-fonts",
    "local-network",
    "local-network-access",
    "loopback-network",
    "magnetometer",
    "microphone",
    "midi",
    "on-device-speech-recognition",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "private-state-token-issuance",
    "private-state-token-redemption",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "speaker-selection",
    "storage-access",
    "sync-xhr",
    "unload",
    "usb",
    "web-share",
    "window-management",
    "xr-spatial-tracking",
)
# All else that has a name: the W3C's registry (github.com/w3c/webappsec-permissions-policy, "features.md")
# and Chromium's, both as read in November 2026.
FEATURES: Final = frozenset(
    {
        *DENIED,
        "ambient-light-sensor",
        "aria-notify",
        "attribution-reporting",
        "autofill",
        "battery",
        "ch-device-memory",
        "ch-downlink",
        "ch-dpr",
        "ch-ect",
        "ch-prefers-color-scheme",
        "ch-prefers-reduced-motion",
        "ch-prefers-reduced-transparency",
        "ch-rtt",
        "ch-save-data",
        "ch-ua",
        "ch-ua-arch",
        "ch-ua-bitness",
        "ch-ua-form-factors",
        "ch-ua-full-version",
        "ch-ua-full-version-list",
        "ch-ua-high-entropy-values",
        "ch-ua-mobile",
        "ch-ua-model",
        "ch-ua-platform",
        "ch-ua-platform-version",
        "ch-ua-wow64",
        "ch-viewport-height",
        "ch-viewport-width",
        "ch-width",
        "deferred-fetch",
        "deferred-fetch-minimal",
        "device-attributes",
        "document-domain",
        "execution-while-not-rendered",
        "execution-while-out-of-viewport",
        "focus-without-user-activation",
        "join-ad-interest-group",
        "language-detector",
        "language-model",
        "manual-text",
        "media-playback-while-not-visible",
        "navigation-override",
        "private-aggregation",
        "record-ad-auction-events",
        "rewriter",
        "run-ad-auction",
        "shared-storage",
        "shared-storage-select-url",
        "summarizer",
        "sync-script",
        "tools",
        "translator",
        "vertical-scroll",
        "vr",
        "web-app-installation",
        "writer",
    }
)

# RFC 9651 sections 3.1.2 and 3.2: keys, and members of a dictionary, whose strings may hold commas.
_KEY: Final = re.compile(r"[a-z*][a-z0-9_.*-]*")
_MEMBER: Final = re.compile(r'(?:[^,"]|"[^"]*"?)+')
_VALUE: Final = re.compile(r'(\([^()]*\)|"[^"]*"|[^\s;()"]+)((?:; *report-to=(?:[A-Za-z0-9_-]+|"[^"]+"))?)')
_WORD: Final = re.compile(r'"[^"]*"|[^\s"]+')
# Permissions Policy, "permissions-source-expression": an origin, whose host may start with a wildcard.
_ORIGIN: Final = re.compile(
    r'"[a-z][a-z0-9+.-]*:(?://(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::(?:\d+|\*))?)?"', re.IGNORECASE
)


def parse_permissions(text: str) -> dict[str, str]:
    """Read a policy such as `camera=(), geolocation=(self "https://maps.example")`.

    A feature that nobody here knows passes, since browsers get new ones every year, unless its name is
    nearly that of one that is known.

    Args:
        text: features, parted by commas, each with the origins that may use it: `()` for nobody, `*` for all,
            else `self` and quoted origins in brackets; `;report-to=NAME` may follow.

    Returns:
        Each feature with its list of origins as browsers take it, brackets included.

    Raises:
        PolicyError: browsers would ignore a part of it, or all.
    """
    if not (text.isascii() and text.isprintable()):
        found = next(sign for sign in text if not (sign.isascii() and sign.isprintable()))
        raise PolicyError(f"a policy is printable ASCII, without line ends: {found!r} cannot stand in it")
    policy: dict[str, str] = {}
    for member in filter(None, map(str.strip, _members(text))):
        written, equals, value = member.partition("=")
        name = written.strip()
        _check_name(name, member, assigned=bool(equals))
        if name in policy:
            raise PolicyError(f"{name} stands there twice: browsers take the last, so join the origins")
        policy[name] = _origins(name, value)
    return policy


def render_permissions(policy: Mapping[str, str]) -> str:
    """Write a policy as a header value; the empty policy is the empty text.

    `secure`'s builder has no parameters, and a policy of its own where there is none, so that it is no help.

    Args:
        policy: each feature with its list of origins, as `parse_permissions` returns them.
    """
    return ", ".join(f"{name}={origins}" for name, origins in policy.items())


def merge_permissions(app: str, ours: Mapping[str, str]) -> str:
    """The app's policy with those of our features that it does not name.

    Args:
        app: the value of the app's header, whatever it holds; it stays as it is.
        ours: features with their lists of origins, as `parse_permissions` returns them.
    """
    named = {match[0] for match in map(_KEY.match, map(str.strip, _members(app))) if match is not None}
    added = render_permissions({name: origins for name, origins in ours.items() if name not in named})
    rest = app.rstrip()
    if not (rest and added):
        return app + added
    return f"{app}{' ' if rest.endswith(',') else ', '}{added}"


def _members(text: str) -> list[str]:
    return _MEMBER.findall(text)


def _check_name(name: str, member: str, *, assigned: bool) -> None:
    if not assigned:
        feature = re.split(r"[\s;]", name)[0].lower()
        raise PolicyError(
            f"{member} names no origins: write {feature}=() for nobody, {feature}=(self) for your own"
        )
    if not _KEY.fullmatch(name):
        nearest = did_you_mean(name, FEATURES, otherwise="lower case, digits and - are")
        raise PolicyError(f"{name} is no name of a feature: {nearest}")
    if name not in FEATURES and (nearest := did_you_mean(name, FEATURES, otherwise="", cutoff=0.8)):
        raise PolicyError(f"{name} is no feature: {nearest}")


def _origins(name: str, value: str) -> str:
    match = _VALUE.fullmatch(value.strip())
    if match is None:
        raise PolicyError(
            f"{name}={value} is no list of origins: write {name}=() for nobody, or self and quoted "
            "origins in brackets, and a comma before the next feature"
        )
    listed, parameters = match[1], match[2]
    words = _WORD.findall(listed[1:-1] if listed.startswith("(") else listed)
    for word in words:
        _check_word(name, word)
    if "*" in words and len(words) > 1:
        raise PolicyError(f"{name}: * is everybody, so that nothing else may stand beside it")
    # The same to browsers as `(*)`, and what people write.
    origins = "*" if words == ["*"] else f"({' '.join(words)})"
    return origins + parameters.replace(" ", "")


def _check_word(name: str, word: str) -> None:
    if word in {"self", "*"} or _ORIGIN.fullmatch(word):
        return
    bare = word.strip("'\"")
    if bare.lower() == "none":
        raise PolicyError(f"{name}: {word} is of the old Feature-Policy: did you mean {name}=()?")
    if bare.lower() in {"self", "*"}:
        raise PolicyError(f"{name}: {word} is no origin: did you mean {bare.lower()}?")
    if _ORIGIN.fullmatch(f'"{bare}"'):
        raise PolicyError(f'{name}: {word} lacks its quotes: did you mean "{bare}"?')
    raise PolicyError(
        f'{name}: {word} is no origin: self, *, or one such as "https://maps.example", without a path'
    )


DENY_ALL: Final = render_permissions(dict.fromkeys(DENIED, "()"))
"""What a page that asks for nothing sends: every feature that browsers know, for nobody."""
