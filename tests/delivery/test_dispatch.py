import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.delivery.breaker import MOST_IN_A_ROW, MOST_PROBES
from campaigns.delivery.dispatch import AHEAD_S, STALE_S, Plan, deliver
from campaigns.delivery.outcomes import MOST_TRIES
from campaigns.delivery.pace import Pace
from campaigns.delivery.stop import Stop
from campaigns.errors import (
    AccountProblem,
    BatchRefused,
    MaybeTaken,
    NotTaken,
    ProviderError,
    Throttled,
)
from campaigns.events import Figures
from campaigns.model import (
    CampaignId,
    Claim,
    Encoding,
    Message,
    MessageEvent,
    Msisdn,
    Outcome,
    ProviderMessageId,
    Rate,
    Submission,
)

FAST = Rate(100_000)


def a_claim(row: int, *, text: str = "", tries: int = 1) -> Claim:
    message = Message(
        id=f"c1-{row}",
        reference=f"x-c1-{row}",
        number=Msisdn(f"+46701740{row:03}"),
        text=text or f"Hej {row}",
        sender="Butiken",
        encoding=Encoding.GSM7,
        segments=1,
    )
    return Claim(campaign_id=CampaignId(1), row=row, tries=tries, message=message)


@dataclass
class MemoryOutbox:
    """An outbox that keeps its messages in a list, and asks for the end when all have an outcome."""

    due: list[Claim]
    stop: Stop
    outcomes: list[Outcome] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)  #: of each claim that was asked for

    async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
        await asyncio.sleep(0)  # as a commit would
        self.outcomes += outcomes
        claims = self.claim(size) if size else []
        if not claims and not self.due and not self._open():
            self.stop.ask()
        return claims

    def claim(self, size: int) -> Sequence[Claim]:
        claims, self.due = self.due[:size], self.due[size:]
        self.sizes.append(len(claims))
        return claims

    def events(self) -> Counter[MessageEvent]:
        return Counter(outcome.event for outcome in self.outcomes)

    def _open(self) -> bool:
        return sum(self.sizes) != len(self.outcomes)


AGAIN = (MessageEvent.GIVE_BACK, MessageEvent.RETRY)


class Patient(MemoryOutbox):
    """What is not settled is due again at once."""

    async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
        self.due += [outcome.claim for outcome in outcomes if outcome.event in AGAIN]
        return await super().exchange(outcomes, size)

    def _open(self) -> bool:
        return bool(self.due) or super()._open() or all(outcome.event in AGAIN for outcome in self.outcomes)


