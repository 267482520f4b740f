"""The header lines of a policy for each kind of reply, written once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from garrison.csp.fallback import governing_directive
from garrison.csp.policy import parse_policy, render_policy
from garrison.headers.caching import kept_private
from garrison.headers.existing import POLICIES
from garrison.headers.framing import frames_of, with_given
from garrison.headers.hsts import HSTS
from garrison.headers.kinds import NOT_MODIFIED
from garrison.headers.permissions import parse_permissions, render_permissions
from garrison.headers.presets import MORE, PRESETS, PolicySet, Preset

if TYPE_CHECKING:
    from garrison.asgi import Headers
    from garrison.headers.override import Override, Sources
    from garrison.headers.presets import Kind

# The name of the one endpoint in Reporting-Endpoints (Reporting API, section 3.2).
ENDPOINT: Final = "reports"
NONCE: Final = b"'nonce'"

Line = tuple[bytes, bytes]

Way = Literal["http", "https", "https to a name"]
"""How the client came; only names can be told to remember https (`is_real_host`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What is added to a reply.

    Attributes:
        added: header lines.
        dropped: names of headers that the app is not to send on this reply.
        is_data: whether nothing in the reply is a page to anybody.
        authenticated_cache: Cache-Control of a page for somebody who is logged in; empty for none.
        fresh: whether `'nonce'` stands for a nonce in one of them.
    """

    added: tuple[Line, ...]
    dropped: frozenset[bytes]
    is_data: bool
    authenticated_cache: bytes
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What browsers are told, before it is known of which reply.

    Attributes:
        preset: the usual one.
        usual: what it says, changed where the settings say otherwise.
        hsts: the value of Strict-Transport-Security; empty for none.
        reports: where browsers send reports, a path or a URL; empty for nowhere.
    """

    preset: Preset
    usual: PolicySet
    hsts: bytes = b""
    reports: str = ""

    def lines(self, kind: Kind, way: Way, *, root: str = "", override: Override | None = None) -> Lines:
        """The lines for one kind of reply.

        Args:
            kind: of reply.
            way: how the client came.
            root: the path under which the app is mounted, which is part of where its reports go.
            override: what is different here.
        """
        chosen = self._chosen(override)
        found: dict[str, str] = {"x-content-type-options": "nosniff"}
        if kind == "page":
            directives = dict(override.directives) if override else {}
            # A root path is decoded (ASGI 3.0, HTTP connection scope), and a header takes it encoded.
            front = quote(root, errors="replace") if self.reports.startswith("/") else ""
            reports = front + self.reports
            found |= page_headers(chosen, directives, reports, is_https=way != "http")
        elif kind == "api":
            found |= api_headers(chosen, is_https=way != "http")
        # A 304 replaces what the cache has of each header that it carries (RFC 9111 section 3.2), and where
        # it does not say what it is about, that may be a page or data.
        elif kind == "other" and chosen.other_resource:
            found["cross-origin-resource-policy"] = chosen.other_resource
        lines = {name.encode("ascii"): value.encode("ascii") for name, value in found.items() if value}
        if way == "https to a name" and self.hsts:
            lines[HSTS] = self.hsts
        given = dict(override.headers) if override is not None else {}
        lines = with_given(lines, given)
        return Lines(
            added=tuple(lines.items()),
            dropped=frozenset(given),
            is_data=kind == "api" or (kind == "page" and chosen.pages_are_data),
            authenticated_cache=chosen.authenticated_cache.encode("ascii") if kind == "page" else b"",
            fresh=any(NONCE in value for value in lines.values()),
        )

    def _chosen(self, override: Override | None) -> PolicySet:
        if override is None or override.preset in {None, self.preset}:
            return self.usual
        assert override.preset is not None  # noqa: S101 - for the type checker, after the line above
        return PRESETS[override.preset]


def with_nonce(lines: Headers, nonce: str, status: int) -> Headers:
    """The lines of a page whose policy names a nonce; no shared cache may keep it.

    A 304 changes the headers of the reply that a cache has kept (RFC 9111 section 4.3.4), and with another
    nonce nothing in its page would run: the policy that was kept with the page stays. It goes to a
    cache that has the page, which is no shared one.

    Args:
        lines: of the reply.
        nonce: of the request.
        status: of the reply.
    """
    named = b"'nonce-" + nonce.encode("ascii") + b"'"
    found: Headers = []
    for name, value in lines:
        if name.lower() not in POLICIES or not (NONCE in value or named in value):
            found.append((name, value))
        elif status != NOT_MODIFIED:
            found.append((name, value.replace(NONCE, named)))
    return found if status == NOT_MODIFIED else kept_private(found)


def page_headers(
    policies: PolicySet, changed: dict[str, Sources | None], reports: str, *, is_https: bool
) -> dict[str, str]:
    """The headers of a page; those that are not sent have empty values.

    Args:
        policies: what they say.
        changed: directives of the enforced policy that are replaced, or removed where there is None.
        reports: where browsers send reports; empty for nowhere.
        is_https: whether the client came over https. Without it Chromium has no Reporting API, and still
            loses every report of a policy that names an endpoint.
    """
    directives: dict[str, Sources | None] = {**parse_policy(policies.policy), **changed}
    enforced = kept(directives)
    frames = frames_of(render_policy(enforced).encode("ascii"))
    found = {
        "content-security-policy": reporting(enforced, reports, is_https=is_https),
        "x-frame-options": policies.frames if frames is None else frames.decode("ascii"),
        "referrer-policy": policies.referrer,
        "permissions-policy": policies.permissions,
        # Over http browsers ignore it, and complain on the console of every page.
        "cross-origin-opener-policy": policies.opener if is_https else "",
        "cross-origin-embedder-policy": policies.embedder,
        "cross-origin-resource-policy": policies.resource,
        **{name: MORE[name] for name in policies.more},
    }
    if reports:
        told: dict[str, Sources | None] = {**parse_policy(policies.policy_report_only)}
        # What is allowed here is no violation to tell of, and what the policy says nothing of stays so.
        told |= {name: sources for name, sources in changed.items() if governing_directive(name, told)}
        found["content-security-policy-report-only"] = reporting(kept(told), reports, is_https=is_https)
    if reports and is_https:
        endpoint = f'; report-to="{ENDPOINT}"'
        found["reporting-endpoints"] = f'{ENDPOINT}="{reports}"'
        found["permissions-policy-report-only"] = render_permissions(
            {
                feature: f"{origins};report-to={ENDPOINT}"
                for feature, origins in parse_permissions(policies.permissions_report_only).items()
            }
        )
        for name, value in (
            ("opener", policies.opener_report_only),
            ("embedder", policies.embedder_report_only),
        ):
            found[f"cross-origin-{name}-policy-report-only"] = value and value + endpoint
    return found


def kept(directives: dict[str, Sources | None]) -> dict[str, Sources]:
    """The directives without those that are removed."""
    return {name: sources for name, sources in directives.items() if sources is not None}


def api_headers(policies: PolicySet, *, is_https: bool) -> dict[str, str]:
    """The headers of a reply that is data: nothing in it is to be rendered, or embedded elsewhere.

    Args:
        policies: of the preset.
        is_https: whether the client came over https.
    """
    frames = frames_of(policies.api_policy.encode("ascii")) or b""
    return {
        "content-security-policy": policies.api_policy,
        "x-frame-options": frames.decode("ascii"),
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin" if is_https else "",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        **{name: MORE[name] for name in policies.more},
    }


def reporting(directives: dict[str, Sources], reports: str, *, is_https: bool) -> str:
    """A policy that says where its violations are reported, in both ways that browsers know."""
    if directives and reports and not {"report-uri", "report-to"} & set(directives):
        directives = {**directives, "report-uri": (reports,)}
        if is_https:
            directives["report-to"] = (ENDPOINT,)
    return render_policy(directives)
