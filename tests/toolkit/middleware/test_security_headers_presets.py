"""Presets, and what of them can be set otherwise: the exact headers, and errors that help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from garrison import SecurityHeaders, SecurityHeadersMiddleware, Settings, SettingsError
from garrison.headers.presets import MORE, POWERFUL, PRESETS
from garrison.settings import load
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from tests.toolkit.driver import Reply

REPORTING: Final = "; report-uri /csp-reports; report-to reports"


def reply_of(content_type: str, settings: SecurityHeaders, *, reports: str = "", **scope: object) -> Reply:
    """What becomes of a reply of this type."""
    bare = replies_with(200, [(b"content-type", content_type.encode())] if content_type else [])
    return call(SecurityHeadersMiddleware(bare, settings, reports=reports), http_scope(**scope))  # type: ignore[arg-type]


def headers_of(
    content_type: str, settings: SecurityHeaders, *, reports: str = "", scheme: str = "https"
) -> dict[str, str]:
    """The security headers of a reply of this type over https, HSTS apart."""
    sent = reply_of(content_type, settings, reports=reports, scheme=scheme).headers
    lines = [line for line in sent if line[0] != b"strict-transport-security"]
    found = {name.decode(): value.decode() for name, value in lines}
    assert len(found) == len(lines), "a header is there twice"
    return {
        name: value for name, value in found.items() if not name.startswith("content-") or "policy" in name
    }


def directives(policy: str) -> dict[str, str]:
    """A policy by directive."""
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


def test_web_renders_pages_that_name_their_scripts() -> None:
    """Scripts by nonce, the rest from the site itself; pop-ups that the page opens can still talk to it."""
    page = headers_of("text/html", SecurityHeaders(preset="web"))
    policy = directives(page.pop("content-security-policy"))
    assert policy.pop("script-src").startswith("'nonce-")
    assert policy.pop("style-src").startswith("'self' 'nonce-")
    assert policy == {
        "default-src": "'none'", "img-src": "'self' data:", "font-src": "'self'", "connect-src": "'self'",
        "media-src": "'self'", "manifest-src": "'self'", "worker-src": "'self'", "frame-src": "'self'",
        "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'self'",
    }  # fmt: skip
    assert page == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "SAMEORIGIN",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": POWERFUL,
        "cross-origin-opener-policy": "same-origin-allow-popups",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-cache",
    }
    assert headers_of("image/png", SecurityHeaders(preset="web")) == {"x-content-type-options": "nosniff"}


def test_strict_locks_pages_down() -> None:
    """No frame, no opener, no embedding, no feature, and no script that builds markup from text."""
    page = headers_of("text/html", SecurityHeaders(preset="strict"))
    policy = directives(page["content-security-policy"])
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "'unsafe-inline'" not in page["content-security-policy"]
    expected = {
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cross-origin-resource-policy": "same-origin",
        **MORE,
    }
    assert expected.items() <= page.items()
    assert "camera=()" in page["permissions-policy"]
    assert "fullscreen=()" in page["permissions-policy"]
    other = headers_of("image/png", SecurityHeaders(preset="strict"))
    assert other == {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}


def test_api_takes_every_page_for_data() -> None:
    """An HTML error page of a framework renders nothing, and is kept nowhere."""
    page, data = (
        headers_of(kind, SecurityHeaders(preset="api")) for kind in ("text/html", "application/json")
    )
    assert page["content-security-policy"] == data["content-security-policy"]
    assert "default-src 'none'" in page["content-security-policy"]
    assert page["cache-control"] == "no-store"
    assert data.items() <= page.items()


def test_what_auto_would_enforce_is_reported_once_somebody_listens() -> None:
    """Scripts, styles, forms, objects, opener and permissions are report-only, and only with a receiver."""
    quiet = headers_of("text/html", SecurityHeaders())
    page = headers_of("text/html", SecurityHeaders(), reports="/csp-reports")
    told = directives(page["content-security-policy-report-only"])
    assert {"default-src", "script-src", "style-src", "form-action", "object-src"} <= set(told)
    assert (told["report-uri"], told["report-to"]) == ("/csp-reports", "reports")
    assert page["reporting-endpoints"] == 'reports="/csp-reports"'
    assert page["cross-origin-opener-policy-report-only"] == 'same-origin; report-to="reports"'
    assert "camera=();report-to=reports" in page["permissions-policy-report-only"]
    assert page["content-security-policy"] == quiet["content-security-policy"] + REPORTING
    assert {name for name in page if name not in quiet} == {
        "content-security-policy-report-only", "reporting-endpoints",
        "cross-origin-opener-policy-report-only", "permissions-policy-report-only",
    }  # fmt: skip
    assert "cache-control" not in page
    for kind in ("application/json", "image/png"):
        assert headers_of(kind, SecurityHeaders(), reports="/csp-reports") == headers_of(
            kind, SecurityHeaders()
        )


def test_over_plain_http_reports_go_the_old_way() -> None:
    """Chromium has no Reporting API there, and a policy that names an endpoint would report nothing."""
    page = headers_of("text/html", SecurityHeaders(), reports="/csp-reports", scheme="http")
    for name in ("content-security-policy", "content-security-policy-report-only"):
        assert page[name].endswith("; report-uri /csp-reports")
    assert {name for name in page if "report" in name} == {"content-security-policy-report-only"}


def test_reports_can_go_to_a_collector() -> None:
    """The URL of a collector wins over the app's own receiver."""
    settings = SecurityHeaders(reports="https://collector.example/r?app=1")
    page = headers_of("text/html", settings, reports="/csp-reports")
    assert page["reporting-endpoints"] == 'reports="https://collector.example/r?app=1"'
    assert "report-uri https://collector.example/r?app=1;" in page["content-security-policy"]


