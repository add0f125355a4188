"""How long to wait before another try, where the provider does not say."""

from typing import Final

from tenacity import RetryCallState, wait_random_exponential

LONGEST_S: Final = 60.0
SHORTEST_S: Final = 0.05

_FULL_JITTER: Final = wait_random_exponential(multiplier=1, max=LONGEST_S)


def back_off(tries: int) -> float:
    """Seconds before try number `tries` + 1: exponential with full jitter, 1, 2, 4, ... 60 at most."""
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]  # no call of its own: only the wait is asked
    state.attempt_number = tries
    return max(SHORTEST_S, _FULL_JITTER(state))
