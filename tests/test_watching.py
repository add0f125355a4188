"""Looking on: look by look until nothing is left to do, and never at the sender's cost."""

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, repeat

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import InputError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import settle
from campaigns.ledger.leases import Owner, acquire
from campaigns.ledger.messages import claim_due, finish
from campaigns.model import CampaignState, CampaignStatus, Claim, MessageEvent, Outcome
from campaigns.pausing import cancel, pause
from campaigns.watching import watch
from tests.builders import a_campaign, a_chunk


def watched(ledger: Ledger, *steps: Callable[[], object]) -> list[CampaignStatus]:
    """What is seen where one step is done in each wait between two looks; a wait too many is an error."""
    following = iter(steps)
    return list(watch(ledger, "inbjudan", wait=lambda _seconds: next(following)()))


def send_next(ledger: Ledger, owner: Owner) -> Claim:
    with ledger.write() as connection:
        assert acquire(connection, "sandbox", owner, SYSTEM_CLOCK.now_ms()) is None
        [claim] = claim_due(connection, "sandbox", "x", 1, SYSTEM_CLOCK.now_ms())
    return claim


def answer(ledger: Ledger, claim: Claim) -> None:
    with ledger.write() as connection:
        finish(connection, [Outcome(claim=claim, event=MessageEvent.ACCEPT)], SYSTEM_CLOCK.now_ms())
        settle(connection, "sandbox")


def test_each_look_sees_how_far_it_is_and_the_last_one_the_end(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(3, skipped=[1]))
    owner = Owner.here()
    step = lambda: answer(ledger, send_next(ledger, owner))  # noqa: E731 - one step, twice
    seen = watched(ledger, step, step)
    assert [status.counts["accepted"] for status in seen] == [0, 1, 2]
    assert [status.state for status in seen] == [CampaignState.READY, CampaignState.RUNNING, CampaignState.DONE]
    assert [status.counts["rows"] for status in seen] == [3, 3, 3]
    assert seen[-1].reasons["skipped"] == {"duplicate": 1}


@pytest.mark.parametrize("do", [pause, cancel])
def test_what_is_held_is_watched_until_what_was_on_its_way_has_an_outcome(
    ledger: Ledger, do: Callable[[Ledger, str], object]
) -> None:
    a_campaign(ledger)
    claim = send_next(ledger, Owner.here())
    seen = watched(ledger, lambda: do(ledger, "inbjudan"), lambda: answer(ledger, claim))
    assert [(status.counts["sending"], status.counts["accepted"]) for status in seen] == [(1, 0), (1, 0), (0, 1)]


def test_nothing_is_waited_for_that_a_dead_sender_had_on_its_way(ledger: Ledger) -> None:
    a_campaign(ledger)
    owner = Owner.here()
    send_next(ledger, owner)
    pause(ledger, "inbjudan")
    with ledger.write() as connection:
        connection.exec_driver_sql(f"UPDATE leases SET owner = '{replace(owner, started=1.0)}'")
    [only] = watched(ledger)
    assert only.counts["sending"] == 1


def test_most_of_the_time_nothing_is_looked_at(place: Ledger) -> None:
    a_campaign(place)
    moments = chain([0.0, 0.01, 10.0, 10.5], repeat(20.0))  # a look of 10 ms, then one of 500 ms
    clock = replace(SYSTEM_CLOCK, monotonic=lambda: next(moments))
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            cancel(place, "inbjudan")

    list(watch(place, "inbjudan", clock=clock, wait=wait))
    assert waits == [1.0, 5.0]


def test_a_campaign_that_is_not_there_is_named_with_the_nearest(place: Ledger) -> None:
    a_campaign(place)
    with pytest.raises(InputError, match='There is no campaign "inbjudn"'):
        next(watch(place, "inbjudn"))