@dataclass
class Ear:
    """Hears all that a delivery tells."""

    in_flight: list[int] = field(default_factory=list)
    holds: list[tuple[float, str]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    looks: list[Callable[[], Figures]] = field(default_factory=list)
    on_stopping: Callable[[], None] = lambda: None

    def sending(self, look: Callable[[], Figures]) -> None:
        self.looks.append(look)

    def stopping(self, in_flight: int) -> None:
        self.in_flight.append(in_flight)
        self.on_stopping()

    def held(self, seconds: float, error: NotTaken) -> None:
        self.holds.append((seconds, error.what))

    def paced(self, rate: Rate) -> None:
        self.rates.append(rate.per_second)

    def answered(self, seconds: float, outcomes: Sequence[Outcome]) -> None:
        self.seconds.append(seconds)


@dataclass
class Service:
    """A pretend provider: what it answers is told by a function of the batch."""

    answer: Callable[[Sequence[Message]], Sequence[Submission]]
    batches: list[Sequence[Message]] = field(default_factory=list)

    async def submit(self, batch: Sequence[Message]) -> Sequence[Submission]:
        self.batches.append(batch)
        await asyncio.sleep(0)
        return self.answer(batch)


def accept(batch: Sequence[Message]) -> list[Submission]:
    return [
        Submission(number=message.number, accepted=True, provider_id=ProviderMessageId(f"id-{message.number}"))
        for message in batch
    ]


def refuse_with(error: Exception) -> Callable[[Sequence[Message]], list[Submission]]:
    def answer(batch: Sequence[Message]) -> list[Submission]:
        raise error

    return answer


async def run(
    outbox: MemoryOutbox,
    submit: Callable[[Sequence[Message]], object],
    *,
    workers: int = 4,
    batch_size: int = 1,
    rate: Rate = FAST,
    clock: Clock = SYSTEM_CLOCK,
    pace: Pace | None = None,
    own_texts: bool = False,
) -> Ear:
    plan = Plan(workers=workers, batch_size=batch_size, own_texts=own_texts, units=lambda claims: 1)
    ear = Ear()
    async with asyncio.timeout(20):
        await deliver(outbox, submit, pace or Pace(rate, clock), outbox.stop, plan, clock, ear)
    return ear


async def test_every_message_is_requested_once_and_has_one_outcome() -> None:
    outbox, service = MemoryOutbox([a_claim(row) for row in range(300)], Stop()), Service(accept)
    await run(outbox, service.submit)
    requested = [message.id for batch in service.batches for message in batch]
    assert sorted(requested) == sorted({f"c1-{row}" for row in range(300)})
    assert outbox.events() == {MessageEvent.ACCEPT: 300}
    assert {outcome.provider_id for outcome in outbox.outcomes} == {f"id-+46701740{row:03}" for row in range(300)}


async def test_identical_texts_share_requests_and_different_ones_do_not() -> None:
    same = MemoryOutbox([a_claim(row, text="Hej") for row in range(400)], Stop())
    service = Service(accept)
    await run(same, service.submit, batch_size=100)
    assert same.events() == {MessageEvent.ACCEPT: 400}
    assert max(len(batch) for batch in service.batches) > 20
    different, other = MemoryOutbox([a_claim(row) for row in range(50)], Stop()), Service(accept)
    await run(different, other.submit, batch_size=100)
    assert {len(batch) for batch in other.batches} == {1}


async def test_one_refused_number_of_a_batch_hides_no_other_outcome_in_any_order() -> None:
    def answer(batch: Sequence[Message]) -> list[Submission]:
        answers = accept(batch)
        answers[0] = Submission(number=batch[0].number, accepted=False, code="number_blocked", reason="It is blocked.")
        return answers[::-1]

    outbox = MemoryOutbox([a_claim(row, text="Hej") for row in range(3)], Stop())
    await run(outbox, Service(answer).submit, batch_size=100, workers=1)
    for outcome in outbox.outcomes:
        if outcome.event is MessageEvent.ACCEPT:
            assert outcome.provider_id == f"id-{outcome.claim.message.number}"
        else:
            assert (outcome.reason, outcome.detail) == ("number_blocked", "It is blocked.")
    assert outbox.events()[MessageEvent.REJECT] >= 1


async def test_a_number_that_the_answer_leaves_out_may_have_been_taken() -> None:
    outbox = MemoryOutbox([a_claim(row, text="Hej") for row in range(64)], Stop())
    await run(outbox, Service(lambda batch: accept(batch)[:1]).submit, batch_size=100, workers=1)
    events = outbox.events()
    assert events.total() == 64
    assert events[MessageEvent.LOSE] > 0
    assert set(events) == {MessageEvent.ACCEPT, MessageEvent.LOSE}


async def test_a_batch_that_is_refused_as_a_whole_goes_in_halves_until_only_the_bad_number_is_refused() -> None:
    bad = a_claim(5).message.number

    def answer(batch: Sequence[Message]) -> list[Submission]:
        if bad not in {message.number for message in batch}:
            return accept(batch)
        if len(batch) > 1:
            raise BatchRefused("refused as a whole")
        return [Submission(number=bad, accepted=False, code="http_400")]

    outbox, service = Patient([a_claim(row, text="Hej") for row in range(40)], Stop()), Service(answer)
    await run(outbox, service.submit, batch_size=100, workers=1)
    assert [outcome.claim.message.number for outcome in outbox.outcomes if outcome.event is MessageEvent.REJECT] == [
        bad
    ]
    assert outbox.events()[MessageEvent.ACCEPT] == 39


async def test_each_half_of_a_refused_batch_waits_for_its_own_permit() -> None:
    asked: list[int] = []

    class Counted(Pace):
        def take_at_once(self, units: int = 1) -> bool:
            return False

        async def take(self, units: int = 1) -> bool:
            asked.append(units)
            return await super().take(units)

    def answer(batch: Sequence[Message]) -> list[Submission]:
        if len(batch) > 1:
            raise BatchRefused("refused as a whole")
        return accept(batch)

    outbox, service = MemoryOutbox([a_claim(row, text="Hej") for row in range(40)], Stop()), Service(answer)
    await run(outbox, service.submit, workers=1, batch_size=100, pace=Counted(FAST, SYSTEM_CLOCK))
    assert len(service.batches) == len(asked) > 40


async def test_a_number_never_stands_twice_in_one_request() -> None:
    claims = [a_claim(1, text="Hej"), a_claim(2, text="Hej"), a_claim(1, text="Hej"), a_claim(3, text="Hej")]
    outbox, service = MemoryOutbox(claims, Stop()), Service(accept)
    await run(outbox, service.submit, batch_size=100, workers=1)
    assert all(len({message.number for message in batch}) == len(batch) for batch in service.batches)
    assert outbox.events() == {MessageEvent.ACCEPT: 4}


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (MaybeTaken("no answer"), MessageEvent.LOSE),
        (NotTaken("busy"), MessageEvent.RETRY),
        (Throttled("wait", retry_after=0.0), MessageEvent.GIVE_BACK),
        (None, MessageEvent.LOSE),
    ],
)
async def test_one_message_of_an_answer_may_end_in_an_error_of_its_own(
    error: ProviderError | None, event: MessageEvent
) -> None:
    def answer(batch: Sequence[Message]) -> list[Submission]:
        return [Submission(number=message.number, accepted=None, error=error) for message in batch]

    outbox = MemoryOutbox([a_claim(1)], Stop())
    await run(outbox, Service(answer).submit)
    assert outbox.events() == {event: 1}


