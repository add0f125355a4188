"""Send what is due for one account, or watch the process that does, until one campaign has nothing left to do."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import aiohttp
from sqlalchemy import Connection

from campaigns.clock import Clock
from campaigns.delivery.dispatch import Plan as RequestPlan
from campaigns.delivery.dispatch import deliver, to_the_end, wait_for
from campaigns.delivery.failures import FailureStreaks
from campaigns.delivery.pace import Pace
from campaigns.delivery.stop import Stop
from campaigns.errors import AccountProblem, ProviderError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import (
    ACTIVE,
    count_open,
    find_failure_limits,
    get_status,
    is_open,
    move,
    pause_account,
    settle,
)
from campaigns.ledger.leases import Owner, acquire, keep_alive
from campaigns.ledger.messages import AFTER, settle_crashed
from campaigns.ledger.outbox import AccountOutbox
from campaigns.ledger.writer import Unit
from campaigns.model import (
    CampaignId,
    CampaignState,
    Claim,
    MessageState,
    Outcome,
    PauseReason,
    Rate,
)
from campaigns.providers.base import Counts, Provider, open_account
from campaigns.settings import Account

T = TypeVar("T")

LOOK_S: Final = 0.2  #: between two looks at the campaign's state in the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Sending begins."""

    name: str
    account: str
    total: int  #: messages that are to go
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """More messages have an outcome, on disk."""

    done: int
    total: int
    counts: dict[str, int]  #: by state, of this run


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The provider asked the account to wait."""

    seconds: float
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Another process sends for this account; we only look on."""

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The first word to stop came; `in_flight` requests are waited for."""

    in_flight: int


Event = Started | Progress | Held | Watching | Stopping
Listen = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """Listen to nothing."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One campaign while a command sends it."""

    ledger: Ledger
    campaign_id: CampaignId
    account: Account
    rate: Rate
    concurrency: int
    stop: Stop
    listen: Listen
    clock: Clock
    name: str = ""
    total: int = 0  #: messages that are to go
    done: Counter[str] = field(default_factory=Counter)  #: by state: those with an outcome

    async def send(self) -> None:
        """Send, or watch, until the campaign has nothing due left or `stop` is asked for; then settle its state."""
        self.total = await self._do(count_open)
        owner, watched = Owner.here(), False
        while (holder := await self._ledger_run(self._acquire(owner))) is not None:
            if not watched:
                self.listen(Watching(owner=holder.describe()))
            watched = True
            await self._look_on()
            if self.stop.asked.is_set() or not await self._is_open():
                await self._settle()
                return
            await wait_for(self.stop.asked, LOOK_S)
        with keep_alive(self.ledger, self.account.name, owner, self.clock):
            await self._drive(owner)
            await self._settle()

    async def _drive(self, owner: Owner) -> None:
        """Hold the account's lease and send what is due for it."""
        account = self.account.name
        await self._ledger_run(lambda connection: settle_crashed(connection, account, self.clock.now_ms()))
        if not await self._is_open():
            return
        connector = aiohttp.TCPConnector(limit=0)  # the senders are the limit
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            try:
                async with open_account(self.account, http, self.clock) as provider:
                    await provider.check()
                    self.listen(Started(name=self.name, account=account, total=self.total, rate=self.rate))
                    await self._deliver(provider, owner)
            except ProviderError as error:
                reason = PauseReason.ACCOUNT_PROBLEM.with_detail(_in_a_sentence(error, account))
                await self._ledger_run(lambda connection: pause_account(connection, account, reason))

    async def _deliver(self, provider: Provider, owner: Owner) -> None:
        account = self.account.name
        limits = await self._ledger_run(lambda connection: find_failure_limits(connection, account))
        outbox = AccountOutbox(
            self.ledger, account, owner, self.clock, judge=FailureStreaks(limits).add, on_finished=self._count
        )
        capabilities = provider.capabilities
        plan = RequestPlan(
            workers=self.concurrency, batch_size=capabilities.batch_size, units=UNITS[capabilities.counts]
        )
        pace = Pace(self.rate, self.clock, lambda seconds: self.listen(Held(seconds=seconds, account=account)))
        ending = Stop()
        async with asyncio.TaskGroup() as tasks:
            supervisor = tasks.create_task(self._supervise(ending), name="supervisor")
            try:
                await deliver(outbox, provider.submit, pace, ending, plan, self.clock, self._stopping)
            finally:
                supervisor.cancel()

    async def _supervise(self, ending: Stop) -> None:
        """Hand the user's word on, and end the loop when the campaign has nothing left to do."""
        while not self.stop.asked.is_set() and await self._is_open():
            await wait_for(self.stop.asked, LOOK_S)
        ending.ask()
        await self.stop.aborted.wait()
        ending.abort()

    async def _look_on(self) -> None:
        """Show how far the process has come that sends for us."""
        status = await self._do(get_status)
        self.done = Counter({state: status.counts[state] for state in OUTCOMES if status.counts[state]})
        left = await self._do(count_open)
        self.listen(Progress(done=self.total - left, total=self.total, counts=self.done))

    async def _settle(self) -> None:
        """Close or pause what has nothing left to do, and pause what the user stopped."""

        def unit(connection: Connection) -> None:
            settle(connection, self.account.name)
            if self.stop.asked.is_set():
                at = self.clock.now().astimezone().strftime("%H:%M:%S")
                reason = PauseReason.STOPPED.with_detail(f"you stopped it at {at}")
                move(connection, self.campaign_id, ACTIVE, CampaignState.PAUSED, reason)

        await self._ledger_run(unit)

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        states = [AFTER[outcome.event] for outcome in outcomes if outcome.claim.campaign_id == self.campaign_id]
        self.done.update(state for state in states if state is not MessageState.PLANNED)
        self.listen(Progress(done=self.done.total(), total=self.total, counts=self.done))

    def _stopping(self, in_flight: int) -> None:
        if self.stop.asked.is_set():
            self.listen(Stopping(in_flight=in_flight))

    def _acquire(self, owner: Owner) -> Unit[Owner | None]:
        return lambda connection: acquire(connection, self.account.name, owner, self.clock.now_ms())

    async def _is_open(self) -> bool:
        return await self._ledger_run(lambda connection: is_open(connection, self.campaign_id, self.clock.now_ms()))

    async def _do(self, ask: Callable[[Connection, CampaignId], T]) -> T:
        return await self._ledger_run(lambda connection: ask(connection, self.campaign_id))

    async def _ledger_run(self, unit: Unit[T]) -> T:
        return await to_the_end(self.ledger.run(unit))


def _in_a_sentence(error: ProviderError, account: str) -> str:
    """What a provider's error says of its account; one of a single request says only what happened to it."""
    return error.what if isinstance(error, AccountProblem) else f"{account} could not be reached: {error.what}."


UNITS: Final[dict[Counts, Callable[[Sequence[Claim]], int]]] = {
    Counts.REQUESTS: lambda _claims: 1,
    Counts.MESSAGES: len,
    Counts.SEGMENTS: lambda claims: sum(claim.message.segments for claim in claims),
}
OUTCOMES: Final = tuple(
    state for state in MessageState if state not in (MessageState.PLANNED, MessageState.SENDING, MessageState.SKIPPED)
)
