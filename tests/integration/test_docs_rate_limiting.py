"""What the guide to rate limiting promises of settings, replies and events."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING

import pytest

from garrison import RateLimit, Settings, SettingsError, harden
from garrison.preflight import examine
from tests.integration.documents import EXAMPLES, blocks, commands, curl
from tests.integration.quotas_guide import CLIENT, PAGE, ask, documents, emitted, policy, settings_of, steady
from tests.toolkit.driver import raises, replies_with
from tests.toolkit.server.conftest import running

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def quotas_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """Callables are found where the example is."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "quotas"))


def key(value: str) -> list[tuple[bytes, bytes]]:
    """The header with an API key."""
    return [(b"x-api-key", value.encode())]


def test_the_three_replies_of_the_first_quota(tmp_path: Path) -> None:
    """The command of the guide is answered twice, then refused, with headers and a problem as shown."""
    shown = [block.text for block in blocks(PAGE, "") if block.text.startswith("HTTP/1.1")]
    served, asked = [
        command
        for block in blocks(PAGE, "console")
        for command in commands(block)
        if command.words[:2] == ("garrison", "run") or command.words[0] == "curl"
    ]
    replies = []
    with running(
        tmp_path, served.words[2], directory=EXAMPLES / "quotas", **served.environ
    ) as server:  # fmt: skip
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
            connection.request("GET", curl(asked.words).path)
            reply = connection.getresponse()
            replies.append((reply.status, {name.lower(): text for name, text in reply.getheaders()}))
            body = reply.read()
            connection.close()
    assert [status for status, _ in replies] == [200, 200, 429]
    for (status, headers), text in zip((replies[0], replies[2]), shown, strict=True):
        first, *lines = text.splitlines()
        assert int(first.split()[1]) == status
        for line in lines:
            name, _, value = line.partition(": ")
            if name == "retry-after":
                assert 29 <= int(headers[name]) <= 33
            else:
                # A second may have passed.
                assert headers[name] in {value, value.replace("t=30", "t=29")}
    (problem,) = documents("violated-policies")
    assert steady(json.loads(body)) == problem


def test_what_a_legacy_client_reads() -> None:
    """With `both` the headers that the IETF never had are there too."""
    reply = ask(harden(replies_with(), Settings(rate_limit=RateLimit(limits="2/minute", headers="both"))))
    assert policy(reply) == ["2-per-minute"]
    assert (reply.header("x-ratelimit-limit"), reply.header("x-ratelimit-remaining")) == ("2", "1")
    assert int(reply.header("x-ratelimit-reset") or 0) > time.time()


def test_which_requests_have_which_quotas(tmp_path: Path) -> None:
    """The first target that fits counts; exempt paths and clients are told of no quota."""
    app = harden(replies_with(), settings_of(tmp_path, "POST /orders: 5/minute; /api"))
    assert policy(ask(app, "/orders", method="POST")) == ["5-per-minute"]
    assert policy(ask(app, "/orders")) == ["20-per-second"]
    assert policy(ask(app, "/api/items")) == ["50-per-second", "1000-per-hour"]
    for path, client in (("/livez", CLIENT), ("/static/a.js", CLIENT), ("/", "10.0.9.7")):
        assert policy(ask(app, path, client=client)) == []


def test_a_semicolon_ends_a_rule() -> None:
    """What stands behind one without a target is for everything else, as the guide warns."""
    app = harden(
        replies_with(), Settings(rate_limit=RateLimit(limits="/api/*: 50/second; 1000/hour"))
    )  # fmt: skip
    assert policy(ask(app, "/api/items")) == ["50-per-second"]
    assert policy(ask(app)) == ["1000-per-hour"]


def test_what_requests_take(tmp_path: Path) -> None:
    """An export takes ten units, a search five or one, and a cost that fails lets nobody pass."""
    settings = settings_of(tmp_path, "POST /orders: 5/minute; /api")
    app = harden(replies_with(), settings)
    for method, path, query, left in (
        ("POST", "/api/export", b"", 990),
        ("GET", "/api/search", b"", 985),
        ("GET", "/api/search", b"shelf=7", 984),
    ):
        told = ask(app, path, method=method, query=query).header("ratelimit") or ""
        assert f'"1000-per-hour";r={left}' in told
    failing = RateLimit(limits="9/minute", costs="/search: plans:quotas")
    assert ask(harden(replies_with(), Settings(rate_limit=failing)), "/search").status == 500


def test_only_orders_that_fail_count(tmp_path: Path) -> None:
    """Orders that succeed give back what they took; five that fail use the quota up."""
    settings = settings_of(tmp_path, "POST /orders: 5/minute; /api")
    taken = harden(replies_with(303), settings)
    assert {ask(taken, "/orders", method="POST").status for _ in range(8)} == {303}
    failing = harden(replies_with(422), settings)
    assert [ask(failing, "/orders", method="POST").status for _ in range(6)] == [422] * 5 + [429]
    broken = harden(raises(ValueError("a bug")), settings)
    assert [ask(broken, "/orders", method="POST").status for _ in range(6)] == [500] * 5 + [429]


def test_made_up_keys_win_nothing(tmp_path: Path) -> None:
    """A new key for every request is still one address; a quota by header alone does not start."""
    app = harden(replies_with(), settings_of(tmp_path, "by header:x-api-key"))
    began, served = time.monotonic(), 0
    while served < 5000 and ask(app, "/api/items", headers=key(f"k-{served}")).status == 200:
        served += 1
    # What comes back while the test runs is ten a second.
    assert 600 <= served <= 601 + 10 * (time.monotonic() - began)
    assert policy(ask(app, "/api/items", client="198.51.100.7")) == ["600-per-minute"]
    with pytest.raises(SettingsError, match="a quota by address"):
        RateLimit(limits="/api/*: 1000/hour by header:x-api-key; 20/second")


def test_tenants_have_what_they_paid_for(tmp_path: Path) -> None:
    """Each tenant has its own quotas beside the address's; an unknown key has the address's only."""
    app = harden(replies_with(), settings_of(tmp_path, "plans:quotas by plans:tenant"))
    assert policy(ask(app, "/api/a", headers=key("k-4711"))) == [
        "600-per-minute",
        "100-per-second",
        "50000-per-day",
    ]
    assert [ask(app, "/api/a", headers=key("k-0815")).status for _ in range(3)] == [200, 200, 429]
    assert policy(ask(app, "/api/a", headers=key("k-0000"))) == ["600-per-minute"]


def test_a_quota_by_principal_is_an_error_in_settings() -> None:
    """Nothing in front of the app knows who is authenticated, and `--check` says so."""
    settings = Settings(rate_limit=RateLimit(limits="1000/hour by principal"))
    (advice,) = [each for each in examine(settings) if each.level == "error"]
    assert "garrison.Limit" in advice.text


def test_a_client_that_hammers_is_blocked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten refusals go unpunished, the eleventh begins ten minutes, for this target and client only."""
    app = harden(replies_with(), settings_of(tmp_path, "GARRISON_RATE_LIMIT_PENALTY=10m"))
    replies = [ask(app, "/orders", method="POST") for _ in range(16)]
    types = [reply.json["type"].rpartition("#")[2] for reply in replies if reply.status == 429]
    assert types == ["quota-exceeded"] * 10 + ["abnormal-usage-detected"]
    assert 599 <= int(replies[-1].header("retry-after") or 0) <= 605
    assert (ask(app).status, ask(app, "/orders", method="POST", client="198.51.100.7").status) == (200, 200)
    shown = documents("event", "rate_limit_block")
    assert emitted(capsys.readouterr().out, "rate_limit_block") == shown
