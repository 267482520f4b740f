"""What an app's Content-Security-Policy leaves out is filled in, and nothing in it is loosened."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.csp.policy import DIRECTIVES, merge_policies, parse_policy

FETCHED = {name for name in DIRECTIVES if "-src" in name} - {"default-src"}


@pytest.mark.parametrize(
    ("app", "merged"),
    [
        ("", "script-src 'self'; base-uri 'none'"),
        ("  ", "  script-src 'self'; base-uri 'none'"),
        ("img-src *", "img-src *; script-src 'self'; base-uri 'none'"),
        ("img-src * ; ", "img-src * ;  script-src 'self'; base-uri 'none'"),
        ("default-src 'self'", "default-src 'self'; base-uri 'none'"),
        ("Default-Src *;BASE-URI *", "Default-Src *;BASE-URI *"),
        ("script-src-elem *", "script-src-elem *; script-src 'self'; base-uri 'none'"),
        ("script-src-elem *; default-src *", "script-src-elem *; default-src *; base-uri 'none'"),
        ("child-src a", "child-src a; script-src 'self'; base-uri 'none'"),
        ("img-src *, base-uri *", "img-src *, base-uri *; script-src 'self'"),
        ("img-src *,", "img-src *, script-src 'self'; base-uri 'none'"),
        ("?!=; script-src;x\xff y", "?!=; script-src;x\xff y; base-uri 'none'"),
    ],
)
def test_what_the_app_leaves_out_is_filled_in(app: str, merged: str) -> None:
    """What the app says stays byte for byte, and goes before ours where a directive would take over."""
    ours = parse_policy("script-src 'self'; base-uri 'none'")

    assert merge_policies(app, ours) == merged


@pytest.mark.parametrize(
    ("app", "ours"),
    [
        ("script-src 'none'", "child-src *"),
        ("script-src 'none'", "worker-src *"),
        ("child-src 'none'", "frame-src *"),
        ("child-src 'none'", "fenced-frame-src *"),
        ("style-src 'none'", "style-src-attr *"),
        ("report-uri /mine", "report-to csp"),
        ("report-to mine", "report-uri /csp"),
        ("frame-src a, worker-src b; default-src 'none'", "child-src *"),
        ("img-src *, base-uri 'none'", "default-src 'none'"),
        ("script-src-elem *, base-uri 'none'", "script-src 'none'"),
    ],
)
def test_a_directive_never_takes_over_from_one_of_the_app(app: str, ours: str) -> None:
    """Where browsers would go by ours instead of the app's, ours is left out."""
    assert merge_policies(app, parse_policy(ours)) == app


@pytest.mark.parametrize("name", sorted(FETCHED))
def test_default_src_of_the_app_rules_all_that_is_loaded(name: str) -> None:
    """An app with default-src has spoken on every kind of load."""
    assert merge_policies("default-src 'none'", parse_policy(f"{name} *")) == "default-src 'none'"


def test_a_directive_that_can_only_forbid_is_added() -> None:
    """Where the app has ruled on some of what a directive decides, ours still rules on the rest."""
    app = "worker-src a; script-src b"

    assert merge_policies(app, parse_policy("child-src c")) == f"{app}; child-src c"


def test_directives_of_ours_may_fall_back_to_one_another() -> None:
    """Where the app is silent, a directive and its fallback both come from us."""
    ours = parse_policy("default-src 'self'; script-src 'self'; frame-ancestors 'none'; report-to csp")

    assert merge_policies("font-src a", ours) == (
        "font-src a; default-src 'self'; script-src 'self'; frame-ancestors 'none'; report-to csp"
    )


