"""Suggestions: what a policy gains from reports, and what it never does."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.csp.policy import parse_policy
from garrison.csp.reported_text import origin_of
from garrison.csp.reports import Violation
from garrison.csp.suggestion import Finding, Suggestion, suggest
from tests.toolkit.csp.matcher import allows, policy_of

SITE: Final = "https://shop.example"
PAGE: Final = f"{SITE}/cart"
STRICT: Final = "default-src 'none'; script-src 'nonce' 'strict-dynamic'; report-uri /csp-reports"


def violation(directive: str, blocked: str, policy: str = "default-src 'self'", **more: object) -> Violation:
    """A violation on one page."""
    facts: dict[str, object] = {"document": PAGE, "disposition": "report", **more}
    return Violation(directive=directive, blocked=blocked, policy=policy, **facts)  # type: ignore[arg-type]


def one(*violations: Violation, include: tuple[str, ...] = (), policy: str | None = None) -> Suggestion:
    """The one suggestion for these violations."""
    base = None if policy is None else parse_policy(policy)
    (found,) = suggest(violations, base, frozenset(include))
    return found


def only(findings: tuple[Finding, ...]) -> Finding:
    """The one finding."""
    assert len(findings) == 1
    return findings[0]


@pytest.mark.parametrize(
    ("policy", "directive", "blocked", "text"),
    [
        # A directive of its own where the fallback serves other content too, beginning as the fallback is.
        (
            "default-src 'self'",
            "img-src",
            "https://cdn.example/a.png",
            "default-src 'self'; img-src 'self' https://cdn.example",
        ),
        ("default-src 'none'", "img-src", "data", "default-src 'none'; img-src data:"),
        ("default-src 'none'", "font-src", "data", "default-src 'none'; font-src data:"),
        ("default-src 'none'", "img-src", f"{PAGE}.png", "default-src 'none'; img-src 'self'"),
        ("img-src 'none'", "img-src", "https://cdn.example:8443/a", "img-src https://cdn.example:8443"),
        (
            "script-src 'self'",
            "script-src-elem",
            "https://cdn.example/a",
            "script-src 'self' https://cdn.example",
        ),
        (
            "default-src 'self'",
            "script-src-elem",
            "https://cdn.example/a",
            "default-src 'self'; script-src 'self' https://cdn.example",
        ),
        (
            "script-src 'self'; script-src-elem 'self'",
            "script-src-elem",
            "https://a.example/",
            "script-src 'self'; script-src-elem 'self' https://a.example",
        ),
        (
            "default-src 'nonce' a.example 'strict-dynamic'",
            "style-src-elem",
            "https://b.example/",
            "default-src 'nonce' a.example 'strict-dynamic'; style-src 'nonce' a.example https://b.example",
        ),
        (
            "script-src 'nonce' 'self'",
            "worker-src",
            "https://a.example/",
            "script-src 'nonce' 'self'; worker-src 'self' https://a.example",
        ),
        (
            "child-src 'self'; default-src 'none'",
            "frame-src",
            "https://a.example/",
            "child-src 'self'; default-src 'none'; frame-src 'self' https://a.example",
        ),
        (
            "default-src 'self'; form-action 'self'",
            "form-action",
            "https://pay.example/x",
            "default-src 'self'; form-action 'self' https://pay.example",
        ),
        (
            "connect-src 'self'",
            "connect-src",
            "wss://shop.example/live",
            "connect-src 'self' wss://shop.example",
        ),
        ("script-src 'self'", "script-src", "wasm-eval", "script-src 'self' 'wasm-unsafe-eval'"),
    ],
)
def test_a_source_stands_where_it_allows_no_more(
    policy: str, directive: str, blocked: str, text: str
) -> None:
    """A source goes into the narrowest directive, and all that was allowed still is."""
    found = one(violation(directive, blocked, policy))
    assert found.text == text
    assert not found.refused
    assert not found.left_out
    parse_policy(found.text)


@pytest.mark.parametrize(
    ("directive", "blocked", "advice"),
    [
        ("script-src-elem", "inline", "csp_nonce"),
        ("script-src-attr", "inline", "addEventListener"),
        ("style-src-elem", "inline", "garrison csp hash"),
        ("style-src-attr", "inline", "class"),
        ("script-src", "eval", "'unsafe-eval'"),
        ("script-src-elem", "data", "Serve it as a file"),
        ("script-src-elem", "blob", "Serve it as a file"),
        ("frame-src", "data", "Serve it as a file"),
        ("object-src", "blob", "Serve it as a file"),
        ("script-src-elem", "https://198.51.100.7/a.js", "name in DNS"),
        ("img-src", "https://[2001:db8::1]/a.png", "name in DNS"),
        ("img-src", "https://under_score.example/a.png", "name in DNS"),
        ("img-src", "android-app", "no source"),
        ("base-uri", "https://a.example/", "whole addresses"),
        ("frame-ancestors", "", "frame-ancestors"),
        ("require-trusted-types-for", "trusted-types-sink", "Trusted Types policy"),
        ("trusted-types", "trusted-types-policy", "Add its name"),
        ("sandbox", "", "flag"),
        ("no-such-src", "https://a.example/", "no source"),
    ],
)
def test_what_is_not_safe_is_refused_with_advice(directive: str, blocked: str, advice: str) -> None:
    """No report adds what would let an attacker's text run; what to do instead is said."""
    found = one(violation(directive, blocked), include=(f"{blocked}:", blocked))
    assert found.text == "default-src 'self'"
    assert advice in only(found.refused).note
    assert not found.refused[0].optional


