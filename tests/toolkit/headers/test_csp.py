"""Content-Security-Policy: what browsers know is written as it should be, all else is refused."""

from __future__ import annotations

import pytest

from garrison.headers.csp import DIRECTIVES, content_policy, is_policy, without_directive


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("base-uri 'self'; frame-ancestors 'self'", "base-uri 'self'; frame-ancestors 'self'"),
        ("  script-src   'self'  https://a.example ;; ", "script-src 'self' https://a.example"),
        ("upgrade-insecure-requests", "upgrade-insecure-requests"),
        ("sandbox allow-scripts; trusted-types a b", "sandbox allow-scripts; trusted-types a b"),
    ],
)
def test_a_policy_is_written_as_browsers_read_it(text: str, written: str) -> None:
    """Directives keep their order and their sources; blanks and empty parts go."""
    assert is_policy(text)
    assert content_policy(text) == written


@pytest.mark.parametrize(
    ("policy", "left"),
    [
        ("base-uri 'self'; frame-ancestors 'self'", "base-uri 'self'"),
        ("frame-ancestors 'none'; img-src 'self'", "img-src 'self'"),
        ("Frame-Ancestors 'none'", ""),
        ("img-src frame-ancestors", "img-src frame-ancestors"),
    ],
)
def test_a_directive_can_be_left_out(policy: str, left: str) -> None:
    """All others stay as they are; a source of that name is no directive."""
    assert without_directive(policy, "frame-ancestors") == left


@pytest.mark.parametrize("name", sorted(DIRECTIVES))
def test_every_directive_can_be_written(name: str) -> None:
    """No directive that browsers know is refused by the builder."""
    assert content_policy(f"{name} x").split()[0] == name


@pytest.mark.parametrize(
    "text",
    ["scrpt-src 'self'", "script-src: 'self'", "script-src 'self'\r\nx: y", "img-src ü", "'self'", "a\0"],
)
def test_what_no_browser_knows_is_no_policy(text: str) -> None:
    """A misspelt directive would protect nothing, and a line end would be a header of its own."""
    assert not is_policy(text)
