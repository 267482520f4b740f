"""What a page refers to."""

from __future__ import annotations

import pytest

from garrison_harness.load.protocols.pages import MOST_ASSETS, MOST_LINKS, path_on_site, read_page

URL = "http://127.0.0.1:8000/shop/tea"


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("cup", "/shop/cup"),
        ("/cup?x=1#top", "/cup?x=1"),
        (" http://127.0.0.1:8000/a ", "/a"),
        ("?page=2", "/shop/tea?page=2"),
        ("//127.0.0.1:8000", "/"),
        ("#top", None),
        ("", None),
        ("http://127.0.0.1:9/", None),
        ("https://127.0.0.1:8000/", None),
        ("mailto:a@example.com", None),
        ("data:image/png;base64,AA", None),
        ("http://[", None),
        ("/a b", None),
        ("/ü", None),
        ("http://127.0.0.1:8000//evil/", None),
        ("javascript:void(0)", None),
    ],
)
def test_only_paths_of_the_same_site_count(address: str, path: str | None) -> None:
    """A load stays on the host that it was given."""
    assert path_on_site(address, URL) == path


def test_a_page_is_read() -> None:
    """Links are pages to visit, and assets what a browser fetches to show this one; each once."""
    page = read_page(
        '<LINK rel="Stylesheet" href=a.css><link rel=canonical href=/c><link rel="shortcut icon" href=/i.ico>'
        '<script src="a.js"></script><script>1</script><img src=a.png><img src=a.png><a href=b>b</a><a>c</a>'
        '<a href="/logout">bye</a><a href="/items/1/delete">x</a><a href="b">again</a><![weird',
        URL,
    )
    assert page.links == ("/shop/b",)
    assert page.assets == ("/shop/a.css", "/i.ico", "/shop/a.js", "/shop/a.png")


def test_a_base_moves_what_is_relative() -> None:
    """The base of a page counts, if it is on the same site."""
    assert read_page('<base href="/x/"><a href=b>', URL).links == ("/x/b",)
    assert read_page('<base href="https://example.com/"><a href=b>', URL).links == ("/shop/b",)


def test_what_is_remembered_is_bounded() -> None:
    """A page of a thousand links is no thousand pages to visit."""
    page = read_page("".join(f"<a href=/{number}><img src=/{number}.png>" for number in range(200)), URL)
    assert (len(page.links), len(page.assets)) == (MOST_LINKS, MOST_ASSETS)
