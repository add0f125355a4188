"""Look on while a campaign is sent, whoever sends it, at no cost to who does."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from sqlalchemy import Connection

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import count_rows, find_id_and_account, get_status
from campaigns.ledger.leases import find_owner
from campaigns.model import CampaignState, CampaignStatus, MessageState
from campaigns.pipeline import no_campaign

LOOK_S: Final = 1.0  #: at least so long between two looks
REST: Final = 10  #: and so many times as long as the last look took: to count 1,000,000 messages takes a second
HELD: Final = (CampaignState.PAUSED, CampaignState.CANCELLED, CampaignState.DONE)


def watch(
    ledger: Ledger, name_or_id: str, *, clock: Clock = SYSTEM_CLOCK, wait: Callable[[float], None] = time.sleep
) -> Iterator[CampaignStatus]:
    """The campaign as it is, look by look, until it has nothing left to do: it is done, paused or cancelled.

    A look holds nobody up: it only reads, and most of the time nothing is looked at.
    """
    with ledger.read() as connection:
        found = find_id_and_account(connection, name_or_id)
        if found is None:
            raise no_campaign(connection, name_or_id)
        campaign_id, _ = found
        row_counts = count_rows(connection, campaign_id)  # once: a campaign's rows stay as they were planned
    while True:
        began = clock.monotonic()
        with ledger.read() as connection:
            status = get_status(connection, campaign_id, row_counts)
            ends = _has_come_to_rest(connection, status, clock.now_ms())
        took = clock.monotonic() - began
        yield status
        if ends:
            return
        wait(max(LOOK_S, REST * took))


def _has_come_to_rest(connection: Connection, status: CampaignStatus, now_ms: int) -> bool:
    """Nothing more leaves, and what is on its way has its outcome, or nobody is there who could write it."""
    if status.state not in HELD:
        return False
    return not status.counts[MessageState.SENDING] or find_owner(connection, status.account, now_ms) is None
