"""The ledger as the delivery loop sees it: claims of one account, for whoever holds its lease."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from campaigns.clock import Clock
from campaigns.ledger.campaigns import ACTIVE, cancel_planned, find_failure_limits, move
from campaigns.ledger.database import Ledger
from campaigns.ledger.leases import Owner, is_held
from campaigns.ledger.messages import AFTER, claim_due, finish
from campaigns.model import CampaignId, CampaignState, Claim, MessageEvent, MessageState, Outcome

Judge = Callable[[Sequence[Outcome], Mapping[CampaignId, int]], Mapping[CampaignId, str]]
"""Sees all outcomes, and how many failures in a row each campaign bears; names those to pause now, with the reason."""


class AccountOutbox:
    """What is due for one account.

    What `judge` says is in the same commit as the outcomes; `on_finished` is told of them once they are on disk.
    """

    def __init__(
        self,
        ledger: Ledger,
        account: str,
        owner: Owner,
        clock: Clock,
        judge: Judge,
        on_finished: Callable[[Sequence[Outcome]], None],
    ) -> None:
        self._ledger = ledger
        self._account = account
        self._owner = owner
        self._clock = clock
        self._judge = judge
        self._on_finished = on_finished
        self._limits: dict[CampaignId, int] = {}  # of failures in a row

    async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
        """Write outcomes, then claim up to `size` due messages, `sending` on disk; returns when both are.

        Nothing is claimed where nothing is due or the lease is lost.
        """
        pauses = self._judge(outcomes, self._limits)
        final = [outcome for outcome in outcomes if AFTER[outcome.event] is not MessageState.PLANNED]
        tried: list[Claim] = []

        def unit(connection: Connection) -> Sequence[Claim]:
            now_ms = self._clock.now_ms()
            # Nothing goes back without the lease: who has it now may have claimed it again, under the same try.
            holds_lease = is_held(connection, self._account, self._owner)
            # Run again, for a commit that may have come through although its answer was lost: no claim of it left.
            lost = [Outcome(claim=claim, event=MessageEvent.GIVE_BACK) for claim in tried]
            finish(connection, [*lost, *outcomes] if holds_lease else final, now_ms)
            if holds_lease and len(final) < len(outcomes):
                cancel_planned(connection, self._account, now_ms)  # what came back to a campaign that was cancelled
            for campaign_id, reason in pauses.items():
                move(connection, campaign_id, ACTIVE, CampaignState.PAUSED, reason)
            if not holds_lease or not size:
                return ()
            claims = claim_due(connection, self._account, self._ledger.prefix, size, now_ms)
            tried.extend(claims)  # of every run: the first may be on disk though the second was not
            if any(claim.campaign_id not in self._limits for claim in claims):
                self._limits |= find_failure_limits(connection, self._account)
            return claims

        found = await self._ledger.run(unit)
        if outcomes:
            self._on_finished(outcomes)
        return found
