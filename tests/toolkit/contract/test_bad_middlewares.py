"""The contract suite finds each fault, and blames it on the right clause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import Phase, settings

from tests.toolkit.contract import bad_middlewares as bad
from tests.toolkit.contract import cancellation, hostility, isolation, transparency
from tests.toolkit.contract.clauses import CLAUSES, Clause
from tests.toolkit.contract.subjects import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS: Final[list[tuple[type[bad.Decent], set[Clause]]]] = [
    (bad.Decent, set()),
    (bad.KeepsRequestOnSelf, {isolation.nothing_per_request_is_on_self}),
    (bad.LosesDuplicateCookies, {transparency.duplicate_headers_keep_their_order}),
    (bad.SwallowsLifespanMessage, {transparency.lifespan_passes_unchanged}),
    (bad.ChangesMessageInPlace, {transparency.messages_are_not_changed_in_place}),
    (bad.LeaksTask, {cancellation.no_task_is_left}),
    (bad.SwallowsCancellation, {cancellation.cancellation_goes_through}),
    (bad.CopiesUnknownScopes, {transparency.unknown_scopes_pass_untouched}),
    (bad.JoinsChunks, {transparency.allowed_requests_pass_byte_for_byte}),
    (bad.DropsUnknownMessages, {transparency.unknown_messages_pass_untouched}),
    (bad.MixesRequests, {isolation.interleaved_requests_equal_the_same_alone}),
    (bad.CountsTwice, {isolation.a_second_mount_steps_aside}),
    (bad.ForgetsSubprotocol, {transparency.websockets_pass_unchanged}),
    (
        bad.TripsOnBytes,
        {
            hostility.hostile_headers_never_raise,
            hostility.hostile_requests_never_raise,
            hostility.hostile_handshakes_never_raise,
        },
    ),
]


@pytest.fixture
def few_examples() -> Iterator[None]:
    """A few hostile requests are enough to find what always breaks."""
    profile = settings.get_current_profile_name()
    settings.register_profile("few", settings.get_profile("sample"), max_examples=20, phases=[Phase.generate])
    settings.load_profile("few")
    yield
    settings.load_profile(profile)


@pytest.mark.usefixtures("few_examples")
@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_breaks_the_clauses_that_are_for_it(fault: type[bad.Decent], expected: set[Clause]) -> None:
    """A middleware with one fault fails the clauses for that fault, and passes all others."""
    subject = Subject(fault.__name__, lambda app, _: fault(app))
    broken = set()
    for clause in CLAUSES:
        try:
            clause(subject)
        except (AssertionError, UnicodeError):
            broken.add(clause)
    assert {clause.__name__ for clause in broken} == {clause.__name__ for clause in expected}


def test_every_clause_has_a_fault_that_it_finds() -> None:
    """No clause is there that nothing could break."""
    assert set().union(*(expected for _, expected in FAULTS)) == set(CLAUSES)
