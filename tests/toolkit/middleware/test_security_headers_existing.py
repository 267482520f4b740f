"""The app's own security headers beside ours: kept, replaced or joined, and never a contradiction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison import SecurityHeaders, SecurityHeadersMiddleware
from garrison.headers.existing import ORDER
from garrison.headers.framing import frames_of
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from tests.toolkit.driver import Reply

PAGE: Final = (b"content-type", b"text/html")
CSP: Final = "content-security-policy"


def beside(*own: tuple[str, str], scheme: str = "http", **fields: object) -> Reply:
    """A page that comes with headers of its own."""
    lines = [PAGE, *((name.encode(), value.encode()) for name, value in own)]
    settings = SecurityHeaders(**fields)  # type: ignore[arg-type]
    return call(SecurityHeadersMiddleware(replies_with(200, lines), settings), http_scope(scheme=scheme))


def test_override_replaces_single_headers() -> None:
    """One header can be the setting's business while all others stay the app's."""
    own = (("X-Frame-Options", "DENY"), ("Referrer-Policy", "unsafe-url"), (CSP, "script-src 'self'"))
    reply = beside(*own, existing="referrer-policy=override")
    assert reply.all("referrer-policy") == ["strict-origin-when-cross-origin"]
    assert reply.all(CSP) == ["script-src 'self'"]
    assert reply.all("x-frame-options") == ["DENY"]


def test_override_leaves_what_we_do_not_send() -> None:
    """Only a header of ours replaces one of the app's; without one the app's is better than none."""
    own = (("Permissions-Policy", "usb=()"), ("Referrer-Policy", "unsafe-url"))
    reply = beside(*own, existing="override")
    assert reply.all("permissions-policy") == ["usb=()"]
    assert reply.all("referrer-policy") == ["strict-origin-when-cross-origin"]


def test_a_policy_that_says_nothing_of_frames_goes_on_saying_nothing() -> None:
    """The app's X-Frame-Options is then all that is said of them."""
    reply = beside(("X-Frame-Options", "DENY"), page_policy="img-src 'self'")
    assert (reply.all(CSP), reply.all("x-frame-options")) == (["img-src 'self'"], ["DENY"])


@pytest.mark.parametrize(
    ("name", "own", "joined"),
    [
        (CSP, "script-src 'self'", "script-src 'self'; base-uri 'self'; frame-ancestors 'self'"),
        (CSP, "base-uri 'none'", "base-uri 'none'; frame-ancestors 'self'"),
        ("referrer-policy", "unsafe-url", "strict-origin-when-cross-origin"),
        ("referrer-policy", "no-referrer", "no-referrer"),
        ("permissions-policy", "usb=*", "usb=*, camera=()"),
        ("cross-origin-opener-policy", "unsafe-none", "same-origin"),
        ("cross-origin-opener-policy", "noopener-allow-popups", "same-origin"),
        ("cross-origin-resource-policy", "same-origin", "same-origin"),
        ("x-content-type-options", "yes", "nosniff"),
        ("strict-transport-security", "max-age=5; includeSubDomains", "max-age=63072000; includeSubDomains"),
        ("strict-transport-security", "max-age=99999999; preload", "max-age=99999999; preload"),
        ("reporting-endpoints", 'mine="/m"', 'mine="/m", reports="/r"'),
    ],
)
def test_merge_takes_the_stricter_of_both(name: str, own: str, joined: str) -> None:
    """What the app says is never loosened, and what it leaves out is filled in."""
    reply = beside(
        (name.title(), own),
        scheme="https",
        existing="merge",
        page_permissions="camera=()",
        page_opener="same-origin",
        page_resource="same-site",
        page_policy_report_only="",
        reports="/r" if name == "reporting-endpoints" else "",
    )
    assert reply.all(name) == [joined]


def test_merging_adds_no_source_that_the_app_forbids() -> None:
    """`script-src` of the preset would take over from the app's `default-src`, and let more in."""
    reply = beside((CSP, "default-src 'none'"), existing="merge", preset="web")
    (policy,) = reply.all(CSP)
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'; form-action 'self'")


def test_merging_fills_in_what_no_line_of_the_app_says() -> None:
    """Several lines are several policies; what one of them rules on is not ruled on again in another."""
    own = ((CSP, "img-src *"), ("permissions-policy", "usb=*"), (CSP, "base-uri 'none'"),
           ("permissions-policy", "camera=(self)"))  # fmt: skip
    reply = beside(
        *own, existing="merge", page_permissions="camera=(), usb=(), midi=()",
        page_policy="default-src 'self'; base-uri 'self'; form-action 'self'",
    )  # fmt: skip
    assert reply.all(CSP) == ["img-src *, base-uri 'none'; form-action 'self'"]
    assert reply.all("permissions-policy") == ["usb=*, camera=(self), midi=()"]


