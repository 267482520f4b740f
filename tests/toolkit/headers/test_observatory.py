"""The scorer that our own replies are held against gives the figures that MDN HTTP Observatory gives."""

from __future__ import annotations

import pytest
import secure

from garrison_harness.observatory import Score, grade, score
from garrison_harness.observatory.scoring import ORIGIN
from tests.toolkit.driver import Reply

POLICY = "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
NONCED = (
    "default-src 'none'; script-src 'nonce-abc' 'strict-dynamic' https: 'unsafe-inline';"
    " style-src 'nonce-abc'"
)
# All that headers can earn.
BEST = {
    "content-security-policy": POLICY,
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
}
SESSION = ("Set-Cookie", "__Host-session=1; Path=/; Secure; HttpOnly; SameSite=Lax")
PINNED = b"<!doctype html><script src=/app.js integrity=sha256-abc></script>"
# What version 8.3.0 of Helmet sends by default, and OWASP's list of July 2026.
HELMET = {
    "content-security-policy": "default-src 'self';base-uri 'self';font-src 'self' https: data:;"
    "form-action 'self';frame-ancestors 'self';img-src 'self' data:;object-src 'none';"
    "script-src 'self';script-src-attr 'none';style-src 'self' https: 'unsafe-inline';"
    "upgrade-insecure-requests",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
}
OWASP = BEST | {
    "content-security-policy": "default-src 'self'; form-action 'self'; base-uri 'self'; object-src 'none';"
    " frame-ancestors 'none'; upgrade-insecure-requests",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}
DJANGO = {name: value for name, value in BEST.items() if name != "content-security-policy"} | {
    "referrer-policy": "same-origin"
}


def answer(
    *lines: tuple[str, str], status: int = 200, media_type: str = "text/html", body: bytes = b""
) -> Reply:
    """A reply with these header lines."""
    sent = [("content-type", media_type), *lines] if media_type else [*lines]
    headers = [(name.encode(), value.encode()) for name, value in sent]
    return Reply(
        [
            {"type": "http.response.start", "status": status, "headers": headers},
            {"type": "http.response.body", "body": body},
        ]
    )


def best(*more: tuple[str, str], without: tuple[str, ...] = (), body: bytes = b"") -> Score:
    """The score of the best headers, some left out and others added."""
    kept = [(name, value) for name, value in BEST.items() if name not in without]
    return score(answer(*kept, *more, body=body))


def presets() -> dict[str, dict[str, str]]:
    """What `secure` sends by its presets."""
    return {
        preset.name: dict(secure.Secure.from_preset(preset).header_items())
        for preset in (secure.Preset.BALANCED, secure.Preset.STRICT)
    }


@pytest.mark.parametrize(
    ("headers", "total", "letter"),
    [
        ({}, 30, "D"),
        (DJANGO, 75, "B"),
        (HELMET, 130, "A+"),
        (presets()["BALANCED"], 130, "A+"),
        (presets()["STRICT"], 135, "A+"),
        (OWASP, 145, "A+"),
        (BEST, 150, "A+"),
        (BEST | {"content-security-policy": NONCED}, 150, "A+"),
        (BEST | {"content-security-policy": NONCED + "; img-src 'self' data:"}, 150, "A+"),
    ],
)
def test_the_peers_score_as_they_do_on_the_real_one(headers: dict[str, str], total: int, letter: str) -> None:
    """The figures are those that the published scorer gave for the same headers."""
    found = score(answer(*headers.items()))

    assert (found.total, found.grade) == (total, letter)
    assert len(found.tests) == 12


def test_a_page_can_earn_no_more_than_165() -> None:
    """Beyond headers there are points for a good cookie, pinned scripts and the preload list."""
    assert best(SESSION).total == 155
    assert best(SESSION, body=PINNED).total == 160
    assert score(answer(*BEST.items(), SESSION, body=PINNED), preloaded=True).total == 165


def test_what_is_left_out_costs_what_it_earned() -> None:
    """Isolation headers are worth ten points each."""
    assert best(without=("cross-origin-embedder-policy",)).total == 140
    isolation = (
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "cross-origin-resource-policy",
    )
    assert best(without=isolation).total == 120


def test_json_scores_as_a_page_does() -> None:
    """Headers count whatever they come with; scripts and `meta` elements count in pages only."""
    meta = b'<meta name=referrer content=unsafe-url><script src="http://cdn.test/x"></script>'

    assert score(answer(*BEST.items(), media_type="application/json", body=meta)).total == 150
    assert best(body=meta).total < 150


def test_bonuses_count_only_where_little_was_lost() -> None:
    """With less than 90 left of the first hundred, no bonus counts; no score is below zero."""
    assert best(without=("x-content-type-options",)).total == 145
    assert best(without=("strict-transport-security",)).total == 80
    assert score(answer(), https=False).total == 10
    assert score(answer(("Set-Cookie", "session=1")), https=False).total == 0


