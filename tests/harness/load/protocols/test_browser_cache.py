"""What a browser keeps, and how it asks again."""

from __future__ import annotations

import pytest

from garrison_harness.load.protocols.browser_cache import MOST, Cache
from garrison_harness.load.protocols.pages import Page


@pytest.mark.parametrize(
    ("headers", "validators", "fresh"),
    [
        ({"etag": 'W/"1"'}, {"If-None-Match": 'W/"1"'}, 0),
        ({"last-modified": "x", "cache-control": "public, max-age=60"}, {"If-Modified-Since": "x"}, 60),
        ({"cache-control": 'Max-Age="5"'}, {}, 5), ({"cache-control": "s-maxage=9"}, {}, 0),
        ({"cache-control": "no-cache, max-age=60"}, {}, 0), ({}, {}, 0),
    ],
)  # fmt: skip
def test_replies_are_kept_with_what_they_say(
    headers: dict[str, str], validators: dict[str, str], fresh: int
) -> None:
    """A validator is sent along, and nothing is asked for while it is fresh (RFC 9111)."""
    cache = Cache()
    cache.keep("/a", headers, 100.0, Page(links=("/b",)))
    kept = cache.get("/a")
    assert kept is not None
    assert (kept.validators, kept.fresh_until, kept.page.links) == (validators, 100 + fresh, ("/b",))


def test_what_is_not_to_be_stored_is_forgotten() -> None:
    """`no-store` also drops what was kept before."""
    cache = Cache()
    cache.keep("/a", {"etag": "1"}, 0.0, Page())
    cache.keep("/a", {"cache-control": "no-store"}, 0.0, Page())
    assert cache.get("/a") is None


def test_a_304_makes_it_fresh_again() -> None:
    """What was confirmed is good for as long as the confirmation says."""
    cache = Cache()
    cache.keep("/a", {"etag": "1", "cache-control": "max-age=5"}, 0.0, Page())
    cache.confirm("/a", {"cache-control": "max-age=5"}, 7.0)
    cache.confirm("/b", {}, 7.0)
    kept = cache.get("/a")
    assert kept is not None
    assert kept.fresh_until == 12.0


def test_a_cache_is_bounded() -> None:
    """The oldest replies make room."""
    cache = Cache()
    for number in range(MOST + 1):
        cache.keep(f"/{number}", {}, 0.0, Page())
    assert cache.get("/0") is None
    assert cache.get(f"/{MOST}") is not None
