"""The loop that sends: claim, wait for the pace, request, write what became of it. It knows no engine and no provider.

In this order: room in flight, then the claim, then the pace's permission, then the request. A claim reaches no further
ahead than about 100 ms of work, so that what a crash leaves `unknown` is little more than what was in flight.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from campaigns.clock import Clock
from campaigns.delivery.pace import Pace
from campaigns.delivery.stop import INTERRUPTED, Stop
from campaigns.errors import AccountProblem, BatchRefused, MaybeTaken, NotTaken, ProviderError, Throttled
from campaigns.model import Claim, Message, MessageEvent, Outcome, Submission

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST_TRIES: Final = 5
AHEAD_S: Final = 0.1  #: how much work may be claimed ahead
STALE_S: Final = 10.0  #: an older claim is given back: another process may have the lease by now
IDLE_S: Final = 0.1  #: between two looks at the ledger while nothing is due
LONGEST_RETRY_S: Final = 60.0


class Outbox(Protocol):
    """Where due messages come from and outcomes go to; what it has written is on disk when it returns."""

    async def claim(self, size: int) -> Sequence[Claim]: ...
    async def finish(self, outcomes: Sequence[Outcome]) -> None: ...


Submit = Callable[[Sequence[Message]], Awaitable[Sequence[Submission]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a provider wants its requests."""

    workers: int  #: requests at once
    batch_size: int  #: the most messages of one request; their texts are the same
    units: Callable[[Sequence[Claim]], int]  #: what a request counts, in the unit of the account's rate


