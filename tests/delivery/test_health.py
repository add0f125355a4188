import pytest

from campaigns.delivery.breaker import MOST_IN_A_ROW
from campaigns.delivery.health import Health
from campaigns.delivery.pace import Pace
from campaigns.errors import NotTaken, ProviderError, Throttled
from campaigns.model import Rate
from tests.delivery.test_dispatch import Ear
from tests.delivery.test_pace import Hands


def a_health(hands: Hands) -> tuple[Health, Pace]:
    pace = Pace(Rate(100), hands.clock)
    hands.now += 1
    return Health(pace, hands.clock, Ear()), pace


@pytest.mark.parametrize("error", [NotTaken("busy", retry_after=30), Throttled("wait", retry_after=30)])
def test_a_wait_that_the_provider_asked_for_is_not_ended_by_an_answer_to_what_had_left_before(
    error: ProviderError,
) -> None:
    hands = Hands()
    health, pace = a_health(hands)
    for _ in range(MOST_IN_A_ROW):
        health.note(NotTaken("gone"), started=hands.now)
    health.note(error, started=hands.now)
    health.answered()
    assert pace.next_in() == 30


def test_who_waits_for_a_probe_may_go_when_it_is_answered() -> None:
    hands = Hands()
    health, pace = a_health(hands)
    for _ in range(MOST_IN_A_ROW):
        health.note(NotTaken("gone"), started=hands.now)
    hands.now += pace.next_in()
    health.starting()
    assert pace.next_in() > 60
    health.answered()
    assert pace.next_in() == 0
