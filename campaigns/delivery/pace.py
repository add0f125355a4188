"""The pace of one account: no window of one second holds more than its rate allows.

A full bucket of aiolimiter lets twice the rate into a window, so a small bucket spreads the permits, and the moments of
the last second guard the window. Asked last, right before the request: a wait between the two would bunch requests up.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Final

from aiolimiter import AsyncLimiter

from campaigns.clock import Clock
from campaigns.model import Rate

AHEAD_S: Final = 0.004  #: permits are drawn for this much time at once: uvloop's clock steps by a millisecond
MARGIN: Final = 0.985  #: of the rate, so that jitter on the way to the wire does not break the window
PATIENCE_S: Final = 1.0  #: who would be held for longer is sent away: a claim should not wait for so long
REPEATED_S: Final = 60.0  #: a 429 so soon after the last lowers the rate
LOWERED_TO: Final = 0.7  #: of what it was
LOWEST: Final = 0.02  #: of the full rate
RAISED_BY: Final = 0.05  #: of the full rate, and so often
RAISED_EVERY_S: Final = 10.0


def window_s(rate: Rate) -> float:
    """The span in seconds that holds no more than the rate: one second, or as long as one unit takes."""
    return max(1.0, 1 / rate.per_second)


class Pace:
    """Permits for one account; all its senders share one Pace. Closed, it gives no more permits.

    Repeated 429 lower the rate by a factor; later it rises again step by step up to the full one.
    """

    def __init__(self, rate: Rate, clock: Clock, *, wait_s: float = 0.0) -> None:
        """`wait_s` is waited before the first permit."""
        self.full = rate
        self._clock = clock
        self._held_until = self._asked_until = clock.monotonic() + wait_s
        self._taken: deque[float] = deque()  # the moments of the permits in the window
        self._turn = asyncio.Lock()
        self._wait: asyncio.Timeout | None = None
        self._closed = False
        self._throttled_at: float | None = None
        self._next_raise = 0.0
        self._set_rate(rate)

    def take_at_once(self, units: int = 1) -> bool:
        """Take permits that are there and nobody waits for, as at a high rate most are; False where one must wait."""
        if self._turn.locked() or self._closed or not units <= min(self._drawn, self._most) or self._pause(units) > 0:
            return False
        self._drawn -= units
        self._taken.extend([self._clock.monotonic()] * units)
        return True

    async def take(self, units: int = 1) -> bool:
        """Wait until `units` more may go; False where the pace was closed instead, or a long hold began.

        More units than a second allows wait as long as they are worth.
        """
        async with self._turn:
            for _ in range(units):
                while not self._sends_away() and not await self._draw():
                    pass
            # They leave together, so that the window must have room for all of them at once.
            while not self._sends_away() and (pause := self._pause(min(units, self._most))) > 0:
                await self._interruptible(self._clock.sleep(pause))
            if self._sends_away():
                return False
            self._taken.extend([self._clock.monotonic()] * units)
            return True

    def put_back(self, units: int) -> None:
        """Take back permits that were not used: who asks next has them at once."""
        self._drawn += units
        for _ in range(min(units, len(self._taken))):
            self._taken.pop()

    def hold(self, seconds: float, *, asked: bool = False) -> bool:
        """Let nobody go for so long; False where they are held for longer already.

        What the provider `asked` for no release ends.
        """
        until = self._clock.monotonic() + seconds
        is_longer = until > self._held_until
        self._held_until = max(until, self._held_until)
        if asked:
            self._asked_until = max(until, self._asked_until)
        self._interrupt()
        return is_longer

    def release(self) -> None:
        """End the hold."""
        self._held_until = self._asked_until
        self._interrupt()

    def next_in(self) -> float:
        """Seconds until somebody may go: of a hold, or to the next permit at a rate that gives one in a while."""
        now, spacing = self._clock.monotonic(), 1 / (MARGIN * self.rate.per_second)
        next_at = self._taken[-1] + spacing if self._taken else now
        return max(next_at, self._held_until) - now

    def throttled(self) -> bool:
        """The provider answered 429; returns whether the rate is lower for it: the first is only waited for."""
        now, last = self._clock.monotonic(), self._throttled_at
        self._throttled_at = now
        if last is None or now - max(last, self._held_until) > REPEATED_S:
            return False
        lower = max(self.rate.per_second * LOWERED_TO, self.full.per_second * LOWEST)
        self._next_raise = now + RAISED_EVERY_S
        self._set_rate(Rate(lower))
        return True

    def raised(self) -> bool:
        """Whether the rate has just risen a step, since it has gone well for a while."""
        if self.rate.per_second == self.full.per_second:
            return False
        now = self._clock.monotonic()
        if now < max(self._next_raise, self._held_until):
            return False
        self._next_raise = now + RAISED_EVERY_S
        self._set_rate(Rate(min(self.full.per_second, self.rate.per_second + RAISED_BY * self.full.per_second)))
        return True

    def close(self) -> None:
        """Give no more permits, and end the wait of who waits for one."""
        self._closed = True
        self._interrupt()

    def _set_rate(self, rate: Rate) -> None:
        self.rate = rate
        bucket = 1 + AHEAD_S * rate.per_second
        self._limiter = AsyncLimiter(bucket, bucket / (MARGIN * rate.per_second))
        self._batch = max(1, int(AHEAD_S * rate.per_second))
        self._drawn = 0
        self._most = max(1, int(rate.per_second))
        self._window_s = self._most / rate.per_second  # which holds no more than that

    def _sends_away(self) -> bool:
        return self._closed or self._held_until - self._clock.monotonic() > PATIENCE_S

    async def _draw(self) -> bool:
        """Take one of the permits that were drawn; False where the wait for more was interrupted."""
        if self._drawn == 0:
            limiter, batch = self._limiter, self._batch
            if limiter.has_capacity(batch):
                await limiter.acquire(batch)
            elif not await self._interruptible(limiter.acquire(batch)) or limiter is not self._limiter:
                return False
            self._drawn = batch
        self._drawn -= 1
        return True

    def _pause(self, units: int) -> float:
        """Seconds until so many more fit into the window and nobody is held."""
        now = self._clock.monotonic()
        while self._taken and self._taken[0] <= now - self._window_s:
            self._taken.popleft()
        too_many = len(self._taken) + units - self._most
        window = self._taken[too_many - 1] + self._window_s - now if too_many > 0 else 0.0
        return max(window, self._held_until - now)

    def _interrupt(self) -> None:
        wait, self._wait = self._wait, None  # once: a timeout that has begun to end cannot be moved
        if wait is not None:
            wait.reschedule(asyncio.get_running_loop().time())

    async def _interruptible(self, step: Awaitable[None]) -> bool:
        """Wait for `step`; False where the wait was ended before."""
        try:
            async with asyncio.timeout(None) as self._wait:
                await step
        except TimeoutError:
            return False
        finally:
            self._wait = None
        return True
