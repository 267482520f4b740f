"""Content-Security-Policy: what browsers read as it looks is accepted, all else is refused by name."""

from __future__ import annotations

import pytest

from garrison.csp.policy import DIRECTIVES, PolicyError, parse_policy, render_policy

EMPTY_SHA256 = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
URL_SAFE = "'sha256-qznLcsROx4GACP2dm0UCKCzCG-HiZ1guq6ZZDob_Tng'"
UPPER = EMPTY_SHA256.replace("sha", "SHA")
SHA384 = "'sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb'"
# For each directive, a value that browsers take.
EXAMPLES = dict.fromkeys(DIRECTIVES, "'self'") | {
    "report-to": "reports",
    "report-uri": "/csp-reports",
    "require-trusted-types-for": "'script'",
    "sandbox": "allow-scripts",
    "trusted-types": "app",
    "upgrade-insecure-requests": "",
    "webrtc": "'block'",
}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("base-uri 'self'; frame-ancestors 'self'", "base-uri 'self'; frame-ancestors 'self'"),
        ("  Script-Src   'SELF'  https://a.example ;; ", "script-src 'self' https://a.example"),
        ("upgrade-insecure-requests", "upgrade-insecure-requests"),
        ("sandbox", "sandbox"),
        ("sandbox ALLOW-forms", "sandbox allow-forms"),
        ("sandbox allow-scripts; trusted-types a b", "sandbox allow-scripts; trusted-types a b"),
        ("script-src 'NONCE' 'strict-dynamic' https:", "script-src 'nonce' 'strict-dynamic' https:"),
        (
            "img-src data: *.example:* a https://a.example/b%2C/",
            "img-src data: *.example:* a https://a.example/b%2C/",
        ),
        (f"style-src {EMPTY_SHA256} {SHA384}", f"style-src {EMPTY_SHA256} {SHA384}"),
        ("script-src 'strict-dynamic' " + EMPTY_SHA256, "script-src 'strict-dynamic' " + EMPTY_SHA256),
        ("img-src a 'self' A a 'SELF'", "img-src a 'self' A"),
        ("img-src a.example.", "img-src a.example."),
        (f"script-src {URL_SAFE} {UPPER}", f"script-src {URL_SAFE} {UPPER}"),
        ("report-uri /a https://b.example/c?d=e", "report-uri /a https://b.example/c?d=e"),
        ("", ""),
    ],
)
def test_a_policy_is_written_as_browsers_read_it(text: str, written: str) -> None:
    """Directives keep their order and their values; blanks, empty parts and what stands there twice go."""
    policy = parse_policy(text)

    assert render_policy(policy) == written
    assert parse_policy(written) == policy


