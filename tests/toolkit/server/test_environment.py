"""Whom `garrison run` trusts, and what takes the place of that default."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from garrison import Proxy, SettingsError
from garrison.server.environment import load_serving_settings

LOCAL = (ip_network("127.0.0.1"), ip_network("::1"))
EVERYBODY = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({}, Proxy(trusted=LOCAL)),
        ({"GARRISON_PROXY_UNIX": "on"}, Proxy(trusted=LOCAL, unix=True)),
        ({"GARRISON_PROXY_HOPS": "0"}, Proxy(trusted=LOCAL)),
        ({"GARRISON_PROXY_HOPS": "2"}, Proxy(hops=2)),
        ({"GARRISON_PROXY_HOPS": "1", "FORWARDED_ALLOW_IPS": "*"}, Proxy(hops=1)),
        ({"FORWARDED_ALLOW_IPS": "*"}, Proxy(trusted=EVERYBODY)),
        ({"FORWARDED_ALLOW_IPS": "10.0.0.1"}, Proxy(trusted=(ip_network("10.0.0.1"),))),
        (
            {"FORWARDED_ALLOW_IPS": "*", "GARRISON_PROXY_TRUSTED": "10.0.0.1"},
            Proxy(trusted=(ip_network("10.0.0.1"),)),
        ),
        ({"GARRISON_PROXY": "off", "GARRISON_PROXY_HOPS": "1"}, None),
    ],
)
def test_trust_of_the_server(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], proxy: Proxy | None
) -> None:
    """This machine's proxies are trusted unless a variable says otherwise, and a number replaces them."""
    for name in ("FORWARDED_ALLOW_IPS", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)
    for name, text in environ.items():
        monkeypatch.setenv(name, text)
    assert load_serving_settings().value.proxy == proxy


def test_a_number_and_a_list_contradict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets both is told, since only one of them can be meant."""
    monkeypatch.setenv("GARRISON_PROXY_HOPS", "1")
    monkeypatch.setenv("GARRISON_PROXY_TRUSTED", "10.0.0.1")
    with pytest.raises(SettingsError, match=r"^GARRISON_PROXY_HOPS: expected 0 where `trusted` names the"):
        load_serving_settings()
