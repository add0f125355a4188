"""Pause and cancel from another process: nothing more leaves within a second, and every row is accounted for."""

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import InputError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import get_status, move, settle
from campaigns.ledger.leases import Owner, acquire
from campaigns.ledger.messages import claim_due, finish
from campaigns.model import CampaignId, CampaignState, CampaignStatus, Claim, MessageEvent, Outcome
from campaigns.pausing import Change, cancel, pause
from campaigns.pipeline import resume
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.builders import a_campaign
from tests.crash.senders import Desk, Process, a_desk, check_all_accounted, put_to_sleep, wait_until
from tests.crash.senders import finish as finish_process

Do = Callable[[Ledger, str], Change]
CHANGES = pytest.mark.parametrize(("do", "state"), [(pause, CampaignState.PAUSED), (cancel, CampaignState.CANCELLED)])
COMMANDS = pytest.mark.parametrize(("words", "left"), [(["pause"], "planned"), (["cancel", "--yes"], "cancelled")])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in this process, so that it outlives the senders that are killed."""
    with embedded_sandbox(Misbehaviour(latency_s=0.005)) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    """Where the commands are typed."""
    return a_desk(tmp_path, str(tmp_path / "ledger.db"), sandbox.url, people=1500)


def change(desk: Desk, words: list[str]) -> str:
    """Give the command, which must do well; what it shows."""
    code, shown, _ = finish_process(desk.start(words[0], "lista", *words[1:]))
    assert code == 0
    return shown


def check_ended(sender: Process, desk: Desk, sandbox: Sandbox, left: str) -> None:
    """A sender whose campaign was changed from elsewhere ends with code 1, and all it did not send is `left`."""
    code, shown, _ = finish_process(sender)
    assert code == 1
    assert f" {'paused' if left == 'planned' else 'cancelled'} it at " in shown
    by_status = check_all_accounted(desk, sandbox.carrier.messages)
    assert set(by_status) == {"accepted", left}
    assert by_status["accepted"] == len(sandbox.carrier.messages)


@COMMANDS
def test_a_running_send_follows_within_what_was_in_flight(
    desk: Desk, sandbox: Sandbox, words: list[str], left: str
) -> None:
    sender = desk.send("--rate", "200/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    change(desk, words)
    at_the_change = len(sandbox.carrier.messages)
    check_ended(sender, desk, sandbox, left)
    in_flight, ahead = 32, 20  # of a 200/s rate, a tenth of a second
    assert len(sandbox.carrier.messages) <= at_the_change + in_flight + ahead


def test_a_message_that_waits_long_for_its_turn_does_not_leave_any_more(desk: Desk, sandbox: Sandbox) -> None:
    def first_is_accepted() -> bool:
        with closing(sqlite3.connect(desk.database)) as connection:
            return connection.execute("SELECT count(*) FROM messages WHERE state = 'accepted'").fetchone()[0] == 1

    sender = desk.send("--rate", "12/min")
    wait_until(lambda: len(sandbox.carrier.messages) == 1 and first_is_accepted(), sender)
    change(desk, ["cancel", "--yes"])
    check_ended(sender, desk, sandbox, "cancelled")
    assert len(sandbox.carrier.messages) == 1


def test_a_sender_that_sleeps_at_that_moment_follows_when_it_wakes(desk: Desk, sandbox: Sandbox) -> None:
    sender = desk.send("--rate", "200/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    put_to_sleep(sender, desk)
    assert "unknown" not in change(desk, ["pause"])
    sender.send_signal(signal.SIGCONT)
    check_ended(sender, desk, sandbox, "planned")


def test_what_a_killed_sender_had_on_its_way_is_unknown_and_not_forgotten(desk: Desk, sandbox: Sandbox) -> None:
    sender = desk.send("--rate", "200/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    put_to_sleep(sender, desk)
    sender.kill()
    sender.communicate()
    shown = change(desk, ["cancel", "--yes"])
    assert "  cancelled    left unsent\n" in shown
    assert "sending" not in shown
    finish_process(desk.start("report", "lista", "--to", "reports/lista.csv"))
    by_status = check_all_accounted(desk, sandbox.carrier.messages)
    assert set(by_status) - {"unknown"} == {"accepted", "cancelled"}
    assert by_status["accepted"] + by_status["unknown"] >= len(sandbox.carrier.messages)


def test_a_paused_campaign_goes_on_and_a_cancelled_one_never(desk: Desk, sandbox: Sandbox) -> None:
    sender = desk.send("--rate", "200/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    change(desk, ["pause"])
    check_ended(sender, desk, sandbox, "planned")
    again = desk.start("resume", "lista", "--yes", "--rate", "200/s")
    before = len(sandbox.carrier.messages)
    wait_until(lambda: len(sandbox.carrier.messages) > before, again)
    change(desk, ["cancel", "--yes"])
    check_ended(again, desk, sandbox, "cancelled")
    at_the_end = len(sandbox.carrier.messages)
    code, _, errors = finish_process(desk.start("resume", "lista", "--yes"))
    assert code == 2
    assert errors.startswith("error: lista is cancelled, and what is cancelled is never sent.\n")
    assert len(sandbox.carrier.messages) == at_the_end


def status_of(ledger: Ledger, campaign_id: CampaignId) -> CampaignStatus:
    with ledger.read() as connection:
        return get_status(connection, campaign_id)


def counts_of(ledger: Ledger, campaign_id: CampaignId) -> dict[str, int]:
    return {word: figure for word, figure in status_of(ledger, campaign_id).counts.items() if figure and word != "rows"}


def claim_one(ledger: Ledger, owner: Owner) -> Claim:
    """One message on its way, sent by `owner`."""
    now = SYSTEM_CLOCK.now_ms()
    with ledger.write() as connection:
        assert acquire(connection, "sandbox", owner, now) is None
        [claim] = claim_due(connection, "sandbox", "x", 1, now)
    return claim


@CHANGES
def test_a_second_time_changes_nothing_and_keeps_the_first_reason(ledger: Ledger, do: Do, state: CampaignState) -> None:
    campaign_id = a_campaign(ledger)
    first = do(ledger, "inbjudan")
    second = do(ledger, str(campaign_id))
    assert (first.changed, second.changed) == (True, False)
    assert first.status == second.status
    assert (first.status.state, first.status.reason.partition(":")[0]) == (state, "by_hand")


@CHANGES
@pytest.mark.parametrize("before", [CampaignState.DONE, CampaignState.CANCELLED])
def test_what_is_over_is_refused(ledger: Ledger, do: Do, state: CampaignState, before: CampaignState) -> None:
    campaign_id = a_campaign(ledger)
    with ledger.write() as connection:
        move(connection, campaign_id, tuple(CampaignState), before)
    if state is before:
        assert not do(ledger, "inbjudan").changed
        return
    with pytest.raises(InputError, match=f"inbjudan is {before}, so it cannot be {state}"):
        do(ledger, "inbjudan")
    assert status_of(ledger, campaign_id).state is before


@CHANGES
def test_a_campaign_that_is_not_there_is_named_with_the_nearest(ledger: Ledger, do: Do, state: CampaignState) -> None:
    a_campaign(ledger)
    a_campaign(ledger, name="planned", ready=False)
    for name, fix in (("inbjudn", "Write inbjudan."), ("planned", "campaigns list shows all.")):
        with pytest.raises(InputError, match=f'There is no campaign "{name}"') as error:
            do(ledger, name)
        assert error.value.fix == fix


def test_cancel_leaves_no_message_planned_and_touches_no_other_campaign(ledger: Ledger) -> None:
    campaign_id, other = a_campaign(ledger), a_campaign(ledger, name="other")
    assert counts_of(ledger, campaign_id) == {"planned": 3}
    assert cancel(ledger, "inbjudan").status.unsent == 0
    assert counts_of(ledger, campaign_id) == {"cancelled": 3}
    assert counts_of(ledger, other) == {"planned": 3}


@CHANGES
def test_what_a_living_sender_has_on_its_way_is_left_to_it(ledger: Ledger, do: Do, state: CampaignState) -> None:
    campaign_id = a_campaign(ledger)
    claim = claim_one(ledger, Owner.here())
    assert do(ledger, "inbjudan").status.counts["sending"] == 1
    with ledger.write() as connection:
        finish(connection, [Outcome(claim=claim, event=MessageEvent.ACCEPT)], SYSTEM_CLOCK.now_ms())
        settle(connection, "sandbox")
    assert status_of(ledger, campaign_id).state is state
    assert counts_of(ledger, campaign_id) == {"accepted": 1, "planned" if do is pause else "cancelled": 2}


@CHANGES
def test_what_a_dead_sender_left_on_its_way_is_unknown(ledger: Ledger, do: Do, state: CampaignState) -> None:
    a_campaign(ledger)
    claim_one(ledger, replace(Owner.here(), started=1.0))  # a process of this id that started in 1970 is gone
    counts = do(ledger, "inbjudan").status.counts
    assert (counts["sending"], counts["unknown"]) == (0, 1)


@pytest.mark.parametrize("event", [MessageEvent.RETRY, MessageEvent.GIVE_BACK])
def test_what_comes_back_to_a_cancelled_campaign_is_cancelled_when_its_sender_ends(
    ledger: Ledger, event: MessageEvent
) -> None:
    campaign_id = a_campaign(ledger)
    claim = claim_one(ledger, Owner.here())
    cancel(ledger, "inbjudan")
    with ledger.write() as connection:
        finish(connection, [Outcome(claim=claim, event=event, reason="not_taken")], SYSTEM_CLOCK.now_ms())
        settle(connection, "sandbox")
    assert counts_of(ledger, campaign_id) == {"cancelled": 3}
    assert set(status_of(ledger, campaign_id).reasons["cancelled"]) == {""}


async def test_resume_refuses_what_is_cancelled(ledger: Ledger) -> None:
    a_campaign(ledger)
    cancel(ledger, "inbjudan")
    with pytest.raises(InputError, match="what is cancelled is never sent"):
        await resume("inbjudan", ledger=ledger)
