"""What a proof makes of what the checks say, and of the settings."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from garrison_harness.audit import Outcome, Result
from garrison_harness.checks.catalogue import CATALOGUE, choose
from garrison_harness.finding import Verdict
from garrison_harness.proving import planted
from garrison_harness.proving.asking import behind_https, checks_for, checks_without, narrowed, planted_site
from garrison_harness.proving.faulty import handler_of
from garrison_harness.proving.matrix import Row, compared, exit_status
from garrison_harness.proving.plan import HOST, MAX_BODY, TIME_LIMIT, planned
from garrison_harness.proving.proof import found_without
from garrison_harness.proving.settings import Effective, effective, parse_template
from garrison_harness.target import UsageFault
from tests.harness.recordings import check_named

if TYPE_CHECKING:
    from pathlib import Path

    from garrison_harness.finding import Status
    from garrison_harness.proving.plan import Plan

HOSTS = replace(check_named("I2"), layers=("HOSTS",))
BOTH = replace(check_named("E5"), layers=("HOSTS", "ERRORS"))
NONE = replace(check_named("M3"), layers=())
CHECKS = (HOSTS, BOTH, NONE)
GREEN = {"I2": "passed", "E5": "passed", "M3": "passed"}
TEMPLATE = """
# PROXY: whose word counts.
#
# GARRISON_PROXY=off switches this layer off.
#GARRISON_PROXY_UNIX=off

# RATE LIMIT: quotas.
#
# GARRISON_RATE_LIMIT=off switches this layer off.
GARRISON_RATE_LIMIT_LIMITS=5/minute
#GARRISON_RATE_LIMIT_STORAGE=memory://

# HOSTS: which hosts.
#
GARRISON_HOSTS=off
#GARRISON_HOSTS_ALLOWED=

