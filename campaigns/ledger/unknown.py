"""Messages that may have been taken: found, settled by what the provider says of them, or let go once more.

Each change has `unknown` and the try in its WHERE, so that it does not matter who else is at work: a late answer that
came first has moved the message on, and a sender that has claimed it since has raised `tries`. For the same reason
`tries` is never set back: a late answer to the first try would pass for one to a new first try. A message whose tries
are used up gets the one request that is asked for here, and is `failed` if that is surely not taken.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, null, select, update

from campaigns.clock import from_ms
from campaigns.ledger.campaigns import ACTIVE, move
from campaigns.ledger.leases import Owner, acquire, release
from campaigns.ledger.messages import settle_crashed
from campaigns.ledger.schema import campaigns, messages
from campaigns.model import (
    TRANSITIONS,
    CampaignId,
    CampaignState,
    MessageEvent,
    MessageState,
    Msisdn,
    PauseReason,
    ProviderMessageId,
)
from campaigns.wording import plural

AFTER: Final = {event: after for before, event, after in TRANSITIONS if before is MessageState.UNKNOWN}

UNKNOWN_MESSAGES: Final = (
    select(
        messages.c.row,
        messages.c.number,
        messages.c.tries,
        messages.c.reason,
        messages.c.detail,
        messages.c.sent_ms,
        messages.c.updated_ms,
    )
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.row > bindparam("after"),
        messages.c.state == MessageState.UNKNOWN,
    )
    .order_by(messages.c.row)
    .limit(bindparam("size"))
)
SETTLE: Final = (
    update(messages)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.row == bindparam("row_"),
        messages.c.tries == bindparam("seen_tries"),
        messages.c.state == MessageState.UNKNOWN,
    )
    .values(
        state=bindparam("after"),
        reason=bindparam("reason_"),
        detail=bindparam("detail_"),
        provider_id=func.coalesce(bindparam("provider_id_"), messages.c.provider_id),
        provider_code=bindparam("provider_code_"),
        updated_ms=bindparam("now"),
    )
)
SEND_AGAIN: Final = (
    update(messages)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state == MessageState.UNKNOWN,
    )
    .values(state=MessageState.PLANNED, reason=null(), detail=null(), updated_ms=bindparam("now"))
)
ACTIVE_CAMPAIGNS: Final = (
    select(campaigns.c.id)
    .where(campaigns.c.account == bindparam("account"), campaigns.c.state.in_(ACTIVE))
    .order_by(campaigns.c.id)
)
LOCK_CAMPAIGN: Final = (  # so that no cancel comes between our look and our commit
    select(campaigns.c.state).where(campaigns.c.id == bindparam("campaign")).with_for_update()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownMessage:
    """One message of which nobody knows whether it was taken."""

    row: int
    number: Msisdn
    reference: str  #: its name at the provider
    tries: int
    what_happened: str  #: for people
    sent_at: datetime | None
    since: datetime  #: when its sender gave up, or was found dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What is known of one of them now."""

    message: UnknownMessage
    event: MessageEvent
    reason: str = ""  #: a code, the report's column `reason`
    detail: str = ""  #: the same in words
    provider_id: ProviderMessageId | None = None


def read_unknown(
    connection: Connection, campaign_id: CampaignId, prefix: str, size: int, after: int = 0
) -> list[UnknownMessage]:
    """The next `size` unknown messages of a campaign, from the one after row `after` on; `prefix` is the ledger's."""
    values = {"campaign": campaign_id, "after": after, "size": size}
    return [
        UnknownMessage(
            row=line.row,
            number=Msisdn(f"+{line.number}"),
            reference=f"{prefix}-c{campaign_id}-{line.row}",
            tries=line.tries,
            what_happened=line.detail or line.reason or "",
            sent_at=from_ms(line.sent_ms) if line.sent_ms is not None else None,
            since=from_ms(line.updated_ms),
        )
        for line in connection.execute(UNKNOWN_MESSAGES, values)
    ]


def settle_unknown(
    connection: Connection, campaign_id: CampaignId, settled: Sequence[Settled], now_ms: int
) -> Counter[str]:
    """Write what is known now; returns how many came to each state, without those that had moved on already."""
    may_go = _may_go(connection, campaign_id)
    changed: Counter[str] = Counter()
    for one in settled:
        # what was never taken of a cancelled campaign stays unsent, as all that had not left
        event = MessageEvent.CANCEL if one.event is MessageEvent.SEND_AGAIN and not may_go else one.event
        values = {
            "campaign": campaign_id,
            "row_": one.message.row,
            "seen_tries": one.message.tries,
            "after": AFTER[event],
            "reason_": one.reason or None,
            "detail_": one.detail or None,
            "provider_id_": one.provider_id,
            "provider_code_": one.reason if event is MessageEvent.REJECT else None,
            "now": now_ms,
        }
        changed[AFTER[event]] += connection.execute(SETTLE, values).rowcount
    _reopen(connection, campaign_id, changed[MessageState.PLANNED])
    return +changed


def send_again(connection: Connection, campaign_id: CampaignId, now_ms: int) -> int:
    """Let all unknown messages of a campaign go once more, and return how many: by the user's word, or under a key.

    None of a cancelled campaign goes.
    """
    if not _may_go(connection, campaign_id):
        return 0
    released = connection.execute(SEND_AGAIN, {"campaign": campaign_id, "now": now_ms}).rowcount
    _reopen(connection, campaign_id, released)
    return released


def send_again_for(connection: Connection, account: str, now_ms: int) -> int:
    """The same for all campaigns of an account that may be sent now: for the holder of its lease, under a key."""
    return sum(
        send_again(connection, CampaignId(campaign_id), now_ms)
        for campaign_id in connection.scalars(ACTIVE_CAMPAIGNS, {"account": account}).all()
    )


def settle_dead(connection: Connection, account: str, now_ms: int) -> None:
    """Make `unknown` what a dead sender left on its way; nothing happens while a live one has the account."""
    owner = Owner.here()
    if acquire(connection, account, owner, now_ms) is None:  # so that no other becomes the sender before our commit
        settle_crashed(connection, account, now_ms)
        release(connection, account, owner)


def _may_go(connection: Connection, campaign_id: CampaignId) -> bool:
    """Whether what is unsent of the campaign may be sent, for the whole of this transaction."""
    return bool(connection.scalar(LOCK_CAMPAIGN, {"campaign": campaign_id}) != CampaignState.CANCELLED)


def _reopen(connection: Connection, campaign_id: CampaignId, released: int) -> None:
    """A campaign that was done has something left to send again: it waits for `resume`."""
    if released:
        reason = PauseReason.SEND_AGAIN.with_detail(f"{plural(released, 'message')} to be sent again")
        move(connection, campaign_id, (CampaignState.DONE,), CampaignState.PAUSED, reason)