async def deliver(
    outbox: Outbox,
    submit: Submit,
    pace: Pace,
    stop: Stop,
    plan: Plan,
    clock: Clock,
    on_stopping: Callable[[int], None] | None = None,
) -> None:
    """Send what is due until `stop` is asked for; then finish what left and give back what did not.

    `on_stopping` is told how many requests are then waited for. Raises AccountProblem when no message of the account
    can go; all that was claimed has an outcome then too.
    """
    run = _Run(outbox, submit, pace, stop, plan, clock, on_stopping)
    async with together() as tasks:
        senders = [tasks.create_task(run.send(), name=f"sender-{number}") for number in range(plan.workers)]
        tasks.create_task(run.claim(), name="claimer")
        ending = tasks.create_task(run.end(senders), name="ending")
        await asyncio.wait(senders)
        ending.cancel()
    if run.problem is not None:
        raise run.problem


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
        self,
        outbox: Outbox,
        submit: Submit,
        pace: Pace,
        stop: Stop,
        plan: Plan,
        clock: Clock,
        on_stopping: Callable[[int], None] | None,
    ) -> None:
        self.outbox, self.submit, self.pace, self.stop, self.plan, self.clock = outbox, submit, pace, stop, plan, clock
        self.on_stopping = on_stopping
        self.problem: AccountProblem | None = None
        self.waiting: deque[tuple[Claim, float]] = deque()  # with the monotonic time of the claim
        self.arrived = asyncio.Condition()  # for senders: something waits, or the end
        self.look = asyncio.Event()  # for the claimer: there may be room again, or the end
        self.stopping = False
        self.at_pace = 0  # claims that wait for their turn
        self.in_flight = 0  # requests
        self.request_s = AHEAD_S  # how long one takes of late
        self.fill = 1  # messages that a request holds of late
        self.last_text = ""  # of the last claim: one message alone does not tell whether all get the same
        self.most = 1  # messages of one request: doubled by each that is accepted, so that failures stay few
        self.throttled = 0  # 429 in a row

    async def claim(self) -> None:
        """Keep about 100 ms of work claimed, while a request could be made."""
        try:
            while not self.stopping:
                self.look.clear()
                room = self._room()
                if room <= 0 or not await to_the_end(self._claim(room)):
                    await wait_for(self.look, IDLE_S)
        finally:
            left = [claim for claim, _ in self.waiting]
            self.waiting.clear()  # first, so that no sender takes one that is being given back
            await to_the_end(self._give_back(left))

    async def send(self) -> None:
        """One sender: take a batch, ask the pace, request, write; until the end."""
        while (batch := await self._next_batch()) is not None:
            await self._go([claim for claim, _ in batch], claimed=batch[0][1])

    async def end(self, senders: Sequence[asyncio.Task[None]]) -> None:
        """Wait for the word to stop, and at the second word end the requests that are in flight."""
        await self.stop.asked.wait()
        await self._stop()
        if self.on_stopping is not None:
            self.on_stopping(self.in_flight)
        await self.stop.aborted.wait()
        for sender in senders:
            sender.cancel()

    async def _claim(self, size: int) -> bool:
        asked = self.clock.monotonic()
        claims = await self.outbox.claim(size)
        if claims:
            texts = {claim.message.text for claim in claims} | {self.last_text}
            self.last_text = claims[-1].message.text
            grown = max(self.fill, 2 * len(claims)) if len(texts) == 1 else max(1, len(claims) // len(texts))
            self.fill = min(self.most, grown)
            async with self.arrived:
                self.waiting.extend((claim, asked) for claim in claims)
                self.arrived.notify(len(claims))
        return bool(claims)

    def _room(self) -> int:
        """How many messages may be claimed now."""
        if self.in_flight >= self.plan.workers or self.pace.is_held():
            return 0
        requests_per_s = min(self.pace.rate.per_second, self.plan.workers / self.request_s)
        ahead = max(1, int(AHEAD_S * requests_per_s)) * self.fill
        return ahead - len(self.waiting) - self.at_pace

    async def _next_batch(self) -> list[tuple[Claim, float]] | None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.stopping or self.waiting)
            if self.stopping:
                return None
            batch = [self.waiting.popleft()]
            numbers = {batch[0][0].message.number}  # answers are told apart by number alone
            while self.waiting and len(batch) < self.most:
                following = self.waiting[0][0]
                if not _same(batch[0][0], following) or following.message.number in numbers:
                    break
                numbers.add(following.message.number)
                batch.append(self.waiting.popleft())
            return batch

    async def _go(self, claims: Sequence[Claim], claimed: float) -> None:
        """Bring a batch to its outcomes; one that is refused as a whole goes again in halves, each at its own pace."""
        parts = [claims]
        try:
            while parts and await self._may_go(parts[-1], claimed):
                part = parts.pop()
                if not await self._request(part):
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
        finally:
            await to_the_end(self._give_back([claim for part in parts for claim in part]))

    async def _may_go(self, claims: Sequence[Claim], claimed: float) -> bool:
        """Wait for the pace; False where it was closed, or where the claim has grown old meanwhile."""
        units = self.plan.units(claims)
        self.at_pace += len(claims)
        try:
            if not await self.pace.take(units):
                return False
        finally:
            self.at_pace -= len(claims)
            self.look.set()
        is_fresh = self.clock.monotonic() - claimed <= STALE_S
        if not is_fresh:
            self.pace.put_back(units)  # for the next claim, which would else grow as old at a slow pace
        return is_fresh

    async def _request(self, claims: Sequence[Claim]) -> bool:
        """Submit and write the outcomes; False where the request was refused as a whole and has none."""
        self.in_flight += 1
        started, sent_at = self.clock.monotonic(), self.clock.now()
        try:
            outcomes = await self._submit(claims, sent_at)
            accepted = any(outcome.event is MessageEvent.ACCEPT for outcome in outcomes)
            self.most = min(self.plan.batch_size, 2 * self.most) if accepted else 1
            if outcomes:
                await to_the_end(self.outbox.finish(outcomes))
            if self.problem is not None:
                await self._stop()
        finally:
            self.in_flight -= 1
            self.request_s += 0.1 * (self.clock.monotonic() - started - self.request_s)
            self.look.set()
        return bool(outcomes)

    async def _submit(self, claims: Sequence[Claim], sent_at: datetime) -> list[Outcome]:
        try:
            submissions = await self.submit([claim.message for claim in claims])
        except asyncio.CancelledError:
            sentence = "Stopped while this message was on its way."
            await to_the_end(self.outbox.finish([_lost(claim, INTERRUPTED, sentence, sent_at) for claim in claims]))
            raise
        except ProviderError as error:
            if isinstance(error, BatchRefused) and len(claims) > 1:
                return []
            return [self._settle(claim, error, sent_at) for claim in claims]
        except Exception as error:  # a provider's own bug: the request may have left, and the others must go on
            log.exception("%s failed on a request", type(error).__name__)
            return [_lost(claim, "no_answer", "The provider's code failed.", sent_at) for claim in claims]
        self.throttled = 0
        by_number = {submission.number: submission for submission in submissions}
        return [self._answer(claim, by_number.get(claim.message.number), sent_at) for claim in claims]

    def _answer(self, claim: Claim, submission: Submission | None, sent_at: datetime) -> Outcome:
        """What became of one message; one that the answer leaves out may have been taken."""
        if submission is None or submission.accepted is None:
            error = submission.error if submission is not None else None
            return self._settle(claim, error or MaybeTaken("the answer left this number out"), sent_at)
        refused = not submission.accepted
        return Outcome(
            claim=claim,
            event=MessageEvent.REJECT if refused else MessageEvent.ACCEPT,
            reason=(submission.code or "rejected") if refused else "",
            detail=submission.reason if refused else "",
            provider_id=submission.provider_id,
            sent_at=sent_at,
        )

    def _settle(self, claim: Claim, error: ProviderError, sent_at: datetime) -> Outcome:
        """What becomes of a message whose request ended in an error."""
        if isinstance(error, AccountProblem):
            self.problem = self.problem or error
            self._halt()
            return _given_back(claim)
        if isinstance(error, Throttled):
            self._hold(error)
            return _given_back(claim)
        if isinstance(error, NotTaken):
            return _not_taken(claim, error)
        return _lost(claim, "no_answer", error.what, sent_at)

    def _hold(self, error: Throttled) -> None:
        if not self.pace.is_held():  # the first of those that were in flight speaks for all
            self.throttled += 1
        self.pace.hold(error.retry_after if error.retry_after is not None else _back_off(self.throttled))

    def _halt(self) -> None:
        self.stopping = True
        self.pace.close()
        self.look.set()

    async def _stop(self) -> None:
        self._halt()
        async with self.arrived:
            self.arrived.notify_all()

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        if claims:
            await self.outbox.finish([_given_back(claim) for claim in claims])


def _same(one: Claim, other: Claim) -> bool:
    return (one.message.text, one.message.sender) == (other.message.text, other.message.sender)


def _not_taken(claim: Claim, error: NotTaken) -> Outcome:
    if claim.tries >= MOST_TRIES:
        return Outcome(claim=claim, event=MessageEvent.FAIL, reason="not_taken", detail=error.what)
    wait = error.retry_after if error.retry_after is not None else _back_off(claim.tries)
    return Outcome(claim=claim, event=MessageEvent.RETRY, reason="not_taken", detail=error.what, retry_in_s=wait)


def _given_back(claim: Claim) -> Outcome:
    return Outcome(claim=claim, event=MessageEvent.GIVE_BACK)


def _lost(claim: Claim, reason: str, detail: str, sent_at: datetime) -> Outcome:
    return Outcome(claim=claim, event=MessageEvent.LOSE, reason=reason, detail=detail, sent_at=sent_at)


def _back_off(tries: int) -> float:
    """Exponential with full jitter: 1, 2, 4, ... seconds at most."""
    return random.uniform(0.05, min(LONGEST_RETRY_S, 2.0 ** (tries - 1)))  # noqa: S311 - spreads load, guards nothing
