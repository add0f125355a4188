"""What the answers of a provider mean for the whole account: a wait, a lower rate, one probe at a time, the end."""

import logging
from typing import Final, Protocol

from campaigns.clock import Clock
from campaigns.delivery.backoff import back_off
from campaigns.delivery.breaker import Breaker
from campaigns.delivery.pace import Pace
from campaigns.errors import AccountProblem, BatchRefused, NotTaken, ProviderError, Throttled
from campaigns.model import Rate

log = logging.getLogger(__name__)

PROBE_S: Final = 120.0  #: everybody else waits for the answer to a probe, but no longer


class AccountListener(Protocol):
    """Who is told what becomes of the account's pace."""

    def held(self, seconds: float, error: NotTaken) -> None:
        """Nobody may go for so long, and why."""

    def paced(self, rate: Rate) -> None:
        """The rate is another one from now on, since the provider throttles or does so no more."""


class Health:
    """Holds the pace, and lowers and raises its rate, as the provider answers."""

    def __init__(self, pace: Pace, clock: Clock, listener: AccountListener) -> None:
        self.problem: ProviderError | None = None  #: for which no message of the account can go
        self._pace = pace
        self._clock = clock
        self._listener = listener
        self._breaker = Breaker()
        self._throttled = 0  # 429 in a row
        self._throttled_at = clock.monotonic()  # when the last of them came

    @property
    def is_probing(self) -> bool:
        """Whether the provider cannot be reached, so that one request goes at a time and no tries are used up."""
        return self._breaker.is_open

    def starting(self) -> None:
        """A request begins: a probe is the only one until it is answered."""
        if self._breaker.is_open:
            self._pace.hold(PROBE_S)

    def answered(self) -> None:
        """A request ended well, whatever became of its messages."""
        self._throttled = 0
        self._reached()

    def note(self, error: ProviderError, started: float) -> None:
        """A request that began at `started` of the monotonic clock ended in an error."""
        if isinstance(error, AccountProblem):
            self.problem = self.problem or error
        elif isinstance(error, Throttled):
            self._reached()
            self._throttle(error, started)
        elif isinstance(error, NotTaken) and not isinstance(error, BatchRefused):
            self._miss(error, started)
        else:
            self._reached()

    def _reached(self) -> None:
        if self._breaker.is_open:
            log.info("breaker closed")
            self._pace.release()
        if self._breaker.streak:
            self._breaker.reached()
        if self._pace.raised():
            self._listener.paced(self._pace.rate)

    def _throttle(self, error: Throttled, started: float) -> None:
        if started > self._throttled_at:  # those that had left before the last 429 say nothing new
            self._throttled_at = self._clock.monotonic()
            self._throttled += 1
            if self._pace.throttled():
                self._listener.paced(self._pace.rate)
        self._hold(error, self._throttled)

    def _miss(self, error: NotTaken, started: float) -> None:
        """A request surely reached nobody who could take it."""
        if self._breaker.missed(started, self._clock.monotonic()):
            if self._breaker.gives_up:
                self.problem = self.problem or error
            if self._breaker.probes == 1:
                log.info("breaker opened", extra={"in_a_row": self._breaker.streak, "reason": error.what})
            self._pace.release()  # who waits for the answer to this probe
            self._hold(error, self._breaker.probes)
        elif error.retry_after is not None:
            self._hold(error, self._breaker.streak)

    def _hold(self, error: NotTaken, times: int) -> None:
        asked = error.retry_after is not None
        seconds = error.retry_after if error.retry_after is not None else back_off(times)
        if self._pace.hold(seconds, asked=asked):
            self._listener.held(seconds, error)
