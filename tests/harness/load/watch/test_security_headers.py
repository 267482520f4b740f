"""Which replies under load break the promise of the security headers, and which differ for a reason."""

from __future__ import annotations

import pytest

from garrison_harness.load.watch.security_headers import common_headers, doubtful, judge_headers
from tests.harness.load.watch.recorded import HARDENED, problem, quiet, reply


def test_headers_that_are_on_every_reply_are_kept() -> None:
    """A run whose replies have what the quiet ones have keeps the promise, errors that are new included."""
    samples = [reply(number=3), problem("/", 429), problem("/", 503), problem("/other", 404)]
    promise = judge_headers(quiet(), samples)
    assert (promise.verdict, promise.detail) == ("kept", "4 replies under load compared with quiet ones")


@pytest.mark.parametrize("status", [200, 404, 429, 500, 503])
def test_reply_that_lost_a_header_under_load_breaks_the_promise(status: int) -> None:
    """The reply, its status and the header that it lacks are told, once, with how often it happened."""
    lost = reply("/" if status == 200 else "/asked", status, number=7, without=("x-frame-options",))
    promise = judge_headers(quiet(), [reply(number=3), problem("/asked", 404), lost, lost])
    assert promise.verdict == "broken"
    assert promise.detail == "2 of 4 replies under load: lacks x-frame-options (2)"
    assert promise.examples == (f"GET {lost.path} -> {status}: lacks x-frame-options",)


def test_app_without_security_headers_has_nothing_to_keep() -> None:
    """No promise is broken by an app that never made it."""
    bare = tuple(HARDENED)
    replies = [reply(without=bare), reply("/missing", 404, without=bare)]
    promise = judge_headers(quiet(*replies), [reply(without=bare), reply("/", 503, without=bare)])
    assert (promise.verdict, promise.detail) == ("not judged", "the quiet app has none")


def test_nonce_in_a_policy_is_no_fault() -> None:
    """A value that differs between two quiet reads may differ under load; one that never does may not."""

    def page(nonce: str, frames: str = "DENY") -> dict[str, str]:
        return {"content-security-policy": f"script-src 'nonce-{nonce}'", "x-frame-options": frames}

    known = quiet(reply(headers=page("a")), reply(headers=page("b")), problem("/missing"))
    assert judge_headers(known, [reply(headers=page("c"))]).verdict == "kept"
    other = judge_headers(known, [reply(headers=page("c", "SAMEORIGIN"))])
    assert (other.verdict, other.examples) == ("broken", ("GET / -> 200: has another x-frame-options",))
    # Whether a value changes from one read to the next is not known of what was read once.
    once = quiet(reply(headers=page("a")), problem("/missing"))
    assert judge_headers(once, [reply(headers=page("c"))]).verdict == "kept"


def test_header_that_only_some_paths_have_is_asked_of_those_only() -> None:
    """A path with fewer headers when quiet keeps those; an error keeps what all quiet replies have."""
    embedded = reply("/embed", without=("x-frame-options",))
    known = quiet(reply(), embedded, problem("/missing"))
    assert common_headers(known) == {"x-content-type-options", "content-security-policy"}
    fine = [embedded, reply(), problem("/embed", 503, without=("x-frame-options",))]
    assert judge_headers(known, fine).verdict == "kept"
    assert judge_headers(known, [*fine, reply(without=("x-frame-options",))]).verdict == "broken"


def test_pages_and_data_have_policies_of_their_own() -> None:
    """An error in JSON is compared with quiet JSON, and a page with quiet pages."""
    page = reply(kind="text/html", headers={"referrer-policy": "same-origin"})
    known = quiet(page, page, problem("/missing"))
    assert judge_headers(known, [problem("/", 503)]).verdict == "kept"
    assert judge_headers(known, [reply(kind="text/html")]).verdict == "broken"


def test_no_quiet_error_means_that_errors_are_not_compared() -> None:
    """Headers that only successes are known to have are not asked of errors."""
    promise = judge_headers(quiet(reply(), reply()), [reply("/", 503, without=("x-frame-options",))])
    assert (promise.verdict, promise.detail) == (
        "not judged", "no reply under load can be compared with a quiet one",
    )  # fmt: skip


def test_what_must_not_be_stored_when_quiet_must_not_be_stored_under_load() -> None:
    """Losing no-store is losing a security header; another Cache-Control may change as it likes."""
    private = quiet(reply(headers={"cache-control": "private, no-store"}), problem("/missing"))
    lost = judge_headers(private, [reply(headers={"cache-control": "max-age=60"})])
    assert lost.examples == ("GET / -> 200: may be stored, without no-store",)
    public = quiet(*(reply(headers={"cache-control": f"max-age={age}"}) for age in (60, 60)))
    assert judge_headers(public, [reply(headers={"cache-control": "max-age=59"})]).verdict == "kept"


def test_replies_to_a_post_are_compared_with_each_other() -> None:
    """What cannot be asked quietly, since it changes something, keeps what most of its replies have."""
    posts = [reply("/items", 201, method="POST", number=number) for number in range(20)]
    lost = reply("/items", 201, method="POST", without=("x-content-type-options",))
    assert judge_headers(quiet(), posts).verdict == "kept"
    assert judge_headers(quiet(), [*posts, lost]).verdict == "broken"
    # Some replies of a route have a header, others do not: that is no fault of the load.
    half = [one if number % 2 else lost for number, one in enumerate(posts)]
    assert judge_headers(quiet(), half).verdict == "kept"


def test_error_of_the_app_to_a_post_is_not_compared_with_other_errors() -> None:
    """Only what an outer layer answers must look like every error; the app's own 422 is the app's affair."""
    for status, verdict in ((422, "not judged"), (503, "broken")):
        lost = reply("/items", status, method="POST", without=("x-frame-options",))
        assert judge_headers(quiet(), [lost]).verdict == verdict


def test_path_that_nobody_asked_when_quiet_is_asked_again_before_it_is_judged() -> None:
    """A doubtful path is named, and excused once it shows that it never had the header."""
    odd = reply("/widget/7", 404, without=("x-frame-options",))
    assert doubtful(quiet(), [reply(), odd, odd]) == ["/widget/7"]
    assert judge_headers(quiet(), [odd]).verdict == "broken"
    # What is known of a path is not asked again: quiet it has no 503.
    assert doubtful(quiet(), [reply("/", 503, without=("x-frame-options",))]) == []
    known = quiet(*quiet().replies, odd, odd)
    assert doubtful(known, [odd]) == []
    assert judge_headers(known, [odd]).verdict == "kept"


def test_request_without_a_reply_lacks_nothing() -> None:
    """What was cut off has no headers to compare."""
    assert judge_headers(quiet(), [reply("/", 0)] * 20).verdict == "not judged"


def test_sniffing_that_is_allowed_under_load_is_told() -> None:
    """The one header that has one right value must have it on every error, too."""
    lax = problem("/", 503)
    lax = reply(
        "/", 503, kind="application/problem+json", headers={"x-content-type-options": "sniff"}, body=lax.body
    )
    promise = judge_headers(quiet(), [lax])
    assert promise.examples == ("GET / -> 503: has another x-content-type-options",)
