import itertools
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from campaigns.clock import SYSTEM_CLOCK, from_ms
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import move
from campaigns.ledger.messages import AFTER, claim_due, finish, release_held, settle_crashed
from campaigns.ledger.rows import read_rows
from campaigns.ledger.schema import messages
from campaigns.model import (
    TRANSITIONS,
    CampaignId,
    CampaignState,
    Claim,
    MessageEvent,
    MessageState,
    Outcome,
    ProviderMessageId,
)
from tests.builders import a_campaign, a_chunk

LATER_MS = SYSTEM_CLOCK.now_ms() + 86_400_000


def _claim(ledger: Ledger, size: int = 10, now_ms: int = LATER_MS) -> list[Claim]:
    with ledger.write() as connection:
        return claim_due(connection, "sandbox", "p", size, now_ms)


def _finish(ledger: Ledger, *outcomes: Outcome, now_ms: int = LATER_MS) -> None:
    with ledger.write() as connection:
        finish(connection, outcomes, now_ms)


def _state(ledger: Ledger, row: int = 2) -> tuple[str, int]:
    with ledger.read() as connection:
        return tuple(connection.execute(select(messages.c.state, messages.c.tries).where(messages.c.row == row)).one())


def test_a_claim_is_on_disk_and_is_made_once(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(5, skipped=[2]))
    first, second, third = _claim(ledger, 3), _claim(ledger, 3), _claim(ledger, 3)
    assert [claim.row for claim in first + second] == [2, 3, 5, 6]
    assert third == []
    assert _state(ledger) == (MessageState.SENDING, 1)


def test_a_claim_holds_all_that_a_provider_needs(ledger: Ledger) -> None:
    campaign_id = a_campaign(ledger)
    message = _claim(ledger, 1)[0].message
    assert message.id == f"c{campaign_id}-2"
    assert message.reference == f"p-c{campaign_id}-2"
    assert message.number == "+46701740605"
    assert message.text == "Hej 2, å ä ö"
    assert message.sender == "Butiken"


def test_what_is_not_due_yet_is_not_claimed(ledger: Ledger) -> None:
    a_campaign(ledger)
    with ledger.write() as connection:
        connection.execute(update(messages).where(messages.c.row > 2).values(due_ms=LATER_MS))
    assert [claim.row for claim in _claim(ledger, now_ms=LATER_MS - 1)] == [2]
    assert [claim.row for claim in _claim(ledger, now_ms=LATER_MS)] == [3, 4]


def test_what_is_to_go_at_once_is_due_also_when_the_clock_is_set_back(ledger: Ledger) -> None:
    a_campaign(ledger, limit=2)
    day_before = SYSTEM_CLOCK.now_ms() - 86_400_000
    assert [claim.row for claim in _claim(ledger, now_ms=day_before)] == [2, 3]
    with ledger.write() as connection:
        release_held(connection, CampaignId(1))
    assert [claim.row for claim in _claim(ledger, now_ms=day_before)] == [4]


@pytest.mark.parametrize("state", [state for state in CampaignState if state not in ("ready", "running")])
def test_a_campaign_that_may_not_be_sent_gives_no_claims(ledger: Ledger, state: CampaignState) -> None:
    campaign_id = a_campaign(ledger)
    with ledger.write() as connection:
        move(connection, campaign_id, (CampaignState.READY,), state)
    assert _claim(ledger) == []


def test_the_account_of_a_claim_is_the_campaigns(ledger: Ledger) -> None:
    a_campaign(ledger, account="soluno")
    assert _claim(ledger) == []


def test_a_claim_goes_over_the_campaigns_of_an_account_the_oldest_first(ledger: Ledger) -> None:
    one, two = a_campaign(ledger, a_chunk(2), name="one"), a_campaign(ledger, a_chunk(2), name="two")
    assert [claim.campaign_id for claim in _claim(ledger, 3)] == [one, one, two]


