import asyncio
from collections.abc import Sequence

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.delivery.dispatch import Plan, deliver, to_the_end
from campaigns.delivery.pace import Pace
from campaigns.delivery.stop import Stop
from campaigns.errors import BatchRefused, SettingsError
from campaigns.model import Claim, Message, MessageEvent, Outcome, Rate, Submission
from tests.delivery.test_dispatch import FAST, Ear, MemoryOutbox, Service, a_claim, accept, run


async def test_the_word_to_stop_finishes_what_left_and_gives_the_rest_back() -> None:
    stop, release = Stop(), asyncio.Event()
    ear = Ear(on_stopping=release.set)

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        stop.ask()
        await release.wait()
        return accept(batch)

    outbox = MemoryOutbox([a_claim(row) for row in range(100)], stop)
    plan = Plan(workers=3, batch_size=1, units=lambda claims: 1)
    await deliver(outbox, submit, Pace(FAST, SYSTEM_CLOCK), stop, plan, SYSTEM_CLOCK, ear)
    assert ear.in_flight == [outbox.events()[MessageEvent.ACCEPT]]
    assert outbox.events().total() == sum(outbox.sizes)
    assert set(outbox.events()) <= {MessageEvent.ACCEPT, MessageEvent.GIVE_BACK}


async def test_the_second_word_makes_what_is_in_flight_unknown() -> None:
    stop = Stop()

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        stop.abort()
        await asyncio.Event().wait()
        return []

    outbox = MemoryOutbox([a_claim(row) for row in range(100)], stop)
    await run(outbox, submit, workers=3)
    assert outbox.events()[MessageEvent.LOSE] >= 1
    assert {outcome.reason for outcome in outbox.outcomes if outcome.event is MessageEvent.LOSE} == {"interrupted"}
    assert outbox.events().total() == sum(outbox.sizes)


async def test_a_stop_requested_before_the_loop_starts_is_not_lost() -> None:
    stop = Stop()
    stop.ask()
    outbox, service = MemoryOutbox([a_claim(row) for row in range(10)], stop), Service(accept)
    await run(outbox, service.submit)
    assert service.batches == []


async def test_a_cancelled_delivery_leaves_no_claim_without_an_outcome() -> None:
    started = asyncio.Event()

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        started.set()
        await asyncio.Event().wait()
        return []

    outbox = MemoryOutbox([a_claim(row) for row in range(100)], Stop())
    plan = Plan(workers=3, batch_size=1, units=lambda claims: 1)
    clock = SYSTEM_CLOCK
    task = asyncio.create_task(deliver(outbox, submit, Pace(Rate(50), clock), outbox.stop, plan, clock, Ear()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outbox.events().total() == sum(outbox.sizes)


async def test_what_was_being_claimed_when_the_delivery_was_cancelled_goes_back() -> None:
    claiming, go = asyncio.Event(), asyncio.Event()

    class Slow(MemoryOutbox):
        async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
            claims = await super().exchange(outcomes, size)
            claiming.set()
            await go.wait()
            return claims

    outbox, service = Slow([a_claim(row) for row in range(100)], Stop()), Service(accept)
    task = asyncio.create_task(run(outbox, service.submit))
    await claiming.wait()
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sum(outbox.sizes) > 0
    assert outbox.events() == {MessageEvent.GIVE_BACK: sum(outbox.sizes)}
    assert service.batches == []


async def test_an_error_of_the_outbox_ends_the_loop_as_it_is_and_every_claim_has_an_outcome_all_the_same() -> None:
    class Broken(MemoryOutbox):
        async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
            if outcomes and not broken:
                broken.append(outcomes)
                raise SettingsError("the ledger is gone")
            return await super().exchange(outcomes, size)

        def claim(self, size: int) -> Sequence[Claim]:
            return super().claim(100)

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        requested.extend(message.id for message in batch)
        if len(requested) > 2:
            await asyncio.Event().wait()
        return accept(batch)

    broken: list[Sequence[Outcome]] = []
    requested: list[str] = []
    outbox = Broken([a_claim(row) for row in range(100)], Stop())
    with pytest.raises(SettingsError, match="the ledger is gone"):
        await run(outbox, submit, workers=3)
    given_back = {outcome.claim.message.id for outcome in outbox.outcomes if outcome.event is MessageEvent.GIVE_BACK}
    assert not given_back & set(requested)
    assert outbox.events() == {MessageEvent.ACCEPT: 2, MessageEvent.LOSE: 3, MessageEvent.GIVE_BACK: 95}


async def test_the_second_word_between_the_halves_of_a_refused_batch_loses_no_claim() -> None:
    stop, refused, sizes = Stop(), [], iter((1, 2, 4))  # requests grow while all goes well

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        if len(batch) == 4:
            refused.append(batch)
            raise BatchRefused("refused as a whole")
        if not refused:
            return accept(batch)
        stop.abort()
        await asyncio.Event().wait()
        return []

    class AtOnce(MemoryOutbox):
        def claim(self, size: int) -> Sequence[Claim]:
            return super().claim(next(sizes, size))

    outbox = AtOnce([a_claim(row, text="Hej") for row in range(7)], stop)
    await run(outbox, submit, workers=1, batch_size=4)
    assert outbox.events() == {MessageEvent.ACCEPT: 3, MessageEvent.LOSE: 2, MessageEvent.GIVE_BACK: 2}


async def test_a_last_write_is_brought_to_its_end_however_often_it_is_cancelled() -> None:
    written, go = [], asyncio.Event()

    async def write() -> None:
        await go.wait()
        written.append(1)

    task = asyncio.create_task(to_the_end(write()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert written == [1]


async def test_an_error_of_a_last_write_reaches_its_caller() -> None:
    async def write() -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        await to_the_end(write())