# REDACTION: what is masked.
#GARRISON_REDACTION_KEYS=
""".splitlines()


def settings(**changes: str) -> Effective:
    """Settings with a few layers, of which these variables are set."""
    values = {
        "GARRISON_HOSTS_ALLOWED": "",
        "GARRISON_EXPOSURE_CLOSED": "",
        "GARRISON_RATE_LIMIT_LIMITS": "",
        "GARRISON_RATE_LIMIT_STORAGE": "memory://",
        "GARRISON_CROSS_ORIGIN_MODE": "auto",
        "GARRISON_CONTRACT_DOCUMENT": "",
        "GARRISON_CONTRACT_MODE": "enforce",
        "GARRISON_REQUEST_LIMITS_MAX_BODY": "10MB",
        "GARRISON_TRACING_CONTINUE": "trusted",
    }
    return Effective(
        layers=("CROSS_ORIGIN", "HOSTS", "EXPOSURE", "RATE_LIMIT", "REQUEST_LIMITS", "CONTRACT"),
        off=frozenset(),
        values=values | changes,
        given=frozenset(changes),
    )


def test_a_layer_is_proven_when_exactly_its_checks_turn_red() -> None:
    """Both checks that name it are red without it, and nothing else is."""
    row = compared("HOSTS", CHECKS, GREEN, {**GREEN, "I2": "failed", "E5": "failed"})

    assert (row.status, row.missed) == ("proven", ("I2", "E5"))


def test_a_check_that_names_a_layer_and_passes_without_it_is_blind() -> None:
    """Another one that turned red does not make up for it."""
    row = compared("HOSTS", CHECKS, GREEN, {**GREEN, "I2": "failed"})

    assert (row.status, row.blind) == ("not exact", ("E5",))


def test_a_check_that_turns_red_and_does_not_name_the_layer_is_told() -> None:
    """It is about something else than it says, or the layer does more than its own job."""
    row = compared("HOSTS", CHECKS, GREEN, dict.fromkeys(GREEN, "failed"))

    assert (row.status, row.strays) == ("not exact", ("M3",))


def test_a_layer_that_no_check_misses_fails() -> None:
    """It may as well not be there."""
    row = compared("HOSTS", CHECKS, GREEN, GREEN)

    assert (row.status, exit_status([row])) == ("not missed", 1)


def test_a_check_that_was_red_before_proves_nothing_and_is_told() -> None:
    """It cannot turn red, whatever is switched off."""
    red = {**GREEN, "I2": "failed"}
    row = compared("HOSTS", CHECKS, red, {**red, "E5": "failed"})

    assert (row.status, row.spoiled, row.blind) == ("proven", ("I2",), ())


def test_a_check_that_could_not_be_run_is_neither_blind_nor_red() -> None:
    """It is told, with or without the layer."""
    row = compared("HOSTS", CHECKS, GREEN, {**GREEN, "I2": "not run", "E5": "failed"})

    assert (row.status, row.unseen, row.blind) == ("proven", ("I2",), ())


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([Row(layer="A", status="proven"), Row(layer="B", status="idle")], 0),
        ([Row(layer="A", status="proven"), Row(layer="B", status="not exact")], 1),
        ([Row(layer="A", status="not missed"), Row(layer="B", status="not started")], 1),
        ([Row(layer="A", status="proven"), Row(layer="B", status="not reached")], 4),
        ([Row(layer="A", status="idle")], 4),
    ],
)
def test_exit_status(rows: list[Row], status: int) -> None:
    """What is not missed counts more than what is not known, and a proof of nothing is none."""
    assert exit_status(rows) == status


def test_layers_are_read_from_what_the_toolkit_prints() -> None:
    """In its order, whether on or off; what cannot be switched off is no layer."""
    found = parse_template(TEMPLATE)

    assert found.layers == ("PROXY", "RATE_LIMIT", "HOSTS")
    assert found.off == {"HOSTS"}
    assert found.given == {"GARRISON_RATE_LIMIT_LIMITS"}
    assert found.values["GARRISON_PROXY_UNIX"] == "off"


def test_the_toolkit_says_which_layers_it_has() -> None:
    """The template of the real one is understood, and variables of the proof reach it."""
    found = effective({"GARRISON_HOSTS": "off", "GARRISON_EXPOSURE_CLOSED": "docs"})

    assert {"PROXY", "ERRORS", "HOSTS", "CONTRACT"} <= set(found.layers)
    assert not {"SERVER", "REDACTION"} & set(found.layers)
    assert found.off == {"HOSTS"}
    assert found.values["GARRISON_EXPOSURE_CLOSED"] == "docs"


def test_settings_that_the_toolkit_refuses_are_a_usage_fault() -> None:
    """The line that it says is handed on."""
    with pytest.raises(UsageFault, match="GARRISON_HOSTS_ALLOWED"):
        effective({"GARRISON_HOSTS_ALLOWED": "https://shop.example"})


def test_layers_that_are_not_set_are_idle(tmp_path: Path) -> None:
    """They say what they wait for."""
    plan = planned(settings(GARRISON_HOSTS_ALLOWED="shop.example"), tmp_path, proving=False)

    assert set(plan.idle) == {"CROSS_ORIGIN", "EXPOSURE", "RATE_LIMIT", "CONTRACT"}
    assert "GARRISON_EXPOSURE_CLOSED" in plan.idle["EXPOSURE"]
    assert "report" in plan.idle["CROSS_ORIGIN"]
    assert plan.host == "shop.example"
    assert plan.quota is None


def test_all_gives_each_of_them_a_value(tmp_path: Path) -> None:
    """A contract gets the document of the planted routes."""
    plan = planned(settings(), tmp_path, proving=True)

    assert plan.active == plan.layers
    assert plan.host == HOST
    document = plan.environment["GARRISON_CONTRACT_DOCUMENT"]
    assert json.loads((tmp_path / "planted.json").read_text()) == planted.DOCUMENT
    assert document == str(tmp_path / "planted.json")
    assert "GARRISON_TIMEOUTS_HANDLER" not in plan.environment  # this toolkit has no such setting


def test_rules_of_the_app_stay_behind_those_of_the_planted_routes(tmp_path: Path) -> None:
    """Counters are kept in memory, so that no shared storage is written to."""
    own = settings(
        GARRISON_RATE_LIMIT_LIMITS="POST /login: 5/minute",
        GARRISON_RATE_LIMIT_STORAGE="valkey://counters:6379/0",
        GARRISON_EXPOSURE_CLOSED="/admin/*",
    )
    variables = planned(own, tmp_path, proving=False).environment

    assert variables["GARRISON_RATE_LIMIT_LIMITS"].startswith(planted.ROOT)
    assert variables["GARRISON_RATE_LIMIT_LIMITS"].endswith("; POST /login: 5/minute")
    assert variables["GARRISON_RATE_LIMIT_STORAGE"] == "memory://"
    assert variables["GARRISON_EXPOSURE_CLOSED"].startswith("/admin/*; ")
    assert variables["GARRISON_REQUEST_LIMITS_MAX_BODY"] == str(MAX_BODY)


def test_what_hides_the_planted_routes_is_put_aside(tmp_path: Path) -> None:
    """Redirects, samples of the log and the word of strangers are the settings' business, and not proven."""
    own = settings(
        GARRISON_HOSTS_HTTPS="redirect",
        GARRISON_HOSTS_ALLOWED="shop.example",
        GARRISON_ACCESS_LOG_SAMPLE="/*: 1%",
        GARRISON_HEALTH_READINESS="/ready",
        GARRISON_TRACING_CONTINUE="trusted",
        GARRISON_SERVER_WORKERS="4",
    )
    variables = planned(own, tmp_path, proving=False).environment

    assert variables["GARRISON_HOSTS_HTTPS"] == "off"
    assert variables["GARRISON_ACCESS_LOG_SAMPLE"] == ""
    assert variables["GARRISON_HEALTH_READINESS"] == "/readyz"
    assert variables["GARRISON_TRACING_CONTINUE"] == "always"
    assert variables["GARRISON_SERVER_WORKERS"] == "1"
    # Nobody's statistics count what a proof asks.
    assert variables["OTEL_SDK_DISABLED"] == "true"
    assert "GARRISON_HOSTS_ALLOWED" not in variables