@pytest.mark.parametrize("event", list(AFTER))
def test_every_outcome_leads_where_the_table_says(ledger: Ledger, event: MessageEvent) -> None:
    a_campaign(ledger, a_chunk(1))
    [claim] = _claim(ledger)
    _finish(ledger, Outcome(claim=claim, event=event, reason="why", detail="A sentence."))
    after = {to for before, what, to in TRANSITIONS if (before, what) == (MessageState.SENDING, event)}
    state, tries = _state(ledger)
    assert {state} == after
    assert tries == (0 if event is MessageEvent.GIVE_BACK else 1)


def test_an_outcome_changes_only_the_states_that_the_table_allows(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(1))
    [claim] = _claim(ledger)
    for state, event in itertools.product(MessageState, AFTER):
        with ledger.write() as connection:
            connection.execute(update(messages).values(state=state, tries=claim.tries))
        _finish(ledger, Outcome(claim=claim, event=event))
        allowed = {to for before, what, to in TRANSITIONS if (before, what) == (state, event)}
        assert {_state(ledger)[0]} == (allowed or {state}), (state, event)


def test_a_late_answer_settles_an_unknown_message(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(1))
    [claim] = _claim(ledger)
    _finish(ledger, Outcome(claim=claim, event=MessageEvent.LOSE, reason="no_answer"))
    _finish(ledger, Outcome(claim=claim, event=MessageEvent.ACCEPT, provider_id=ProviderMessageId("7")))
    assert _state(ledger) == (MessageState.ACCEPTED, 1)


def test_a_late_answer_never_undoes_a_newer_try(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(1))
    [first] = _claim(ledger)
    _finish(ledger, Outcome(claim=first, event=MessageEvent.RETRY))
    [second] = _claim(ledger)
    assert (first.tries, second.tries) == (1, 2)
    _finish(ledger, Outcome(claim=first, event=MessageEvent.REJECT, reason="late"))
    assert _state(ledger) == (MessageState.SENDING, 2)


def test_a_retry_is_not_due_before_its_time(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(1))
    [claim] = _claim(ledger)
    _finish(ledger, Outcome(claim=claim, event=MessageEvent.RETRY, retry_in_s=30))
    assert _claim(ledger, now_ms=LATER_MS + 29_999) == []
    assert len(_claim(ledger, now_ms=LATER_MS + 30_000)) == 1


def test_what_a_dead_sender_had_claimed_becomes_unknown_and_is_not_claimed_again(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(3))
    a_campaign(ledger, a_chunk(1, first_row=20), name="other", account="soluno")
    _claim(ledger, 2)
    with ledger.write() as connection:
        assert settle_crashed(connection, "sandbox", LATER_MS) == 2
        assert settle_crashed(connection, "soluno", LATER_MS) == 0
    assert [claim.row for claim in _claim(ledger)] == [4]
    assert _state(ledger) == (MessageState.UNKNOWN, 1)


def test_every_row_is_read_once_with_its_outcome_over_many_pages(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign_id = a_campaign(ledger, a_chunk(11, skipped=[0, 5]))
    [claim] = _claim(ledger, 1)
    sent_at = datetime(2026, 8, 13, 8, 0, 0, tzinfo=UTC)
    accepted = Outcome(claim=claim, event=MessageEvent.ACCEPT, provider_id=ProviderMessageId("0" * 20), sent_at=sent_at)
    _finish(ledger, accepted)
    monkeypatch.setattr("campaigns.ledger.rows.READ_PAGE", _pages_of(3))
    with ledger.read() as connection:
        read = list(read_rows(connection, CampaignId(campaign_id)))
    assert [row.row for row in read] == list(range(2, 13))
    assert [row.status for row in read[:3]] == [MessageState.SKIPPED, MessageState.ACCEPTED, MessageState.PLANNED]
    assert (read[0].reason, read[0].detail, read[0].updated_at) == ("duplicate", "same number as row 2", None)
    assert (read[1].provider_id, read[1].sent_at, read[1].tries) == ("0" * 20, sent_at, 1)
    assert read[1].updated_at == from_ms(LATER_MS)
    assert read[1].cells == ["Åsa 1", "Öland"]


def _pages_of(size: int):
    from campaigns.ledger.rows import READ_PAGE

    return READ_PAGE.limit(size)
