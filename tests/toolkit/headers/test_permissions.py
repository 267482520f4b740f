"""Permissions-Policy: what browsers read as it looks is accepted, all else is refused by name."""

from __future__ import annotations

import pytest

from garrison.csp.policy_error import PolicyError
from garrison.headers.permissions import DENY_ALL, merge_permissions, parse_permissions, render_permissions


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            'camera=(), geolocation=(self "https://maps.example")',
            'camera=(), geolocation=(self "https://maps.example")',
        ),
        ("  camera =( ) ,usb= (self)", "camera=(), usb=(self)"),
        ("usb=*, hid=(*), midi=self", "usb=*, hid=*, midi=(self)"),
        ('usb="https://*.A.example:8443"', 'usb=("https://*.A.example:8443")'),
        ("usb=();report-to=main, hid=*; report-to=main", "usb=();report-to=main, hid=*;report-to=main"),
        ("a-feature-of-next-year=()", "a-feature-of-next-year=()"),
        ("", ""),
    ],
)
def test_a_policy_is_written_as_browsers_read_it(text: str, written: str) -> None:
    """Features keep their order and their origins, in brackets as most examples write them."""
    policy = parse_permissions(text)

    assert render_permissions(policy) == written
    assert parse_permissions(written) == policy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("camra=()", "camra is no feature: did you mean camera?"),
        ("microfone=()", "did you mean microphone?"),
        ("Camera=()", "Camera is no name of a feature: did you mean camera?"),
        ("'x'=()", "'x' is no name of a feature: lower case, digits and - are"),
        ("camera=(), camera=(self)", "camera stands there twice"),
        ("camera", "camera names no origins: write camera=() for nobody, camera=(self) for your own"),
        ("camera 'none'; usb 'self'", "write camera=() for nobody"),
        ("camera=none", "did you mean camera=()?"),
        ("camera=('none')", "did you mean camera=()?"),
        ("camera=('self')", "'self' is no origin: did you mean self?"),
        ("camera=(https://a.example)", 'lacks its quotes: did you mean "https://a.example"?'),
        ('camera=("https://a.example/b")', "is no origin: self, *, or one such as"),
        ("camera=(src)", "src is no origin"),
        ("camera=(self *)", "* is everybody, so that nothing else may stand beside it"),
        ("camera=();usb=()", "a comma before the next feature"),
        ("camera=(self", "camera=(self is no list of origins"),
        ("camera=", "camera= is no list of origins"),
        ("camera=()\n", "'\\n' cannot stand in it"),
        ("camera=(ü)", "'ü' cannot stand in it"),
    ],
)
def test_what_browsers_would_drop_is_refused(text: str, said: str) -> None:
    """One mistake makes browsers ignore the whole header, so that each is named with what was meant."""
    with pytest.raises(PolicyError, match=r"^[^\n]+$") as caught:
        parse_permissions(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("app", "merged"),
    [
        ("", "usb=(), camera=()"),
        ("usb=*", "usb=*, camera=()"),
        ("usb=*, ", "usb=*,  camera=()"),
        ('usb=("https://a,camera=b")', 'usb=("https://a,camera=b"), camera=()'),
        ("camera=(self),usb", "camera=(self),usb"),
        ("\xff?", "\xff?, usb=(), camera=()"),
    ],
)
def test_what_the_app_leaves_out_is_filled_in(app: str, merged: str) -> None:
    """The app decides on the features that it names, and we on the rest."""
    assert merge_permissions(app, {"usb": "()", "camera": "()"}) == merged


def test_the_strictest_policy_gives_every_feature_to_nobody() -> None:
    """What the strict preset sends is a policy that browsers read in full."""
    policy = parse_permissions(DENY_ALL)

    assert set(policy.values()) == {"()"}
    assert {"camera", "fullscreen", "geolocation", "microphone", "payment", "usb"} <= policy.keys()
