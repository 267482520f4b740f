"""Each check has addresses of its own; where the system has one, the checks take turns."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from garrison_harness.audit import audit
from garrison_harness.in_process import Hosted
from garrison_harness.site import Quota
from tests.harness.apps import ticking_app
from tests.harness.recordings import SITE, check_named

if TYPE_CHECKING:
    from garrison_harness.audit import Outcome
    from garrison_harness.checks.check import Check

ALONE = replace(SITE, authority="garrison.test", sockets=False, quota=None)


class Watching:
    """An app that notes who asks, and how many of them at the same time."""

    def __init__(self) -> None:
        self.clients: list[str] = []
        self.now = 0
        self.most = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.clients.append(scope["client"][0])
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.01)
        self.now -= 1
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<!doctype html><title>Shop</title>"})


def audited(app: Any, *names: str, **known: Any) -> tuple[Outcome, list[str]]:
    """What an audit with these checks found, and the order in which they were asked."""
    done: list[str] = []

    def note(check: Check) -> None:
        done.append(check.id)

    with Hosted(app) as hosted:
        checks = [check_named(name) for name in names]
        return audit(hosted, replace(ALONE, **known), checks, timeout=40, progress=note), done


def test_no_two_checks_share_an_address() -> None:
    """One check's quota is not another's: each has a block, and each request in it an address."""
    app = Watching()
    audited(app, "H1", "M1", "M2", "O1", "E4")

    blocks = defaultdict(list)
    for client in app.clients:
        blocks[client.rpartition(".")[0]].append(client)
    assert len(blocks) == 6, "five checks, and the look at the page"
    assert all(len(set(clients)) == len(clients) for clients in blocks.values())
    assert all(block.startswith("127.") and block != "127.0.0" for block in blocks)


def test_with_addresses_of_their_own_checks_run_side_by_side() -> None:
    """That is what keeps an audit short."""
    app = Watching()
    audited(app, "H1", "M1", "M2", "O1", "E4")

    assert app.most > 1


def test_with_one_address_checks_run_in_turn() -> None:
    """Everybody speaks from it, and nobody while another does."""
    app = Watching()
    audited(app, "H1", "M1", "M2", "O1", "E4", addresses=False)

    assert set(app.clients) == {"127.0.0.1"}
    assert app.most == 1


def test_who_uses_up_the_quota_comes_after_the_others() -> None:
    """What would turn them all away is asked for at the end, before the look whether the app survived."""
    _, order = audited(
        Watching(), "L1", "L4", "R1", "M1", "A1", addresses=False, quota=Quota(limit=50, period=1)
    )

    assert order == ["M1", "R1", "L1", "L4", "A1"]


@pytest.mark.parametrize("addresses", [True, False])
def test_a_quota_is_judged_alike_from_many_addresses_and_from_one(addresses: bool) -> None:
    """The waits see to it that one check's requests are not counted against another's."""
    ticking_app.ASKED.clear()

    outcome, _ = audited(
        ticking_app.app, "M1", "E4", "L1", "L4", "L5", path="/quota", addresses=addresses,
        quota=Quota(limit=ticking_app.LIMIT, period=1),
    )  # fmt: skip

    told = {result.check.id: result.verdict for result in outcome.results}
    assert {told[name].status for name in ("M1", "L1", "L4", "L5")} == {"passed"}, told
    assert "429" not in told["E4"].reason
