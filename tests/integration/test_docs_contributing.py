"""What CONTRIBUTING shows how to add keeps what the house asks of a layer, a check and a store."""

from __future__ import annotations

import asyncio
import inspect
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from garrison import RateLimit, RateLimitMiddleware
from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.quota import Store, parse_quotas
from garrison_harness.checks.catalogue import CATALOGUE
from garrison_harness.checks.check import Check, Seen
from tests.harness.recordings import SITE, lost, page, record
from tests.integration.documents import ROOT, blocks
from tests.toolkit.contract import cancellation, hostility, isolation, transparency
from tests.toolkit.contract.clauses import CLAUSES
from tests.toolkit.contract.subjects import Subject
from tests.toolkit.driver import call, http_scope, replies_with

if TYPE_CHECKING:
    from tests.toolkit.contract.clauses import Clause

# Imported for the clauses that they put on the list.
assert {cancellation, hostility, isolation, transparency}

PAGE = ROOT / "CONTRIBUTING.md"


def example(number: int) -> dict[str, Any]:
    """What one of the examples defines."""
    block = blocks(PAGE, "python")[number]
    # A module as any other: what looks up annotations finds it by its name.
    module = ModuleType(f"contributed_{number}")
    sys.modules[module.__name__] = module
    exec(compile(block.text, block.name, "exec", dont_inherit=True), vars(module))  # noqa: S102 - our own
    return vars(module)


LAYER, CHECKS, STORE = (example(number) for number in range(3))


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_the_layer_keeps_the_contract(clause: Clause) -> None:
    """The suite that runs over every middleware has nothing against it."""
    clause(Subject("MaintenanceMiddleware", lambda app, _log: LAYER["MaintenanceMiddleware"](app)))


def test_the_layer_closes_an_app() -> None:
    """Its setting decides, its refusal is a problem document, and a wrong value is told at once."""
    closed = LAYER["MaintenanceMiddleware"](replies_with(), LAYER["Maintenance"](closed=True))
    reply = call(closed, http_scope())
    assert (reply.status, reply.json["detail"]) == (503, "Closed for repairs.")
    assert call(LAYER["MaintenanceMiddleware"](replies_with()), http_scope()).status == 200
    with pytest.raises(ValueError, match=r"Maintenance\.closed"):
        LAYER["Maintenance"](closed="perhaps")


@pytest.mark.parametrize(
    ("reply", "status"),
    [(page(body=b"<p>Powered by X"), "failed"), (page(), "passed"), (lost("closed"), "not run")],
    ids=["bad", "good", "lost"],
)
def test_the_check_judges(reply: Any, status: str) -> None:
    """It has a finding for what it names, none for another page, and no verdict without a reply."""
    (check,) = CHECKS["CHECKS"]
    assert isinstance(check, Check)
    seen = Seen(site=SITE, exchanges=record(check, {}, reply))
    assert check.verdict(seen).status == status
    assert check.id not in {known.id for known in CATALOGUE}


def test_the_store_counts_apart() -> None:
    """It has every method of the protocol, and two names over one store are strangers to each other."""
    methods = {name for name, _ in inspect.getmembers(Store, inspect.isfunction) if not name.startswith("_")}
    assert methods <= set(dir(STORE["PrefixedStore"]))
    shared = MemoryStore()
    settings = RateLimit(limits="2/hour")
    for name in ("shop", "admin"):
        store = STORE["PrefixedStore"](name, shared)
        layer = RateLimitMiddleware(replies_with(), settings, store=store)
        assert [call(layer, http_scope()).status for _ in range(3)] == [200, 200, 429]

    async def forgiven() -> list[bool]:
        quotas = parse_quotas("2/hour")
        store = STORE["PrefixedStore"]("shop", shared)
        await store.acquire("me", quotas)
        await store.refund("me", quotas)
        first = (await store.standing("me", quotas)).standings[0].remaining
        await store.acquire("me", quotas, 2)
        return [first == 2, await store.reset("me", quotas), await store.reset("other", quotas)]

    assert asyncio.run(forgiven()) == [True, True, False]
