"""What a dead planner left is removed by the next command, also where two come at once or it lives after all."""

from campaigns.clock import SYSTEM_CLOCK
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import (
    add_campaign,
    find_dead_plans,
    find_status,
    make_ready,
    planning_lease,
    remove_dead_plans,
    remove_plan,
)
from campaigns.ledger.leases import Owner, is_held
from campaigns.ledger.rows import add_messages, add_rows
from campaigns.model import CampaignId, CampaignState
from tests.builders import a_chunk, a_new_campaign
from tests.racing import start_behind
from tests.test_pipeline import sizes

LATER_MS = 60_000  #: by then a planner that is not heard of counts as dead


def a_silent_plan(ledger: Ledger, name: str = "silent") -> tuple[CampaignId, Owner]:
    """A plan of three rows whose planner lives but sleeps."""
    planner = Owner.here()
    with ledger.write() as connection:
        campaign_id = add_campaign(connection, name, a_new_campaign(), planner)
        assert campaign_id is not None
        add_rows(connection, campaign_id, a_chunk())
        add_messages(connection, campaign_id, -1, 0)
    return campaign_id, planner


def remove_all_dead(ledger: Ledger) -> None:
    """As the next command does, a minute later."""
    with ledger.write() as connection:
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + LATER_MS)


def test_two_commands_that_remove_the_same_plans_at_once_do_not_hinder_each_other(ledger: Ledger) -> None:
    for name in ("one", "two", "three"):
        a_silent_plan(ledger, name)
    with ledger.write() as connection:
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + LATER_MS)
        other = start_behind(ledger, lambda: remove_all_dead(ledger))
    other.result(30)
    assert sizes(ledger) == [0, 0, 0]


def test_the_name_of_a_plan_that_another_command_is_removing_is_free_once_that_is_done(ledger: Ledger) -> None:
    silent, _ = a_silent_plan(ledger, "lista")

    def add_another() -> CampaignId | None:
        with ledger.write() as connection:
            return add_campaign(connection, "lista", a_new_campaign(), Owner.here())

    with ledger.write() as connection:
        remove_plan(connection, silent)
        other = start_behind(ledger, add_another)
    assert other.result(30) not in (None, silent)
    assert sizes(ledger) == [1, 0, 0]


def test_a_plan_that_becomes_ready_while_it_is_taken_for_dead_stays_whole(ledger: Ledger) -> None:
    campaign_id, planner = a_silent_plan(ledger)
    with ledger.write() as connection:
        assert find_dead_plans(connection, SYSTEM_CLOCK.now_ms() + LATER_MS) == [campaign_id]
        assert make_ready(connection, campaign_id, planner, "hash")
        other = start_behind(ledger, lambda: remove_all_dead(ledger))
    other.result(30)
    with ledger.read() as connection:
        status = find_status(connection, "silent")
    assert status is not None
    assert status.state is CampaignState.READY
    assert sizes(ledger) == [1, 3, 3]


def test_a_planner_that_wakes_while_its_plan_is_removed_cannot_make_it_ready(ledger: Ledger) -> None:
    campaign_id, planner = a_silent_plan(ledger)

    def wake() -> bool:
        with ledger.write() as connection:
            return make_ready(connection, campaign_id, planner, "hash")

    with ledger.write() as connection:
        remove_dead_plans(connection, SYSTEM_CLOCK.now_ms() + LATER_MS)
        late = start_behind(ledger, wake)
    assert late.result(30) is False
    assert sizes(ledger) == [0, 0, 0]


def test_rows_that_a_planner_is_adding_while_it_is_taken_for_dead_are_removed_too(ledger: Ledger) -> None:
    campaign_id, planner = a_silent_plan(ledger)
    with ledger.write() as connection:
        assert is_held(connection, planning_lease(campaign_id), planner)
        add_rows(connection, campaign_id, a_chunk(2, first_row=50))
        other = start_behind(ledger, lambda: remove_all_dead(ledger))
        add_messages(connection, campaign_id, 49, 0)
    other.result(30)
    assert sizes(ledger) == [0, 0, 0]
    with ledger.write() as connection:
        assert not is_held(connection, planning_lease(campaign_id), planner)
