"""Send what is due for one account, or watch the process that does, until one campaign has nothing left to do."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import aiohttp
from sqlalchemy import Connection
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from campaigns.clock import Clock
from campaigns.delivery.dispatch import Plan as RequestPlan
from campaigns.delivery.dispatch import deliver, to_the_end, together, wait_for
from campaigns.delivery.failures import FailureStreaks
from campaigns.delivery.pace import Pace, window_s
from campaigns.delivery.stop import Stop
from campaigns.errors import AccountProblem, NotTaken, ProviderError, Throttled
from campaigns.events import Attentive, Figures, Held, Listen, Paced, Progress, Started, Stopping, Watching
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import (
    ACTIVE,
    count_open,
    count_outcomes,
    is_active,
    is_open,
    move,
    pause_account,
    settle,
)
from campaigns.ledger.leases import Owner, acquire, is_held, keep_alive
from campaigns.ledger.messages import AFTER, settle_crashed
from campaigns.ledger.outbox import AccountOutbox
from campaigns.ledger.pace import begin, end
from campaigns.ledger.unknown import send_again_for
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
from campaigns.providers.base import BatchTexts, Counts, DuplicateGuard, Provider, guard_of, open_account
from campaigns.settings import Account

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST_LOG_INS: Final = 5  #: before the first message
LOOK_S: Final = 0.2  #: between two looks at the campaign's state in the ledger


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
    before: Counter[str] = field(default_factory=Counter)  #: outcomes of earlier runs, by state
    done: Counter[str] = field(default_factory=Counter)  #: of this run
    attentive: Attentive | None = field(init=False)  #: who also wants to hear of each request

    def __post_init__(self) -> None:
        self.attentive = self.listen if isinstance(self.listen, Attentive) else None

    async def send(self) -> None:
        """Send, or watch, until the campaign has nothing due left or `stop` is asked for; then settle its state.

        Raises SettingsError where the second word came while the ledger could not be written.
        """
        async with together() as tasks:
            giving_up = tasks.create_task(self._give_up(), name="give-up")
            try:
                await self._send()
            finally:
                giving_up.cancel()

    async def _give_up(self) -> None:
        """The second word ends the wait for a ledger that cannot be written."""
        await self.stop.aborted.wait()
        self.ledger.give_up()

    async def _send(self) -> None:
        self.total, self.before = await self._count_in(count_open), await self._count_in(count_outcomes)
        owner, watched = Owner.here(), None
        while not self.stop.aborted.is_set() and await self._is_open():
            holder = await self._ledger_run(self._acquire(owner))
            if holder is None:
                log.info("lease taken", extra={"account": self.account.name})
                with keep_alive(self.ledger, self.account.name, owner, self.clock):
                    await self._drive(owner)
                    await self._settle()
                continue
            if holder != watched:
                self.listen(Watching(owner=holder.describe()))
            watched = holder
            await self._watch()
        await self._look()
        await self._settle()

    async def _watch(self) -> None:
        """Show how far the process has come that sends for us; the word to stop is for it too."""
        await self._look()
        if self.stop.asked.is_set():
            await self._settle()
        await wait_for(self.stop.aborted if self.stop.asked.is_set() else self.stop.asked, LOOK_S)

    async def _drive(self, owner: Owner) -> None:
        """Hold the account's lease and send what is due for it."""
        account = self.account.name
        if not await self._ledger_run(lambda connection: self._take_over(connection, owner)):
            return
        await self._look()
        if self.stop.asked.is_set() or not await self._is_open():
            return
        window_us = round(window_s(self.rate) * 1_000_000)
        wait_us = await self._ledger_run(lambda connection: begin(connection, account, self._now_us(), window_us))
        connector = aiohttp.TCPConnector(limit=0)  # the senders are the limit
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            try:
                async with open_account(self.account, http, self.clock) as provider:
                    if await self._log_in(provider):
                        self.listen(self._started())
                        await self._deliver(provider, owner, wait_us / 1_000_000)
            except ProviderError as error:
                reason = PauseReason.ACCOUNT_PROBLEM.with_detail(_in_a_sentence(error, account))
                await self._ledger_run(lambda connection: pause_account(connection, account, reason))
        await self._ledger_run(lambda connection: end(connection, account, self._now_us(), window_us))

    def _take_over(self, connection: Connection, owner: Owner) -> bool:
        """What a dead sender had on its way may have been taken; under a provider's key it goes again all the same.

        False where the lease is lost again meanwhile: what is on its way is somebody else's.
        """
        account, now_ms = self.account.name, self.clock.now_ms()
        if not is_held(connection, account, owner):
            return False
        settle_crashed(connection, account, now_ms)
        if DuplicateGuard.KEY in guard_of(self.account):
            send_again_for(connection, account, now_ms)
        return True

    async def _log_in(self, provider: Provider) -> bool:
        """Log in before the first message; what may pass (503, a refused connection) is tried again a few times.

        False where the word to stop came first: a log-in brings no message, so its answer is not waited for.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception_type(NotTaken),
            wait=_wait_to_log_in,
            stop=stop_after_attempt(MOST_LOG_INS),
            sleep=self.clock.sleep,
            reraise=True,
        )
        async with together() as tasks:
            log_in: asyncio.Task[str] = tasks.create_task(tries(provider.check), name="log-in")
            word = tasks.create_task(self.stop.asked.wait(), name="word")
            await asyncio.wait((log_in, word), return_when=asyncio.FIRST_COMPLETED)
            for task in (log_in, word):
                task.cancel()
        return not log_in.cancelled()

    async def _deliver(self, provider: Provider, owner: Owner, wait_s: float) -> None:
        account = self.account.name
        outbox = AccountOutbox(
            self.ledger, account, owner, self.clock, judge=FailureStreaks().add, on_finished=self._count
        )
        capabilities = provider.capabilities
        plan = RequestPlan(
            workers=self.concurrency,
            batch_size=capabilities.batch_size,
            own_texts=capabilities.batch_texts is BatchTexts.PER_RECIPIENT,
            units=UNITS[capabilities.counts],
        )
        pace = Pace(self.rate, self.clock, wait_s=wait_s)
        ending = Stop()
        async with together() as tasks:
            beside = (
                tasks.create_task(self._hand_on(ending), name="hand-on"),
                tasks.create_task(self._supervise(ending, owner), name="supervisor"),
            )
            try:
                await deliver(outbox, provider.submit, pace, ending, plan, self.clock, self)
            finally:
                for task in beside:
                    task.cancel()

    async def _hand_on(self, ending: Stop) -> None:
        """Hand the user's word on."""
        await self.stop.asked.wait()
        ending.ask()
        await self.stop.aborted.wait()
        ending.abort()

    async def _supervise(self, ending: Stop, owner: Owner) -> None:
        """End the loop when the campaign has nothing left to do, or is held, or when another took the lease over.

        A message that waits for its turn when the campaign is paused or cancelled is given back, and not sent.
        """
        while await self._is_open() and await self._ledger_run(self._may_go_on(owner)):
            await wait_for(ending.asked, LOOK_S)
        if not await self._ledger_run(lambda connection: is_held(connection, self.account.name, owner)):
            log.info("lease lost", extra={"account": self.account.name})
        ending.ask()

    async def _look(self) -> None:
        """See in the ledger how far the campaign has come in this run, whoever sent."""
        done = await self._count_in(count_outcomes) - self.before
        if done != self.done:
            self.done = done
            self._tell()

    async def _settle(self) -> None:
        """Close or pause what has nothing left to do, and pause what the user stopped."""

        def unit(connection: Connection) -> None:
            settle(connection, self.account.name)
            if self.stop.asked.is_set():
                at = self.clock.now().astimezone().strftime("%H:%M:%S")
                reason = PauseReason.STOPPED.with_detail(f"you stopped it at {at}")
                move(connection, self.campaign_id, ACTIVE, CampaignState.PAUSED, reason)

        await self._ledger_run(unit)

    def _started(self) -> Started:
        return Started(
            name=self.name,
            campaign_id=self.campaign_id,
            account=self.account.name,
            total=self.total,
            rate=self.rate,
        )

    def _count(self, outcomes: Sequence[Outcome]) -> None:
        if self.attentive is not None:
            self.attentive.finished(self.account.name, outcomes)
        states = [AFTER[outcome.event] for outcome in outcomes if outcome.claim.campaign_id == self.campaign_id]
        final = [state for state in states if state is not MessageState.PLANNED]
        if final:
            self.done.update(final)
            self._tell()

    def _tell(self) -> None:
        self.listen(Progress(done=self.done.total(), total=self.total, counts=self.done))

    def sending(self, look: Callable[[], Figures]) -> None:
        """The loop begins."""
        if self.attentive is not None:
            self.attentive.sending(self.account.name, look)

    def stopping(self, in_flight: int) -> None:
        """The loop ends: tell who listens, where it is by the user's word."""
        if self.stop.asked.is_set():
            self.listen(Stopping(in_flight=in_flight))

    def held(self, seconds: float, error: NotTaken) -> None:
        """Nobody may go for a while."""
        throttled = isinstance(error, Throttled)
        self.listen(Held(seconds=seconds, account=self.account.name, reason=error.what, throttled=throttled))

    def paced(self, rate: Rate) -> None:
        """The rate was lowered, or raised again."""
        self.listen(Paced(rate=rate, full=self.rate))

    def answered(self, seconds: float, outcomes: Sequence[Outcome]) -> None:
        """A request ended."""
        if self.attentive is not None:
            self.attentive.answered(self.account.name, seconds, len(outcomes))

    def _now_us(self) -> int:
        return self.clock.now_ms() * 1000

    def _may_go_on(self, owner: Owner) -> Unit[bool]:
        return lambda connection: (
            is_active(connection, self.campaign_id) and is_held(connection, self.account.name, owner)
        )

    def _acquire(self, owner: Owner) -> Unit[Owner | None]:
        return lambda connection: acquire(connection, self.account.name, owner, self.clock.now_ms())

    async def _is_open(self) -> bool:
        return await self._ledger_run(lambda connection: is_open(connection, self.campaign_id, self.clock.now_ms()))

    async def _count_in(self, count: Callable[[Connection, CampaignId], T]) -> T:
        """Count in a thread that holds no writer up: it may take a second in a large campaign."""

        def read() -> T:
            with self.ledger.read() as connection:
                return count(connection, self.campaign_id)

        return await to_the_end(asyncio.to_thread(read))

    async def _ledger_run(self, unit: Unit[T]) -> T:
        return await to_the_end(self.ledger.run(unit))


def _wait_to_log_in(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after if isinstance(error, NotTaken) else None
    return wait_random_exponential(multiplier=0.25, max=4.0)(state) if asked is None else asked


def _in_a_sentence(error: ProviderError, account: str) -> str:
    """What a provider's error says of its account; one of a single request says only what happened to it."""
    return error.what if isinstance(error, AccountProblem) else f"{account} could not be reached: {error.what}."


UNITS: Final[dict[Counts, Callable[[Sequence[Claim]], int]]] = {
    Counts.REQUESTS: lambda _claims: 1,
    Counts.MESSAGES: len,
    Counts.SEGMENTS: lambda claims: sum(claim.message.segments for claim in claims),
}
