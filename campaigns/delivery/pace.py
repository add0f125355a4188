"""The pace of one account: no window of one second holds more than its rate allows.

A full bucket of aiolimiter lets twice the rate into a window, so a small bucket spreads the permits, and a ring of the
last times guards the window. Asked last, right before the request: a wait between the two would bunch requests up.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

from aiolimiter import AsyncLimiter

from campaigns.clock import Clock
from campaigns.model import Rate

AHEAD_S: Final = 0.004  #: permits are drawn for this much time at once: uvloop's clock steps by a millisecond
MARGIN: Final = 0.985  #: of the rate, so that jitter on the way to the wire does not break the window


def window_s(rate: Rate) -> float:
    """The span in seconds that holds no more than the rate: one second, or as long as one unit takes."""
    return max(1.0, 1 / rate.per_second)


class Pace:
    """Permits for one account; all its senders share one Pace. Closed, it gives no more permits."""

    def __init__(
        self, rate: Rate, clock: Clock, on_hold: Callable[[float], None] | None = None, *, wait_s: float = 0.0
    ) -> None:
        """`on_hold` is told of each wait that the provider asks for; `wait_s` is waited before the first permit."""
        self.rate = rate
        self._clock = clock
        self._on_hold = on_hold
        per_second = rate.per_second
        bucket = 1 + AHEAD_S * per_second
        self._limiter = AsyncLimiter(bucket, bucket / (MARGIN * per_second))
        self._drawn = 0
        self._batch = max(1, int(AHEAD_S * per_second))
        self._window_s = window_s(rate)
        self._taken: deque[float] = deque(maxlen=max(1, int(per_second)))
        self._held_until = clock.monotonic() + wait_s
        self._turn = asyncio.Lock()
        self._wait: asyncio.Timeout | None = None
        self._closed = False

    async def take(self, units: int = 1) -> bool:
        """Wait until `units` more may go; False when the pace was closed instead. More units than a second allows wait
        as long as they are worth."""
        async with self._turn:
            try:
                for _ in range(units):
                    await self._take_one()
            except TimeoutError:  # closed while it waited
                return False
            return not self._closed

    def put_back(self, units: int) -> None:
        """Take back permits that were not used: who asks next has them at once."""
        self._drawn += units
        for _ in range(min(units, len(self._taken))):
            self._taken.pop()

    def hold(self, seconds: float) -> None:
        """Let nobody go for so long: the provider asked for it."""
        until = self._clock.monotonic() + seconds
        if until > self._held_until:
            self._held_until = until
            if self._on_hold is not None:
                self._on_hold(seconds)

    def is_held(self) -> bool:
        """Whether the provider asked for a wait that is not over."""
        return self._held_until > self._clock.monotonic()

    def close(self) -> None:
        """Give no more permits, and end the wait of who waits for one."""
        self._closed = True
        if self._wait is not None:
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def _take_one(self) -> None:
        await self._draw()
        while (pause := self._pause()) > 0:
            await self._interruptible(self._clock.sleep(pause))
        self._taken.append(self._clock.monotonic())

    async def _draw(self) -> None:
        if self._drawn == 0:
            if self._limiter.has_capacity(self._batch):
                await self._limiter.acquire(self._batch)
            else:
                await self._interruptible(self._limiter.acquire(self._batch))
            self._drawn = self._batch
        self._drawn -= 1

    def _pause(self) -> float:
        now = self._clock.monotonic()
        full = len(self._taken) == self._taken.maxlen
        window = self._taken[0] + self._window_s - now if full else 0.0
        return 0.0 if self._closed else max(window, self._held_until - now)

    async def _interruptible(self, step: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(0 if self._closed else None) as self._wait:
                await step
        finally:
            self._wait = None
