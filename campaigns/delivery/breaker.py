"""A circuit breaker: where requests surely reach nobody, one is tried now and then instead of burning tries."""

from dataclasses import dataclass
from typing import Final

MOST_IN_A_ROW: Final = 5  #: requests that reached nobody before it opens
MOST_PROBES: Final = 12  #: that reach nobody before the account is given up: with waits up to a minute, some minutes


@dataclass(slots=True)
class Breaker:
    """Closed, requests go as the pace allows; open, one at a time, each after a longer wait.

    The breakers that packages offer raise an error at the call that they refuse; here the pace holds it instead.
    """

    streak: int = 0  #: requests that reached nobody, since the last that reached somebody
    probes: int = 0  #: of them, since it opened
    opened_at: float | None = None  #: of the monotonic clock; None: closed

    @property
    def is_open(self) -> bool:
        """Whether only probes go."""
        return self.opened_at is not None

    @property
    def gives_up(self) -> bool:
        """Whether probes enough reached nobody."""
        return self.probes >= MOST_PROBES

    def missed(self, started: float, now: float) -> bool:
        """A request begun at `started` reached nobody; returns whether all must wait for the next probe from now on.

        Those that had left before it opened come back too, and say nothing new.
        """
        if self.opened_at is not None and started <= self.opened_at:
            return False
        self.streak += 1
        if self.opened_at is None and self.streak < MOST_IN_A_ROW:
            return False
        self.opened_at = now
        self.probes += 1
        return True

    def reached(self) -> None:
        """A request reached the provider: it is closed."""
        self.streak = self.probes = 0
        self.opened_at = None