def test_strict_dynamic_ignores_addresses() -> None:
    """Under 'strict-dynamic' a host in the policy does nothing, so none is proposed."""
    found = one(violation("script-src-elem", "https://cdn.example/a.js", STRICT))
    assert "csp_nonce" in only(found.refused).note
    assert found.text == STRICT


@pytest.mark.parametrize(
    ("directive", "blocked", "source"),
    [
        ("connect-src", "ws://localhost:8012/", "ws://localhost:8012"),
        ("img-src", "blob", "blob:"),
        ("worker-src", "blob", "blob:"),
        ("media-src", "data", "data:"),
    ],
)
def test_what_is_left_out_can_be_included(directive: str, blocked: str, source: str) -> None:
    """What is seldom the site's, or more than was asked for, is added only when it is named."""
    reported = violation(directive, blocked)
    left = only(one(reported).left_out)
    assert (left.source, left.optional) == (source, True)
    found = one(reported, include=(source,))
    assert only(found.added).source == source
    assert found.policy[directive] == ("'self'", source)


def test_a_development_machine_may_name_itself() -> None:
    """A page on localhost that asks localhost asks for its own."""
    found = one(violation("connect-src", "ws://localhost:9/", document="http://localhost:8000/"))
    assert only(found.added).source == "ws://localhost:9"


def test_extensions_are_never_added() -> None:
    """What a visitor's extension does is not the site's to allow, even when it is named."""
    for reported in (
        violation("script-src-elem", "chrome-extension"),
        violation("img-src", "https://ads.example/", source_file="moz-extension"),
    ):
        found = one(reported, include=("chrome-extension:", "https://ads.example"))
        assert "extension" in only(found.left_out).note
        assert not found.left_out[0].optional
        assert found.text == "default-src 'self'"


def test_an_address_that_is_allowed_was_redirected() -> None:
    """Browsers report where a request began, so that a source for it is no help."""
    found = one(violation("img-src", "https://shop.example/go"))
    assert "redirects" in only(found.refused).note
    assert found.text == "default-src 'self'"


def test_plain_http_is_warned_about() -> None:
    """A source without https is added with a warning; the page's own origin needs none."""
    found = one(violation("img-src", "http://cdn.example/a.png"))
    assert "https" in only(found.added).note
    own = violation("img-src", "http://shop.example/a", "img-src 'none'", document="http://shop.example/")
    assert (only(one(own).added).source, only(one(own).added).note) == ("'self'", "")


def test_a_nonce_is_named_where_it_would_be_narrower() -> None:
    """Where scripts have nonces, a whole host is more than one tag needs."""
    found = one(violation("script-src-elem", "https://cdn.example/a.js", "script-src 'nonce'"))
    assert "csp_nonce" in only(found.added).note


@pytest.mark.parametrize(
    ("policy", "is_allowed"),
    [
        ("img-src https://cdn.example", True),
        ("img-src https:", True),
        ("img-src *.example", True),
        ("img-src CDN.example", True),
        ("img-src cdn.example:*", True),
        ("default-src cdn.example", True),
        ("script-src 'self'", True),
        ("img-src http:", False),
        ("img-src *.cdn.example", False),
        ("img-src cdn.example:8443", False),
        ("img-src https://cdn.example/other/", False),
        ("img-src data:", False),
    ],
)
def test_a_given_policy_is_what_counts(policy: str, is_allowed: bool) -> None:
    """With `--policy` the reported policy does not matter, and what it allows is only counted."""
    found = one(violation("img-src", "https://cdn.example/a.png", "img-src 'none'"), policy=policy)
    assert found.allowed == is_allowed
    assert bool(found.added) is not is_allowed
    assert not found.refused


def test_what_stands_there_already_is_not_added_again() -> None:
    """A word that the given policy has needs nothing."""
    found = one(violation("img-src", "data"), policy="img-src 'self' data:")
    assert (found.allowed, found.text) == (1, "img-src 'self' data:")