@pytest.mark.parametrize(
    ("error", "tries", "event"),
    [
        (NotTaken("refused connection"), 1, MessageEvent.RETRY),
        (NotTaken("refused connection"), MOST_TRIES - 1, MessageEvent.RETRY),
        (NotTaken("refused connection"), MOST_TRIES, MessageEvent.FAIL),
        (MaybeTaken("no answer within 30 s"), 1, MessageEvent.LOSE),
        (MaybeTaken("no answer within 30 s"), MOST_TRIES, MessageEvent.LOSE),
        (Throttled("wait", retry_after=0.01), MOST_TRIES, MessageEvent.GIVE_BACK),
        (KeyError("a provider's bug"), 1, MessageEvent.LOSE),
    ],
)
async def test_each_error_leads_to_its_outcome(error: Exception, tries: int, event: MessageEvent) -> None:
    outbox = MemoryOutbox([a_claim(1, tries=tries)], Stop())
    await run(outbox, Service(refuse_with(error)).submit)
    assert outbox.events() == {event: 1}


async def test_a_retry_waits_as_long_as_the_provider_asked_for() -> None:
    outbox = MemoryOutbox([a_claim(1)], Stop())
    await run(outbox, Service(refuse_with(NotTaken("busy", retry_after=17.0))).submit)
    assert outbox.outcomes[0].retry_in_s == 17.0


async def test_a_429_holds_every_sender() -> None:
    moments: list[float] = []

    def answer(batch: Sequence[Message]) -> list[Submission]:
        moments.append(SYSTEM_CLOCK.monotonic())
        if len(moments) == 1:
            raise Throttled("wait", retry_after=0.3)
        return accept(batch)

    outbox = MemoryOutbox([a_claim(row) for row in range(20)], Stop())
    await run(outbox, Service(answer).submit, rate=Rate(1000))
    in_flight = [moment for moment in moments[1:] if moment - moments[0] < 0.25]
    assert len(in_flight) < 4  # only requests that had left when the answer came
    assert outbox.events()[MessageEvent.GIVE_BACK] == 1


async def test_an_account_problem_stops_all_and_gives_everything_back() -> None:
    outbox = MemoryOutbox([a_claim(row) for row in range(200)], Stop())
    with pytest.raises(AccountProblem, match="no credit"):
        await run(outbox, Service(refuse_with(AccountProblem("no credit"))).submit)
    assert set(outbox.events()) == {MessageEvent.GIVE_BACK}
    assert len(outbox.outcomes) == sum(outbox.sizes)


