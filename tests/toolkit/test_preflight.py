"""What is said about settings that are each fine by themselves."""

from __future__ import annotations

from dataclasses import fields, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from garrison.middleware.contract import Contract
from garrison.middleware.cross_origin import CrossOrigin
from garrison.middleware.csp_reports import CspReports
from garrison.middleware.exposure import Exposure
from garrison.middleware.hosts import Hosts
from garrison.middleware.overload import Overload
from garrison.middleware.proxy import Proxy
from garrison.middleware.rate_limit import RateLimit
from garrison.middleware.request_limits import RequestLimits
from garrison.middleware.security_headers import SecurityHeaders
from garrison.middleware.timeouts import Timeouts
from garrison.preflight import NEED_A_SETTING, examine
from garrison.sections import optional_sections
from garrison.server_section import Server
from garrison.stack import NEED_ONE_OF, Settings
from garrison.units import Secret

COMPLETE = Settings(
    rate_limit=RateLimit(limits="5/minute"),
    proxy=Proxy(trusted=(ip_network("10.0.0.0/8"),)),
    hosts=Hosts(allowed=("shop.example",), https="redirect"),
    cross_origin=CrossOrigin(mode="enforce"),
    overload=Overload(limit="adaptive"),
    timeouts=Timeouts(handler=60.0),
    contract=Contract(
        document=str(Path(__file__).parent / "contract" / "document.yaml"), security="presence"
    ),
)


def advice(settings: Settings) -> list[tuple[str, str]]:
    """Level and variable of everything that is found."""
    return [(item.level, item.variable) for item in examine(settings)]


def test_layers_that_are_idle_are_not_taken_for_switched_off() -> None:
    """Each layer that waits for a setting is known to wait for it."""
    assert {"proxy", *NEED_ONE_OF} == NEED_A_SETTING


def test_complete_settings_need_no_advice() -> None:
    """Whoever has done everything is left in peace."""
    assert advice(COMPLETE) == []


def test_bounds_that_the_server_makes_idle_are_told() -> None:
    """Whoever raises what the layer takes has to raise what the server takes too."""
    limits = RequestLimits(max_header_bytes=64 * 1024, max_url=64 * 1024, max_headers=1000)
    assert advice(replace(COMPLETE, request_limits=limits)) == [
        ("warning", "GARRISON_REQUEST_LIMITS_MAX_HEADER_BYTES"),
        ("warning", "GARRISON_REQUEST_LIMITS_MAX_URL"),
        ("warning", "GARRISON_REQUEST_LIMITS_MAX_HEADERS"),
    ]
    server = Server(header_bytes=64 * 1024, header_lines=1000)
    assert advice(replace(COMPLETE, request_limits=limits, server=server)) == []
    assert advice(replace(COMPLETE, request_limits=None, server=Server(header_lines=10))) == [
        ("warning", "GARRISON_REQUEST_LIMITS")
    ]


def test_a_long_time_for_heads_is_told() -> None:
    """Slow heads would hold connections for as long."""
    server = Server(header_timeout=300.0)
    assert advice(replace(COMPLETE, server=server)) == [("warning", "GARRISON_SERVER_HEADER_TIMEOUT")]


def test_defaults_lack_what_only_the_operator_knows() -> None:
    """Quotas, proxies and hosts cannot be guessed, so production is told of them."""
    assert set(advice(Settings())) == {
        ("warning", "GARRISON_RATE_LIMIT_LIMITS"),
        ("warning", "GARRISON_PROXY_TRUSTED"),
        ("warning", "GARRISON_HOSTS_ALLOWED"),
        ("warning", "GARRISON_HOSTS_HTTPS"),
        ("warning", "GARRISON_CROSS_ORIGIN_MODE"),
        ("warning", "GARRISON_CONTRACT_DOCUMENT"),
        ("warning", "GARRISON_OVERLOAD_LIMIT"),
        ("warning", "GARRISON_TIMEOUTS_HANDLER"),
    }


def test_deadlines_that_are_off_are_noticed() -> None:
    """A slow client holds a handler for ever; a deadline on some paths is one."""
    off = Timeouts(body_rate=None, reader=None, rules="/reports: 2m")
    assert set(advice(replace(COMPLETE, timeouts=off))) == {
        ("warning", "GARRISON_TIMEOUTS_BODY_RATE"),
        ("warning", "GARRISON_TIMEOUTS_READER"),
    }


def test_development_is_not_warned() -> None:
    """On a developer's machine nothing of it is missing."""
    assert advice(Settings(profile="development")) == []


