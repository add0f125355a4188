"""The time, as a value that is handed down: nothing else in the package asks the system for it."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` is the wall clock (aware UTC), `sleep` waits seconds.

    `monotonic` counts seconds, also those of a machine that is asleep, and never goes back.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]

    def now_ms(self) -> int:
        """Milliseconds since the epoch, the ledger's unit."""
        return to_ms(self.now())


def to_ms(moment: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime."""
    return round(moment.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """The aware UTC datetime of milliseconds since the epoch."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def _monotonic() -> Callable[[], float]:
    """What has been waiting since before the machine fell asleep is old, though Python's own clock stood still."""
    # macOS: mach_continuous_time. Windows counts the time asleep anyway.
    name = "CLOCK_MONOTONIC_RAW" if sys.platform == "darwin" else "CLOCK_BOOTTIME"
    try:
        read = partial(time.clock_gettime, getattr(time, name))
        read()
    except (AttributeError, OSError):  # no such clock here
        return time.monotonic
    return read


SYSTEM_CLOCK = Clock(now=lambda: datetime.now(UTC), monotonic=_monotonic(), sleep=asyncio.sleep)
