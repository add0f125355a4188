"""Too many failures in a row: the next would most likely fail too, so the campaign pauses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from campaigns.delivery.stop import INTERRUPTED
from campaigns.model import CampaignId, MessageEvent, Outcome, PauseReason

FAILURES: Final = {
    MessageEvent.REJECT: "were rejected",
    MessageEvent.FAIL: "failed",
    MessageEvent.LOSE: "are unknown",
}
MOST_IN_A_ROW: Final = 25  #: unless a campaign says otherwise


@dataclass(slots=True)
class FailureStreaks:
    """Counts, campaign by campaign, the failures since the last message that was accepted."""

    streaks: dict[CampaignId, list[Outcome]] = field(default_factory=dict)

    def add(self, outcomes: Sequence[Outcome], limits: Mapping[CampaignId, int]) -> dict[CampaignId, str]:
        """Take outcomes in; returns the campaigns to pause now, each with its reason. A limit of 0 never pauses."""
        pauses: dict[CampaignId, str] = {}
        for outcome in outcomes:
            campaign_id = outcome.claim.campaign_id
            streak, limit = self.streaks.setdefault(campaign_id, []), limits.get(campaign_id, MOST_IN_A_ROW)
            if outcome.event is MessageEvent.ACCEPT:
                streak.clear()
            elif limit and outcome.event in FAILURES and outcome.reason != INTERRUPTED:
                streak.append(outcome)
                if len(streak) == limit:
                    pauses[campaign_id] = _reason(streak)
                    streak.clear()  # who resumes it begins anew
        return pauses


def _reason(streak: Sequence[Outcome]) -> str:
    words = list(dict.fromkeys(FAILURES[outcome.event] for outcome in streak))
    reasons = {outcome.reason for outcome in streak}
    why = f", all as {reasons.pop()}" if len(reasons) == 1 else ""
    sentence = f"{len(streak)} messages in a row {' or '.join(words)}{why}"
    return PauseReason.TOO_MANY_FAILURES.with_detail(sentence)