# A matcher of its own: what each kind of load goes by, as CSP Level 3 lists it one by one.
KINDS: dict[str, tuple[str, ...]] = {
    "fetch": ("connect-src", "default-src"),
    "font": ("font-src", "default-src"),
    "frame": ("frame-src", "child-src", "default-src"),
    "image": ("img-src", "default-src"),
    "handler": ("script-src-attr", "script-src", "default-src"),
    "script": ("script-src-elem", "script-src", "default-src"),
    "eval": ("script-src", "default-src"),
    "style": ("style-src-elem", "style-src", "default-src"),
    "style attribute": ("style-src-attr", "style-src", "default-src"),
    "worker": ("worker-src", "child-src", "script-src", "default-src"),
    "base": ("base-uri",),
    "form": ("form-action",),
    "framed by": ("frame-ancestors",),
}
SOURCES = ("'self'", "https://a.example", "https://b.example", "*")


def allows(header: str, kind: str, source: str) -> bool:
    """Whether every policy of a header lets a page load something of a kind from a source."""
    return all(_policy_allows(policy, kind, source) for policy in header.split(","))


def _policy_allows(policy: str, kind: str, source: str) -> bool:
    directives: dict[str, list[str]] = {}
    for part in policy.split(";"):
        words = re.findall(r"[^\t\n\f\r ]+", part)
        if words and part.isascii():
            directives.setdefault(words[0].lower(), [word.lower() for word in words[1:]])
    for name in KINDS[kind]:
        if name in directives:
            return source in directives[name] or "*" in directives[name]
    return True


names = st.sampled_from(sorted({name for chain in KINDS.values() for name in chain} | {"child-src"}))
sources = st.lists(st.sampled_from(SOURCES), max_size=2, unique=True)
strange = st.text(st.characters(max_codepoint=255), max_size=12)
parts = st.one_of(
    st.builds(lambda name, found: " ".join((name, *found)), names, sources),
    st.builds(lambda name, found: "\t".join((name.upper(), *found, " ")), names, sources),
    st.builds(lambda name, found, rest: f"{name} {' '.join(found)}{rest}", names, sources, strange),
    strange,
)
headers = st.lists(st.tuples(parts, st.sampled_from([";", "; ", " ;", ",", ", "])), max_size=5).map(
    lambda found: "".join(part + end for part, end in found)
)
policies = st.dictionaries(names, sources.map(lambda found: tuple(found) or ("'none'",)), max_size=6)


@given(app=headers, ours=policies)
def test_what_the_merged_policy_allows_the_app_allowed(app: str, ours: dict[str, tuple[str, ...]]) -> None:
    """Merging can only forbid, whatever the app's policy is, and what the app said stays as it is."""
    merged = merge_policies(app, ours)

    assert merged.startswith(app)
    for kind in KINDS:
        for source in SOURCES:
            assert allows(app, kind, source) or not allows(merged, kind, source)


@given(app=headers, ours=policies)
def test_what_the_app_has_not_ruled_on_goes_by_ours(app: str, ours: dict[str, tuple[str, ...]]) -> None:
    """Where none of the app's directives decides on a kind of load, ours does."""
    merged = merge_policies(app, ours)

    for kind, chain in KINDS.items():
        if any(
            name in app.lower() for related in KINDS.values() if set(chain) & set(related) for name in related
        ):
            continue
        for source in SOURCES:
            assert allows(merged, kind, source) == allows(written(ours), kind, source)


ruled = st.lists(st.dictionaries(names, sources.map(tuple), max_size=3), min_size=1, max_size=3)


@given(app=ruled.map(lambda found: ", ".join(map(written, found))), ours=policies)
def test_what_the_app_has_ruled_on_stays_as_it_is(app: str, ours: dict[str, tuple[str, ...]]) -> None:
    """Where any of the app's policies decides on a kind of load, ours changes nothing about it."""
    merged = merge_policies(app, ours)

    for kind, chain in KINDS.items():
        if set(chain) & set(re.split("[;, ]+", app)):
            for source in SOURCES:
                assert allows(merged, kind, source) == allows(app, kind, source)


def written(policy: dict[str, tuple[str, ...]]) -> str:
    """A policy as a header value."""
    return "; ".join(" ".join((name, *values)) for name, values in policy.items())
