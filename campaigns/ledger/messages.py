"""Messages in the ledger: claimed, finished, given back. The old state stands in every WHERE."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, case, null, or_, select, update

from campaigns.clock import to_ms
from campaigns.ledger.campaigns import ACTIVE
from campaigns.ledger.schema import NEVER_MS, PLANNED, campaigns, messages, rows
from campaigns.model import (
    CampaignId,
    CampaignState,
    Claim,
    Encoding,
    Message,
    MessageEvent,
    MessageState,
    Msisdn,
    Outcome,
    states_before,
)

MOST_CLAIMS: Final = 5_000  #: of one claim: databases bound the number of parameters

AFTER: Final = {  # where each outcome of a claim leads
    MessageEvent.ACCEPT: MessageState.ACCEPTED,
    MessageEvent.REJECT: MessageState.REJECTED,
    MessageEvent.RETRY: MessageState.PLANNED,
    MessageEvent.GIVE_BACK: MessageState.PLANNED,
    MessageEvent.FAIL: MessageState.FAILED,
    MessageEvent.LOSE: MessageState.UNKNOWN,
}

CLAIMABLE_CAMPAIGNS: Final = (  # locked, so that a pause waits for our commit or we see it
    select(campaigns.c.id, campaigns.c.sender, campaigns.c.state)
    .where(campaigns.c.account == bindparam("account"), campaigns.c.state.in_(ACTIVE))
    .order_by(campaigns.c.id)
    .with_for_update(read=True)
)
_DUE: Final = (  # the oldest due; the row makes the order total
    select(messages.c.campaign_id, messages.c.row, messages.c.number, messages.c.tries, messages.c.due_ms)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state == PLANNED,
        messages.c.due_ms <= bindparam("now"),
        messages.c.closes_ms > bindparam("now"),
    )
    .order_by(messages.c.due_ms, messages.c.row)
    .limit(bindparam("size"))
    .with_for_update(skip_locked=True)
    .subquery("due")
)
DUE_MESSAGES: Final = (  # with their texts, which PostgreSQL would else join to all that are due before it sorts them
    select(_DUE.c.row, _DUE.c.number, _DUE.c.tries, rows.c.text, rows.c.encoding, rows.c.segments)
    .join(rows, (rows.c.campaign_id == _DUE.c.campaign_id) & (rows.c.row == _DUE.c.row))
    .order_by(_DUE.c.due_ms, _DUE.c.row)
)
CLAIM_MESSAGES: Final = (
    update(messages)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.row.in_(bindparam("claimed", expanding=True)),
        messages.c.state == PLANNED,
    )
    .values(
        state=MessageState.SENDING,
        tries=messages.c.tries + 1,
        reason=null(),
        detail=null(),
        sent_ms=bindparam("now"),
        updated_ms=bindparam("now"),
    )
)
SETTLE_CRASHED: Final = (  # what a dead sender had claimed: its requests may have left
    update(messages)
    .where(
        messages.c.campaign_id.in_(
            select(campaigns.c.id).where(
                campaigns.c.account == bindparam("account"),
                campaigns.c.state.in_((*ACTIVE, CampaignState.PAUSED, CampaignState.CANCELLED)),
            )
        ),
        messages.c.state == MessageState.SENDING,
    )
    .values(
        state=MessageState.UNKNOWN,
        reason="crashed",
        detail="The sender died while this message was on its way.",
        updated_ms=bindparam("now"),
    )
)
RELEASE_HELD: Final = (
    update(messages)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state == PLANNED,
        messages.c.due_ms >= NEVER_MS,
    )
    .values(due_ms=0)
)


def _finish(event: MessageEvent) -> Any:
    """The change that an outcome makes; `tries` fences it: a late result never undoes a newer try."""
    after = AFTER[event]
    uses_try = 0 if event is MessageEvent.GIVE_BACK else 1
    return (
        update(messages)
        .where(
            messages.c.campaign_id == bindparam("campaign"),
            messages.c.row == bindparam("row_"),
            messages.c.tries == bindparam("claimed_tries"),
            or_(*(messages.c.state == state for state in states_before(event, after))),  # executemany takes no IN
        )
        .values(
            state=after,
            reason=bindparam("reason_"),
            detail=bindparam("detail_"),
            provider_id=bindparam("provider_id_"),
            provider_code=bindparam("provider_code_"),
            sent_ms=bindparam("sent"),
            due_ms=case((bindparam("due") > 0, bindparam("due")), else_=messages.c.due_ms),
            tries=messages.c.tries - (1 - uses_try),
            updated_ms=bindparam("now"),
        )
    )


FINISH: Final = {event: _finish(event) for event in AFTER}


def claim_due(connection: Connection, account: str, prefix: str, size: int, now_ms: int) -> list[Claim]:
    """Mark up to `size` due messages of the account as `sending` and return them, the oldest campaign first.

    The caller holds the account's lease, confirmed in this transaction.
    """
    claims: list[Claim] = []
    for campaign in connection.execute(CLAIMABLE_CAMPAIGNS, {"account": account}).all():
        room = min(size, MOST_CLAIMS) - len(claims)
        if room <= 0:
            break
        due = connection.execute(DUE_MESSAGES, {"campaign": campaign.id, "now": now_ms, "size": room}).all()
        if not due:
            continue
        connection.execute(
            CLAIM_MESSAGES, {"campaign": campaign.id, "claimed": [line.row for line in due], "now": now_ms}
        )
        if campaign.state == CampaignState.READY:
            connection.execute(
                update(campaigns).where(campaigns.c.id == campaign.id).values(state=CampaignState.RUNNING)
            )
        claims += [_claim(campaign, line, prefix) for line in due]
    return claims


def finish(connection: Connection, outcomes: Sequence[Outcome], now_ms: int) -> None:
    """Write what became of claims; an outcome whose message has moved on since changes nothing."""
    by_event: dict[MessageEvent, list[dict[str, object]]] = {}
    for outcome in outcomes:
        by_event.setdefault(outcome.event, []).append(_values(outcome, now_ms))
    for event, values in by_event.items():
        connection.execute(FINISH[event], values)


def settle_crashed(connection: Connection, account: str, now_ms: int) -> int:
    """Make `unknown` what a dead sender of this account left `sending`; only the new holder of the lease may."""
    return connection.execute(SETTLE_CRASHED, {"account": account, "now": now_ms}).rowcount


def release_held(connection: Connection, campaign_id: CampaignId) -> None:
    """Let go what a pilot (`--limit`) held back."""
    connection.execute(RELEASE_HELD, {"campaign": campaign_id})


def _claim(campaign: Any, line: Any, prefix: str) -> Claim:
    name = f"c{campaign.id}-{line.row}"
    return Claim(
        campaign_id=CampaignId(campaign.id),
        row=line.row,
        tries=line.tries + 1,
        message=Message(
            id=name,
            reference=f"{prefix}-{name}",
            number=Msisdn(f"+{line.number}"),
            text=line.text,
            sender=campaign.sender,
            encoding=Encoding(line.encoding),
            segments=line.segments,
        ),
    )


def _values(outcome: Outcome, now_ms: int) -> dict[str, object]:
    return {
        "campaign": outcome.claim.campaign_id,
        "row_": outcome.claim.row,
        "claimed_tries": outcome.claim.tries,
        "reason_": outcome.reason or None,
        "detail_": outcome.detail or None,
        "provider_id_": outcome.provider_id,
        "provider_code_": outcome.reason if outcome.event is MessageEvent.REJECT else None,
        "sent": to_ms(outcome.sent_at) if outcome.sent_at else None,
        "due": now_ms + round(outcome.retry_in_s * 1000) if outcome.retry_in_s else 0,
        "now": now_ms,
    }
