"""The ledger as the delivery loop sees it: claims of one account, for whoever holds its lease."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from campaigns.clock import Clock
from campaigns.ledger.campaigns import ACTIVE, move
from campaigns.ledger.database import Ledger
from campaigns.ledger.leases import Owner, is_held
from campaigns.ledger.messages import claim_due, finish
from campaigns.model import CampaignId, CampaignState, Claim, Outcome


class AccountOutbox:
    """What is due for one account.

    `judge` sees all outcomes and names the campaigns to pause, with the reason, in the same commit; `on_finished` is
    told of outcomes once they are on disk.
    """

    def __init__(
        self,
        ledger: Ledger,
        account: str,
        owner: Owner,
        clock: Clock,
        judge: Callable[[Sequence[Outcome]], Mapping[CampaignId, str]],
        on_finished: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._ledger = ledger
        self._account = account
        self._owner = owner
        self._clock = clock
        self._judge = judge
        self._on_finished = on_finished

    async def claim(self, size: int) -> Sequence[Claim]:
        """Up to `size` due messages, `sending` on disk; none where nothing is due or the lease is lost."""

        def unit(connection: Connection) -> Sequence[Claim]:
            if not is_held(connection, self._account, self._owner):
                return ()
            return claim_due(connection, self._account, self._ledger.prefix, size, self._clock.now_ms())

        return await self._ledger.run(unit)

    async def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes; returns when they are on disk."""

        pauses = self._judge(outcomes)

        def unit(connection: Connection) -> None:
            finish(connection, outcomes, self._clock.now_ms())
            for campaign_id, reason in pauses.items():
                move(connection, campaign_id, ACTIVE, CampaignState.PAUSED, reason)

        await self._ledger.run(unit)
        self._on_finished(outcomes)
