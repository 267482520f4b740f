"""What fails is looked at until it is well, by whichever event loop there is."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING

from garrison.ratelimit.probing import Probing

if TYPE_CHECKING:
    import pytest

SOON = 0.001


class Patient:
    """Something that is well after so many looks.

    Attributes:
        looks: how often it was looked at.
        most: how many looks there were at the same time.
        well: set once it is.
    """

    def __init__(self, ill_for: int) -> None:
        self.looks = 0
        self.most = 0
        self.well = asyncio.Event()
        self._ill_for = ill_for
        self._present = 0

    async def look(self) -> bool:
        """Whether it is well; the first look finds something that nobody thought of."""
        self.looks += 1
        self._present += 1
        self.most = max(self.most, self._present)
        await asyncio.sleep(SOON)
        self._present -= 1
        if self.looks == 1:
            raise RuntimeError("unforeseen")
        if self.looks > self._ill_for:
            self.well.set()
        return self.well.is_set()


def test_looks_until_it_is_well(caplog: pytest.LogCaptureFixture) -> None:
    """However often it is asked to begin, it looks once at a time, goes on after an error, and then stops."""
    patient = Patient(3)

    async def run() -> None:
        probing = Probing(patient.look, SOON)
        for _ in range(30):
            if patient.looks < 3:
                probing.begin()
            await asyncio.sleep(SOON)
        assert len(asyncio.all_tasks()) == 1
        await probing.aclose()

    asyncio.run(run())
    gc.collect()
    assert (patient.looks, patient.most) == (4, 1)
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


def test_stops_when_it_is_closed() -> None:
    """Nothing is looked at any more once it is closed, be it between two looks or in one."""

    async def run(pause: float) -> None:
        patient = Patient(1000)
        probing = Probing(patient.look, pause)
        probing.begin()
        await asyncio.sleep(pause * 1.5)
        await probing.aclose()
        before = patient.looks
        await asyncio.sleep(0.01)
        assert patient.looks == before
        assert len(asyncio.all_tasks()) == 1

    for pause in (SOON, 0.05):
        asyncio.run(run(pause))


def test_an_event_loop_that_has_ended_keeps_no_other_from_looking(caplog: pytest.LogCaptureFixture) -> None:
    """A pause that was under way when its loop ended, however it did, is over for the next one."""
    patient = Patient(2)
    # Long enough for a loop to end before it is over, however busy the machine.
    probing = Probing(patient.look, 0.2)

    async def begin() -> None:
        probing.begin()

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    loop.close()
    asyncio.run(begin())

    async def run() -> None:
        probing.begin()
        await patient.well.wait()

    asyncio.run(run())
    gc.collect()
    assert patient.looks == 3
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