def test_a_proxy_on_this_machine_is_trusted_beside_those_of_the_settings(tmp_path: Path) -> None:
    """It speaks https to its clients; other addresses of this machine are those of strangers."""
    own = settings(GARRISON_PROXY_TRUSTED="10.0.0.0/8, 127.0.0.0/8,fd00::/8")
    plan = planned(replace(own, layers=("PROXY",)), tmp_path, proving=False)

    assert plan.environment["GARRISON_PROXY_TRUSTED"] == "10.0.0.0/8,fd00::/8,127.0.0.1,::1"
    assert plan.proxied
    assert "GARRISON_PROXY_TRUSTED" not in planned(settings(), tmp_path, proving=False).environment
    off = replace(own, layers=("PROXY",), off=frozenset({"PROXY"}))
    assert not planned(off, tmp_path, proving=False).proxied


def test_what_browsers_do_over_https_is_asked_as_behind_a_proxy(tmp_path: Path) -> None:
    """With a client of its own for each check, and by a name, as browsers keep no policy for an address."""
    site = behind_https(planted_site(planned(settings(), tmp_path, proving=False), "canary"), 3)

    assert site.https
    assert not site.addresses  # a proxy has one
    assert site.authority == HOST
    assert ("X-Forwarded-For", "198.51.100.3") in site.headers
    assert b"X-Forwarded-Proto: https" in site.head("GET", "/")


@pytest.mark.parametrize(
    ("layer", "variables", "idle"),
    [
        ("TIMEOUTS", {"GARRISON_TIMEOUTS_BODY_RATE": "off", "GARRISON_TIMEOUTS_HANDLER": "off"}, True),
        ("TIMEOUTS", {"GARRISON_TIMEOUTS_BODY_RATE": "500", "GARRISON_TIMEOUTS_HANDLER": "off"}, False),
        ("OVERLOAD", {"GARRISON_OVERLOAD_LIMIT": "off"}, True),
        ("OVERLOAD", {"GARRISON_OVERLOAD_LIMIT": "adaptive"}, False),
    ],
)
def test_a_layer_is_idle_while_nothing_of_it_can_be_seen(
    layer: str, variables: dict[str, str], idle: bool, tmp_path: Path
) -> None:
    """One bound is enough to prove it by."""
    own = replace(settings(**variables), layers=(layer,))

    assert (layer in planned(own, tmp_path, proving=False).idle) is idle


def test_bounds_of_production_are_made_small_and_declared(tmp_path: Path) -> None:
    """Nobody waits for half a minute to see a handler ended."""
    own = settings(GARRISON_TIMEOUTS_HANDLER="30s", GARRISON_OVERLOAD_LIMIT="adaptive")
    plan = planned(own, tmp_path, proving=False)
    site = planted_site(plan, "canary")

    assert plan.environment["GARRISON_TIMEOUTS_HANDLER"] == f"{TIME_LIMIT:g}s"
    assert (site.time_limit, site.concurrency) == (
        TIME_LIMIT,
        int(plan.environment["GARRISON_OVERLOAD_LIMIT"]),
    )
    assert site.slow_limit is not None
    assert planted_site(planned(settings(), tmp_path, proving=False), "canary").time_limit is None


