"""The checks of errors, injection, methods, exposure and contract on replies made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from garrison_harness.checks import traversal
from garrison_harness.finding import Confidence, Severity
from tests.harness.app_recordings import (
    BAD,
    CHANGES,
    DATA,
    GOOD,
    LOGS,
    SETTINGS,
    UNJUDGED,
    Case,
    past,
    refused_past,
)
from tests.harness.recordings import SITE, check_named, findings, lost, page, rehearsed, reply, verdict

if TYPE_CHECKING:
    from garrison_harness.exchange import Reply
    from garrison_harness.finding import Finding
    from garrison_harness.site import Site


def named(case: Case) -> str:
    """The case as the test report names it."""
    return f"{case[0]}-{case[1]}"


def site_for(name: str) -> Site:
    """What is known of the site for a check."""
    return replace(SITE, **CHANGES.get(name, {}))  # type: ignore[arg-type]


def found_in(case: Case) -> list[Finding]:
    """The findings of a case."""
    name, title, replies = case
    return findings(name, replies, site=site_for(name), log=LOGS.get((name, title), ""))


@pytest.mark.parametrize("case", BAD, ids=named)
def test_a_check_finds_what_is_wrong(case: Case) -> None:
    """A reply that is wrong in one way fails the check for it, with the exchange as evidence."""
    faults = [finding for finding in found_in(case) if finding.confidence is not Confidence.INFO]

    assert len(faults) == 1
    assert " -> " in faults[0].evidence[0]


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_a_check_passes_what_is_right(case: Case) -> None:
    """A reply that is right, however unusual, raises no alarm."""
    assert found_in(case) == []


@pytest.mark.parametrize("case", GOOD, ids=named)
def test_no_check_passes_where_a_request_was_not_answered(case: Case) -> None:
    """Every request that a check sends has to be heard before it says that all is well."""
    name, title, replies = case
    site, log = site_for(name), LOGS.get((name, title), "")

    for label in list(rehearsed(check_named(name), replies, page(), site, log).exchanges):
        heard = {**replies, label: lost("timeout")}
        # What is asked may depend on what was answered.
        asked = rehearsed(check_named(name), heard, page(), site, log).exchanges
        known = {label: answer for label, answer in heard.items() if label in asked}
        assert verdict(name, known, site=site, log=log).status != "passed", label


@pytest.mark.parametrize(("name", "replies", "reason"), UNJUDGED)
def test_a_check_says_why_it_cannot_judge(name: str, replies: dict[str, Reply], reason: str) -> None:
    """Where the app's other answers leave nothing to compare with, the check is not run, and never passed."""
    judgement = verdict(name, replies, site=site_for(name))

    assert judgement.status == "not run"
    assert reason in judgement.reason


def test_a_route_below_a_usual_directory_is_one_hole() -> None:
    """What is asked of `/files` and of `/files/{name}` is the same."""
    hole = reply(200, {"Content-Type": "text/plain"}, Path(traversal.__file__).read_bytes())
    asked = rehearsed(check_named("I6"), {}, page(), site_for("I6")).exchanges
    holes = {label: hole for label, seen in asked.items() if seen.request.target.startswith("/files/")}

    assert len(holes) > 10
    assert len(findings("I6", holes, site=site_for("I6"))) == 1


@pytest.mark.parametrize("name", ["I4", "I5", "I6", "E6"])
def test_an_app_that_refuses_everything_is_not_judged(name: str) -> None:
    """Behind a login nothing that is written comes any further, so nothing is passed."""
    judgement = verdict(name, default=reply(401), site=site_for(name))

    assert judgement.status == "not run"


@pytest.mark.parametrize("name", ["E6", "P1", "P2"])
def test_nothing_is_written_to_an_app_that_was_not_started_here(name: str) -> None:
    """Somebody's running app gets no POST, and no operation is called that could change anything."""
    site = replace(site_for(name), started=False)

    asked = rehearsed(check_named(name), {}, page(), site).exchanges

    assert {exchange.request.method for exchange in asked.values()} <= {"GET"}


@pytest.mark.parametrize("name", ["I4", "I5", "I6", "X1", "X2", "P3", "P4"])
def test_a_check_that_ran_out_of_time_does_not_pass(name: str) -> None:
    """Where an app lets a caller wait for every reply, what was not asked is not held to be fine."""
    case = next(case for case in GOOD if case[0] == name)

    judgement = verdict(name, case[2], site=site_for(name), facts={"left out": None})

    assert judgement.status == "not run"
    assert "so slowly" in judgement.reason


def test_a_secret_is_not_copied_into_a_report() -> None:
    """The finding names the setting and keeps its value back."""
    (found,) = findings("X1", {"/.env": SETTINGS})

    assert found.severity is Severity.CRITICAL
    assert "hunter2" not in repr(found.evidence)


def test_a_denial_in_place_of_the_data_is_no_confirmed_finding() -> None:
    """Some apps answer 200 with words that say no."""
    login = reply(200, {"Content-Type": "application/json"}, b'{"detail": "Not authenticated"}')

    (found,) = findings("P4", refused_past("P4") | past("capital letters", login), site=site_for("P4"))

    assert found.confidence is Confidence.LIKELY


def test_a_failure_that_does_not_come_again_is_no_confirmed_finding() -> None:
    """A 500 that is seen once may be chance."""
    name = "GET /items/{number} a NUL in the path"

    (found,) = findings("E6", {name: reply(500), f"{name}, again": DATA}, site=site_for("E6"))

    assert found.confidence is Confidence.LIKELY


USERS = "GET /admin/users"
EVERYBODY = {"missing": reply(404), f"{USERS} as a stranger": DATA}


@pytest.mark.parametrize(
    ("replies", "confidence"),
    [
        (EVERYBODY, Confidence.CONFIRMED),
        ({**EVERYBODY, f"{USERS} with a wrong credential": reply(401)}, Confidence.LIKELY),
        ({**EVERYBODY, f"{USERS} as a stranger": reply(200, {}, b"null\n")}, Confidence.LIKELY),
    ],
    ids=["given to everybody", "optional", "nothing to give"],
)
def test_a_login_that_may_be_optional_is_no_sure_fault(
    replies: dict[str, Reply], confidence: Confidence
) -> None:
    """Documents made from code declare a login for operations that strangers may call too."""
    (found,) = findings("X2", replies, default=reply(404), site=site_for("X2"))

    assert found.confidence is confidence
    assert ("is optional" in found.message) == ("wrong" in str(list(replies)))