def test_reports_of_a_mounted_app_come_home() -> None:
    """Below a root path the reports go to the app, and not to whoever answers for the rest of the host."""
    mounted = {"root_path": "/shop", "path": "/shop/x", "scheme": "https"}
    reply = reply_of("text/html", SecurityHeaders(), reports="/csp-reports", **mounted)
    assert reply.header("reporting-endpoints") == 'reports="/shop/csp-reports"'
    assert "report-uri /shop/csp-reports;" in (reply.header("content-security-policy") or "")


def test_any_root_path_can_stand_in_a_header() -> None:
    """A server hands it over decoded, and browsers get it encoded."""
    root = "/caf\xe9; a,\n\ud800"
    reply = reply_of(
        "text/html", SecurityHeaders(), reports="/r", root_path=root, path=f"{root}/x", scheme="https"
    )
    assert reply.header("reporting-endpoints") == 'reports="/caf%C3%A9%3B%20a%2C%0A%3F/r"'
    assert "report-uri /caf%C3%A9%3B%20a%2C%0A%3F/r;" in (reply.header("content-security-policy") or "")


@pytest.mark.parametrize(
    ("fields", "header", "value"),
    [
        ({"page_policy": "preset; frame-ancestors 'none'"}, "content-security-policy",
         "base-uri 'self'; frame-ancestors 'none'"),
        ({"page_policy": "preset; frame-ancestors 'none'"}, "x-frame-options", "DENY"),
        ({"page_policy": "preset; frame-ancestors https://a.example"}, "x-frame-options", None),
        ({"page_policy": "object-src 'none'"}, "content-security-policy", "object-src 'none'"),
        ({"page_policy": ""}, "content-security-policy", None),
        ({"page_policy": ""}, "x-frame-options", "SAMEORIGIN"),
        ({"page_policy": "", "page_frames": None}, "x-frame-options", None),
        ({"page_referrer": "no-referrer"}, "referrer-policy", "no-referrer"),
        ({"page_referrer": None}, "referrer-policy", None),
        ({"page_permissions": "camera=()"}, "permissions-policy", "camera=()"),
        ({"page_opener": "same-origin"}, "cross-origin-opener-policy", "same-origin"),
        ({"page_embedder": "credentialless"}, "cross-origin-embedder-policy", "credentialless"),
        ({"page_resource": "same-site"}, "cross-origin-resource-policy", "same-site"),
        ({"more": ("x-xss-protection",)}, "x-xss-protection", "0"),
        ({"more": ("origin-agent-cluster",)}, "origin-agent-cluster", "?1"),
        ({"more": ("x-dns-prefetch-control",)}, "x-dns-prefetch-control", "off"),
        ({"more": ("x-permitted-cross-domain-policies",)}, "x-permitted-cross-domain-policies", "none"),
        ({"more": ("x-download-options",)}, "x-download-options", "noopen"),
        ({"page_policy": "img-src *; report-uri /mine", "reports": "/r"}, "content-security-policy",
         "img-src *; report-uri /mine"),
        ({"page_policy_report_only": "web", "reports": "/r"}, "reporting-endpoints", 'reports="/r"'),
        ({"page_policy_report_only": "img-src 'self'"}, "content-security-policy-report-only", None),
        ({"page_opener_report_only": None, "reports": "/r"}, "cross-origin-opener-policy-report-only", None),
        ({"page_embedder_report_only": "require-corp", "reports": "/r"},
         "cross-origin-embedder-policy-report-only", 'require-corp; report-to="reports"'),
        ({"page_permissions_report_only": "usb=()", "reports": "/r"},
         "permissions-policy-report-only", "usb=();report-to=reports"),
    ],
)  # fmt: skip
def test_every_header_of_a_page_can_be_set(fields: dict[str, object], header: str, value: str | None) -> None:
    """A setting changes its header, and `off` or an empty text sends none."""
    page = headers_of("text/html", SecurityHeaders(**fields))  # type: ignore[arg-type]
    assert page.get(header) == value


