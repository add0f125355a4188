from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from campaigns.clock import SYSTEM_CLOCK
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import ACTIVE, get_status, move
from campaigns.ledger.leases import Owner, acquire, release
from campaigns.ledger.outbox import AccountOutbox
from campaigns.ledger.schema import messages
from campaigns.ledger.writer import Writer
from campaigns.model import CampaignId, CampaignState, MessageEvent, MessageState, Outcome
from tests.builders import a_campaign


def an_outbox(ledger: Ledger, seen: list[Mapping[CampaignId, int]] | None = None) -> tuple[AccountOutbox, Owner]:
    """The outbox of an owner that holds the lease; `seen` gets the limits that the judge is told."""
    owner = Owner.here()

    def judge(_: Sequence[Outcome], limits: Mapping[CampaignId, int]) -> dict[CampaignId, str]:
        if seen is not None:
            seen.append(dict(limits))
        return {}

    with ledger.write() as connection:
        assert acquire(connection, "sandbox", owner, SYSTEM_CLOCK.now_ms()) is None
    return AccountOutbox(ledger, "sandbox", owner, SYSTEM_CLOCK, judge, lambda _: None), owner


def states(ledger: Ledger) -> list[tuple[str, int]]:
    with ledger.read() as connection:
        found = connection.execute(select(messages.c.state, messages.c.tries).order_by(messages.c.row)).all()
    return [(line.state, line.tries) for line in found]


async def test_without_the_lease_nothing_is_claimed(ledger: Ledger) -> None:
    a_campaign(ledger)
    outbox, owner = an_outbox(ledger)
    with ledger.write() as connection:
        release(connection, "sandbox", owner)
    assert await outbox.exchange([], 10) == ()


async def test_a_claim_whose_commit_was_answered_by_nobody_is_made_again_and_leaves_nothing_behind(
    ledger: Ledger,
) -> None:
    a_campaign(ledger)
    outbox, _ = an_outbox(ledger)
    lost = iter([OperationalError("COMMIT", None, Exception("connection lost"))])

    @contextmanager
    def losing() -> Iterator[Connection]:
        with ledger.write() as connection:
            yield connection
        for error in lost:  # after the commit
            raise error

    ledger._writer = Writer(losing)
    claims = await outbox.exchange([], 2)
    assert [claim.row for claim in claims] == [2, 3]
    assert states(ledger) == [("sending", 1), ("sending", 1), ("planned", 0)]


async def test_of_two_tries_whose_commits_nobody_answered_no_claim_stays_behind(ledger: Ledger) -> None:
    older, newer = (a_campaign(ledger, name=name) for name in ("older", "newer"))
    with ledger.write() as connection:
        move(connection, older, ACTIVE, CampaignState.PAUSED)
    outbox, _ = an_outbox(ledger)
    runs = iter(range(3))

    @contextmanager
    def losing() -> Iterator[Connection]:
        turn = next(runs)
        with ledger.engine.begin() as connection:
            yield connection
            if turn == 1:  # before the commit, which takes it back
                raise OperationalError("COMMIT", None, Exception("connection lost"))
        if turn == 0:  # after it
            with ledger.write() as connection:
                move(connection, older, (CampaignState.PAUSED,), CampaignState.RUNNING)
            raise OperationalError("COMMIT", None, Exception("connection lost"))

    ledger._writer = Writer(losing)
    claims = await outbox.exchange([], 2)
    assert {claim.campaign_id for claim in claims} == {older}
    with ledger.read() as connection:
        statuses = [get_status(connection, campaign_id) for campaign_id in (older, newer)]
    assert [status.counts[MessageState.SENDING] for status in statuses] == [2, 0]


async def test_without_the_lease_a_late_result_counts_but_nothing_goes_back(ledger: Ledger) -> None:
    a_campaign(ledger)
    outbox, owner = an_outbox(ledger)
    claims = await outbox.exchange([], 3)
    with ledger.write() as connection:
        release(connection, "sandbox", owner)
    events = (MessageEvent.GIVE_BACK, MessageEvent.RETRY, MessageEvent.ACCEPT)
    await outbox.exchange([Outcome(claim=claim, event=event) for claim, event in zip(claims, events, strict=True)], 0)
    assert states(ledger) == [("sending", 1), ("sending", 1), ("accepted", 1)]


async def test_the_limit_of_a_campaign_that_came_later_is_known(ledger: Ledger) -> None:
    seen: list[Mapping[CampaignId, int]] = []
    outbox, _ = an_outbox(ledger, seen)
    one = a_campaign(ledger, name="one", max_failures=25)
    claims = list(await outbox.exchange([], 3))
    two = a_campaign(ledger, name="two", max_failures=3)
    claims += await outbox.exchange([], 3)
    await outbox.exchange([Outcome(claim=claim, event=MessageEvent.ACCEPT) for claim in claims], 0)
    assert seen[-1] == {one: 25, two: 3}
