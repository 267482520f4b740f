"""The proof over all layers of the toolkit: exactly the checks that name a layer turn red without it."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from garrison import harden
from garrison_harness.audit import audit
from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.in_process import Hosted
from garrison_harness.proving.asking import behind_https, checks_for, checks_without, planted_site
from garrison_harness.proving.matrix import compared, exit_status
from garrison_harness.proving.plan import planned
from garrison_harness.proving.proof import prove
from garrison_harness.proving.settings import effective
from garrison_harness.proving.shim import Shim
from garrison_harness.proving.shimmed import Shimmed
from garrison_harness.site import Need
from tests.harness.apps.good_app import app

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from garrison_harness.asgi_call import App, Scope
    from garrison_harness.checks.check import Check
    from garrison_harness.proving.plan import Plan

LAYERS = (
    *("PROXY", "REQUEST_ID", "TRACING", "ACCESS_LOG", "SECURITY_HEADERS", "COOKIES", "CROSS_ORIGIN"),
    *("ERRORS", "HEALTH", "HOSTS", "EXPOSURE", "CSP_REPORTS", "OVERLOAD", "RATE_LIMIT", "TIMEOUTS"),
    *("REQUEST_LIMITS", "CONTRACT"),
)
CANARY = "garrison-5d0c3e"
# What no app in this process has.
ELSEWHERE = {Need.SOCKET, Need.LOGS}
# The layers that are seen only by what needs a process of its own.
LOGGED = {"TRACING", "ACCESS_LOG"}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A proof of every layer there is."""
    return planned(effective({}), tmp_path_factory.mktemp("proof"), proving=True)


def names(layer: str, without: set[Need]) -> set[str]:
    """The checks that name a layer and need none of those."""
    return {check.id for check in CATALOGUE if layer in check.layers and not without & set(check.needs)}


def statuses(plan: Plan, variables: Mapping[str, str], checks: Sequence[Check]) -> dict[str, str]:
    """What checks say of the planted routes, hardened as these variables say, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GARRISON_")]:
            patch.delenv(name)
        # As `garrison run` does, while `harden` trusts nobody until told.
        for name, value in {"GARRISON_PROXY_TRUSTED": "127.0.0.1,::1", **variables}.items():
            patch.setenv(name, value)
        hardened = harden(Shim(cast("App", app)))
    site = replace(planted_site(plan, CANARY), sockets=False, started=False)
    with Hosted(hardened) as hosted:
        plain = [check for check in checks if Need.HTTPS not in check.needs]
        outcomes = [audit(hosted, site, plain, timeout=60, progress=lambda _: None)]
        for number, check in enumerate(check for check in checks if check not in plain):
            again = behind_https(site, number)
            outcomes.append(audit(hosted, again, [check], timeout=60, progress=lambda _: None))
    assert not any(outcome.stopped for outcome in outcomes)
    return {r.check.id: r.verdict.status for outcome in outcomes for r in outcome.results}


@pytest.fixture(scope="module")
def whole(plan: Plan) -> dict[str, str]:
    """What they say with every layer on."""
    return statuses(plan, plan.environment, checks_for(plan, CATALOGUE))


def test_every_layer_is_to_be_proven(plan: Plan) -> None:
    """`--all` leaves none of the toolkit's layers idle, and each is named by a check that a proof can ask."""
    assert plan.active == plan.layers == LAYERS
    assert all(names(layer, set()) for layer in LAYERS)


def test_nothing_is_red_with_every_layer_on(whole: dict[str, str]) -> None:
    """What is planted does no harm behind all of them."""
    assert {name for name, status in whole.items() if status == "failed"} == set()


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer not in LOGGED])
def test_exactly_its_checks_miss_a_layer(layer: str, plan: Plan, whole: dict[str, str]) -> None:
    """Without the layer all checks that name it are red, and no other."""
    lacking = statuses(plan, plan.without(layer), checks_without(layer, plan, CATALOGUE))

    row = compared(layer, checks_for(plan, CATALOGUE), whole, lacking)
    assert (row.status, row.blind, row.strays) == ("proven", (), ())
    assert set(row.missed) == names(layer, ELSEWHERE)


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if layer not in LOGGED])
def test_a_layer_that_does_nothing_is_not_missed(
    layer: str, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its middleware passes everything on, no check of it can turn red, and the proof fails."""

    async def pass_on(self: Any, scope: Scope, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)

    name = f"{layer.title().replace('_', '')}Middleware"
    module = importlib.import_module(f"garrison.middleware.{layer.lower()}")
    monkeypatch.setattr(getattr(module, name), "__call__", pass_on)
    naming = [check for check in CATALOGUE if layer in check.layers]
    gutted = statuses(plan, plan.environment, naming)

    row = compared(layer, naming, gutted, gutted)
    assert (row.status, exit_status([row])) == ("not missed", 1)
    assert set(row.spoiled) == names(layer, ELSEWHERE)


def test_what_needs_a_process_misses_its_layers(plan: Plan) -> None:
    """Checks of connections and of the log are each missed in one that is started, and nothing else is."""
    checks = [check for check in CATALOGUE if check.layers and ELSEWHERE & set(check.needs)]
    seen = {layer for check in checks for layer in check.layers if layer in LAYERS}
    some = replace(plan, idle={layer: "seen in process" for layer in LAYERS if layer not in seen})

    proof = prove(
        Shimmed(kind="import", words=("tests.harness.apps.good_app:app",), server="garrison"),
        some, checks, canary=CANARY, timeout=120, progress=lambda _: None,
    )  # fmt: skip

    found = {row.layer: (row.status, set(row.missed)) for row in proof.rows if row.layer in seen}
    asked = {check.id for check in checks}
    assert found == {layer: ("proven", names(layer, set()) & asked) for layer in seen}
    assert seen >= LOGGED
