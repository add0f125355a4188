"""The loop that sends: claim, wait for the pace, request, write what became of it. It knows no engine and no provider.

In this order: room in flight, then the claim, then the pace's permission, then the request. A claim reaches no further
ahead than about 100 ms of work, so that what a crash leaves `unknown` is little more than what was in flight.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from campaigns.clock import Clock
from campaigns.delivery import outcomes
from campaigns.delivery.health import AccountListener, Health
from campaigns.delivery.load import Load
from campaigns.delivery.pace import PATIENCE_S, Pace
from campaigns.delivery.stop import Stop
from campaigns.errors import AccountProblem, BatchRefused, MaybeTaken, NotTaken, ProviderError, Throttled
from campaigns.events import Figures
from campaigns.model import Claim, Message, MessageEvent, Outcome, Submission

log = logging.getLogger(__name__)
T = TypeVar("T")

AHEAD_S: Final = 0.1  #: how much work may be claimed ahead
TICK_S: Final = 0.02  #: between two exchanges with the outbox while there is work
IDLE_S: Final = 0.1  #: the same while nothing is due
STALE_S: Final = 10.0  #: an older claim is given back: another process may have the lease by now


class Outbox(Protocol):
    """Where due messages come from and outcomes go to; what it has taken and given is on disk when it returns."""

    async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
        """Write these outcomes, then claim up to `size` due messages; in one transaction."""


Submit = Callable[[Sequence[Message]], Awaitable[Sequence[Submission]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a provider wants its requests."""

    workers: int  #: the most requests at once
    batch_size: int  #: the most messages of one request
    own_texts: bool = False  #: whether they may have texts of their own
    units: Callable[[Sequence[Claim]], int]  #: what a request counts, in the unit of the account's rate


class Listener(AccountListener, Protocol):
    """Who is told what happens, on the loop's own thread; it must be quick."""

    def sending(self, look: Callable[[], Figures]) -> None:
        """The loop begins; `look` says how it stands, and may be asked by any thread."""

    def stopping(self, in_flight: int) -> None:
        """The word to stop came; so many requests are waited for."""

    def answered(self, seconds: float, outcomes: Sequence[Outcome]) -> None:
        """A request ended after so long."""


async def deliver(
    outbox: Outbox, submit: Submit, pace: Pace, stop: Stop, plan: Plan, clock: Clock, listener: Listener
) -> None:
    """Send what is due until `stop` is asked for; then finish what left and give back what did not.

    Raises the ProviderError for which no message of the account can go; all that was claimed has an outcome then too.
    """
    run = _Run(outbox, submit, pace, stop, plan, clock, listener)
    listener.sending(run.figures)
    try:
        async with together() as tasks:
            senders = [tasks.create_task(run.send(place), name=f"sender-{place}") for place in range(plan.workers)]
            clerk = tasks.create_task(run.keep_books(), name="clerk")
            ending = tasks.create_task(run.end(senders), name="ending")
            await asyncio.wait(senders)
            run.look.set()
            await clerk
            ending.cancel()
    finally:
        await to_the_end(run.close_books())
    if run.health.problem is not None:
        raise run.health.problem


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A TaskGroup that raises the error that ended it as it is: the other tasks were only cancelled for it."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def to_the_end(step: Coroutine[Any, Any, T]) -> T:
    """Await `step` until it is done however often the caller is cancelled, then let the cancellation through."""
    task = asyncio.ensure_future(step)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # raised again below, by whoever awaits the result
            break
    if cancelled is not None and not task.cancelled():
        task.exception()  # seen: the cancellation goes first
        raise cancelled
    return task.result()


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, but no longer than so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


