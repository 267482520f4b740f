"""What may stand behind the name of each directive of Content-Security-Policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from garrison.csp.policy_error import PolicyError, did_you_mean
from garrison.csp.sources import check_sources, refuse_none_beside_others, require_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# RFC 3986 sections 2.2 and 2.3, without what parts directives.
_REFERENCE = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+=-]|%[0-9A-Fa-f]{2})+")
# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# Trusted Types, the directive `trusted-types`.
_POLICY_NAME = re.compile(r"\*|[A-Za-z0-9#=_/@.%-]+")
_POLICY_KEYWORDS = ("'allow-duplicates'", "'none'")
# HTML, "parse a sandboxing directive".
_FLAGS = (
    "allow-downloads",
    "allow-forms",
    "allow-modals",
    "allow-orientation-lock",
    "allow-pointer-lock",
    "allow-popups",
    "allow-popups-to-escape-sandbox",
    "allow-presentation",
    "allow-same-origin",
    "allow-scripts",
    "allow-storage-access-by-user-activation",
    "allow-top-navigation",
    "allow-top-navigation-by-user-activation",
    "allow-top-navigation-to-custom-protocols",
)


def check_values(directive: str, values: Sequence[str]) -> tuple[str, ...]:
    """The values of a directive, each once, keywords in lower case.

    Args:
        directive: one of `VALUES`.
        values: what stands behind it.

    Raises:
        PolicyError: browsers would ignore a value, or the directive.
    """
    return VALUES[directive](directive, tuple(dict.fromkeys(values)))


def _ancestors(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    found = check_sources(directive, values)
    for value in found:
        if value.startswith("'") and value not in {"'self'", "'none'"}:
            raise PolicyError(f"{directive}: {value} does nothing here: 'self', 'none', hosts and schemes do")
    return found


def _flags(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_one_of(directive, value, _FLAGS) for value in values)


def _policies(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(
        value if _POLICY_NAME.fullmatch(value) else _one_of(directive, value, _POLICY_KEYWORDS)
        for value in require_values(directive, values)
    )
    for value in found:
        if f"'{value}'" in _POLICY_KEYWORDS:
            raise PolicyError(f"{directive}: {value} would be a policy of that name: did you mean '{value}'?")
    refuse_none_beside_others(directive, found)
    return found


def _sinks(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        _one_of(directive, value, ("'script'",)) for value in require_values(directive, values, "'script'")
    )


def _webrtc(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    words = ("'allow'", "'block'")
    return _only(
        directive,
        tuple(_one_of(directive, value, words) for value in require_values(directive, values, words[1])),
    )


def _endpoint(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in require_values(directive, values, "the name of an endpoint"):
        if not _TOKEN.fullmatch(value):
            raise PolicyError(f"{directive}: {value} is no name of an endpoint; addresses go in report-uri")
    return _only(directive, values)


def _addresses(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    for value in require_values(directive, values, "an address such as /csp-reports"):
        if not _REFERENCE.fullmatch(value) or value.startswith("'"):
            raise PolicyError(f"{directive}: {value} is no address such as /csp-reports")
    return values


def _nothing(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if values:
        raise PolicyError(f"{directive} takes no value: {values[0]} is to go, or a ; is missing before it")
    return ()


def _only(directive: str, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > 1:
        raise PolicyError(f"{directive} takes one value, not {len(values)}")
    return values


def _one_of(directive: str, value: str, known: Sequence[str]) -> str:
    if value.lower() in known:
        return value.lower()
    raise PolicyError(
        f"{directive}: {value} is not known: {did_you_mean(value, known, otherwise=', '.join(known))}"
    )


# CSP Level 3 section 6, with Upgrade Insecure Requests, Trusted Types and Fenced Frame.
VALUES: Final[dict[str, Callable[[str, tuple[str, ...]], tuple[str, ...]]]] = {
    **dict.fromkeys(
        (
            "base-uri",
            "child-src",
            "connect-src",
            "default-src",
            "fenced-frame-src",
            "font-src",
            "form-action",
            "frame-src",
            "img-src",
            "manifest-src",
            "media-src",
            "object-src",
            "script-src",
            "script-src-attr",
            "script-src-elem",
            "style-src",
            "style-src-attr",
            "style-src-elem",
            "worker-src",
        ),
        check_sources,
    ),
    "frame-ancestors": _ancestors,
    "report-to": _endpoint,
    "report-uri": _addresses,
    "require-trusted-types-for": _sinks,
    "sandbox": _flags,
    "trusted-types": _policies,
    "upgrade-insecure-requests": _nothing,
    "webrtc": _webrtc,
}
