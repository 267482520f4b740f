"""`harden()`: which layers there are, in which order, and what is left of the app."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from garrison import (
    Contract,
    ContractMiddleware,
    Hardened,
    RateLimit,
    RequestLimits,
    RequestLimitsMiddleware,
    Server,
    Settings,
    SettingsError,
    harden,
)
from garrison.middleware.csp_reports import CspReports
from garrison.middleware.exposure import Exposure
from garrison.middleware.hosts import Hosts
from garrison.middleware.proxy import Proxy
from garrison.sections import optional_sections, sections_of
from garrison.units import Secret

if TYPE_CHECKING:
    from garrison.asgi import Message, Receive, Scope, Send

EVERYTHING = Settings(
    proxy=Proxy(trusted=(ip_network("10.0.0.0/8"),)),
    hosts=Hosts(allowed=("shop.example",)),
    exposure=Exposure(closed="docs"),
    csp_reports=CspReports(path="/csp-reports"),
    rate_limit=RateLimit(limits="5/minute"),
    contract=Contract(document=str(Path(__file__).parent / "contract" / "document.yaml")),
)
BESIDE_THE_LAYERS = ("redaction", "server")


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Says `hello`."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def status_of(hardened: Hardened) -> int:
    """The status of one GET."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await hardened({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send)
    return int(sent[0]["status"])


def test_layers_stand_in_the_order_of_the_sections() -> None:
    """Outermost first, as the settings list them; the innermost is next to the app."""
    names = [name for name in sections_of(Settings) if name not in BESIDE_THE_LAYERS]
    assert names == [
        "proxy", "request_id", "tracing", "access_log", "security_headers", "cookies", "cross_origin",
        "errors", "health", "hosts", "exposure", "csp_reports", "overload", "rate_limit", "timeouts",
        "request_limits", "contract",
    ]  # fmt: skip
    hardened = harden(app, EVERYTHING)
    assert list(hardened.layers) == names
    layer, found = hardened._outer, []
    while layer is not app:
        found.append(type(layer).__name__.removesuffix("Middleware"))
        layer = layer.app  # type: ignore[attr-defined]
    assert found == ["".join(word.title() for word in name.split("_")) for name in names]


@pytest.mark.parametrize("name", sorted(optional_sections(Settings)))
def test_each_layer_can_be_left_out(name: str) -> None:
    """A section that is None leaves its layer out and all the others in."""
    hardened = harden(app, replace(EVERYTHING, **{name: None}))  # type: ignore[arg-type]
    assert set(harden(app, EVERYTHING).layers) - set(hardened.layers) == {name}
    assert asyncio.run(status_of(hardened)) == (400 if name != "hosts" else 200)


def test_layers_with_nothing_to_do_are_not_there() -> None:
    """Without hosts and quotas their layers cost nothing; that of proxies looks out for some."""
    assert set(harden(app, EVERYTHING).layers) - set(harden(app, Settings()).layers) == {
        "hosts", "exposure", "csp_reports", "rate_limit", "contract",
    }  # fmt: skip


def test_no_layer_at_all_is_the_app() -> None:
    """With every section off the app stands alone, and still answers."""
    hardened = harden(app, Settings(**dict.fromkeys(optional_sections(Settings))))  # type: ignore[arg-type]
    assert hardened.layers == ()
    assert asyncio.run(status_of(hardened)) == 200


def test_the_app_and_the_settings_can_be_reached() -> None:
    """Who gets a hardened app can still ask for the app as it was."""
    hardened = harden(app, EVERYTHING)
    assert hardened.app is app
    assert hardened.settings is EVERYTHING