def test_what_a_source_is_for_is_told() -> None:
    """Each source says how many reports asked for it, from which pages, and where in a file."""
    reports = [
        *[violation("img-src", f"https://cdn.example/{n}", document=f"{SITE}/{n % 4}") for n in range(9)],
        violation("img-src", "https://cdn.example/x", source_file="https://shop.example/app.js", line=7),
        violation("font-src", "https://cdn.example/x"),
    ]  # fmt: skip
    found = one(*reports)
    fonts, images = found.added
    assert (fonts.directive, fonts.reports) == ("font-src", 1)
    assert (images.reports, images.pages[0], len(images.pages)) == (10, "https://shop.example/0", 3)
    assert images.example == "https://shop.example/app.js:7"
    assert found.reports == 11


def test_each_reported_policy_is_mended_by_itself() -> None:
    """Pages and API replies have policies of their own; the one with most reports is first."""
    reports = [violation("img-src", "https://a.example/", "img-src 'none'")]
    reports += [violation("font-src", "https://b.example/", "font-src 'none'", disposition="enforce")] * 2
    first, second = suggest(reports)
    assert (first.text, first.enforced) == ("font-src https://b.example", True)
    assert (second.text, second.enforced) == ("img-src https://a.example", False)


def test_a_policy_of_a_stranger_is_read_as_browsers_do() -> None:
    """Of a directive that stands there twice the first counts, and what is no directive is nothing."""
    policy = "IMG-SRC 'None'; img-src *; <b>; ; x!y z"
    assert one(violation("img-src", "https://a.example/", policy)).text == "img-src https://a.example"


DIRECTIVES: Final = [
    "connect-src", "font-src", "form-action", "frame-src", "img-src", "manifest-src", "media-src",
    "object-src", "script-src", "script-src-attr", "script-src-elem", "style-src", "style-src-attr",
    "style-src-elem", "worker-src", "base-uri",
]  # fmt: skip
BLOCKED: Final = [
    "inline", "eval", "wasm-eval", "data", "blob", "https://shop.example/a", "https://cdn.example/a",
    "https://cdn.example:8443/", "http://cdn.example/", "wss://shop.example/", "ws://localhost:9/",
    "https://198.51.100.7/", "https://[2001:db8::1]/", "chrome-extension", "",
]  # fmt: skip
SOURCES: Final = [
    "'none'", "'self'", "'nonce'", "'strict-dynamic'", "'unsafe-inline'", "https:", "cdn.example",
    "https://cdn.example", "*.example", "data:", "https://cdn.example/path/", "localhost:*",
]  # fmt: skip
POLICIES: Final = st.dictionaries(
    st.sampled_from([*DIRECTIVES, "default-src", "child-src"]),
    st.lists(st.sampled_from(SOURCES), min_size=1, max_size=3),
    min_size=1,
    max_size=4,
).map(lambda policy: "; ".join(f"{name} {' '.join(values)}" for name, values in policy.items()))


@given(
    POLICIES,
    st.lists(st.tuples(st.sampled_from(DIRECTIVES), st.sampled_from(BLOCKED)), min_size=1, max_size=6),
    st.sampled_from([(), ("blob:", "data:", "ws://localhost:9")]),
)
def test_a_suggestion_keeps_its_word(
    policy: str, reported: list[tuple[str, str]], include: tuple[str, ...]
) -> None:
    """What a suggestion says it allows is allowed, what was allowed still is, and nothing else came in."""
    violations = [violation(directive, blocked, policy) for directive, blocked in reported]
    found = one(*violations, include=include)
    assert sum(
        item.reports for item in (*found.added, *found.refused, *found.left_out)
    ) + found.allowed == len(violations)
    asked = {"'wasm-unsafe-eval'", "'self'", *(f"{blocked}:" for _, blocked in reported)}
    asked |= {origin_of(blocked) for _, blocked in reported}
    before, after = policy_of(policy), policy_of(found.text)
    inherited = {value for values in before.values() for value in values}
    for name, values in after.items():
        new = set(values) - set(before.get(name, ()))
        assert new <= (asked if name in before else asked | inherited), name
        assert "*" not in new
        assert new.isdisjoint({"'unsafe-eval'", "'unsafe-inline'"} - inherited)
    for item in found.added:
        sources = {"data": "data:", "blob": "blob:", "wasm-eval": "'wasm-unsafe-eval'"}
        for directive, blocked in reported:
            source = sources.get(blocked, origin_of(blocked))
            if directive.startswith(item.directive) and (
                item.source == source or (item.source == "'self'" and source == origin_of(PAGE))
            ):
                assert allows(found.text, directive, blocked, PAGE), (found.text, directive, blocked)
    for directive in DIRECTIVES:
        for blocked in BLOCKED:
            if "://" in blocked and allows(policy, directive, blocked, PAGE):
                assert allows(found.text, directive, blocked, PAGE), (found.text, directive, blocked)
