import asyncio

import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.delivery.pace import REPEATED_S, Pace
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


async def test_units_that_leave_together_count_in_the_window_from_when_they_leave() -> None:
    pace, moments = Pace(Rate(30), SYSTEM_CLOCK), []
    for _ in range(6):
        assert await pace.take(7)
        moments.append(SYSTEM_CLOCK.monotonic())
    for first, fifth in zip(moments, moments[4:], strict=False):  # four are 28
        assert fifth - first >= 1.0 - 0.002


async def test_who_is_sent_away_leaves_the_window_as_it_was() -> None:
    pace = Pace(Rate(0.01), SYSTEM_CLOCK)
    pace.hold(3600)
    assert not await pace.take()
    pace.release()
    async with asyncio.timeout(5):
        assert await pace.take()


async def test_a_hold_lets_nobody_go_before_it_is_over() -> None:
    pace = Pace(Rate(1000), SYSTEM_CLOCK)
    assert pace.hold(0.2)
    assert not pace.hold(0.1)  # a shorter one changes nothing
    started = SYSTEM_CLOCK.monotonic()
    assert 0.1 < pace.next_in() <= 0.2
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


async def test_who_would_be_held_for_long_is_sent_away_also_when_the_hold_begins_while_it_waits() -> None:
    pace = Pace(Rate(0.01), SYSTEM_CLOCK)
    assert await pace.take()
    waiting = asyncio.create_task(pace.take())  # for 100 seconds, by the rate alone
    await asyncio.sleep(0)
    pace.hold(3600)
    async with asyncio.timeout(5):
        assert not await waiting
        assert not await pace.take()


async def test_one_hold_may_follow_the_other_before_who_waits_is_awake() -> None:
    pace = Pace(Rate(0.01), SYSTEM_CLOCK)
    assert await pace.take()
    waiting = asyncio.create_task(pace.take())
    await asyncio.sleep(0)
    for seconds in (2, 3, 4, 5):  # as when the answers to what was in flight come one by one
        pace.hold(seconds)
        await asyncio.sleep(0)
    assert not await waiting


async def test_the_next_permit_is_told_before_it_is_there() -> None:
    pace = Pace(Rate(0.1), SYSTEM_CLOCK)
    assert pace.next_in() == 0
    assert await pace.take()
    assert 9 < pace.next_in() < 11


async def test_a_hold_that_is_released_lets_go_at_once() -> None:
    pace = Pace(Rate(1000), SYSTEM_CLOCK)
    pace.hold(0.9)
    waiting = asyncio.create_task(pace.take())
    await asyncio.sleep(0)
    started = SYSTEM_CLOCK.monotonic()
    pace.release()
    assert await waiting
    assert SYSTEM_CLOCK.monotonic() - started < 0.5


class Hands:
    """A clock that moves when it is told to, or slept on."""

    def __init__(self) -> None:
        self.now = 0.0

    @property
    def clock(self) -> Clock:
        async def sleep(seconds: float) -> None:
            self.now += seconds

        return Clock(now=SYSTEM_CLOCK.now, monotonic=lambda: self.now, sleep=sleep)


def test_the_first_429_lowers_nothing_and_the_next_soon_after_do() -> None:
    hands = Hands()
    pace = Pace(Rate(100), hands.clock)
    lowered = []
    for seconds in (1, 5, 5, REPEATED_S + 1):
        hands.now += seconds
        lowered.append((pace.throttled(), round(pace.rate.per_second)))
    assert lowered == [(False, 100), (True, 70), (True, 49), (False, 49)]


def test_a_wait_that_was_asked_for_does_not_count_as_time_that_went_well() -> None:
    hands = Hands()
    pace = Pace(Rate(100), hands.clock)
    pace.throttled()
    pace.hold(600)
    hands.now += 601
    assert pace.throttled()


def test_a_lowered_rate_rises_step_by_step_to_the_full_one_and_never_above() -> None:
    hands = Hands()
    pace = Pace(Rate(100), hands.clock)
    pace.throttled()
    hands.now += 1
    pace.throttled()
    rates = []
    for _ in range(100):
        hands.now += 1
        if pace.raised():
            rates.append(round(pace.rate.per_second))
    assert rates == [75, 80, 85, 90, 95, 100]


def test_however_often_it_is_throttled_something_still_goes() -> None:
    hands = Hands()
    pace = Pace(Rate(100), hands.clock)
    for _ in range(50):
        hands.now += 1
        pace.throttled()
    assert pace.rate.per_second == pytest.approx(2)


@pytest.mark.parametrize("text", ["90/min", "2.5/s"])
async def test_a_rate_that_is_no_whole_number_a_second_is_not_rounded_down(text: str) -> None:
    hands = Hands()
    pace = Pace(Rate.parse(text), hands.clock)
    assert await pace.take()
    hands.now += pace.next_in()
    assert await pace.take()  # would else sleep on our clock until a whole second is over
    assert hands.now == pytest.approx(1 / Rate.parse(text).per_second, rel=0.05)