class _Run:
    """What the tasks of one `deliver` share."""

    def __init__(
        self, outbox: Outbox, submit: Submit, pace: Pace, stop: Stop, plan: Plan, clock: Clock, listener: Listener
    ) -> None:
        self.outbox, self.submit, self.pace, self.stop, self.plan, self.clock = outbox, submit, pace, stop, plan, clock
        self.listener = listener
        self.health = Health(pace, clock, listener)
        self.load = Load(plan.workers, clock.monotonic())
        self.waiting: deque[tuple[Claim, float]] = deque()  # with the monotonic time of the claim
        self.outcomes: list[Outcome] = []  # that are not written yet
        self.arrived = asyncio.Event()  # for senders: something waits, or the end
        self.look = asyncio.Event()  # for the clerk: something to write, there may be room again, or the end
        self.stopping = asyncio.Event()
        self.at_once = self.load.at_once(pace.rate.per_second)  # requests that are allowed
        self.at_pace = 0  # claims that wait for their turn
        self.in_flight = 0  # requests
        self.has_answers = False  # since the last exchange
        self.fill = 1  # messages that a request holds of late
        self.units_each = 0.0  # of one message; 0: the requests count, or it is not known yet
        self.last_text = ""  # of the last claim: one message alone does not tell whether all get the same
        self.most = 1  # messages of one request: doubled by each that is accepted, so that failures stay few

    def figures(self) -> Figures:
        """How it stands."""
        return Figures(in_flight=self.in_flight, waiting=len(self.waiting) + self.at_pace, rate=self.pace.rate)

    # --- The clerk -------------------------------------------------------------------------------------------------

    async def keep_books(self) -> None:
        """Keep about 100 ms of work claimed, while a request could be made, and write outcomes soon."""
        while not self.stopping.is_set():
            self.look.clear()
            self._let_go_while_held()
            room, began = self._room(), self.clock.monotonic()
            if room <= 0 and not self.outcomes:
                await wait_for(self.look, IDLE_S)
            elif await self._exchange(room) or self.outcomes:
                await wait_for(self.stopping, TICK_S - (self.clock.monotonic() - began))
            else:
                await wait_for(self.look, IDLE_S)
        while self.in_flight or self.outcomes:
            self.look.clear()
            await self._exchange(0)
            await wait_for(self.look, IDLE_S)

    async def close_books(self) -> None:
        """Write what is left: outcomes, and the claims that were not requested."""
        self._give_back([claim for claim, _ in self.waiting])
        self.waiting.clear()
        if self.outcomes:
            await self._exchange(0)

    async def _exchange(self, room: int) -> bool:
        """One transaction with the outbox, and what it gave, even if cancelled; returns whether that was something."""
        return await to_the_end(self._exchange_now(max(room, 0)))

    async def _exchange_now(self, room: int) -> bool:
        written, self.outcomes, self.has_answers = self.outcomes, [], False
        asked = self.clock.monotonic()
        try:
            claims = await self.outbox.exchange(written, room)
        except Exception:  # raised again: whatever it is, these are not written and must not be lost
            self.outcomes = [*written, *self.outcomes]
            raise
        if claims:
            self._learn_fill(claims)
            self.waiting.extend((claim, asked) for claim in claims)
            self._let_go_beyond(2 * self._ahead())
            self.arrived.set()
        return bool(claims)

    def _room(self) -> int:
        """How many messages may be claimed now."""
        rate = self.pace.rate.per_second
        self.at_once = self.load.at_once(rate)
        is_full = self.in_flight >= self.at_once and not self.has_answers
        if is_full or self.pace.next_in() > AHEAD_S:
            return 0
        return self._ahead() - len(self.waiting) - self.at_pace

    def _ahead(self) -> int:
        """How many messages are about 100 ms of work."""
        rate = self.pace.rate.per_second
        ahead = max(1, int(AHEAD_S * self.load.per_second(rate))) * self.fill
        return min(ahead, max(1, int(AHEAD_S * rate / self.units_each))) if self.units_each else ahead

    def _let_go_beyond(self, most: int) -> None:
        """Give back what is more work than it was taken for: requests hold fewer of these than of those before."""
        while len(self.waiting) > most:
            self._give_back([self.waiting.pop()[0]])

    def _let_go_while_held(self) -> None:
        """Give back what waits when nobody may go for a while: a crash or a pause meanwhile finds it planned."""
        if self.waiting and self.pace.next_in() > PATIENCE_S:
            self._give_back([claim for claim, _ in self.waiting])
            self.waiting.clear()

    def _learn_fill(self, claims: Sequence[Claim]) -> None:
        texts = {claim.message.text for claim in claims} | {self.last_text}
        self.last_text = claims[-1].message.text
        are_alike = self.plan.own_texts or len(texts) == 1
        grown = max(self.fill, 2 * len(claims)) if are_alike else max(1, len(claims) // len(texts))
        self.fill = min(self.most, grown)
        units = self.plan.units(claims)
        self.units_each = units / len(claims) if units > 1 else 0.0

    # --- The senders -----------------------------------------------------------------------------------------------

    async def send(self, place: int) -> None:
        """One sender: take a batch, ask the pace, request, hand its outcomes over; until the end."""
        while not self.stopping.is_set():
            if self.waiting and place < self.at_once:
                batch = self._next_batch()
                await self._go([claim for claim, _ in batch], claimed=batch[0][1])
            else:
                self.arrived.clear()
                await self.arrived.wait()

    async def end(self, senders: Sequence[asyncio.Task[None]]) -> None:
        """Wait for the word to stop, and at the second word end the requests that are in flight."""
        await self.stop.asked.wait()
        self._halt()
        self.listener.stopping(self.in_flight)
        await self.stop.aborted.wait()
        for sender in senders:
            sender.cancel()

    def _next_batch(self) -> list[tuple[Claim, float]]:
        batch = [self.waiting.popleft()]
        numbers = {batch[0][0].message.number}  # answers are told apart by number alone
        while self.waiting and len(batch) < self.most:
            following = self.waiting[0][0].message
            if not self._may_share(batch[0][0].message, following) or following.number in numbers:
                break
            numbers.add(following.number)
            batch.append(self.waiting.popleft())
        return self._cut(batch)

    def _cut(self, batch: list[tuple[Claim, float]]) -> list[tuple[Claim, float]]:
        """Where messages or segments count, no more than about 100 ms of work: the rest goes back to the front."""
        budget = AHEAD_S * self.pace.rate.per_second
        while len(batch) > 1 and (units := self.plan.units([claim for claim, _ in batch])) > max(budget, 1):
            self.most = max(1, min(int(len(batch) * budget / units), len(batch) - 1))
            self.waiting.extendleft(reversed(batch[self.most :]))
            batch = batch[: self.most]
        return batch

    def _may_share(self, one: Message, other: Message) -> bool:
        return one.sender == other.sender and (self.plan.own_texts or one.text == other.text)

    async def _go(self, claims: Sequence[Claim], claimed: float) -> None:
        """Bring a batch to its outcomes; one that is refused as a whole goes again in halves, each at its own pace."""
        parts = [claims]
        try:
            while parts:
                units = self.plan.units(parts[-1])
                if not (self.pace.take_at_once(units) or await self._wait_for_turn(parts[-1], units)):
                    break
                if self.clock.monotonic() - claimed > STALE_S:
                    self.pace.put_back(units)  # for the next claim, which would else grow as old at a slow pace
                    break
                part = parts.pop()
                if not await self._request(part, units):
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
        finally:
            for part in parts:
                self._give_back(part)

    async def _wait_for_turn(self, claims: Sequence[Claim], units: int) -> bool:
        """Wait for the pace; False where it sends away."""
        self.at_pace += len(claims)
        try:
            return await self.pace.take(units)
        finally:
            self.at_pace -= len(claims)
            self.look.set()

    async def _request(self, claims: Sequence[Claim], units: int) -> bool:
        """Submit; False where the request was refused as a whole and has no outcomes."""
        started, sent_at = self.clock.monotonic(), self.clock.now()
        self.health.starting()
        self.in_flight += 1
        try:
            found = await self._submit(claims, started, sent_at)
        except asyncio.CancelledError:
            self.outcomes += [outcomes.interrupted(claim, sent_at) for claim in claims]
            raise
        finally:
            self.in_flight -= 1
        ended = self.clock.monotonic()
        if any(outcome.event is MessageEvent.ACCEPT for outcome in found):  # of others the time tells nothing
            self.most = min(self.plan.batch_size, 2 * self.most)
            self.load.add(ended - started, units, ended)
        else:
            self.most = 1
        self.outcomes += found
        self.has_answers = True
        self.look.set()
        self.listener.answered(ended - started, found)
        return bool(found)

    async def _submit(self, claims: Sequence[Claim], started: float, sent_at: datetime) -> list[Outcome]:
        try:
            submissions = await self.submit([claim.message for claim in claims])
        except ProviderError as error:
            self._note(error, started)
            if isinstance(error, BatchRefused) and len(claims) > 1:
                return []
            return [self._settle(claim, error, sent_at) for claim in claims]
        except Exception as error:  # a provider's own bug: the request may have left, and the others must go on
            log.exception("%s failed on a request", type(error).__name__)
            self._note(MaybeTaken("the provider's code failed"), started)  # who waits for the answer to a probe may go
            return [outcomes.failed(claim, sent_at) for claim in claims]
        self.health.answered()
        by_number = {submission.number: submission for submission in submissions}
        return [self._answer(claim, by_number.get(claim.message.number), started, sent_at) for claim in claims]

    def _answer(self, claim: Claim, submission: Submission | None, started: float, sent_at: datetime) -> Outcome:
        """What became of one message; one that the answer leaves out may have been taken."""
        if submission is not None and submission.accepted is not None:
            return outcomes.answered(claim, submission, sent_at)
        if submission is None or submission.error is None:
            return outcomes.left_out(claim, sent_at)
        if isinstance(submission.error, AccountProblem | Throttled):
            self._note(submission.error, started)
        return self._settle(claim, submission.error, sent_at)

    def _settle(self, claim: Claim, error: ProviderError, sent_at: datetime) -> Outcome:
        """What becomes of a message whose request ended in an error."""
        if isinstance(error, AccountProblem | Throttled):
            return outcomes.given_back(claim)
        if isinstance(error, NotTaken):
            return outcomes.given_back(claim) if self.health.is_probing else outcomes.not_taken(claim, error)
        return outcomes.maybe_taken(claim, error, sent_at)

    def _note(self, error: ProviderError, started: float) -> None:
        self.health.note(error, started)
        if self.health.problem is not None:
            self._halt()

    # --- The end ---------------------------------------------------------------------------------------------------

    def _halt(self) -> None:
        self.stopping.set()
        self.pace.close()
        self.arrived.set()
        self.look.set()

    def _give_back(self, claims: Sequence[Claim]) -> None:
        self.outcomes += [outcomes.given_back(claim) for claim in claims]
