"""What may have been taken: settled once, fenced by its try, and let go again only where the campaign may go."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from campaigns.clock import SYSTEM_CLOCK, from_ms
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import find_status, move
from campaigns.ledger.leases import Owner, acquire
from campaigns.ledger.messages import claim_due
from campaigns.ledger.schema import messages
from campaigns.ledger.unknown import (
    AFTER,
    Settled,
    UnknownMessage,
    read_unknown,
    send_again,
    send_again_for,
    settle_dead,
    settle_unknown,
)
from campaigns.model import CampaignId, CampaignState, MessageEvent, ProviderMessageId
from tests.builders import a_campaign, a_chunk

NOW_MS = SYSTEM_CLOCK.now_ms()


def lost(ledger: Ledger, rows: int = 3, *, name: str = "inbjudan", account: str = "sandbox") -> CampaignId:
    """A running campaign whose messages are all unknown, on their second try."""
    campaign_id = a_campaign(ledger, a_chunk(rows), name=name, account=account)
    with ledger.write() as connection:
        move(connection, campaign_id, (CampaignState.READY,), CampaignState.RUNNING)
        lose = update(messages).where(messages.c.campaign_id == campaign_id)
        connection.execute(
            lose.values(state="unknown", tries=2, reason="no_answer", detail="no answer within 30 s", sent_ms=5_000)
        )
    return campaign_id


def unknown(ledger: Ledger, campaign_id: CampaignId, size: int = 100, after: int = 0) -> list[UnknownMessage]:
    with ledger.read() as connection:
        return read_unknown(connection, campaign_id, "p", size, after)


def settle(ledger: Ledger, campaign_id: CampaignId, *settled: Settled) -> dict[str, int]:
    with ledger.write() as connection:
        return dict(settle_unknown(connection, campaign_id, settled, NOW_MS))


def states(ledger: Ledger, campaign_id: CampaignId) -> list[tuple[str, int]]:
    statement = select(messages.c.state, messages.c.tries).where(messages.c.campaign_id == campaign_id)
    with ledger.read() as connection:
        return [tuple(line) for line in connection.execute(statement.order_by(messages.c.row))]


def state_of(ledger: Ledger, campaign_id: CampaignId) -> tuple[str | None, str]:
    with ledger.read() as connection:
        status = find_status(connection, campaign_id)
    assert status is not None
    return status.state, status.reason


def end(ledger: Ledger, campaign_id: CampaignId, state: CampaignState) -> None:
    with ledger.write() as connection:
        move(connection, campaign_id, (CampaignState.RUNNING,), state)


def test_unknown_messages_are_read_in_pages_with_what_happened(ledger: Ledger) -> None:
    campaign_id = lost(ledger)
    first, second = unknown(ledger, campaign_id, size=2)
    assert (first.row, first.number, first.tries, first.what_happened, first.sent_at) == (
        2,
        "+46701740605",
        2,
        "no answer within 30 s",
        from_ms(5_000),
    )
    assert [one.row for one in unknown(ledger, campaign_id, after=second.row)] == [4]


def test_the_reference_that_is_asked_for_is_the_one_that_was_sent(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger)
    with ledger.write() as connection:
        claims = claim_due(connection, "sandbox", ledger.prefix, 10, NOW_MS)
        connection.execute(update(messages).values(state="unknown"))
    with ledger.read() as connection:
        read = read_unknown(connection, campaign_id, ledger.prefix, 10)
    assert [one.reference for one in read] == [claim.message.reference for claim in claims]


@pytest.mark.parametrize("event", AFTER)
def test_each_word_of_the_provider_settles_a_message(ledger: Ledger, event: MessageEvent) -> None:
    campaign_id = lost(ledger)
    message = unknown(ledger, campaign_id)[1]
    word = Settled(
        message=message, event=event, reason="why", detail="A sentence", provider_id=ProviderMessageId("id-7")
    )
    assert settle(ledger, campaign_id, word) == {AFTER[event]: 1}
    assert states(ledger, campaign_id) == [("unknown", 2), (AFTER[event], 2), ("unknown", 2)]
    with ledger.read() as connection:
        line = connection.execute(select(messages).where(messages.c.row == 3)).one()
    assert (line.reason, line.detail, line.provider_id, line.updated_ms) == ("why", "A sentence", "id-7", NOW_MS)
    assert line.provider_code == ("why" if event is MessageEvent.REJECT else None)


def test_a_provider_id_that_is_known_is_not_lost(ledger: Ledger) -> None:
    campaign_id = lost(ledger, 1)
    with ledger.write() as connection:
        connection.execute(update(messages).values(provider_id="id-1"))
    settle(ledger, campaign_id, Settled(message=unknown(ledger, campaign_id)[0], event=MessageEvent.ACCEPT))
    with ledger.read() as connection:
        assert connection.scalar(select(messages.c.provider_id)) == "id-1"


@pytest.mark.parametrize("since", [{"state": "accepted"}, {"state": "sending", "tries": 3}, {"tries": 3}])
def test_what_has_moved_on_since_it_was_asked_for_is_left_alone(ledger: Ledger, since: dict[str, object]) -> None:
    campaign_id = lost(ledger, 1)
    [message] = unknown(ledger, campaign_id)
    with ledger.write() as connection:
        connection.execute(update(messages).values(**since))
    before = states(ledger, campaign_id)
    for event in AFTER:
        assert settle(ledger, campaign_id, Settled(message=message, event=event)) == {}
    assert states(ledger, campaign_id) == before


@pytest.mark.parametrize("state", [CampaignState.DONE, CampaignState.PAUSED, CampaignState.RUNNING])
def test_what_was_never_taken_is_planned_again_with_its_tries_and_a_done_campaign_waits_for_resume(
    ledger: Ledger, state: CampaignState
) -> None:
    campaign_id = lost(ledger, 2)
    end(ledger, campaign_id, state)
    never = Settled(message=unknown(ledger, campaign_id)[0], event=MessageEvent.SEND_AGAIN)
    assert settle(ledger, campaign_id, never) == {"planned": 1}
    assert states(ledger, campaign_id) == [("planned", 2), ("unknown", 2)]
    waits = (CampaignState.PAUSED, "send_again: 1 message to be sent again")
    assert state_of(ledger, campaign_id) == (waits if state is CampaignState.DONE else (state, ""))


def test_a_campaign_stays_done_where_nothing_is_left_to_send(ledger: Ledger) -> None:
    campaign_id = lost(ledger, 1)
    end(ledger, campaign_id, CampaignState.DONE)
    settle(ledger, campaign_id, Settled(message=unknown(ledger, campaign_id)[0], event=MessageEvent.ACCEPT))
    assert state_of(ledger, campaign_id)[0] is CampaignState.DONE


def test_of_a_cancelled_campaign_nothing_goes_again(ledger: Ledger) -> None:
    campaign_id = lost(ledger, 2)
    end(ledger, campaign_id, CampaignState.CANCELLED)
    with ledger.write() as connection:
        assert send_again(connection, campaign_id, NOW_MS) == 0
    never = Settled(message=unknown(ledger, campaign_id)[0], event=MessageEvent.SEND_AGAIN)
    assert settle(ledger, campaign_id, never) == {"cancelled": 1}
    assert states(ledger, campaign_id) == [("cancelled", 2), ("unknown", 2)]
    assert state_of(ledger, campaign_id)[0] is CampaignState.CANCELLED


def test_all_that_is_unknown_goes_again_and_only_that(ledger: Ledger) -> None:
    campaign_id = lost(ledger)
    with ledger.write() as connection:
        connection.execute(update(messages).where(messages.c.row == 3).values(state="accepted"))
        assert send_again(connection, campaign_id, NOW_MS) == 2
        assert send_again(connection, campaign_id, NOW_MS) == 0
        claims = claim_due(connection, "sandbox", "p", 10, NOW_MS)
    assert [(claim.row, claim.tries) for claim in claims] == [(2, 3), (4, 3)]


def test_the_holder_of_an_account_lets_go_what_its_active_campaigns_have(ledger: Ledger) -> None:
    mine, paused, other = lost(ledger, 2), lost(ledger, 1, name="two"), lost(ledger, 1, name="three", account="lund")
    end(ledger, paused, CampaignState.PAUSED)
    with ledger.write() as connection:
        assert send_again_for(connection, "sandbox", NOW_MS) == 2
    assert [states(ledger, one)[0][0] for one in (mine, paused, other)] == ["planned", "unknown", "unknown"]


@pytest.mark.parametrize(("sender", "state"), [("none", "unknown"), ("dead", "unknown"), ("live", "sending")])
def test_what_a_dead_sender_left_on_its_way_is_unknown_and_a_live_one_is_left_alone(
    ledger: Ledger, sender: str, state: str
) -> None:
    campaign_id = lost(ledger, 1)
    holder: Sequence[Owner] = {"none": (), "live": (Owner.here(),), "dead": (Owner("elsewhere", 1, 1.0, "x"),)}[sender]
    with ledger.write() as connection:
        connection.execute(update(messages).values(state="sending"))
        for owner in holder:
            acquire(connection, "sandbox", owner, NOW_MS if sender == "live" else NOW_MS - 60_000)
    with ledger.write() as connection:
        settle_dead(connection, "sandbox", NOW_MS)
    assert states(ledger, campaign_id) == [(state, 2)]
    with ledger.write() as connection:  # the account is free for the next sender, unless one has it
        assert (acquire(connection, "sandbox", Owner.here(), NOW_MS) is None) is (sender != "live")
