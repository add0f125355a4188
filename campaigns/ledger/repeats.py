"""Campaigns that sent the same lately: the same text to each of the same people."""

from typing import Final

from sqlalchemy import Connection, bindparam, exists, or_, select

from campaigns.ledger.schema import campaigns, ledger, messages
from campaigns.model import CampaignId, CampaignState, MessageState

ONE_AT_A_TIME: Final = select(ledger.c.prefix).with_for_update()  # its only row; SQLite lets one write at a time anyway
_MESSAGES: Final = exists().where(messages.c.campaign_id == campaigns.c.id)
FIND_SAME: Final = (  # the newest; one that was cancelled counts only where something of it had left
    select(campaigns.c.id)
    .where(
        campaigns.c.content_hash == bindparam("content"),
        campaigns.c.state != CampaignState.PLANNING,
        or_(campaigns.c.created_ms >= bindparam("since"), _MESSAGES.where(messages.c.sent_ms >= bindparam("since"))),
        or_(
            campaigns.c.state != CampaignState.CANCELLED,
            _MESSAGES.where(
                messages.c.state.not_in((MessageState.PLANNED, MessageState.SKIPPED, MessageState.CANCELLED))
            ),
        ),
    )
    .order_by(campaigns.c.id.desc())
    .limit(1)
)


def wait_for_other_plans(connection: Connection) -> None:
    """Wait until whoever is making a campaign ready has done so: from here on to our commit nobody else does."""
    connection.execute(ONE_AT_A_TIME)


def find_same(connection: Connection, content_hash: str, since_ms: int) -> CampaignId | None:
    """The newest campaign of this content that was made, or of which something left, since `since_ms`."""
    found = connection.scalar(FIND_SAME, {"content": content_hash, "since": since_ms})
    return None if found is None else CampaignId(found)