def test_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings the variables count, and a wrong one stops the start."""
    monkeypatch.setenv("GARRISON_TRACING", "off")
    assert "tracing" not in harden(app).layers
    monkeypatch.setenv("GARRISON_TRACING", "maybe")
    with pytest.raises(SettingsError, match=r"^GARRISON_TRACING: expected on or off"):
        harden(app)


def test_something_else_than_an_app_is_refused() -> None:
    """A module or a name handed over by mistake is a TypeError that says so."""
    with pytest.raises(TypeError, match="takes an ASGI app, and str cannot be called"):
        harden("shop.main:app")  # type: ignore[arg-type]


def test_a_second_mount_of_quotas_where_they_need_it() -> None:
    """Rules by principal are judged next to the app, by a layer that is not there without them."""
    limits = RateLimit(limits="5/minute; 2/minute by principal")
    layers = harden(app, replace(EVERYTHING, rate_limit=limits)).layers
    assert layers == (*harden(app, EVERYTHING).layers, "rate_limit_by_principal")


@pytest.mark.parametrize("secret", ["", "fifteen letters"])
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    """A short secret, with which hashes could be tried out, is an error that does not show it."""
    with pytest.raises(SettingsError) as caught:
        Settings(secret=Secret(secret))
    assert str(caught.value) == "Settings.secret: expected at least 16 characters, found '***'."
    assert Settings(secret=Secret("sixteen letters!")).secret is not None


def test_quotas_of_workers_that_need_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """`harden()` does not start without the secret that its hashes need, and does with it."""
    monkeypatch.setenv("GARRISON_RATE_LIMIT_LIMITS", "5/minute; 5/minute by header:x-api-key")
    monkeypatch.setenv("GARRISON_RATE_LIMIT_STORAGE", "valkey://127.0.0.1:1")
    with pytest.raises(SettingsError, match=r"^GARRISON_SECRET: expected a secret text, the same for all"):
        harden(app)
    monkeypatch.setenv("GARRISON_SECRET", "sixteen letters!")
    assert "rate_limit" in harden(app).layers


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"port": 65_536}, "Server.port: expected a port from 0 to 65535, found '65536'."),
        ({"port": -1}, "Server.port: expected a port from 0 to 65535, found '-1'."),
        ({"workers": 0}, "Server.workers: expected from 1 to 1000, found '0'."),
        ({"workers": 8000}, "Server.workers: expected from 1 to 1000, found '8000'."),
        ({"host": " "}, "Server.host: expected an address or a host name, found ' '."),
    ],
)
def test_server_settings_are_checked(values: dict[str, object], problem: str) -> None:
    """A server section that no server could use is refused, the empty host that means all among it."""
    with pytest.raises(SettingsError) as caught:
        Server(**values)  # type: ignore[arg-type]
    assert str(caught.value) == problem


def test_what_layers_hold_together_is_bounded_once() -> None:
    """One budget is for all bodies of a process, whichever layer holds them."""
    limits = RequestLimits(max_body=1000, max_buffered=5000)
    contract = replace(EVERYTHING.contract or Contract(), max_body=1000)
    layer: Any = harden(app, replace(EVERYTHING, request_limits=limits, contract=contract))._outer
    budgets = []
    while layer is not app:
        if isinstance(layer, RequestLimitsMiddleware):
            budgets.append(layer._budget)
        elif isinstance(layer, ContractMiddleware):
            budgets.append(layer._judging._gate._budget)  # type: ignore[union-attr]
        layer = layer.app
    assert [budget.limit for budget in budgets] == [5000, 5000]
    assert budgets[0] is budgets[1]


def test_a_contract_cannot_read_more_than_may_be_held() -> None:
    """A body that would always be a 503 is found before there is one, where there is a document."""
    limits = RequestLimits(max_body=1000, max_buffered=5000)
    Settings(request_limits=limits)
    with pytest.raises(SettingsError, match=r"Contract\.max_body: expected at most RequestLimits"):
        Settings(request_limits=limits, contract=EVERYTHING.contract)
    with pytest.raises(SettingsError, match=r"Contract\.max_body"):
        Settings.from_environment(request_limits=limits, contract=EVERYTHING.contract)
