"""What a provider promises by what it declares: look-up, key and cancel. Those that do not declare it lack it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import AccountProblem, MaybeTaken, NotTaken, ProviderError, Throttled
from campaigns.model import MessageEvent
from campaigns.providers.base import Capabilities, DuplicateGuard, provider_types
from campaigns.settings import Account
from tests.providers.samples import BROKEN, UNKNOWN_BODIES, OpenAt, Samples, Script, Server, a_message
from tests.scripted import http
from tests.wire import Fault, open_wire

LOOKUP_ANSWERS = {
    **dict.fromkeys((301, 307, 402, 403, 404, 405), AccountProblem),
    **dict.fromkeys((400, 408, 413, 422, 500, 502, 504), MaybeTaken),
    429: Throttled,
    503: NotTaken,
}


def for_those_that(declare: Callable[[Capabilities], bool]) -> pytest.MarkDecorator:
    """Run a test for each provider whose capabilities pass; at least one does."""
    bare = {name: kind.capabilities_of(Account(name="lund", type=name)) for name, kind in provider_types().items()}
    names = [name for name, capabilities in bare.items() if declare(capabilities)]
    assert names
    return pytest.mark.parametrize("samples", names, indirect=True)


can_be_asked = for_those_that(lambda can: DuplicateGuard.LOOKUP in can.duplicate_guard)
takes_a_key = for_those_that(lambda can: DuplicateGuard.KEY in can.duplicate_guard)
can_cancel = for_those_that(lambda can: can.cancel and can.schedule_horizon is not None)


def test_only_what_is_declared_is_there(open_at: OpenAt) -> None:
    provider = open_at("http://127.0.0.1:1")
    can = provider.capabilities
    assert hasattr(provider, "find") is (DuplicateGuard.LOOKUP in can.duplicate_guard)
    assert hasattr(provider, "cancel") is can.cancel


@takes_a_key
async def test_a_reference_seen_before_is_answered_as_the_first_time(open_at: OpenAt, server: Server) -> None:
    provider, refused = open_at(server.url), a_message(int(server.refused_number[-3:]), text="Again")
    seen, new = a_message(661, text="Again"), a_message(662, text="Again")
    first = await provider.submit([seen, refused])
    again = await open_at(server.url).submit([new, refused, seen])
    assert [again[2], again[1]] == list(first)
    assert again[0].accepted
    assert _received(server, "Again") == {seen.number: 1, new.number: 1}


@takes_a_key
async def test_two_requests_with_one_reference_at_once_bring_one_message(open_at: OpenAt, server: Server) -> None:
    provider, message = open_at(server.url), a_message(663, text="At once")
    batches = [[message], [a_message(664 + place, text="At once") for place in range(3)] + [message]] * 8
    answers = await asyncio.gather(*(provider.submit(batch) for batch in batches))
    assert len({answer[-1].provider_id for answer in answers}) == 1
    assert set(_received(server, "At once").values()) == {1}


@takes_a_key
async def test_what_was_taken_although_the_answer_was_lost_may_be_sent_again(
    open_at: OpenAt, samples: Samples, server: Server
) -> None:
    batch = [a_message(671, text="Lost"), a_message(672, text="Lost")]
    async with open_wire(server.url) as wire:
        wire.choose = lambda line: Fault.RESET_AFTER if samples.send_path in line else None
        with pytest.raises(MaybeTaken):
            await open_at(wire.url).submit(batch)
    submissions = await open_at(server.url).submit(batch)
    assert all(submission.accepted for submission in submissions)
    assert _received(server, "Lost") == {message.number: 1 for message in batch}


@can_be_asked
async def test_a_look_up_tells_what_was_taken_and_leaves_out_what_was_not(open_at: OpenAt, server: Server) -> None:
    provider = open_at(server.url)
    taken, refused = a_message(673), a_message(int(server.refused_number[-3:]))
    submissions = await provider.submit([taken, refused])
    found = {one.reference: one for one in await provider.find([refused.reference, "never-1", taken.reference])}
    assert set(found) == {taken.reference, refused.reference}
    accepted, rejected = found[taken.reference], found[refused.reference]
    assert (accepted.event, accepted.number, accepted.provider_id) == (
        MessageEvent.ACCEPT,
        taken.number,
        submissions[0].provider_id,
    )
    assert (rejected.event, rejected.number) == (MessageEvent.REJECT, refused.number)
    assert (rejected.code, rejected.reason) == (submissions[1].code, submissions[1].reason)


@can_be_asked
async def test_as_many_may_be_looked_up_at_once_as_may_be_sent(open_at: OpenAt, server: Server) -> None:
    provider = open_at(server.url)
    assert await provider.find([f"never-{number:0100}" for number in range(provider.capabilities.batch_size)]) == []


@can_be_asked
@pytest.mark.parametrize(("status", "error"), LOOKUP_ANSWERS.items())
async def test_each_status_of_a_look_up_has_one_meaning(
    open_at: OpenAt, script: Script, status: int, error: type[ProviderError]
) -> None:
    async with script(http(status, b"{}", Location="/elsewhere", Retry_After="3")) as service:
        with pytest.raises(error) as raised:
            await open_at(service.url).find(["led-c1-605"])
        assert raised.type is error
        assert len(service.asked) == 2


@can_be_asked
@pytest.mark.parametrize("answer", [*BROKEN.values(), *(http(200, body) for body in UNKNOWN_BODIES)])
async def test_an_answer_that_cannot_be_read_never_says_that_nothing_was_taken(
    open_at: OpenAt, script: Script, answer: bytes
) -> None:
    async with script(answer) as service:
        with pytest.raises(MaybeTaken):
            await open_at(service.url).find(["led-c1-605"])


@can_cancel
async def test_a_message_that_has_not_left_can_be_taken_back(open_at: OpenAt, server: Server) -> None:
    provider = open_at(server.url)
    ahead = a_message(681, text="Held", send_at=SYSTEM_CLOCK.now() + timedelta(hours=1))
    [submission] = await provider.submit([ahead])
    assert submission.accepted
    assert submission.provider_id is not None
    assert await provider.cancel(submission.provider_id) is True
    assert await provider.cancel(submission.provider_id) is True  # also when the first answer was lost
    assert _received(server, "Held") == {}


@can_cancel
async def test_what_is_scheduled_leaves_in_its_time_and_cannot_be_taken_back_then(
    open_at: OpenAt, server: Server
) -> None:
    provider = open_at(server.url)
    soon = a_message(682, text="Soon", send_at=SYSTEM_CLOCK.now() + timedelta(milliseconds=30))
    [submission] = await provider.submit([soon])
    assert submission.provider_id is not None
    async with asyncio.timeout(10):
        while not _received(server, "Soon"):
            await provider.check()  # a request takes its time, too
    assert await provider.cancel(submission.provider_id) is False


@can_cancel
async def test_a_message_that_nobody_knows_cannot_be_taken_back(open_at: OpenAt, server: Server) -> None:
    assert await open_at(server.url).cancel("never-1") is False


@can_cancel
@pytest.mark.parametrize(("status", "error"), {404: AccountProblem, 500: MaybeTaken, 503: NotTaken}.items())
async def test_a_cancel_that_is_not_answered_is_an_error(
    open_at: OpenAt, script: Script, status: int, error: type[ProviderError]
) -> None:
    async with script(http(status)) as service:
        with pytest.raises(error):
            await open_at(service.url).cancel("id-1")


def _received(server: Server, text: str) -> Counter[str]:
    return Counter(number for _, number, one in server.received() if one == text)