@pytest.mark.parametrize(
    ("own", "name", "left"),
    [
        ([("x-frame-options", "SAMEORIGIN"), ("X-Frame-Options", "DENY")], "x-frame-options", ["DENY"]),
        ([("referrer-policy", "unsafe-url"), ("referrer-policy", "origin")], "referrer-policy", ["origin"]),
        ([("referrer-policy", "origin"), ("referrer-policy", "unsafe-url")],
         "referrer-policy", ["unsafe-url"]),
        ([("referrer-policy", "origin"), ("referrer-policy", "?")], "referrer-policy", ["origin"]),
        ([("referrer-policy", "origin"), ("referrer-policy", "no-referrer, ?")],
         "referrer-policy", ["no-referrer, ?"]),
        (
            [("strict-transport-security", "max-age=1"), ("strict-transport-security", "max-age=0")],
            "strict-transport-security",
            ["max-age=1"],
        ),
        (
            [("cross-origin-resource-policy", "cross-origin"), ("cross-origin-resource-policy", "same-site")],
            "cross-origin-resource-policy",
            ["same-site"],
        ),
        ([("x-content-type-options", "nosniff")] * 2, "x-content-type-options", ["nosniff"]),
        ([(CSP, "a-src x"), (CSP, "script-src 'self'")], CSP, ["a-src x", "script-src 'self'"]),
        ([("x-frame-options", "DENY"), (CSP, "frame-ancestors https://a.example")], "x-frame-options", []),
        ([("x-frame-options", "DENY"), (CSP, "frame-ancestors 'self'")], "x-frame-options", ["SAMEORIGIN"]),
        ([(CSP, "frame-ancestors 'self'"), (CSP, "frame-ancestors 'none'")], "x-frame-options", ["DENY"]),
        ([("x-frame-options", " deny")], CSP, ["base-uri 'self'; frame-ancestors 'none'"]),
    ],
)  # fmt: skip
def test_contradictions_of_the_app_are_settled(
    own: list[tuple[str, str]], name: str, left: list[str]
) -> None:
    """Where browsers obey one of two, the stricter or what they obey is left; policies all hold at once."""
    assert beside(*own, scheme="https").all(name) == left


def test_an_unknown_x_frame_options_of_the_app_stays_alone() -> None:
    """`ALLOW-FROM` was meant to let somebody in, so that no `frame-ancestors` of ours shuts them out."""
    reply = beside(("x-frame-options", "ALLOW-FROM https://partner.example"))
    assert reply.all("x-frame-options") == ["ALLOW-FROM https://partner.example"]
    assert reply.all(CSP) == ["base-uri 'self'"]


FRAMES: Final = st.sampled_from(["DENY", "deny", "SAMEORIGIN", "ALLOW-FROM https://a.example", "x", ""])
POLICIES: Final = st.sampled_from(
    [
        "frame-ancestors 'none'",
        "Frame-Ancestors 'self'; img-src *",
        "frame-ancestors https://a.example",
        "img-src *",
        "",
    ]
)
OWN: Final = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["x-frame-options", "X-FRAME-OPTIONS"]), FRAMES),
        st.tuples(st.just(CSP), POLICIES),
        *(
            st.tuples(st.just(name.decode()), st.sampled_from([value.decode() for value in values] + ["?"]))
            for name, values in ORDER.items()
        ),
    ),
    max_size=6,
)


@given(
    own=OWN,
    preset=st.sampled_from(["auto", "web", "strict", "api"]),
    existing=st.sampled_from(["keep", "override", "merge", f"{CSP}=merge", "x-frame-options=override"]),
    kind=st.sampled_from(["text/html", "application/json", "image/png"]),
)
def test_two_contradictory_headers_never_leave(
    own: list[tuple[str, str]], preset: str, existing: str, kind: str
) -> None:
    """Whatever the app sends: one value of each header, and X-Frame-Options in step with the policies."""
    lines = [(b"content-type", kind.encode()), *((name.encode(), value.encode()) for name, value in own)]
    settings = SecurityHeaders(preset=preset, existing=existing)  # type: ignore[arg-type]
    reply = call(SecurityHeadersMiddleware(replies_with(200, lines), settings), http_scope())
    for name in ORDER:
        assert len(reply.all(name.decode())) <= 1
    assert reply.header("x-content-type-options") is not None
    said = frames_of(";".join(reply.all(CSP)).encode())
    if said is not None:
        assert reply.all("x-frame-options") == ([said.decode()] if said else [])
