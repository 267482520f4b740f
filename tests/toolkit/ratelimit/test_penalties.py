"""Who keeps asking after a refusal is blocked, and nobody else."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garrison.ratelimit.memory import MemoryStore
from garrison.ratelimit.penalties import Penalties, blocked_key


class Scene:
    """Penalties, and a clock that the test moves."""

    def __init__(self, after: int = 3, *, bound: int = 1000) -> None:
        self.now = 1000.0
        self.penalties = Penalties(600, after, period=60, bound=bound, clock=lambda: self.now)

    def strikes(self, times: int, key: str = "a", wait: float = 3600.0) -> list[bool]:
        """Refuse a key so many times at once, and tell it to wait."""
        return [self.penalties.strike(key, wait) for _ in range(times)]


def test_too_many_refusals_end_in_a_block() -> None:
    """The refusal after those that go unpunished leads to a block, and then the count begins anew."""
    assert Scene(3).strikes(9) == [False, False, False, True, False, False, False, True, False]
    assert Scene(0).strikes(2) == [True, True]


def test_each_key_has_its_own_count() -> None:
    """One client's refusals do not bring another one nearer to a block."""
    scene = Scene(3)
    scene.strikes(3, "a")
    assert scene.strikes(3, "b") == [False] * 3
    assert scene.strikes(1, "a") == [True]


def test_a_refusal_now_and_then_is_no_hammering() -> None:
    """A count ends a period after its first refusal, whatever came since."""
    scene = Scene(3)
    scene.strikes(1)
    scene.now += 59.5
    scene.strikes(2)
    scene.now += 0.5
    assert scene.strikes(4) == [False, False, False, True]


@pytest.mark.parametrize("wait", [0.3, 1.0, 7.7, 45.0])
def test_who_obeys_never_hammers(wait: float) -> None:
    """A client that waits as long as it is told is refused for hours without being blocked."""
    scene = Scene(1)
    for _ in range(1000):
        assert scene.strikes(1, wait=wait) == [False]
        # As rounding may have it.
        scene.now += wait - 1e-7


def test_who_obeys_now_and_then_still_hammers() -> None:
    """One wait does not make up for the refusals that a client asked for before it."""
    scene = Scene(3)
    assert scene.strikes(3, wait=1.0) == [False] * 3
    scene.now += 1
    assert scene.strikes(2, wait=1.0) == [False, True]


def test_a_flood_of_keys_blocks_nobody_else() -> None:
    """With more keys than there is room for the oldest counts are lost, which blocks nobody who is new."""
    scene = Scene(2, bound=10)
    assert not any(scene.penalties.strike(f"junk {number}", 1) for _ in range(2) for number in range(50))
    assert len(scene.penalties) == 10
    assert scene.strikes(3, "junk 49") == [False, True, False]
    assert scene.strikes(3, "new") == [False, False, True]


def test_counts_that_have_ended_are_let_go() -> None:
    """What a flood has left behind goes while others come, without a step that takes long."""
    scene = Scene()
    for number in range(900):
        scene.penalties.strike(f"junk {number}", 1)
    scene.now += 60
    for number in range(450):
        scene.penalties.strike(f"later {number}", 1)
    assert len(scene.penalties) == 450


def test_a_count_that_begins_anew_is_a_new_one() -> None:
    """A client that comes again after a period does not hold up the going of those that came after it."""
    scene = Scene()
    for key in ("one", "two", "again"):
        scene.penalties.strike(key, 1)
    scene.now += 10
    scene.penalties.strike("after", 1)
    scene.now += 50
    scene.penalties.strike("again", 1)
    scene.now += 10
    scene.penalties.strike("last", 1)
    assert len(scene.penalties) == 2


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([0, 0, 1, 20, 59, 60])), max_size=80))
def test_a_block_takes_more_refusals_than_go_unpunished(visits: list[tuple[str, int]]) -> None:
    """Whatever the rhythm, a block follows four refusals of that key within a period, none counted twice."""
    scene = Scene(3)
    counted: dict[str, list[float]] = {"a": [], "b": []}
    for key, pause in visits:
        scene.now += pause
        times = counted[key]
        if times and scene.now - times[0] >= 60:
            times.clear()
        times.append(scene.now)
        struck = scene.penalties.strike(key, 3600)
        assert struck == (len(times) == 4)
        if struck:
            times.clear()


def test_a_block_is_a_quota_that_is_used_up() -> None:
    """In a store a block refuses from the unit that begins it to its end, and says for how long."""
    scene = Scene()
    store = MemoryStore(clock=lambda: scene.now)
    key, block = blocked_key("everything 192.0.2.7"), scene.penalties.block

    async def run() -> None:
        assert (await store.standing(key, block)).allowed
        assert (await store.acquire(key, block)).allowed
        scene.now += 100
        blocked = await store.standing(key, block)
        assert (blocked.allowed, blocked.retry_after) == (False, 500)
        assert [quota.name for quota in blocked.refused_by] == ["blocked"]
        assert not (await store.acquire(key, block)).allowed
        scene.now += 500
        assert (await store.standing(key, block)).allowed

    asyncio.run(run())
    # Every storage of the package `limits` counts these, and few count anything else.
    assert [quota.algorithm for quota in block] == ["fixed-window"]


def test_the_key_of_a_block_is_nobody_elses() -> None:
    """No target, method or name of a quota leads to the key of a block, whatever it is called."""
    assert blocked_key("5-per-minute 192.0.2.7") == "blocked: 5-per-minute 192.0.2.7"
