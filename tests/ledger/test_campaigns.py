from dataclasses import replace

import pytest
from sqlalchemy import func, select

from campaigns.clock import SYSTEM_CLOCK
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import (
    ACTIVE,
    add_campaign,
    count_open,
    count_outcomes,
    find_status,
    free_name,
    is_open,
    list_statuses,
    make_ready,
    move,
    pause_account,
    planning_lease,
    remove_dead_plans,
    remove_plan,
    settle,
)
from campaigns.ledger.leases import Owner, is_held
from campaigns.ledger.messages import claim_due, finish, release_held
from campaigns.ledger.schema import campaigns, messages, rows
from campaigns.model import COUNT_KEYS, CampaignState, MessageEvent, MessageState, Outcome
from tests.builders import a_campaign, a_chunk, a_new_campaign


def _sizes(ledger: Ledger) -> list[int]:
    with ledger.read() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) for table in (campaigns, rows, messages)]


def test_a_planned_campaign_is_seen_by_nobody_until_it_is_ready(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger, ready=False)
    with ledger.write() as connection:
        assert find_status(connection, "inbjudan") is None
        assert list_statuses(connection) == []
        assert claim_due(connection, "sandbox", "x", 10, SYSTEM_CLOCK.now_ms()) == []
        assert not move(connection, campaign_id, ACTIVE, CampaignState.PAUSED)


def test_counts_have_every_key_and_add_up_to_the_rows(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(5, skipped=[1, 3]))
    with ledger.read() as connection:
        status = find_status(connection, "inbjudan")
    assert status is not None
    assert tuple(status.counts) == COUNT_KEYS
    assert status.counts["rows"] == 5
    assert sum(figure for key, figure in status.counts.items() if key != "rows") == 5
    assert status.reasons["skipped"] == {"duplicate": 2}


def test_a_campaign_is_found_by_its_name_and_by_its_id(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger)
    with ledger.read() as connection:
        by_name, by_id = find_status(connection, "inbjudan"), find_status(connection, str(campaign_id))
        assert by_name == by_id
        assert by_name is not None
        assert find_status(connection, "nowhere") is None


def test_a_taken_name_gets_the_first_free_number(ledger: Ledger) -> None:
    for name in ("rea", "rea-2", "rea_x", "reaktor"):
        a_campaign(ledger, name=name)
    with ledger.read() as connection:
        assert free_name(connection, "rea") == "rea-3"
        assert free_name(connection, "re") == "re"
        assert free_name(connection, "r%") == "r%"


def test_a_second_campaign_of_one_name_is_refused(ledger: Ledger) -> None:
    a_campaign(ledger)
    with ledger.write() as connection:
        assert add_campaign(connection, "inbjudan", a_new_campaign(), Owner.here()) is None
    assert _sizes(ledger) == [1, 3, 3]


def test_a_plan_that_is_taken_back_leaves_nothing(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger, ready=False)
    with ledger.write() as connection:
        remove_plan(connection, campaign_id)
    assert _sizes(ledger) == [0, 0, 0]


def test_a_campaign_that_is_ready_cannot_be_taken_back(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger)
    with ledger.write() as connection:
        remove_plan(connection, campaign_id)
    assert _sizes(ledger) == [1, 3, 3]


def test_what_a_killed_planner_left_is_removed_and_a_living_ones_plan_stays(ledger: Ledger) -> None:
    living = a_campaign(ledger, ready=False, name="living")
    dead = replace(Owner.here(), started=1.0)  # a process of this id that started in 1970 is gone
    with ledger.write() as connection:
        add_campaign(connection, "dead", a_new_campaign(), dead)
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms())
    with ledger.read() as connection:
        assert connection.scalars(select(campaigns.c.id)).all() == [living]


def test_a_plan_without_a_heartbeat_for_ten_seconds_counts_as_dead(ledger: Ledger) -> None:
    a_campaign(ledger, ready=False)
    with ledger.write() as connection:
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + 9_000)
    assert _sizes(ledger)[0] == 1
    with ledger.write() as connection:
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + 11_000)
    assert _sizes(ledger) == [0, 0, 0]