@pytest.mark.parametrize("name", sorted(DIRECTIVES))
def test_every_directive_can_be_written(name: str) -> None:
    """No directive that browsers know is refused."""
    text = f"{name} {EXAMPLES[name]}".strip()

    assert render_policy(parse_policy(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("script-scr 'self'", "script-scr is no directive: did you mean script-src?"),
        ("script-src: 'self'", "script-src: is no directive: did you mean script-src?"),
        ("xyz", "xyz is no directive: see CSP Level 3"),
        ("img-src 'self'; IMG-src a", "img-src stands there twice: browsers ignore the second"),
        ("block-all-mixed-content", "upgrade-insecure-requests"),
        ("plugin-types a/b", "plugin-types is no directive any more: write object-src 'none'"),
        ("prefetch-src 'self'", "default-src"),
        ("referrer no-referrer", "send the header Referrer-Policy"),
        ("Reflected-XSS block", "'unsafe-inline'"),
    ],
)
def test_what_is_no_directive_is_refused(text: str, said: str) -> None:
    """A misspelt or bygone directive would protect nothing, and the message says what would."""
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        parse_policy(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("img-src a, b", "a comma starts another policy"),
        ("img-src a\r\nx: y", "'\\r' cannot stand in it"),
        ("img-src ü", "'ü' cannot stand in it"),
        ("img-src a\0", "'\\x00' cannot stand in it"),
    ],
)
def test_what_would_end_the_policy_early_is_refused(text: str, said: str) -> None:
    """A line end would be a header of its own, and a comma another policy."""
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        parse_policy(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("script-src self", "self lacks its quotes: did you mean 'self'?"),
        ('script-src "self"', "\"self\" lacks its quotes: did you mean 'self'?"),
        ("script-src none", "did you mean 'none'?"),
        ("style-src Unsafe-Inline", "did you mean 'Unsafe-Inline'?"),
        (f"script-src {EMPTY_SHA256[1:-1]}", f"did you mean {EMPTY_SHA256}?"),
        ("script-src 'slef'", "'slef' is no keyword: did you mean 'self'?"),
        ("script-src 'self", "'self is no keyword: did you mean 'self'?"),
        ("script-src 'unsafe_inline'", "did you mean 'unsafe-inline'?"),
        ("script-src 'https://a.example'", "is no keyword: 'self' and 'none' are, for example"),
        ("script-src 'none' a", "browsers ignore 'none' beside other values"),
        ("img-src https", "https is no scheme: did you mean https:?"),
        ("img-src https://", "https:// is no scheme: did you mean https:?"),
        ("img-src http://[::1]", "http://[::1] is no source"),
        ("img-src a.example/b?c", "a.example/b?c is no source"),
        ("img-src *.*", "*.* is no source"),
        ("img-src", "img-src has no value: write img-src 'none'"),
        ("frame-ancestors 'unsafe-inline'", "'unsafe-inline' does nothing here"),
    ],
)
def test_a_source_that_browsers_would_drop_is_refused(text: str, said: str) -> None:
    """Quotes that are missing, misspelt keywords and what is no host are named with what was meant."""
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        parse_policy(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("script-src 'nonce-abc'", "'nonce-abc' is to be 'nonce', which stands for a new one on every reply"),
        ("script-src nonce-abc", "nonce-abc is to be 'nonce'"),
        ("script-src nonce", "nonce is to be 'nonce'"),
        ("script-src 'nonce", "'nonce is to be 'nonce'"),
        ("img-src 'nonce'", "no nonce counts here, only in default-src, script-src,"),
        ("script-src-attr 'nonce'", "no nonce counts here"),
        ("script-src 'strict-dynamic' https:", "without one no script runs: add 'nonce'"),
        ("style-src 'strict-dynamic' 'nonce'", "'strict-dynamic' is for scripts"),
        ("script-src 'sha256-abc'", "'sha256-abc' is no sha256 hash: 32 bytes in base64"),
        (f"script-src {EMPTY_SHA256.replace('sha256', 'sha384')}", "is no sha384 hash: 48 bytes in base64"),
        (f"script-src {EMPTY_SHA256[:-1]}", "is no sha256 hash"),
        ("script-src 'sha256-a%b='", "is no sha256 hash"),
        ("script-src 'sha256-abcde'", "is no sha256 hash"),
    ],
)
def test_nonces_and_hashes_that_let_nothing_run_are_refused(text: str, said: str) -> None:
    """A fixed nonce protects nothing, and what no browser can match lets no script run."""
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        parse_policy(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("upgrade-insecure-requests 1", "upgrade-insecure-requests takes no value: 1 is to go"),
        ("sandbox allow-script", "allow-script is not known: did you mean allow-scripts?"),
        ("trusted-types", "trusted-types has no value: write trusted-types 'none'"),
        ("trusted-types none", "did you mean 'none'?"),
        ("trusted-types 'none' a", "browsers ignore 'none' beside other values"),
        ("trusted-types a!", "a! is not known: 'allow-duplicates', 'none'"),
        ("require-trusted-types-for script", "did you mean 'script'?"),
        ("require-trusted-types-for", "write require-trusted-types-for 'script'"),
        ("report-to /reports", "/reports is no name of an endpoint; addresses go in report-uri"),
        ("report-to a b", "report-to takes one value, not 2"),
        ("report-to", "report-to has no value: write report-to the name of an endpoint"),
        ("report-uri 'self'", "'self' is no address such as /csp-reports"),
        ("report-uri a%zz", "a%zz is no address"),
        ("report-uri", "write report-uri an address such as /csp-reports"),
        ("webrtc 'blok'", "did you mean 'block'?"),
        ("webrtc 'allow' 'block'", "webrtc takes one value, not 2"),
    ],
)
def test_values_that_are_no_sources_are_checked_too(text: str, said: str) -> None:
    """Flags, names and addresses have notations of their own."""
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        parse_policy(text)

    assert said in str(caught.value)