def test_what_takes_time_is_asked_only_where_it_names_the_layer(tmp_path: Path) -> None:
    """Once with every layer, and without its own; what names no layer and takes time, never."""
    plan = planned(replace(settings(), layers=("HOSTS", "TIMEOUTS")), tmp_path, proving=True)

    whole = {check.id for check in checks_for(plan, CATALOGUE)}
    assert {"R8", "R10", "I2", "H1"} <= whole
    assert not {"R7", "R9", "G1", "G2", "A1", "A2"} & whole
    assert {check.id for check in checks_without("TIMEOUTS", plan, CATALOGUE)} == whole
    assert whole - {check.id for check in checks_without("HOSTS", plan, CATALOGUE)} == {"R8", "R10"}


def test_a_second_look_decides_what_is_not_exact(tmp_path: Path) -> None:
    """What is red once only is the fault of a busy machine; what is red twice is told."""
    plan = planned(replace(settings(), layers=("HOSTS",)), tmp_path, proving=True)
    once = row_of("HOSTS", plan, [{**GREEN, "I2": "failed", "M3": "failed"}, {**GREEN, "I2": "failed"}])
    twice = row_of("HOSTS", plan, [{**GREEN, "I2": "failed", "M3": "failed"}] * 2)

    assert (once.status, once.strays) == ("proven", ())
    assert (twice.status, twice.strays) == ("not exact", ("M3",))


def row_of(layer: str, plan: Plan, looks: list[dict[str, str]]) -> Row:
    """The row of a layer, of which checks say this at each look."""
    checks = [replace(HOSTS, needs=()), replace(NONE, needs=())]

    def look(_: str) -> Outcome:
        said = looks.pop(0)
        results = tuple(
            Result(check=check, verdict=Verdict(status=cast("Status", said[check.id]))) for check in checks
        )
        return Outcome(url="", started=datetime.now(UTC), duration=1.0, requests=1, results=results)

    before = {check.id: "passed" for check in checks}
    return found_without(
        layer, plan=plan, checks=checks, before=before, look=look, deadline=time.monotonic() + 60
    )


def test_a_layer_whose_checks_were_left_out_is_idle(tmp_path: Path) -> None:
    """Only what was chosen is to be proven; a layer that no check names at all is still to be missed."""
    plan = planned(replace(settings(), layers=("HOSTS", "EXPOSURE", "NOBODYS")), tmp_path, proving=True)
    chosen = narrowed(plan, choose(["I2"], []))

    assert plan.active == ("HOSTS", "EXPOSURE", "NOBODYS")
    assert chosen.active == ("HOSTS", "NOBODYS")
    assert chosen.idle == {"EXPOSURE": "--select and --ignore leave no check that names it"}


def test_a_contract_that_only_reports_is_idle(tmp_path: Path) -> None:
    """It refuses nothing that a check could miss."""
    own = settings(GARRISON_CONTRACT_DOCUMENT="app", GARRISON_CONTRACT_MODE="report")

    assert "GARRISON_CONTRACT_MODE" in planned(own, tmp_path, proving=False).idle["CONTRACT"]


def test_the_app_inside_is_left_what_is_not_planted() -> None:
    """Its startup, its pages and its WebSockets; its probes and what nobody serves are answered for it."""
    asked = {
        path: handler_of({"type": "http", "path": path}) is not None for path in ("/", "/shop", "/livez")
    }

    assert not any(asked.values())
    assert handler_of({"type": "lifespan"}) is None
    assert handler_of({"type": "websocket", "path": "/ws"}) is None
    assert all(handler_of({"type": "http", "path": path}) for path in (*planted.PROBES, "/garrison-a1b2c3"))


def test_a_host_is_found_below_a_wildcard(tmp_path: Path) -> None:
    """Requests need a name that the settings allow."""
    assert planned(settings(GARRISON_HOSTS_ALLOWED="*.shop.example"), tmp_path, proving=False).host == (
        "prove.shop.example"
    )