def test_a_plan_that_was_taken_for_dead_cannot_be_made_ready(ledger: Ledger) -> None:
    planner = Owner.here()
    with ledger.write() as connection:
        campaign_id = add_campaign(connection, "slow", a_new_campaign(), planner)
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + 60_000)
    with ledger.write() as connection:
        assert not make_ready(connection, campaign_id, planner, "hash")


def test_a_planner_whose_plan_was_removed_does_not_hold_its_lease_any_more(ledger: Ledger) -> None:
    planner = Owner.here()
    with ledger.write() as connection:
        campaign_id = add_campaign(connection, "slow", a_new_campaign(), planner)
        assert is_held(connection, planning_lease(campaign_id), planner)
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + 60_000)
        assert not is_held(connection, planning_lease(campaign_id), planner)


def test_a_number_that_is_too_large_for_an_id_finds_nothing(ledger: Ledger) -> None:
    with ledger.read() as connection:
        assert find_status(connection, "9" * 30) is None


def test_outcomes_are_counted_without_what_is_still_to_go(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger, a_chunk(4, skipped=[3]))
    now = SYSTEM_CLOCK.now_ms()
    with ledger.write() as connection:
        first, second = claim_due(connection, "sandbox", "x", 2, now)
        finish(connection, [Outcome(claim=first, event=MessageEvent.ACCEPT)], now)
        assert count_outcomes(connection, campaign_id) == {MessageState.ACCEPTED: 1}
        finish(connection, [Outcome(claim=second, event=MessageEvent.LOSE)], now)
        assert count_outcomes(connection, campaign_id) == {MessageState.ACCEPTED: 1, MessageState.UNKNOWN: 1}


def test_a_limit_holds_the_rest_back_until_it_is_released(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger, a_chunk(5), limit=2)
    now = SYSTEM_CLOCK.now_ms() + 1
    with ledger.write() as connection:
        assert count_open(connection, campaign_id) == 2
        claims = claim_due(connection, "sandbox", "x", 10, now)
        assert [claim.row for claim in claims] == [2, 3]
        finish(connection, [Outcome(claim=claim, event=MessageEvent.ACCEPT) for claim in claims], now)
        assert not is_open(connection, campaign_id, now)
        settle(connection, "sandbox")
        status = find_status(connection, "inbjudan")
        assert status is not None
        assert (status.state, status.reason.partition(":")[0]) == (CampaignState.PAUSED, "limit")
        move(connection, campaign_id, (CampaignState.PAUSED,), CampaignState.RUNNING)
        release_held(connection, campaign_id)
        assert [claim.row for claim in claim_due(connection, "sandbox", "x", 10, now)] == [4, 5, 6]


@pytest.mark.parametrize("state", [CampaignState.RUNNING, CampaignState.PAUSED])
def test_a_campaign_is_done_when_no_message_is_left(ledger: Ledger, state: CampaignState) -> None:
    campaign_id = a_campaign(ledger)
    now = SYSTEM_CLOCK.now_ms() + 1
    with ledger.write() as connection:
        claims = claim_due(connection, "sandbox", "x", 10, now)
        move(connection, campaign_id, (CampaignState.RUNNING,), state)
        settle(connection, "sandbox")
        running = find_status(connection, "inbjudan")
        finish(connection, [Outcome(claim=claim, event=MessageEvent.REJECT, reason="no") for claim in claims], now)
        settle(connection, "sandbox")
        done = find_status(connection, "inbjudan")
    assert running is not None
    assert done is not None
    assert (running.state, done.state) == (state, CampaignState.DONE)
    assert done.counts[MessageState.REJECTED] == 3
    assert done.reasons[MessageState.REJECTED] == {"no": 3}


def test_a_pause_of_an_account_leaves_other_accounts_alone(ledger: Ledger) -> None:
    a_campaign(ledger, name="one")
    a_campaign(ledger, name="other", account="soluno")
    with ledger.write() as connection:
        pause_account(connection, "sandbox", "account_problem: no credit")
        states = {status.name: (status.state, status.reason) for status in list_statuses(connection)}
    assert states == {
        "one": (CampaignState.PAUSED, "account_problem: no credit"),
        "other": (CampaignState.READY, ""),
    }
