"""Which replies under load break the promises of ids, problem documents and orderly refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from garrison_harness.load.sample import BODY_LENGTH
from garrison_harness.load.watch.observed import Observed
from garrison_harness.load.watch.problem_documents import judge_problems
from garrison_harness.load.watch.request_ids import id_header, judge_ids
from garrison_harness.load.watch.saturation import judge_saturation
from tests.harness.load.watch.recorded import problem, quiet, reply

ID = "x-request-id"
PLAIN = {"kind": "text/plain", "body": "Service Unavailable"}


def test_header_that_tells_replies_apart_is_the_id() -> None:
    """A header that some quiet replies lack, or that says the same twice, is none."""
    assert id_header(quiet()) == ID
    assert id_header(quiet(reply(number=1), reply(number=1))) == ""
    assert id_header(quiet(reply(number=1), reply(number=2, without=(ID,)))) == ""
    other = [reply(number=one, without=(ID,), headers={"x-correlation-id": str(one)}) for one in (1, 2)]
    assert id_header(quiet(*other)) == "x-correlation-id"


def test_ids_of_their_own_are_kept() -> None:
    """Replies that all have an id, none of them seen before, keep the promise."""
    promise = judge_ids(ID, quiet(), [reply(number=5), problem("/", 503)], Observed(ids=1200))
    assert (promise.verdict, promise.detail) == ("kept", "1,200 different ids in x-request-id")


def test_id_that_comes_twice_breaks_the_promise() -> None:
    """Two replies of one id are one too many; the id and a request that got it are told."""
    observed = Observed(ids=1198, repeated=2, repeats=["GET /: x-request-id abc"] * 2)
    promise = judge_ids(ID, quiet(), [reply(number=5)], observed)
    assert (promise.verdict, promise.examples) == ("broken", ("again: GET /: x-request-id abc",))
    assert promise.detail == "2 replies have the x-request-id of another"


def test_reply_without_an_id_breaks_the_promise() -> None:
    """Where every quiet reply has an id, one under load that has none is told with its status."""
    samples = [reply(number=5), reply("/", 503, without=(ID,)), reply("/", 0, fault="ConnectionRefusedError")]
    promise = judge_ids(ID, quiet(), samples, Observed(ids=10))
    assert (promise.verdict, promise.examples) == ("broken", ("GET / -> 503: no x-request-id",))
    assert promise.detail == "1 of 2 replies without one"


def test_path_that_never_has_an_id_needs_none_under_load() -> None:
    """A path that came up in the run, and shows when quiet that it has no id, is left alone."""
    static = reply("/static/app.js", without=(ID,))
    assert judge_ids(ID, quiet(*quiet().replies, static), [static], Observed(ids=10)).verdict == "kept"


def test_app_without_ids_has_none_to_keep() -> None:
    """Nothing is asked of an app whose quiet replies carry no id."""
    assert judge_ids("", quiet(), [reply(without=(ID,))], Observed()).verdict == "not judged"


def test_errors_that_stay_problem_documents_are_kept() -> None:
    """New statuses are fine as long as the documents have what the quiet ones have."""
    samples = [problem("/", status) for status in (429, 500, 503)]
    promise = judge_problems(ID, quiet(), samples)
    assert (promise.verdict, promise.detail) == ("kept", "3 errors under load")


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (reply("/", 503, kind="text/plain", body="busy"), "text/plain, no problem document"),
        (reply("/", 500, without=("content-type",)), "no content type, no problem document"),
        (problem("/", 503, status=500), "its status is 500"),
        (problem("/", 503, type=None), "no member type"),
        (problem("/", 503, request_id="another"), "its request_id is not that of the header"),
        (problem("/", 503, without=("cache-control",)), "may be stored, without no-store"),
        (
            reply("/", 503, kind="application/problem+json", headers={"cache-control": "no-store"}, body="{"),
            "no JSON object",
        ),
    ],
)
def test_error_that_is_another_thing_under_load_is_told(broken: object, fault: str) -> None:
    """What is wrong with the document is told with the request and the status."""
    promise = judge_problems(ID, quiet(), [problem("/", 429), broken])  # type: ignore[list-item]
    assert promise.verdict == "broken"
    assert promise.examples[0].endswith(f": {fault}")
    assert promise.detail == f"1 of 2 errors under load: {fault} (1)"


def test_app_with_other_errors_may_keep_them() -> None:
    """An app whose quiet errors are its own JSON is not told to write problem documents."""
    own = quiet(reply(), reply("/missing", 404, body='{"detail": "Not Found"}'))
    samples = [reply("/", 503, **PLAIN), reply("/other", 404)]  # type: ignore[arg-type]
    assert judge_problems(ID, own, samples).verdict == "not judged"
    # What it calls a problem document has to be one all the same.
    assert judge_problems(ID, own, [*samples, problem("/", 500)]).verdict == "kept"
    assert judge_problems(ID, own, [*samples, problem("/", 500, status=200)]).verdict == "broken"


def test_path_that_fails_in_its_own_way_when_quiet_may_do_so_under_load() -> None:
    """A path that is known to answer its errors in plain text is left alone."""
    odd = reply("/odd", 500, **PLAIN)  # type: ignore[arg-type]
    assert judge_problems(ID, quiet(*quiet().replies, odd), [odd]).verdict == "not judged"


def test_app_with_two_kinds_of_errors_keeps_each_where_it_is() -> None:
    """A path whose quiet errors are problem documents keeps them; of a new error nobody knows the kind."""
    own = reply("/own", 404, body='{"detail": "Not Found"}')
    known = quiet(*quiet().replies, own)
    assert judge_problems(ID, known, [own, reply("/", 503, **PLAIN)]).verdict == "not judged"  # type: ignore[arg-type]
    assert judge_problems(ID, known, [reply("/missing", 404, **PLAIN)]).verdict == "broken"  # type: ignore[arg-type]


def test_document_that_is_longer_than_what_was_kept_is_not_parsed() -> None:
    """Half a document says nothing about the whole."""
    long = problem("/", 503, detail="x" * BODY_LENGTH)
    cut = reply(
        "/",
        503,
        kind="application/problem+json",
        headers={"cache-control": "no-store"},
        body=long.body[:BODY_LENGTH],
    )
    assert judge_problems(ID, quiet(), [cut]).verdict == "kept"


def test_reply_to_head_has_no_document() -> None:
    """An error without content is no error that is read."""
    head = reply("/", 404, method="HEAD", kind="text/plain")
    assert judge_problems(ID, quiet(), [head]).detail == "no error under load"


def test_full_app_that_says_when_to_come_back_is_in_order() -> None:
    """503s with Retry-After, in seconds or as a date, are how an app refuses."""
    dated = problem("/", 503)
    when = ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")
    dated = replace(dated, headers=(when, *(pair for pair in dated.headers if pair[0] != when[0])))
    promise = judge_saturation(quiet(), [reply(), problem("/", 503), dated])
    assert (promise.verdict, promise.detail) == ("kept", "2 replies of 503, each with Retry-After")


@pytest.mark.parametrize(
    ("refusal", "fault"),
    [
        (problem("/", 503, without=("retry-after",)), "no Retry-After"),
        (
            reply("/", 503, kind="application/problem+json", headers={"retry-after": "soon"}),
            "Retry-After is soon",
        ),
        (reply("/", 503, headers={"retry-after": "1"}), "no problem document"),
        (reply("/", 502), "a 502 in place of a 503"),
    ],
)
def test_disorderly_refusal_is_told(refusal: object, fault: str) -> None:
    """What a client cannot know, or read, is told with the refusal."""
    promise = judge_saturation(quiet(), [refusal])  # type: ignore[list-item]
    assert promise.verdict == "broken"
    assert promise.examples[0].endswith(fault)


def test_cut_connections_beside_refusals_are_disorder() -> None:
    """An app that is full refuses; resets beside its 503s are told, timeouts are latency's affair."""
    reset = reply("/", 0, fault="ConnectionResetError")
    late = reply("/", 0, fault="timeout")
    promise = judge_saturation(quiet(), [problem("/", 503), reset, late])
    assert (promise.verdict, promise.detail) == (
        "broken", "1 of 2 refusals: a connection that was cut in place of a 503 (1)",
    )  # fmt: skip
    assert promise.examples == (
        "GET / -> no reply (ConnectionResetError): a connection that was cut in place of a 503",
    )
    assert judge_saturation(quiet(), [reset]).verdict == "not judged", "nothing says that it was full"


def test_path_that_is_unavailable_anyway_says_nothing_about_load() -> None:
    """A 503 that the same path gives when quiet is no refusal of too much."""
    down = reply("/readyz", 503)
    assert judge_saturation(quiet(*quiet().replies, down), [down]).verdict == "not judged"