async def test_a_claim_that_grew_old_is_given_back_and_not_sent() -> None:
    offset = 0.0
    clock = Clock(now=SYSTEM_CLOCK.now, monotonic=lambda: SYSTEM_CLOCK.monotonic() + offset, sleep=SYSTEM_CLOCK.sleep)

    class Sleepy(Pace):
        async def take(self, units: int = 1) -> bool:
            nonlocal offset
            taken = await super().take(units)
            offset += STALE_S + 1  # the machine slept between the claim and the request
            return taken

    outbox, service = MemoryOutbox([a_claim(1)], Stop()), Service(accept)
    await run(outbox, service.submit, workers=1, clock=clock, pace=Sleepy(FAST, clock))
    assert outbox.events() == {MessageEvent.GIVE_BACK: 1}
    assert service.batches == []


async def test_a_claim_is_as_old_as_the_question_for_it() -> None:
    offset = 0.0
    clock = Clock(now=SYSTEM_CLOCK.now, monotonic=lambda: SYSTEM_CLOCK.monotonic() + offset, sleep=SYSTEM_CLOCK.sleep)

    class Sleepy(MemoryOutbox):
        def claim(self, size: int) -> Sequence[Claim]:
            nonlocal offset
            offset += STALE_S + 1  # the machine slept between the commit and its answer
            return super().claim(size)

    outbox, service = Sleepy([a_claim(1)], Stop()), Service(accept)
    await run(outbox, service.submit, workers=1, clock=clock)
    assert outbox.events() == {MessageEvent.GIVE_BACK: 1}
    assert service.batches == []


async def test_at_a_slow_pace_the_permit_of_a_claim_that_grew_old_goes_to_the_next() -> None:
    offset = 0.0
    clock = Clock(now=SYSTEM_CLOCK.now, monotonic=lambda: SYSTEM_CLOCK.monotonic() + offset, sleep=SYSTEM_CLOCK.sleep)

    class Slow(Pace):
        async def take(self, units: int = 1) -> bool:
            nonlocal offset
            taken = await super().take(units)
            offset += 0.0 if offset else STALE_S + 1  # the first claim waits long for its turn
            return taken

    outbox, service = Patient([a_claim(1)], Stop()), Service(accept)
    await run(outbox, service.submit, workers=1, clock=clock, pace=Slow(Rate(0.001), clock))
    assert len(service.batches) == 1


async def test_claims_reach_no_further_ahead_than_a_tenth_of_a_second() -> None:
    outbox, service = MemoryOutbox([a_claim(row) for row in range(30)], Stop()), Service(accept)
    await run(outbox, service.submit, workers=32, rate=Rate(50))
    assert max(outbox.sizes) <= 5


@pytest.mark.parametrize("workers", [1, 32])
async def test_what_waits_and_what_is_at_the_pace_are_no_more_than_a_tenth_of_a_second_together(workers: int) -> None:
    class Watched(MemoryOutbox):
        def claim(self, size: int) -> Sequence[Claim]:
            claims = super().claim(size)
            ahead.append(ear.looks[0]().waiting + len(claims))
            return claims

    ahead: list[int] = []
    outbox, service = Watched([a_claim(row) for row in range(30)], Stop()), Service(accept)
    plan, ear = Plan(workers=workers, batch_size=1, units=lambda claims: 1), Ear()
    async with asyncio.timeout(20):
        await deliver(outbox, service.submit, Pace(Rate(50), SYSTEM_CLOCK), outbox.stop, plan, SYSTEM_CLOCK, ear)
    assert max(ahead) <= 5


async def test_at_a_slow_pace_nothing_is_claimed_until_shortly_before_its_turn() -> None:
    class Watched(MemoryOutbox):
        def claim(self, size: int) -> Sequence[Claim]:
            waits.append(pace.next_in() if self.due else 0.0)
            return super().claim(size)

    waits: list[float] = []
    pace = Pace(Rate(2), SYSTEM_CLOCK)
    outbox, service = Watched([a_claim(row) for row in range(3)], Stop()), Service(accept)
    await run(outbox, service.submit, pace=pace)
    assert len(service.batches) == 3
    assert max(waits) <= AHEAD_S


async def test_claims_of_one_message_do_not_pass_for_a_text_that_all_get() -> None:
    class OneByOne(MemoryOutbox):
        def claim(self, size: int) -> Sequence[Claim]:
            wanted.append(size)
            return super().claim(1)

    wanted: list[int] = []
    outbox, service = OneByOne([a_claim(row) for row in range(30)], Stop()), Service(accept)
    await run(outbox, service.submit, workers=32, batch_size=100, rate=Rate(100))
    assert max(wanted) <= 10  # a tenth of a second of work, and not twice as much


