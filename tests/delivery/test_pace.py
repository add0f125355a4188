import asyncio

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.delivery.pace import Pace
from campaigns.model import Rate


async def _moments(rate: Rate, takes: int, takers: int = 20) -> list[float]:
    pace, moments = Pace(rate, SYSTEM_CLOCK), []

    async def taker() -> None:
        while len(moments) < takes and await pace.take():
            moments.append(SYSTEM_CLOCK.monotonic())

    await asyncio.gather(*(taker() for _ in range(takers)))
    return moments


@pytest.mark.parametrize(("per_second", "takes"), [(10, 25), (100, 250), (1000, 2500)])
async def test_no_window_of_one_second_holds_more_than_the_rate(per_second: int, takes: int) -> None:
    moments = await _moments(Rate(per_second), takes)
    for first, beyond in zip(moments, moments[per_second:], strict=False):
        assert beyond - first >= 1.0 - 0.002  # the clock is read a little after the permit


async def test_a_rate_below_one_a_second_spaces_the_takes() -> None:
    moments = await _moments(Rate.parse("90/min"), 2, takers=2)
    assert moments[1] - moments[0] >= 60 / 90 - 0.02 or len(moments) < 2


async def test_many_units_take_as_long_as_they_are_worth() -> None:
    pace = Pace(Rate(50), SYSTEM_CLOCK)
    started = SYSTEM_CLOCK.monotonic()
    assert await pace.take(50)
    assert await pace.take(10)
    assert SYSTEM_CLOCK.monotonic() - started >= 1.0


async def test_a_hold_lets_nobody_go_before_it_is_over() -> None:
    pace = Pace(Rate(1000), SYSTEM_CLOCK)
    assert pace.hold(0.2)
    assert not pace.hold(0.1)  # a shorter one changes nothing
    started = SYSTEM_CLOCK.monotonic()
    assert pace.is_held()
    assert await pace.take()
    assert SYSTEM_CLOCK.monotonic() - started >= 0.19


@pytest.mark.parametrize("rate", [Rate(0.001), Rate(5)])
async def test_a_closed_pace_ends_every_wait_and_gives_no_permit(rate: Rate) -> None:
    pace = Pace(rate, SYSTEM_CLOCK)
    tasks = [asyncio.create_task(pace.take()) for _ in range(10)]
    await asyncio.sleep(0.01)
    pace.close()
    async with asyncio.timeout(5):
        results = await asyncio.gather(*tasks)
        assert not await pace.take()
    assert results.count(True) <= 1


async def test_permits_that_were_put_back_are_there_at_once() -> None:
    pace = Pace(Rate(0.001), SYSTEM_CLOCK)
    for _ in range(3):
        async with asyncio.timeout(5):
            assert await pace.take()
        pace.put_back(1)


async def test_a_closed_pace_ends_a_hold() -> None:
    pace = Pace(Rate(10), SYSTEM_CLOCK)
    pace.hold(3600)
    task = asyncio.create_task(pace.take())
    await asyncio.sleep(0.01)
    pace.close()
    async with asyncio.timeout(5):
        assert not await task
