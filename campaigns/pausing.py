"""Hold a campaign, or end it, from any process: whoever sends it follows within a second."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import InputError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import (
    ACTIVE,
    CANCELLABLE,
    cancel_planned,
    find_id_and_account,
    get_status,
    move,
)
from campaigns.ledger.unknown import settle_dead
from campaigns.model import CampaignState, CampaignStatus, PauseReason
from campaigns.pipeline import no_campaign


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a campaign is after `pause` or `cancel`."""

    status: CampaignStatus
    changed: bool  #: False where it was paused, or cancelled, already


def pause(ledger: Ledger, name_or_id: str, clock: Clock = SYSTEM_CLOCK) -> Change:
    """Hold a campaign: what is on its way gets its outcome, the rest waits for `resume`.

    Raises InputError for one that cannot go on anyway: it is done, or cancelled.
    """
    return _change(ledger, name_or_id, ACTIVE, CampaignState.PAUSED, clock)


def cancel(ledger: Ledger, name_or_id: str, clock: Clock = SYSTEM_CLOCK) -> Change:
    """End a campaign for good: what is on its way gets its outcome, the rest is cancelled and never sent.

    Raises InputError for one that is done.
    """
    return _change(ledger, name_or_id, CANCELLABLE, CampaignState.CANCELLED, clock)


def _change(
    ledger: Ledger, name_or_id: str, before: Sequence[CampaignState], after: CampaignState, clock: Clock
) -> Change:
    reason = PauseReason.BY_HAND.with_detail(f"{_user()} {after} it at {clock.now().astimezone():%H:%M:%S}")
    with ledger.write() as connection:
        found = find_id_and_account(connection, name_or_id)
        if found is None:
            raise no_campaign(connection, name_or_id)
        campaign_id, account = found
        changed = move(connection, campaign_id, before, after, reason)
        settle_dead(connection, account, clock.now_ms())
        cancel_planned(connection, account, clock.now_ms())
    with ledger.read() as connection:  # counted once the change is made, for that may take a second
        status = get_status(connection, campaign_id)
    if not changed and status.state is not after:
        raise InputError(
            f"{status.name} is {status.state}, so it cannot be {after}.",
            fix=f"See what became of it: campaigns status {status.name}",
        )
    return Change(status=status, changed=changed)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run as a user that has no name
        return "somebody"
