import pytest

from campaigns.delivery.failures import FailureStreaks
from campaigns.delivery.stop import INTERRUPTED
from campaigns.model import CampaignId, MessageEvent, Outcome
from tests.delivery.test_dispatch import a_claim

ONE = CampaignId(1)


def _outcomes(event: MessageEvent, count: int, reason: str = "number_blocked") -> list[Outcome]:
    return [Outcome(claim=a_claim(row), event=event, reason=reason) for row in range(count)]


def test_so_many_failures_in_a_row_as_the_campaign_bears_pause_it() -> None:
    streaks = FailureStreaks()
    assert streaks.add(_outcomes(MessageEvent.REJECT, 2), {ONE: 3}) == {}
    assert streaks.add(_outcomes(MessageEvent.REJECT, 1), {ONE: 3}) == {
        ONE: "too_many_failures: 3 messages in a row were rejected, all as number_blocked"
    }


@pytest.mark.parametrize("event", [MessageEvent.REJECT, MessageEvent.FAIL, MessageEvent.LOSE])
def test_a_campaign_that_is_resumed_bears_as_many_anew(event: MessageEvent) -> None:
    streaks = FailureStreaks()
    for _ in range(2):
        assert streaks.add(_outcomes(event, 2), {ONE: 3}) == {}
        assert list(streaks.add(_outcomes(event, 1), {ONE: 3})) == [ONE]


def test_an_accepted_message_between_them_ends_the_row() -> None:
    streaks = FailureStreaks()
    for event in (MessageEvent.REJECT, MessageEvent.ACCEPT, MessageEvent.REJECT):
        assert streaks.add(_outcomes(event, 2), {ONE: 3}) == {}


def test_what_the_user_cut_off_is_no_failure_and_a_limit_of_0_never_pauses() -> None:
    assert FailureStreaks().add(_outcomes(MessageEvent.LOSE, 30, INTERRUPTED), {ONE: 3}) == {}
    streaks = FailureStreaks()
    assert streaks.add(_outcomes(MessageEvent.REJECT, 300), {ONE: 0}) == {}
    assert not any(streaks.streaks.values())  # a million of them would fill the memory