def test_plain_http_loses_forty() -> None:
    """Without https there is neither HSTS nor a redirect to it."""
    found = score(answer(*BEST.items()), https=False).tests

    assert found["strict-transport-security"] + found["redirection"] == -40


@pytest.mark.parametrize(
    ("total", "letter"),
    [(165, "A+"), (100, "A+"), (99, "A"), (90, "A"), (89, "A-"), (80, "B+"), (70, "B"), (69, "B-"),
     (60, "C+"), (50, "C"), (45, "C-"), (40, "D+"), (30, "D"), (25, "D-"), (24, "F"), (0, "F")],
)  # fmt: skip
def test_scores_have_grades(total: int, letter: str) -> None:
    """Scores are rounded down to fives, and all above 100 are the best grade."""
    assert grade(total) == letter


def test_an_error_is_scored_only_on_request() -> None:
    """A live scan gives up on what is no 2xx, 3xx, 401 or 403."""
    with pytest.raises(ValueError, match="Observatory scans no site that answers 500"):
        score(answer(*BEST.items(), status=500))

    assert score(answer(*BEST.items(), status=403)).total == 150
    assert score(answer(*BEST.items(), status=500), any_status=True).total == 150


@pytest.mark.parametrize(
    ("policy", "points"),
    [
        ("default-src 'none'", 10),
        ("default-src 'self'", 5),
        ("default-src", 10),
        ("default-src 'self'; style-src 'unsafe-inline'", 0),
        ("default-src 'self'; style-src 'unsafe-inline' 'nonce-abc'", 5),
        ("default-src 'self'; img-src http:", -10),
        ("default-src 'self'; script-src 'unsafe-eval'", -10),
        ("default-src 'self'; script-src 'unsafe-inline'", -20),
        ("default-src 'self'; script-src data:", -20),
        ("script-src 'self'", -20),
        ("default-src https:", -20),
        ("default-src 'self'; connect-src http://a.example", -20),
        ("base-uri 'self'; frame-ancestors 'self'", -20),
        ("", -25),
        ("default-src 'none'; default-src 'none'", -25),
        ("default-src 'none',", -25),
        ("default-src 'none'; report-uri /a,b", -25),
        ("script-src 'strict-dynamic'; object-src 'none'", -25),
        ("default-src 'none'; report-to a; report-to b", 0),
        ("default-src 'none'; report-uri http://a.example", -20),
        ("default-src 'none', default-src 'self'", 10),
        ("default-src https://a.example/, default-src https://a.example/b", 5),
        ("default-src https://a.example/%zz, default-src https://a.example/b", -25),
        (";;;;;;;", -25),
    ],
)
def test_policies_are_judged_by_what_they_let_in(policy: str, points: int) -> None:
    """The worst of what a policy allows counts; what Observatory cannot read is as bad as none."""
    found = best(("Content-Security-Policy", policy), without=("content-security-policy",))

    assert found.tests["content-security-policy"] == points


def test_a_policy_that_only_reports_is_none() -> None:
    """Report-only protects nobody."""
    lines = ("Content-Security-Policy-Report-Only", POLICY)

    assert best(lines, without=("content-security-policy",)).tests["content-security-policy"] == -25


def test_a_policy_may_stand_in_the_page() -> None:
    """A `meta` element counts, though what only headers can say does not count there alone."""
    page = b'<meta http-equiv=Content-Security-Policy content="%s">'

    def found(policy: bytes) -> int:
        reply = best(without=("content-security-policy",), body=page % policy)
        return reply.tests["content-security-policy"]

    assert found(b"default-src 'self'") == 5
    assert found(b"frame-ancestors 'none'") == -25


@pytest.mark.parametrize(
    ("lines", "points"),
    [
        (["a=1; Secure; SameSite=None"], 5),
        (["a=1; Secure"], 0),
        (["a"], 0),
        (["a=1"], -5),
        (["session=1; HttpOnly"], -10),
        (["a=1; Secure; SameSite=Foo"], -20),
        (["a=1; SameSite=None"], -20),
        (["csrftoken=1; Secure"], -20),
        (["session=1; Secure; SameSite=Lax"], -30),
        (["a=1; Secure; SameSite=Lax", "mylogin=1; Secure; SameSite=Lax"], -30),
        (["a=1", "a=1; Secure; SameSite=Lax"], 5),
        (["__Host-a=1; SameSite=Lax"], 0),
        (["__Secure-a=1; SameSite=Lax"], 0),
        (["a=1; Domain=other.example"], 0),
        (["heroku-session-affinity=1"], 0),
    ],
)
def test_cookies_are_judged_as_browsers_keep_them(lines: list[str], points: int) -> None:
    """The worst of all cookies counts; those that browsers drop do not."""
    assert best(*(("Set-Cookie", line) for line in lines)).tests["cookies"] == points


