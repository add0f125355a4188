"""What becomes of a message when its request was answered, or ended in an error."""

from datetime import datetime
from typing import Final

from campaigns.delivery.backoff import back_off
from campaigns.delivery.stop import INTERRUPTED
from campaigns.errors import MaybeTaken, NotTaken, ProviderError
from campaigns.model import Claim, MessageEvent, Outcome, Submission

MOST_TRIES: Final = 5


def answered(claim: Claim, submission: Submission, sent_at: datetime) -> Outcome:
    """The provider took the message, or refused it."""
    refused = not submission.accepted
    return Outcome(
        claim=claim,
        event=MessageEvent.REJECT if refused else MessageEvent.ACCEPT,
        reason=(submission.code or "rejected") if refused else "",
        detail=submission.reason if refused else "",
        provider_id=submission.provider_id,
        sent_at=sent_at,
    )


def not_taken(claim: Claim, error: NotTaken) -> Outcome:
    """Surely not taken, and a try is used: another after a while, or none are left."""
    if claim.tries >= MOST_TRIES:
        return Outcome(claim=claim, event=MessageEvent.FAIL, reason="not_taken", detail=error.what)
    wait = error.retry_after if error.retry_after is not None else back_off(claim.tries)
    return Outcome(claim=claim, event=MessageEvent.RETRY, reason="not_taken", detail=error.what, retry_in_s=wait)


def given_back(claim: Claim) -> Outcome:
    """Surely not taken, and no try is used."""
    return Outcome(claim=claim, event=MessageEvent.GIVE_BACK)


def maybe_taken(claim: Claim, error: ProviderError, sent_at: datetime) -> Outcome:
    """Nobody knows whether it was taken."""
    return _lost(claim, "no_answer", error.what, sent_at)


def left_out(claim: Claim, sent_at: datetime) -> Outcome:
    """The answer says nothing of this number."""
    return maybe_taken(claim, MaybeTaken("the answer left this number out"), sent_at)


def failed(claim: Claim, sent_at: datetime) -> Outcome:
    """A provider's own bug: the request may have left."""
    return _lost(claim, "no_answer", "The provider's code failed.", sent_at)


def interrupted(claim: Claim, sent_at: datetime) -> Outcome:
    """The second word to stop cut its request off."""
    return _lost(claim, INTERRUPTED, "Stopped while this message was on its way.", sent_at)


def _lost(claim: Claim, reason: str, detail: str, sent_at: datetime) -> Outcome:
    return Outcome(claim=claim, event=MessageEvent.LOSE, reason=reason, detail=detail, sent_at=sent_at)