def test_quotas_are_not_shared_by_workers() -> None:
    """A quota that each worker counts for itself is an error, in every profile, and comes first."""
    several = replace(COMPLETE, server=Server(workers=3))
    assert advice(several) == [("error", "GARRISON_SERVER_WORKERS")]
    assert advice(replace(several, profile="development")) == [("error", "GARRISON_SERVER_WORKERS")]
    assert advice(replace(several, proxy=Proxy()))[0] == ("error", "GARRISON_SERVER_WORKERS")
    assert ("error", "GARRISON_SERVER_WORKERS") not in advice(replace(several, rate_limit=None))
    shared = RateLimit(limits="5/minute", storage="valkey://cache:6379/0")
    assert advice(replace(several, rate_limit=shared, secret=Secret("sixteen letters, or more"))) == []
    assert "3 times its quota" in examine(several)[0].text


@pytest.mark.parametrize("storage", ["async+memory://", "memory://x"])
def test_the_memory_of_limits_is_not_shared_either(storage: str) -> None:
    """Another URL of a memory does not make it one of several workers."""
    section = RateLimit(limits="9/minute", storage=storage, algorithm="fixed-window")
    found = examine(replace(COMPLETE, rate_limit=section, server=Server(workers=4)))
    assert [item.variable for item in found] == ["GARRISON_SERVER_WORKERS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("exempt", "/*"), ("exempt_clients", (ip_network("::/0"),)), ("costs", "GET /a: 2; 0")],
)
def test_an_exception_of_everything_is_noticed(name: str, value: Any) -> None:
    """Quotas that nothing counts for are not taken for quotas."""
    section = replace(RateLimit(limits="9/minute"), **{name: value})
    (found,) = advice(replace(COMPLETE, rate_limit=section))
    assert found == ("warning", f"GARRISON_RATE_LIMIT_{name.upper()}")


@pytest.mark.parametrize(("name", "rules"), [("costs", "/a: 2"), ("refunds", "/a: 2xx")])
def test_exceptions_from_no_quota_are_noticed(name: str, rules: Any) -> None:
    """What says how requests are counted does nothing where none is."""
    section = replace(RateLimit(messages="9/minute"), **{name: rules})
    found = advice(replace(COMPLETE, rate_limit=section))
    assert ("warning", f"GARRISON_RATE_LIMIT_{name.upper()}") in found


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"penalty": 60.0}, "PENALTY"), ({"limits": "5/minute", "penalty_after": 3}, "PENALTY_AFTER")],
)
def test_penalties_that_nobody_can_get_are_noticed(fields: dict[str, Any], name: str) -> None:
    """A block needs somebody who is refused, and a number of refusals something that they lead to."""
    assert ("warning", f"GARRISON_RATE_LIMIT_{name}") in advice(
        replace(COMPLETE, rate_limit=RateLimit(**fields))
    )


@pytest.mark.parametrize(
    ("limits", "costs", "level"),
    [
        ("5/minute", "POST /export: 10", "error"),
        ("9/hour, 5/minute", "POST /export: 9", "error"),
        ("/a: 20/minute; 5/minute", "/b: 10", "error"),
        ("/export: 5/minute; 20/minute", "/*: 10", "warning"),
        ("POST /export: 5/minute; 20/minute", "/export: 10", "warning"),
        ("20/minute; 5/minute by shop:tenant", "/export: 10", "warning"),
        ("5/minute", "POST /export: 5", None),
        ("/export: 20/minute; 5/minute", "POST /export: 10", None),
        ("/a: 5/minute", "/b: 10", None),
        ("5/minute", "/export: shop.limits:cost", None),
    ],
)
def test_a_cost_that_no_quota_bears_is_noticed(limits: str, costs: str, level: str | None) -> None:
    """Requests that are never served, however long somebody waits, are an error; where only some, advice."""
    found = advice(replace(COMPLETE, rate_limit=RateLimit(limits=limits, costs=costs)))
    assert found == ([] if level is None else [(level, "GARRISON_RATE_LIMIT_COSTS")])


def test_quotas_of_messages_are_not_shared_either() -> None:
    """Who limits messages only, on memory with several workers, is told the same."""
    messages = replace(COMPLETE, rate_limit=RateLimit(messages="5/minute"), server=Server(workers=2))
    assert advice(messages)[0] == ("error", "GARRISON_SERVER_WORKERS")
    shared = RateLimit(messages="5/minute", storage="valkey://cache:6379/0")
    assert ("error", "GARRISON_SERVER_WORKERS") not in advice(replace(messages, rate_limit=shared))
    assert advice(replace(COMPLETE, rate_limit=RateLimit(), server=Server(workers=2))) == [
        ("warning", "GARRISON_RATE_LIMIT_LIMITS")
    ]


@pytest.mark.parametrize("name", ["limits", "messages"])
@pytest.mark.parametrize(
    "quotas", ["9/minute; 5/minute by principal", "9/minute; shop:plan by address+principal"]
)
def test_principals_that_nobody_verifies_are_unsafe(name: str, quotas: str) -> None:
    """A quota that would count nobody is an error in every profile, and says where it does count."""
    section = RateLimit(**{"limits": "5/minute", name: quotas})  # type: ignore[arg-type]
    for profile in ("production", "development"):
        (found,) = examine(replace(COMPLETE, rate_limit=section, profile=profile))
        assert (found.level, found.variable) == ("error", f"GARRISON_RATE_LIMIT_{name.upper()}")
        assert "below the app's own authentication" in found.text


@pytest.mark.parametrize(
    "fields",
    [
        {"limits": "5/minute; 5/minute by header:x-api-key"},
        {"limits": "5/minute; 5/minute by shop:tenant"},
        {"limits": "5/minute", "messages": "5/minute by shop:tenant"},
        {"limits": "5/minute", "partition_key": True},
    ],
)
def test_a_missing_secret_is_unsafe(fields: dict[str, Any]) -> None:
    """Workers that hash clients for a storage that they share need one secret, in every profile."""
    section = RateLimit(**fields, storage="valkey://cache:6379/0")
    for profile in ("production", "development"):
        (found,) = examine(replace(COMPLETE, rate_limit=section, profile=profile))
        assert (found.level, found.variable) == ("error", "GARRISON_SECRET")
        assert "openssl rand -hex 32" in found.text
    assert advice(replace(COMPLETE, rate_limit=section, secret=Secret("sixteen letters, or more"))) == []
    assert advice(replace(COMPLETE, rate_limit=RateLimit(**fields))) == []
    # What routes count in the same place cannot be seen here.
    by_address = replace(
        COMPLETE, rate_limit=RateLimit(limits="5/minute", storage="valkey://cache:6379/0"), secret=None
    )
    assert advice(by_address) == [("warning", "GARRISON_SECRET")]
    assert advice(replace(by_address, secret=Secret("sixteen letters, or more"))) == []


def test_addresses_behind_an_unknown_proxy_are_noticed() -> None:
    """Quotas by address mean nothing while a proxy that nobody named has the address of every client."""
    shared = ("warning", "GARRISON_PROXY_TRUSTED")
    by_tenant = RateLimit(limits="5/minute by shop:tenant")
    for proxy in (None, Proxy()):
        unknown = replace(COMPLETE, proxy=proxy)
        for section in (RateLimit(limits="5/minute"), replace(by_tenant, messages="5/minute")):
            found = examine(replace(unknown, rate_limit=section))
            # Once, and not for each field.
            (text,) = [item.text for item in found if "proxy" in item.text]
            assert "all of them share one quota" in text
        assert shared not in advice(replace(unknown, profile="development"))
        assert not any("quota" in item.text for item in examine(replace(unknown, rate_limit=by_tenant)))
    for proxy in (Proxy(hops=1), Proxy(unix=True)):
        assert shared not in advice(replace(COMPLETE, proxy=proxy))


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_trusting_everybody_is_noticed(everybody: str) -> None:
    """A trusted list that holds the whole internet protects nothing."""
    found = examine(replace(COMPLETE, proxy=Proxy(trusted=(ip_network(everybody),))))
    assert [item.variable for item in found] == ["GARRISON_PROXY_TRUSTED"]
    assert "everybody is trusted" in found[0].text


@pytest.mark.parametrize("proxy", [Proxy(hops=1), Proxy(unix=True)])
def test_proxies_without_addresses_are_proxies(proxy: Proxy) -> None:
    """Who counts proxies, or trusts a socket, has told whom to trust."""
    assert advice(replace(COMPLETE, proxy=proxy)) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_counted_proxies_on_every_address_are_noticed(host: str) -> None:
    """Whoever can come around counted proxies can be anybody, so that an open port is worth a line."""
    found = examine(replace(COMPLETE, proxy=Proxy(hops=1), server=Server(host=host)))
    assert [(item.level, item.variable) for item in found] == [("warning", "GARRISON_PROXY_HOPS")]
    assert f"whoever reaches {host} without the proxies" in found[0].text
    assert advice(replace(COMPLETE, server=Server(host=host))) == []


def test_a_header_that_nobody_may_send_is_noticed() -> None:
    """A header of a proxy is of no use while no proxy is trusted."""
    found = advice(replace(COMPLETE, proxy=Proxy(strip=("X-User-ID",))))
    assert ("warning", "GARRISON_PROXY_STRIP") in found
    assert advice(replace(COMPLETE, proxy=Proxy(unix=True, strip=("X-User-ID",)))) == []


def test_a_host_that_anybody_may_choose_is_unsafe() -> None:
    """A forwarded host without a list of hosts is an error in production, where links are sent to people."""
    proxy = replace(COMPLETE.proxy or Proxy(), accept=("for", "proto", "host"))
    assert advice(replace(COMPLETE, proxy=proxy)) == []
    for hosts in (None, Hosts()):
        unsafe = replace(COMPLETE, proxy=proxy, hosts=hosts)
        assert advice(unsafe)[0] == ("error", "GARRISON_PROXY_ACCEPT")
        assert advice(replace(unsafe, profile="development")) == []


@pytest.mark.parametrize("name", sorted(optional_sections(Settings) - NEED_A_SETTING))
def test_layers_that_are_off_are_noticed(name: str) -> None:
    """A protection that somebody switched off is worth a line, since it may have been for a day only."""
    assert advice(replace(COMPLETE, **{name: None})) == [("warning", f"GARRISON_{name.upper()}")]  # type: ignore[arg-type]


def test_plain_http_is_noticed() -> None:
    """Production is told while requests over plain http are served, and no longer once it has chosen."""
    for hosts in (Hosts(allowed=("shop.example",)), None):
        assert ("warning", "GARRISON_HOSTS_HTTPS") in advice(replace(COMPLETE, hosts=hosts))
    assert advice(replace(COMPLETE, hosts=Hosts(https="refuse"))) == [("warning", "GARRISON_HOSTS_ALLOWED")]


def test_friends_are_told_from_a_proxy() -> None:
    """Addresses that are no strangers mean nothing while a proxy that nobody named hides them."""
    friends = Exposure(closed="docs", allowed=(ip_network("10.0.0.0/8"),))
    unknown = replace(COMPLETE, proxy=Proxy(), exposure=friends)
    assert ("warning", "GARRISON_EXPOSURE_ALLOWED") in advice(unknown)
    assert ("warning", "GARRISON_EXPOSURE_ALLOWED") in advice(replace(unknown, proxy=None))
    assert advice(replace(COMPLETE, exposure=friends)) == []
    assert advice(replace(unknown, profile="development")) == []
    either = replace(friends, token=Secret("a-token-of-a-scraper"))
    assert ("warning", "GARRISON_EXPOSURE_ALLOWED") not in advice(replace(unknown, exposure=either))


def test_friends_without_a_closed_door_contradict() -> None:
    """Whoever sets a token and closes nothing believes that something is closed; an error, everywhere."""
    open_house = Exposure(allowed=(ip_network("10.0.0.0/8"),), token=Secret("a-token-of-a-scraper"))
    for profile in ("production", "development"):
        assert advice(replace(COMPLETE, exposure=open_house, profile=profile)) == [
            ("error", "GARRISON_EXPOSURE_ALLOWED"),
            ("error", "GARRISON_EXPOSURE_TOKEN"),
        ]


def test_credentials_for_nobody_contradict() -> None:
    """Credentials without an origin to read with them are an error, in every profile."""
    nobody = replace(COMPLETE, cross_origin=CrossOrigin(credentials=True))
    for profile in ("production", "development"):
        found = advice(replace(nobody, profile=profile))
        assert found == [("error", "GARRISON_CROSS_ORIGIN_CREDENTIALS")]
    somebody = CrossOrigin(credentials=True, allowed=("https://app.example",))
    assert advice(replace(COMPLETE, cross_origin=somebody)) == []


@pytest.mark.parametrize("name", ["allowed", "posting"])
def test_origins_without_https_are_noticed(name: str) -> None:
    """Anybody on the network can speak for an http origin; the machine's own is its own."""
    plain = CrossOrigin(**{name: ("http://localhost:3000", "http://app.example")})  # type: ignore[arg-type]
    found = examine(replace(COMPLETE, cross_origin=plain))
    assert [(item.level, item.variable) for item in found] == [
        ("warning", f"GARRISON_CROSS_ORIGIN_{name.upper()}")
    ]
    assert "http://app.example" in found[0].text
    own = CrossOrigin(**{name: ("http://localhost:3000", "http://127.0.0.1:1")})  # type: ignore[arg-type]
    assert advice(replace(COMPLETE, cross_origin=own)) == []
    assert advice(replace(COMPLETE, cross_origin=plain, profile="development")) == []


def test_a_guard_that_only_reports_is_noticed() -> None:
    """The guard waits for somebody to read its reports, so production is told that it waits."""
    for waiting in (CrossOrigin(), CrossOrigin(mode="report", strict=True)):
        found = advice(replace(COMPLETE, cross_origin=waiting))
        assert found == [("warning", "GARRISON_CROSS_ORIGIN_MODE")]


def test_an_exemption_of_everything_is_noticed() -> None:
    """A guard that exempts every path guards nothing."""
    found = advice(replace(COMPLETE, cross_origin=CrossOrigin(mode="enforce", exempt="/saml; /*")))
    assert found == [("warning", "GARRISON_CROSS_ORIGIN_EXEMPT")]
    some = CrossOrigin(mode="enforce", exempt="/payments/*; POST /*")
    assert advice(replace(COMPLETE, cross_origin=some)) == []


def test_rules_that_are_never_reached_are_noticed() -> None:
    """The first rule that fits counts: one behind it that fits less does nothing."""
    headers = SecurityHeaders(rules="/static/*: web; /static/help.html: strict; /docs: auto")
    (found,) = examine(replace(COMPLETE, security_headers=headers))
    assert (found.level, found.variable) == ("warning", "GARRISON_SECURITY_HEADERS_RULES")
    assert "/static/help.html is never reached" in found.text
    limits = RateLimit(limits="100/minute; POST /login: 5/minute; 1000/hour")
    (found,) = examine(replace(COMPLETE, rate_limit=limits))
    assert found.text.startswith("the rule for POST /login is never reached, because the one for everything")


@pytest.mark.parametrize(
    ("name", "rules"),
    [("messages", "5/minute; /ws: 1/minute"), ("costs", "/*: 2; /ws: 3"), ("refunds", "2xx; POST /ws: 303")],
)
def test_other_rules_of_quotas_that_are_never_reached_are_noticed(name: str, rules: str) -> None:
    """Costs, refunds and the quotas of messages go by the first rule that fits too."""
    section = RateLimit(**{"limits": "5/minute", name: rules})  # type: ignore[arg-type]
    (found,) = examine(replace(COMPLETE, rate_limit=section))
    assert (found.level, found.variable) == ("warning", f"GARRISON_RATE_LIMIT_{name.upper()}")
    assert "/ws is never reached" in found.text


def test_a_rule_by_principal_covers_no_other() -> None:
    """What is judged once somebody is authenticated stands in the way of nothing that is judged before."""
    limits = RateLimit(limits="5/minute by principal; /login: 1/minute")
    assert advice(replace(COMPLETE, rate_limit=limits)) == [("error", "GARRISON_RATE_LIMIT_LIMITS")]


def test_a_report_that_goes_nowhere_is_noticed() -> None:
    """A report-only policy without a receiver is not sent, and somebody may wait for its reports."""
    headers = SecurityHeaders(page_policy_report_only="web")
    found = advice(replace(COMPLETE, security_headers=headers))
    assert found == [("warning", "GARRISON_SECURITY_HEADERS_PAGE_POLICY_REPORT_ONLY")]
    assert advice(replace(COMPLETE, security_headers=headers, csp_reports=CspReports(path="/r"))) == []
    assert advice(replace(COMPLETE, security_headers=replace(headers, reports="/r"))) == []


def test_advice_says_what_to_do() -> None:
    """Every advice names a variable that exists, and ends as a sentence."""
    known = {f"GARRISON_{item.name.upper()}" for item in fields(Settings)}
    for item in examine(Settings(errors=None)):
        assert any(item.variable.startswith(name) for name in known)
        assert item.text.endswith((".", ".)"))


def test_an_app_without_a_limit_is_noticed() -> None:
    """Production is told while nothing bounds what is in flight, and what is left without the valve."""
    for section, words in [(Overload(), "only a loop"), (Overload(lag=None), "nothing is refused")]:
        (found,) = examine(replace(COMPLETE, overload=section))
        assert (found.level, found.variable) == ("warning", "GARRISON_OVERLOAD_LIMIT")
        assert words in found.text
        assert examine(replace(COMPLETE, overload=section, profile="development")) == ()
    assert advice(replace(COMPLETE, overload=Overload(limit=100, lag=None))) == []


def test_priorities_that_are_never_reached_are_noticed() -> None:
    """A priority behind one for everything says nothing."""
    section = Overload(limit=100, priorities="/*: low; /checkout: high")
    assert advice(replace(COMPLETE, overload=section)) == [("warning", "GARRISON_OVERLOAD_PRIORITIES")]
