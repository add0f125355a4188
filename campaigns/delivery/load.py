"""How many requests at once the rate needs: the rate times the time that one takes (Little's law)."""

import math
from typing import Final

HEADROOM: Final = 1.5  #: over what the fastest requests need, since most are slower
FEWEST: Final = 32  #: so many are allowed in any case
SPAN_S: Final = 10.0  #: the fastest request of the last one to two such spans counts
WEIGHT: Final = 0.1  #: of the last request in the averages
FIRST_S: Final = 0.1  #: taken for the time of a request before one was answered


class Load:
    """What requests cost of late: seconds and units each, and so how many are needed at once."""

    def __init__(self, most: int, now: float) -> None:
        """`most` requests at once are allowed; `now` is of a monotonic clock."""
        self.request_s = FIRST_S  #: how long one takes, on average
        self.units = 1.0  #: how many units of the rate one counts, on average
        self._most = most
        self._fastest = self._fastest_before = math.inf
        self._span_began = now

    def add(self, seconds: float, units: int, now: float) -> None:
        """A request was answered, at `now` of the same clock."""
        self.request_s += WEIGHT * (seconds - self.request_s)
        self.units += WEIGHT * (units - self.units)
        if now - self._span_began > SPAN_S:
            self._span_began, self._fastest_before, self._fastest = now, self._fastest, seconds
        self._fastest = min(self._fastest, seconds)

    def at_once(self, units_per_s: float) -> int:
        """How many requests to allow at once, so that the rate is met."""
        # The fastest, since the average grows with the requests at once where the provider queues them.
        fastest = min(self._fastest, self._fastest_before)
        needed = HEADROOM * (fastest if math.isfinite(fastest) else FIRST_S) * units_per_s / self.units
        return min(self._most, max(FEWEST, math.ceil(needed)))

    def per_second(self, units_per_s: float) -> float:
        """How many requests a second go at that rate."""
        return min(units_per_s / self.units, self.at_once(units_per_s) / self.request_s)
