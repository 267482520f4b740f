"""What clients are told of quotas, in the grammar of the IETF's draft or in the old way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison import RateLimit, RateLimitMiddleware, SettingsError
from garrison.limiting.fields import Fields
from garrison.ratelimit.memory import MemoryStore
from garrison.units import Secret
from tests.toolkit.driver import call, replies_with
from tests.toolkit.middleware.limited import Limited, asked
from tests.toolkit.middleware.structured import read_list

if TYPE_CHECKING:
    from tests.toolkit.driver import Reply

STANDARD: Final = {"ratelimit", "ratelimit-policy"}
LEGACY: Final = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}
SECRET: Final = Secret("sixteen letters, and some more")
KEYED: Final = "10/minute; 3/hour as partner by header:x-api-key"


def names(reply: Reply) -> set[str]:
    """The names of all headers about quotas."""
    found = {name.decode() for name, _ in reply.headers}
    return {name for name in found if "ratelimit" in name or name == "retry-after"}


@pytest.mark.parametrize(
    ("style", "expected"),
    [("standard", STANDARD), ("legacy", LEGACY), ("both", STANDARD | LEGACY), ("off", set())],
)
def test_the_style_is_chosen(style: str, expected: set[str]) -> None:
    """A reply has the headers that the setting names; whoever is refused gets Retry-After in any case."""
    limited = Limited(limits="1/minute", headers=style)
    assert names(limited.get()) == expected
    assert names(limited.get()) == expected | {"retry-after"}


def test_an_unknown_style_fails_at_start() -> None:
    """A misspelt style names those that there are."""
    with pytest.raises(SettingsError, match="standard, legacy, both, off"):
        RateLimit(headers="draft")  # type: ignore[arg-type]


def test_several_quotas_in_the_grammar_of_the_draft() -> None:
    """Each quota has its item in both fields, in one order, with the parameters that are required."""
    limited = Limited(limits=KEYED)
    reply = limited.get(headers={"x-api-key": "a"})
    assert read_list(reply.header("ratelimit-policy") or "") == [
        ("10-per-minute", {"q": 10, "w": 60}), ("partner", {"q": 3, "w": 3600}),
    ]  # fmt: skip
    assert read_list(reply.header("ratelimit") or "") == [
        ("10-per-minute", {"r": 9, "t": 6}), ("partner", {"r": 2, "t": 1200}),
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.sampled_from(["second", "7 seconds", "minute", "day", "3 months"])),
        min_size=1, max_size=3, unique_by=lambda quota: quota[1],
    ),
    st.sampled_from(["standard", "both"]),
    st.booleans(),
    st.lists(st.floats(0, 30), max_size=12),
)  # fmt: skip
def test_whatever_is_told_can_be_read(
    quotas: list[tuple[int, str]], style: str, partition_key: bool, pauses: list[float]
) -> None:  # fmt: skip
    """Every reply is in the grammar, and Retry-After is no earlier than the quota that refused has more."""
    limits = "; ".join(f"{limit} per {period}" for limit, period in quotas)
    limited = Limited(limits=limits, headers=style, partition_key=partition_key)
    for pause in [0.0, *pauses]:
        limited.now += pause
        reply = limited.get()
        policy = read_list(reply.header("ratelimit-policy") or "")
        standing = dict(read_list(reply.header("ratelimit") or ""))
        assert [name for name, _ in policy] == list(standing)
        for name, parameters in policy:
            told = standing[name]
            assert told.get("pk") == parameters.get("pk")
            assert ("pk" in told) == partition_key
            assert 0 <= int(told["r"]) <= int(parameters["q"])
            assert 0 <= int(told["t"]) <= int(parameters["w"])
        if reply.status == 429:
            refused = reply.json["violated-policies"]
            assert int(reply.header("retry-after") or 0) >= max(int(standing[name]["t"]) for name in refused)
            assert {standing[name]["r"] for name in refused} == {0}


def test_a_partition_key_tells_whose_quota_is_meant() -> None:
    """Each client has its own, the same with every reply; an address and a key have different ones."""
    limited = Limited(limits=KEYED, partition_key=True, secret=SECRET)

    def partitions(client: str = "192.0.2.1", key: str = "a") -> list[Any]:
        reply = limited.get(client=client, headers={"x-api-key": key})
        told = read_list(reply.header("ratelimit") or "")
        assert told[0][1]["pk"] == read_list(reply.header("ratelimit-policy") or "")[0][1]["pk"]
        return [parameters["pk"] for _, parameters in told]

    first = partitions()
    assert partitions() == first
    assert all(isinstance(partition, bytes) and len(partition) == 9 for partition in first)
    assert len(set(first)) == 2
    elsewhere, other = partitions("192.0.2.2"), partitions(key="b")
    assert (elsewhere[0] != first[0], elsewhere[1] == first[1]) == (True, True)
    assert (other[0] == first[0], other[1] != first[1]) == (True, True)


def test_a_partition_key_is_a_keyed_hash() -> None:
    """Who knows an address cannot work out its partition key without the secret, and workers agree on it."""

    def told(secret: Secret) -> str | None:
        return Limited(limits="5/minute", partition_key=True, secret=secret).get().header("ratelimit-policy")

    assert told(SECRET) == told(Secret(SECRET.reveal()))
    assert told(SECRET) != told(Secret("another secret text"))


def test_a_unit_other_than_requests_is_told() -> None:
    """The quota unit is a parameter of the policy where it is not the default of the draft."""
    bytes_told = Limited(limits="5000/minute", unit="content-bytes").get()
    assert bytes_told.header("ratelimit-policy") == '"5000-per-minute";q=5000;w=60;qu="content-bytes"'
    assert bytes_told.header("ratelimit") == '"5000-per-minute";r=4999;t=1'
    assert "qu=" not in (Limited(limits="5/minute").get().header("ratelimit-policy") or "")


def legacy(limited: Limited) -> list[int]:
    """Limit and remaining, as the old headers tell them."""
    reply = limited.get()
    return [int(reply.header(f"x-ratelimit-{name}") or -1) for name in ("limit", "remaining")]


def test_old_headers_tell_of_the_quota_with_least_left() -> None:
    """A client that knows one quota only is told of the one that it meets first."""
    limited = Limited(limits="3/second; 4/hour", headers="legacy", algorithm="fixed-window")
    assert [legacy(limited) for _ in range(2)] == [[3, 2], [3, 1]]
    limited.now += 1
    assert legacy(limited) == [4, 1]


def test_old_headers_tell_the_time_of_the_reset() -> None:
    """X-RateLimit-Reset is in seconds since 1970, when the whole quota is there again."""
    layer = RateLimitMiddleware(
        replies_with(), RateLimit(limits="2/hour", headers="legacy"), store=MemoryStore(clock=lambda: 1000.0)
    )
    before = time.time()
    (reset,) = call(layer, asked()).all("x-ratelimit-reset")
    assert before + 1800 <= int(reset) <= time.time() + 1801


@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0, 1.5, 59.000001, 60.0, 12345.6])
def test_nobody_is_told_to_come_too_early(seconds: float) -> None:
    """Retry-After is at least the wait and a second, and at most a tenth or five seconds more."""
    for chance in (0.0, 0.5, 0.999999):
        (_, told) = Fields(random=lambda: chance).retry_after(seconds)  # noqa: B023 - called at once
        assert max(1, seconds) <= int(told) + 2e-6
        assert int(told) < max(1, seconds + 1 + min(seconds / 10 + 0.1, 5))


def test_the_apps_own_headers_stay() -> None:
    """What is told of quotas comes behind the app's lines, none of which is lost."""
    lines = [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"content-type", b"text/plain")]
    reply = Limited(replies_with(200, lines), limits="5/minute", headers="both").get()
    assert reply.headers[:3] == lines
    assert names(reply) == STANDARD | LEGACY
