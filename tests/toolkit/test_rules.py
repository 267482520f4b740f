"""One notation for rules by method, path and identity."""

from __future__ import annotations

import pytest

from garrison.rules import (
    NotationError,
    covers,
    exact_paths,
    grouped,
    is_unambiguous,
    parse_paths,
    parse_rules,
    routed_path,
)
from tests.toolkit.driver import http_scope


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5/minute", [(set(), "", "5/minute", "")]),
        ("POST /login: 5/minute by address", [({"POST"}, "/login", "5/minute", "address")]),
        ("PUT|PATCH: 1/hour", [({"PUT", "PATCH"}, "", "1/hour", "")]),
        (
            "/api/*: a; ; /b: c by header:x-api-key",
            [(set(), "/api/*", "a", ""), (set(), "/b", "c", "header:x-api-key")],
        ),
        ("", []),
    ],
)
def test_rules_are_read(text: str, expected: list[tuple[set[str], str, str, str]]) -> None:
    """Methods, path, value and identity each have their place, and all but the value may be missing."""
    assert [(set(r.methods), r.path, r.value, r.identity) for r in parse_rules(text)] == expected


@pytest.mark.parametrize(
    "text",
    ["/a /b: 1", "post /a: 1", "/a*b: 1", "/*/a: 1", "POST GET: 1", "/a POST: 1", "/a:  by x", "a b: 1"],
)
def test_a_rule_that_is_none_is_shown(text: str) -> None:
    """The error quotes the rule that does not fit."""
    with pytest.raises(ValueError, match="not '"):
        parse_rules(text)


@pytest.mark.parametrize(("name", "meant"), [("POTS", "POST"), ("GETT", "GET"), ("DELTE", "DELETE")])
def test_a_misspelt_method_is_found(name: str, meant: str) -> None:
    """A rule about a method that nobody sends would never be missed."""
    with pytest.raises(NotationError, match=f"a method such as {meant}, not '{name}'"):
        parse_rules(f"{name} /logout: x")


def test_rarer_methods_are_taken_as_they_stand() -> None:
    """WebDAV's methods, and private ones, are near none that apps answer usually."""
    for name in ("PROPFIND", "MKCOL", "REPORT", "SEARCH", "PURGE", "TRACK", "LINK", "LOCK"):
        assert parse_rules(f"{name} /x: y")[0].methods == {name}


@pytest.mark.parametrize(
    ("earlier", "later", "covered"),
    [
        ("/docs: a", "/docs: b", True),
        ("/static/*: a", "/static/help.html: b", True),
        ("/a/*: a", "/a/b/*: b", True),
        ("5/minute", "/login: b", True),
        ("GET|POST /x: a", "POST /x: b", True),
        ("POST /x: a", "/x: b", False),
        ("/a/b: a", "/a/*: b", False),
        ("/a/*: a", "/a: b", False),
        ("/x: a", "5/minute", False),
    ],
)
def test_a_rule_behind_one_that_fits_everything_of_it(earlier: str, later: str, *, covered: bool) -> None:
    """The first rule that fits counts, so that a narrower one behind it never does."""
    (first,), (second,) = parse_rules(earlier), parse_rules(later)
    assert covers(first, second) is covered


@pytest.mark.parametrize(
    ("rule", "method", "path", "applies"),
    [
        ("/a: 1", "GET", "/a", True),
        ("/a: 1", "GET", "/a/", False),
        ("/a: 1", "GET", "/ab", False),
        ("/a/*: 1", "GET", "/a/b/c", True),
        ("/a/*: 1", "GET", "/a", False),
        ("/a*: 1", "GET", "/ab", True),
        ("/*: 1", "GET", "/", True),
        ("GET|HEAD /a: 1", "HEAD", "/a", True),
        ("GET /a: 1", "HEAD", "/a", True),
        ("HEAD /a: 1", "GET", "/a", False),
        ("GET|HEAD /a: 1", "POST", "/a", False),
        ("1", "ANY", "/thing", True),
    ],
)
def test_a_rule_applies_to_what_it_names(rule: str, method: str, path: str, *, applies: bool) -> None:
    """A path is matched whole unless it ends in a star."""
    assert parse_rules(rule)[0].applies(method, path) is applies


def test_rules_of_one_target_stand_together() -> None:
    """Groups are in the order in which their targets first appear."""
    groups = grouped(parse_rules("/a: 1; 2; /a: 3; POST /a: 4"))
    assert [[rule.value for rule in group] for group in groups] == [["1", "3"], ["2"], ["4"]]


@pytest.mark.parametrize(
    ("path", "root", "routed"),
    [
        ("/a", "", "/a"),
        ("/shop/a", "/shop", "/a"),
        ("/shop/a", "/shop/", "/a"),
        ("/a", "/shop", "/a"),
        ("/shop", "/shop", "/"),
        ("/shopping", "/shop", "/shopping"),
        ("", "", ""),
    ],
)
def test_the_path_is_the_routers(path: str, root: str, routed: str) -> None:
    """Whether the server counts the prefix into the path or not, a rule sees what the router sees."""
    assert routed_path(http_scope(path, root_path=root)) == routed


def test_a_few_single_paths_are_one_set() -> None:
    """One look tells that a path is none of them; but not where a rule is about more than one."""
    assert exact_paths(parse_rules("/livez: a; GET /metrics: b")) == frozenset({"/livez", "/metrics"})
    assert exact_paths(parse_rules("/livez: a; /internal/*: b")) is None
    assert exact_paths(parse_rules("/livez: a; GET: b")) is None
    assert exact_paths(()) == frozenset()


def test_paths_are_read_without_values() -> None:
    """A list of paths has the targets of rules, and nothing behind them."""
    found = parse_paths("POST /saml/acs; ; /payments/*;", "/a")
    assert [(set(rule.methods), rule.path) for rule in found] == [
        ({"POST"}, "/saml/acs"),
        (set(), "/payments/*"),
    ]
    assert parse_paths("", "/a") == ()


@pytest.mark.parametrize("text", ["/a; GET", "a", "/a: 5/minute", "/a: listed: x", "/a*b", "/a /b"])
def test_a_list_needs_paths(text: str) -> None:
    """What is no path is shown beside an example of the section."""
    with pytest.raises(NotationError, match="paths such as '/example', parted by ';', not '"):
        parse_paths(text, "/example")


def test_a_list_with_commas_is_told_what_parts_paths() -> None:
    """Other lists have commas; an example with several paths shows what stands between them here."""
    with pytest.raises(NotationError) as caught:
        parse_paths("/feed, /watch/*", "/feed")
    assert caught.value.expected == "paths such as '/feed', parted by ';'"
    with pytest.raises(NotationError) as caught:
        parse_paths("/feed, /watch/*", "/livez; GET /static/*")
    assert caught.value.expected == "paths such as '/livez; GET /static/*'"


@pytest.mark.parametrize(
    ("path", "unambiguous"),
    [
        ("/", True),
        ("/a/b.c/.d/..e", True),
        ("/a/", True),
        ("", False),
        ("a", False),
        ("//a", False),
        ("/a/./b", False),
        ("/a/..", False),
        ("/a;b", False),
        ("/a\n", False),
        ("/a b", False),
        ("/a\0", False),
    ],
)
def test_a_path_is_read_alike_or_not(path: str, *, unambiguous: bool) -> None:
    """Empty and dot segments, parameters, blanks and control characters are read in different ways."""
    assert is_unambiguous(path) is unambiguous