async def test_where_texts_of_their_own_follow_one_that_all_get_what_was_claimed_for_full_requests_goes_back() -> None:
    class InOrder(Patient):
        def claim(self, size: int) -> Sequence[Claim]:
            self.due.sort(key=lambda claim: claim.row)
            return super().claim(size)

    waiting: list[int] = []

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        if batch[0].text != "Hej":
            waiting.append(ear.looks[0]().waiting)
        return accept(batch)

    own = [a_claim(row) for row in range(800, 1000)]
    outbox = InOrder([*(a_claim(row, text="Hej") for row in range(800)), *own], Stop())
    plan, ear = Plan(workers=8, batch_size=100, units=lambda claims: 1), Ear()
    async with asyncio.timeout(20):
        await deliver(outbox, submit, Pace(Rate(200), SYSTEM_CLOCK), outbox.stop, plan, SYSTEM_CLOCK, ear)
    assert outbox.events()[MessageEvent.ACCEPT] == 1000
    assert max(waiting) <= 2 * 20


async def test_a_slow_provider_gets_as_many_requests_at_once_as_it_may() -> None:
    at_once, most = 0, 0

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        return accept(batch)

    outbox = MemoryOutbox([a_claim(row) for row in range(200)], Stop())
    await run(outbox, submit, workers=8)
    assert most == 8


async def test_texts_of_their_own_share_requests_where_the_provider_takes_them() -> None:
    outbox, service = MemoryOutbox([a_claim(row) for row in range(400)], Stop()), Service(accept)
    await run(outbox, service.submit, batch_size=100, own_texts=True)
    assert outbox.events() == {MessageEvent.ACCEPT: 400}
    assert max(len(batch) for batch in service.batches) > 20


async def test_where_messages_count_a_request_holds_no_more_than_a_tenth_of_a_second_of_them() -> None:
    outbox, service = MemoryOutbox([a_claim(row) for row in range(150)], Stop()), Service(accept)
    plan = Plan(workers=4, batch_size=100, own_texts=True, units=len)
    async with asyncio.timeout(20):
        await deliver(outbox, service.submit, Pace(Rate(200), SYSTEM_CLOCK), outbox.stop, plan, SYSTEM_CLOCK, Ear())
    assert outbox.events() == {MessageEvent.ACCEPT: 150}
    assert 5 < max(len(batch) for batch in service.batches) <= 20
    assert max(outbox.sizes) <= 20


async def test_repeated_429_lower_the_rate_and_what_was_in_flight_then_counts_once() -> None:
    throttled: list[Sequence[Message]] = []

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        if len(throttled) >= 16:
            return accept(batch)
        throttled.append(batch)
        await asyncio.sleep(0.01)
        raise Throttled("wait", retry_after=0.05)

    outbox = Patient([a_claim(row) for row in range(64)], Stop())
    ear = await run(outbox, submit, workers=8, rate=Rate(1000))
    assert outbox.events()[MessageEvent.ACCEPT] == 64
    assert outbox.events().keys() == {MessageEvent.ACCEPT, MessageEvent.GIVE_BACK}
    assert ear.rates[0] == pytest.approx(700)
    assert len(ear.rates) <= 3  # not one for each of the sixteen


async def test_a_503_with_retry_after_holds_every_sender() -> None:
    moments: list[float] = []

    def answer(batch: Sequence[Message]) -> Sequence[Submission]:
        moments.append(SYSTEM_CLOCK.monotonic())
        if len(moments) == 1:
            raise NotTaken("busy", retry_after=0.3)
        return accept(batch)

    outbox = MemoryOutbox([a_claim(row) for row in range(20)], Stop())
    ear = await run(outbox, Service(answer).submit, rate=Rate(1000))
    assert len([moment for moment in moments[1:] if moment - moments[0] < 0.25]) < 4
    assert ear.holds == [(0.3, "busy")]
    assert outbox.events() == {MessageEvent.ACCEPT: 19, MessageEvent.RETRY: 1}