def test_what_is_allowed_on_purpose_is_not_reported() -> None:
    """Directives that a setting changes in the preset hold for what is only reported, too."""
    settings = SecurityHeaders(page_policy="preset; frame-ancestors https://partner.example", reports="/r")
    page = headers_of("text/html", settings)
    told = directives(page["content-security-policy-report-only"])
    assert told["frame-ancestors"] == "https://partner.example"
    assert told["script-src"] == "'self'"
    mine = SecurityHeaders(
        page_policy="preset; img-src *", page_policy_report_only="default-src 'self'", reports="/r"
    )
    assert "img-src" not in headers_of("text/html", mine)["content-security-policy-report-only"]
    strict = SecurityHeaders(preset="strict", page_policy="preset; img-src *", reports="/r")
    assert "content-security-policy-report-only" not in headers_of("text/html", strict)


def test_a_preset_can_be_changed_in_single_directives() -> None:
    """What follows its name replaces what it says, and all the rest stays."""
    settings = SecurityHeaders(preset="web", page_policy="preset; img-src 'self' https://cdn.example")
    mine = directives(headers_of("text/html", settings)["content-security-policy"])
    usual = directives(headers_of("text/html", SecurityHeaders(preset="web"))["content-security-policy"])
    assert mine.pop("img-src") == "'self' https://cdn.example"
    assert set(usual) - set(mine) == {"img-src"}
    more = SecurityHeaders(preset="strict", page_permissions="preset, camera=(self)", more=("preset",))
    page = headers_of("text/html", more)
    assert "camera=(self)" in page["permissions-policy"]
    assert "microphone=()" in page["permissions-policy"]
    assert page["x-xss-protection"] == "0"


