"""Ask a provider what became of a campaign's unknown messages, and settle each by what it says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import aiohttp
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import AccountProblem, MaybeTaken, NotTaken, ProviderError, Throttled, UnsupportedFeature
from campaigns.events import Held, Listen, ignore
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import get_status, settle
from campaigns.ledger.unknown import Settled, UnknownMessage, read_unknown, settle_dead, settle_unknown
from campaigns.model import CampaignId, CampaignStatus, DeliveryReport, MessageEvent, MessageState, Msisdn
from campaigns.pipeline import find_campaign
from campaigns.providers.base import (
    TIMEOUT_S,
    DuplicateGuard,
    LookupProvider,
    Provider,
    can_be_asked,
    guard_of,
    open_account,
)
from campaigns.settings import Account, Settings
from campaigns.wording import count, plural

ON_ITS_WAY: Final = timedelta(seconds=TIMEOUT_S + 60)  #: so long a request may still reach the provider: its time-out,
#: and a margin for what a dead or impatient sender left in the network's buffers
MOST_ASKS: Final = 6  #: for one page
LONGEST_WAIT_S: Final = 300.0  #: a service that wants more is asked another day


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What asking came to."""

    status: CampaignStatus
    asked: int
    settled: Counter[str]  #: by state; `planned` (of a cancelled campaign `cancelled`) was never taken
    ask_after: datetime | None  #: some are not known there, but may still be on their way until then


async def reconcile(
    name_or_id: str,
    *,
    ledger: Ledger,
    account: Account | None = None,
    listen: Listen = ignore,
    clock: Clock = SYSTEM_CLOCK,
) -> Reconciled:
    """Ask the campaign's provider about its unknown messages, and settle those that it can say something of.

    What was surely never taken is planned again, for `resume`. Raises UnsupportedFeature where there are some and the
    provider cannot be asked, AccountProblem where it does not answer; what was settled until then stays so.
    """
    settle_dead_sender(ledger, name_or_id, clock)  # what a crash left on its way can be asked for at once
    status = find_campaign(ledger, name_or_id)
    if not status.counts[MessageState.UNKNOWN]:
        return Reconciled(status=status, asked=0, settled=Counter(), ask_after=None)
    account = account or Settings.load().account(status.account)
    if DuplicateGuard.LOOKUP not in guard_of(account):
        raise _cannot_be_asked(status)
    async with aiohttp.ClientSession() as http, open_account(account, http, clock) as provider:
        return await ask_about(provider, status, ledger=ledger, listen=listen, clock=clock)


def settle_dead_sender(ledger: Ledger, name_or_id: str, clock: Clock = SYSTEM_CLOCK) -> None:
    """Make `unknown` what a dead sender of the campaign's account left on its way; a live one is left alone."""
    status = find_campaign(ledger, name_or_id)
    if status.counts[MessageState.SENDING]:
        with ledger.write() as connection:
            settle_dead(connection, status.account, clock.now_ms())
            settle(connection, status.account)  # the dead one could not say that it had done


async def ask_about(
    provider: Provider, status: CampaignStatus, *, ledger: Ledger, listen: Listen = ignore, clock: Clock = SYSTEM_CLOCK
) -> Reconciled:
    """The same with a provider that is open: ask about all unknown messages of a campaign, a page at a time."""
    # It does not matter whether a sender is at work on the account: with what is `unknown` it has done. If its answer
    # comes late all the same, whichever is written first moves the message on, and the other finds no `unknown`.
    if not can_be_asked(provider):
        raise _cannot_be_asked(status)
    campaign_id, asked, settled, latest = _id_of(status), 0, Counter[str](), list[datetime]()
    for page in _pages(ledger, campaign_id, provider.capabilities.batch_size):
        reports = await _ask(provider, status.account, page, listen, clock)
        known = [_judge(one, reports.get((one.reference, one.number)), provider, clock) for one in page]
        with ledger.write() as connection:
            final = [one for one in known if one is not None]
            settled += settle_unknown(connection, campaign_id, final, clock.now_ms())
        waiting = [message.since for message, one in zip(page, known, strict=True) if one is None]
        latest = [max(latest + waiting)] if waiting else latest  # of a million one is enough
        asked += len(page)
    with ledger.read() as connection:
        status = get_status(connection, campaign_id)
    ask_after = latest[0] + ON_ITS_WAY if latest else None
    return Reconciled(status=status, asked=asked, settled=settled, ask_after=ask_after)


def get_it_twice(unknown: int) -> str:
    """Whom sending again may trouble, in words."""
    return f"{plural(unknown, 'person', 'people')} {'gets' if unknown == 1 else 'get'} it twice"


def _id_of(status: CampaignStatus) -> CampaignId:
    return CampaignId(status.id or 0)  # the ledger's own always have one


def _cannot_be_asked(status: CampaignStatus) -> UnsupportedFeature:
    unknown = status.counts[MessageState.UNKNOWN]
    stay = "the one stays" if unknown == 1 else f"the {count(unknown)} stay"
    return UnsupportedFeature(
        f"{status.account} cannot be asked about a message, so {stay} unknown.",
        fix=f"Send again, at the risk that {get_it_twice(unknown)}: campaigns resume {status.name} --retry-unknown",
    )


def _pages(ledger: Ledger, campaign_id: CampaignId, size: int) -> Iterator[list[UnknownMessage]]:
    after = 0
    while True:
        with ledger.read() as connection:
            page = read_unknown(connection, campaign_id, ledger.prefix, size, after)
        if not page:
            return
        yield page
        after = page[-1].row


async def _ask(
    provider: LookupProvider, account: str, page: Sequence[UnknownMessage], listen: Listen, clock: Clock
) -> dict[tuple[str, Msisdn], DeliveryReport]:
    """What the provider says, by reference and number; asking changes nothing, so that it may be repeated."""
    tries = AsyncRetrying(
        retry=retry_if_exception_type((NotTaken, MaybeTaken)),
        wait=_wait,
        stop=lambda state: state.attempt_number >= MOST_ASKS or _wait(state) > LONGEST_WAIT_S,
        before_sleep=lambda state: listen(_held(state, account)),
        sleep=clock.sleep,
        reraise=True,
    )
    try:
        reports: Sequence[DeliveryReport] = await tries(provider.find, [message.reference for message in page])
    except (NotTaken, MaybeTaken) as error:
        raise AccountProblem(
            f"{account} did not say what became of the messages: {error.what.rstrip('.')}.",
            fix="Try again later: what is settled stays so.",
        ) from error
    return {(report.reference, report.number): report for report in reports}


def _held(state: RetryCallState, account: str) -> Held:
    error = state.outcome.exception() if state.outcome is not None else None
    what = error.what if isinstance(error, ProviderError) else "no answer"
    return Held(seconds=state.upcoming_sleep, account=account, reason=what, throttled=isinstance(error, Throttled))


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, NotTaken) else None
    return wait_random_exponential(multiplier=0.5, max=20.0)(state) if asked is None else asked


def _judge(message: UnknownMessage, report: DeliveryReport | None, provider: Provider, clock: Clock) -> Settled | None:
    """What is known of a message now; None where it may still be on its way."""
    if report is not None:
        return Settled(
            message=message,
            event=report.event,
            reason=report.code,
            detail=report.reason,
            provider_id=report.provider_id,
        )
    takes_once = DuplicateGuard.KEY in provider.capabilities.duplicate_guard  # so that nothing can be sent twice
    is_over = clock.now() - message.since > ON_ITS_WAY
    return Settled(message=message, event=MessageEvent.SEND_AGAIN) if takes_once or is_over else None