@pytest.fixture
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chance is what the waits are made of."""
    monkeypatch.setattr("campaigns.delivery.health.back_off", lambda tries: 0.001 * tries)


async def test_requests_that_reach_nobody_open_the_breaker_and_no_message_fails_for_it(without_waits: None) -> None:
    sizes: list[int] = []
    in_flight = 0

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        nonlocal in_flight
        in_flight += 1
        sizes.append(in_flight)
        await asyncio.sleep(0.001)
        in_flight -= 1
        if len(sizes) <= 16:
            raise NotTaken("no connection could be made")
        return accept(batch)

    outbox = Patient([a_claim(row) for row in range(50)], Stop())
    ear = await run(outbox, submit, workers=8)
    tried = Counter(outcome.event for outcome in outbox.outcomes)
    assert tried[MessageEvent.ACCEPT] == 50
    assert MessageEvent.FAIL not in tried
    assert tried[MessageEvent.RETRY] < 5  # the tries of the first few alone
    assert {what for _, what in ear.holds} == {"no connection could be made"}
    first_probe = next(place for place, size in enumerate(sizes) if place >= 8 and size == 1)
    assert set(sizes[first_probe:16]) == {1}  # one at a time while it is open


async def test_a_provider_that_stays_away_ends_the_delivery_with_all_messages_planned(without_waits: None) -> None:
    outbox, service = Patient([a_claim(1, tries=MOST_TRIES)], Stop()), Service(refuse_with(NotTaken("gone")))
    outbox.due += [a_claim(row) for row in range(2, 50)]
    with pytest.raises(NotTaken, match="gone"):
        await run(outbox, service.submit, workers=1)
    assert len(service.batches) == MOST_IN_A_ROW - 1 + MOST_PROBES
    assert outbox.events().keys() <= {MessageEvent.GIVE_BACK, MessageEvent.RETRY, MessageEvent.FAIL}
    assert outbox.events()[MessageEvent.FAIL] <= 1


@pytest.mark.parametrize("last", [MaybeTaken("no answer"), KeyError("a provider's bug")])
async def test_an_answer_of_any_kind_closes_the_breaker(without_waits: None, last: Exception) -> None:
    answers = iter([*[NotTaken("gone")] * MOST_IN_A_ROW, last])

    def answer(batch: Sequence[Message]) -> Sequence[Submission]:
        for error in answers:
            raise error
        return accept(batch)

    outbox = Patient([a_claim(row) for row in range(50)], Stop())
    await run(outbox, Service(answer).submit, workers=1)
    assert outbox.events()[MessageEvent.ACCEPT] == 49
    assert outbox.events()[MessageEvent.LOSE] == 1


async def test_while_all_are_held_for_long_nothing_stays_claimed() -> None:
    held = asyncio.Event()

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        if not held.is_set():
            held.set()
            raise Throttled("wait", retry_after=30)
        return accept(batch)

    class Watched(MemoryOutbox):
        async def exchange(self, outcomes: Sequence[Outcome], size: int) -> Sequence[Claim]:
            claims = await super().exchange(outcomes, size)
            if held.is_set() and not claims and sum(self.sizes) == len(self.outcomes):
                self.stop.ask()  # all that was claimed has gone back
            return claims

        def _open(self) -> bool:
            return True

    outbox = Watched([a_claim(row) for row in range(500)], Stop())
    await run(outbox, submit, workers=8, rate=Rate(5000))
    assert outbox.events().keys() == {MessageEvent.GIVE_BACK}


async def test_how_many_requests_are_in_flight_and_messages_wait_can_be_asked_at_any_moment() -> None:
    outbox, seen = MemoryOutbox([a_claim(row) for row in range(30)], Stop()), []
    plan, ear = Plan(workers=4, batch_size=1, units=lambda claims: 1), Ear()

    async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
        await asyncio.sleep(0)  # until all who may have sent
        seen.append(ear.looks[0]())
        return accept(batch)

    async with asyncio.timeout(20):
        await deliver(outbox, submit, Pace(FAST, SYSTEM_CLOCK), outbox.stop, plan, SYSTEM_CLOCK, ear)
    assert max(figures.in_flight for figures in seen) == 4
    assert max(figures.waiting for figures in seen) > 0
    assert (ear.looks[0]().in_flight, ear.looks[0]().waiting) == (0, 0)