def test_cookies_without_hsts_cost_more() -> None:
    """HSTS keeps a cookie off plain http even where the cookie itself does not say so."""
    found = best(("Set-Cookie", "session=1; HttpOnly"), without=("strict-transport-security",))

    assert found.tests["cookies"] == -40


@pytest.mark.parametrize(
    ("name", "value", "points"),
    [
        ("cross-origin-embedder-policy", "credentialless", 10),
        ("cross-origin-embedder-policy", "unsafe-none", 0),
        ("cross-origin-embedder-policy", "Require-Corp", -5),
        ("cross-origin-opener-policy", 'same-origin; report-to="main"', 10),
        ("cross-origin-opener-policy", "same-origin-allow-popups", 10),
        ("cross-origin-opener-policy", "noopener-allow-popups", 10),
        ("cross-origin-opener-policy", "unsafe-none", 0),
        ("cross-origin-opener-policy", "same-origin;", -5),
        ("cross-origin-opener-policy", "same-origin, same-origin", -5),
        ("cross-origin-resource-policy", "Same-Site", 10),
        ("cross-origin-resource-policy", "cross-origin", 0),
        ("cross-origin-resource-policy", "x", -5),
        ("referrer-policy", "unsafe-url, strict-origin", 5),
        ("referrer-policy", "strict-origin, unsafe-url", -5),
        ("referrer-policy", "strict-origin, x", 5),
        ("referrer-policy", "x", -5),
        ("strict-transport-security", "max-age=15552000", 0),
        ("strict-transport-security", 'max-age="31536000"', 0),
        ("strict-transport-security", "max-age=15551999", -10),
        ("strict-transport-security", "includeSubDomains", -20),
        ("strict-transport-security", "max-age=31536000, max-age=31536000", -20),
        ("x-content-type-options", "NoSniff", 0),
        ("x-content-type-options", "nosniff, nosniff", -5),
    ],
)
def test_single_headers_are_judged_by_their_value(name: str, value: str, points: int) -> None:
    """Each has values that earn, that cost, and that say nothing."""
    assert best((name, value), without=(name,)).tests[name] == points


def test_a_header_that_stands_there_twice_is_read_as_one() -> None:
    """Clients join the lines, and most values make no sense then."""
    assert best(("X-Content-Type-Options", "nosniff")).tests["x-content-type-options"] == -5
    assert best(("Strict-Transport-Security", "max-age=63072000")).tests["strict-transport-security"] == -20


@pytest.mark.parametrize(
    ("frames", "policy", "points"),
    [
        ("sameorigin", "", 5),
        ("", "frame-ancestors *", 5),
        ("ALLOW-FROM https://a.example", "", 0),
        ("DENY, DENY", "", -20),
        ("", "", -20),
        ("x", "frame-ancestors 'none'", 5),
    ],
)
def test_framing_is_one_matter(frames: str, policy: str, points: int) -> None:
    """A policy with frame-ancestors counts whatever it allows, and whatever X-Frame-Options says."""
    lines = [("X-Frame-Options", frames)] * bool(frames) + [("Content-Security-Policy", policy)] * bool(
        policy
    )

    assert score(answer(*lines)).tests["x-frame-options"] == points


@pytest.mark.parametrize(
    ("page", "points"),
    [
        ("", 0),
        ("<script>1</script>", 0),
        ("<script src=/a.js></script>", 0),
        ("<script src=/a.js integrity=x></script>", 5),
        ("<script src=https://www.site.example/a.js integrity=x></script>", 5),
        ("<script src=https://cdn.test/a.js integrity=x></script>", 5),
        ("<script src=https://cdn.test/a.js></script>", -5),
        ("<script src=//cdn.test/a.js integrity=x></script>", -20),
        ("<script src=http://cdn.test/a.js></script>", -50),
        ("<script src=/a.js integrity=x></script><script src=https://cdn.test/a.js></script>", -5),
        ("<script src=//cdn.test/a.js integrity=x></script><script src=https://cdn.test/a.js></script>", -5),
    ],
)
def test_scripts_of_others_are_to_be_pinned(page: str, points: int) -> None:
    """Own scripts need no hash and earn with one; those of others need one, and https."""
    assert best(body=page.encode()).tests["subresource-integrity"] == points
    assert score(answer(media_type="", body=page.encode())).tests["subresource-integrity"] == points


def test_a_reflected_origin_is_the_worst_of_all() -> None:
    """A preflight that lets any origin in, with credentials, costs half of everything."""
    allowed = ("Access-Control-Allow-Origin", ORIGIN)
    credentials = ("Access-Control-Allow-Credentials", "true")

    def found(*lines: tuple[str, str]) -> int:
        return score(answer(), preflight=answer(*lines)).tests["cross-origin-resource-sharing"]

    assert found(allowed, credentials) == -50
    assert found(allowed) == 0
    assert found(("Access-Control-Allow-Origin", "*"), credentials) == 0
