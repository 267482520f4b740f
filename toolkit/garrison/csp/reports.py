"""Reports that browsers send about pages, in both formats, and how they stand in the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from garrison.csp.reported_text import (
    clean_number,
    clean_policy,
    clean_text,
    clean_url,
    clean_word,
    origin_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Field: TypeAlias = str | int

# CSP Level 3 section 5.3: more of a script is never reported.
LONGEST_SAMPLE: Final = 40

# What a page is made of when the visitor's own browser has added to it.
EXTENSIONS: Final = frozenset(
    {
        "chrome-extension",
        "moz-extension",
        "ms-browser-extension",
        "safari-extension",
        "safari-web-extension",
        "user-script",
        "webkit-masked-url",
    }
)

# Members of the other reports that say something about the site: Cross-Origin-Opener-Policy (HTML,
# section 7.1.3), Cross-Origin-Embedder-Policy (7.1.4 and Fetch), Permissions Policy section 9.8, Document
# Policy, Integrity Policy, Deprecation and Intervention Reporting.
WORDS: Final = {
    "destination": "report.destination",
    "disposition": "report.disposition",
    "effectivePolicy": "report.policy",
    "featureId": "report.policy",
    "id": "report.id",
    "policyId": "report.policy",
    "reason": "report.reason",
    "type": "report.violation",
}
TEXTS: Final = {"message": "report.message", "property": "report.property"}
URLS: Final = {
    "blockedURL": "report.blocked",
    "openerURL": "report.opener",
    "sourceFile": "report.source_file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What a browser says a Content-Security-Policy was violated by.

    Attributes:
        directive: the effective directive, such as `script-src-elem`.
        blocked: an address without its query, or a word such as `inline`, `eval` or `data`.
        document: the address of the page, without its query.
        disposition: `enforce` or `report`; empty where an old browser says neither.
        source_file: the address of the file that asked for it, or a scheme; empty where it is unknown.
        line: in that file; None where it is unknown.
        policy: the whole policy, with `'nonce'` for every nonce; empty where it is unknown.
        sample: the beginning of a blocked script or style, where the policy has `'report-sample'`.
    """

    directive: str
    blocked: str
    document: str = ""
    disposition: str = ""
    source_file: str = ""
    line: int | None = None
    policy: str = ""
    sample: str = ""

    @property
    def event(self) -> str:
        """The name of its event in the log."""
        return "csp_violation"

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two of them the same for whoever mends the page: not which image, but whose."""
        blocked = origin_of(self.blocked)
        return (self.disposition, self.directive, blocked, self.document, self.source_file, self.line)

    @property
    def by_extension(self) -> bool:
        """Whether an extension of the visitor's browser caused it, about which no site can do anything."""
        return self.blocked in EXTENSIONS or self.source_file in EXTENSIONS

    def fields(self, *, samples: bool) -> dict[str, Field]:
        """What the log says of it.

        Args:
            samples: whether the sample is part of it.
        """
        found: dict[str, Field | None] = {
            "csp.disposition": self.disposition,
            "csp.directive": self.directive,
            "csp.blocked": self.blocked,
            "csp.document": self.document,
            "csp.source_file": self.source_file,
            "csp.line": self.line,
            "csp.sample": self.sample if samples else "",
            "csp.policy": self.policy,
        }
        return {name: value for name, value in found.items() if value is not None and value != ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserReport:
    """A report of the Reporting API about something else than a Content-Security-Policy.

    Attributes:
        type: such as `coop`, `coep` or `permissions-policy-violation`.
        document: the address of the page, without its query.
        body: what is known of it, under the names of the log.
    """

    type: str
    document: str
    body: tuple[tuple[str, Field], ...] = ()

    @property
    def event(self) -> str:
        """The name of its event in the log."""
        return "browser_report"

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two of them the same."""
        return (self.type, self.document, self.body)

    @property
    def by_extension(self) -> bool:
        """Whether an extension of the visitor's browser caused it."""
        return any(value in EXTENSIONS for _, value in self.body)

    def fields(self, *, samples: bool) -> dict[str, Field]:  # noqa: ARG002 - only violations have one
        """What the log says of it."""
        return {"report.type": self.type, "report.document": self.document, **dict(self.body)}


def read_reports(document: object) -> Iterator[Violation | BrowserReport]:
    """The reports in a JSON document of either format; what is no report is passed over.

    Args:
        document: one object with `csp-report` (CSP Level 3 section 5.3), or an array of reports or one of
            them (Reporting API section 3.2).
    """
    for item in document if isinstance(document, list) else (document,):
        found = _read(item) if isinstance(item, dict) else None
        if found is not None:
            yield found


def read_event(document: object) -> Violation | None:
    """The violation in an event of the log; None where the event is another, or no event."""
    if not isinstance(document, dict) or document.get("event") != "csp_violation":
        return None
    return _violation(
        document, "csp.directive", "csp.blocked", "csp.document", "csp.disposition", "csp.source_file",
        "csp.line", "csp.policy", "csp.sample",
    )  # fmt: skip


def _read(item: Mapping[str, object]) -> Violation | BrowserReport | None:
    body = item.get("csp-report")
    if isinstance(body, dict):
        if not body.get("effective-directive"):
            # CSP Level 2 has the directive with its sources, and nothing else.
            text = body.get("violated-directive")
            body = {**body, "effective-directive": text.partition(" ")[0] if isinstance(text, str) else ""}
        return _violation(
            body, "effective-directive", "blocked-uri", "document-uri", "disposition", "source-file",
            "line-number", "original-policy", "script-sample",
        )  # fmt: skip
    kind, body = clean_word(item.get("type")), item.get("body")
    if not kind or not isinstance(body, dict):
        return None
    if kind == "csp-violation":
        return _violation(
            body, "effectiveDirective", "blockedURL", "documentURL", "disposition", "sourceFile",
            "lineNumber", "originalPolicy", "sample",
        )  # fmt: skip
    return BrowserReport(type=kind, document=clean_url(item.get("url")), body=tuple(_known(body)))


def _violation(body: Mapping[str, object], *names: str) -> Violation | None:
    """A violation from the members of these names, which stand in the order of its attributes."""
    directive, blocked, document, disposition, source_file, line, policy, sample = map(body.get, names)
    found = Violation(
        directive=clean_word(directive),
        blocked=_blocked(clean_url(blocked), clean_word(directive)),
        document=clean_url(document),
        disposition=word if (word := clean_word(disposition)) in {"enforce", "report"} else "",
        source_file=clean_url(source_file),
        line=clean_number(line),
        policy=clean_policy(policy),
        sample=clean_text(sample, LONGEST_SAMPLE),
    )
    return found if found.directive else None


def _blocked(text: str, directive: str) -> str:
    # Before CSP Level 3 an inline script or style was blocked by no name, or by that of its page.
    is_code = directive.startswith(("script-src", "style-src"))
    return "inline" if is_code and text in {"", "self"} else text


def _known(body: Mapping[str, object]) -> Iterator[tuple[str, Field]]:
    for names, clean in ((WORDS, clean_word), (URLS, clean_url), (TEXTS, clean_text)):
        for name, field in names.items():
            text = clean(body.get(name))
            if text:
                yield field, text
    line = clean_number(body.get("lineNumber"))
    if line is not None:
        yield "report.line", line