@pytest.mark.parametrize(
    ("fields", "value"),
    [
        ({}, "max-age=63072000"),
        ({"hsts": 300.0}, "max-age=300"),
        ({"hsts_subdomains": True}, "max-age=63072000; includeSubDomains"),
        ({"hsts_subdomains": True, "hsts_preload": True}, "max-age=63072000; includeSubDomains; preload"),
    ],
)
def test_hsts_says_what_is_set(fields: dict[str, object], value: str) -> None:
    """Names below the host and the browsers' list are for whoever asks for them."""
    reply = reply_of("text/html", SecurityHeaders(**fields), scheme="https")  # type: ignore[arg-type]
    assert reply.all("strict-transport-security") == [value]


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("PAGE_POLICY", "scrpt-src 'self'", "Did you mean script-src?|did you mean script-src?"),
        ("PAGE_POLICY", "script-src self", "did you mean 'self'?"),
        ("PAGE_POLICY", "wbe", "did you mean web?"),
        ("PAGE_PERMISSIONS", "preset, camara=(self)", "did you mean camera?"),
        ("PAGE_PERMISSIONS", "preset; camera 'self'", "parted by commas"),
        ("REPORTS", "http://collector.example/r", "https only"),
        ("RULES", "docs: auto", "rules such as '/admin/*: strict'"),
        ("PAGE_REFERRER", "None", "or off, found 'None'"),
        ("PAGE_POLICY", "web; imgsrc 'self'", "did you mean img-src?"),
        ("PAGE_POLICY_REPORT_ONLY", "default-src 'selff'", "'self'"),
        ("PAGE_PERMISSIONS", "cammera=()", "did you mean camera?"),
        ("EXISTING", "keep, x-frame-option=override", "did you mean x-frame-options?"),
        ("EXISTING", "overide", "did you mean override?"),
        ("RULES", "/admin/*: strct", "did you mean strict?"),
        ("RULES", "strict", "Write a path in front of each"),
        ("RULES", "/a: clear-site-data cookie", "did you mean cookies?"),
        ("REPORTS", "//evil.example", "percent-encoded"),
        ("REPORTS", "/a;b", "percent-encoded"),
        ("HSTS_PRELOAD", "on", "hsts_subdomains"),
        ("PRESET", "strikt", "Did you mean strict?"),
        ("PAGE_FRAMES", "DENY", "SAMEORIGIN, which is what frame-ancestors"),
        ("PAGE_FRAMES", "off", "SAMEORIGIN, which is what frame-ancestors"),
        ("MORE", "preset, x-xss-protetion", "Did you mean x-xss-protection?"),
        ("PAGE_REFERRER", "no-referer", "Did you mean no-referrer?"),
    ],
)
def test_an_error_names_the_variable_and_the_near_miss(variable: str, text: str, expected: str) -> None:
    """Whoever misspells a policy learns where, what was found, and what was probably meant."""
    with pytest.raises(SettingsError) as error:
        load(Settings, environ={f"GARRISON_SECURITY_HEADERS_{variable}": text})
    message = str(error.value)
    assert f"GARRISON_SECURITY_HEADERS_{variable}: " in message
    assert any(part in message for part in expected.split("|")), message
    assert "\n" not in message


def test_every_problem_is_told_at_once() -> None:
    """Two misspelt policies are two problems of one error."""
    with pytest.raises(SettingsError) as error:
        SecurityHeaders(page_policy="scrpt-src 'self'", page_permissions="cammera=()")
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_contradict_nothing_in_themselves(preset: str) -> None:
    """Every preset can be built, with and without a place for reports, and has one value for each header."""
    settings = SecurityHeaders(preset=preset)  # type: ignore[arg-type]
    for kind in ("text/html", "application/json", "image/png", ""):
        for reports in ("", "/csp-reports"):
            found = headers_of(kind, settings, reports=reports)
            policy = directives(found.get("content-security-policy", ""))
            if "frame-ancestors" in policy:
                same = {"'none'": "DENY", "'self'": "SAMEORIGIN"}[policy["frame-ancestors"]]
                assert found["x-frame-options"] == same
