"""What every provider promises: each answer, and each failure of the network, has one meaning."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import aiohttp
import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import AccountProblem, BatchRefused, MaybeTaken, NotTaken, ProviderError, Throttled
from campaigns.model import Submission
from campaigns.providers.base import provider_types
from tests.providers.samples import (
    BROKEN,
    PASSWORD,
    SAMPLES,
    TEXT,
    TOKEN,
    UNKNOWN_BODIES,
    OpenAt,
    Samples,
    Script,
    Server,
    a_message,
)
from tests.scripted import http
from tests.wire import Fault, open_wire

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ANSWERS = {  # what a status means for a request that carries a message
    **dict.fromkeys((402, 403, 404, 405), AccountProblem),
    **dict.fromkeys((301, 302, 303, 307, 308), AccountProblem),
    **dict.fromkeys((408, 409, 418, 500, 501, 502, 504, 599), MaybeTaken),
    429: Throttled,
    503: NotTaken,
}
ECHO = f"{PASSWORD} {TOKEN} {a_message().number} {TEXT}".encode()  # a service that repeats what it was told


def test_every_registered_provider_has_samples_and_they_open_it(open_at: OpenAt) -> None:
    assert set(SAMPLES) == set(provider_types())
    assert type(open_at("http://127.0.0.1:1")) in provider_types().values()


async def test_a_text_arrives_as_it_was_given(open_at: OpenAt, server: Server) -> None:
    message = a_message(611)
    [submission] = await open_at(server.url).submit([message])
    assert (submission.number, submission.accepted, submission.error) == (message.number, True, None)
    assert submission.provider_id
    assert ("Butiken", message.number, TEXT) in server.received()


async def test_a_full_batch_has_an_answer_for_each_number(open_at: OpenAt, server: Server) -> None:
    provider = open_at(server.url)
    batch = [a_message(number) for number in range(605, 605 + min(80, provider.capabilities.batch_size))]
    submissions = await provider.submit(batch)
    assert [one.number for one in submissions if one.accepted] == [message.number for message in batch]
    assert len({one.provider_id for one in submissions}) == len(batch)


async def test_one_refused_number_stops_no_other(open_at: OpenAt, server: Server) -> None:
    batch = [a_message(621), a_message(int(server.refused_number[-3:])), a_message(622)]
    first, refused, last = await open_at(server.url).submit(batch)
    assert first.accepted is last.accepted is True
    assert refused.accepted is False
    assert refused.error is None
    assert refused.code
    assert refused.reason
    assert refused.number not in {number for _, number, _ in server.received()}


async def test_answers_are_matched_by_number_in_any_order(open_at: OpenAt, samples: Samples, script: Script) -> None:
    batch = [a_message(number) for number in (605, 606, 607)]
    answer = samples.answer(
        {batch[2].number: True, batch[0].number: False, "+46701740699": True, batch[1].number: True}
    )
    async with script(answer) as service:
        submissions = await open_at(service.url).submit(batch)
    assert [(one.number, one.accepted) for one in submissions] == [
        (batch[0].number, False),
        (batch[1].number, True),
        (batch[2].number, True),
    ]


async def test_a_number_without_an_answer_may_have_been_taken(
    open_at: OpenAt, samples: Samples, script: Script
) -> None:
    batch = [a_message(605), a_message(606)]
    async with script(samples.answer({batch[1].number: True})) as service:
        missing, there = await open_at(service.url).submit(batch)
    assert (missing.number, missing.accepted) == (batch[0].number, None)
    assert isinstance(missing.error, MaybeTaken)
    assert (there.accepted, there.error) == (True, None)


async def test_an_answer_for_none_of_the_numbers_is_maybe_taken(
    open_at: OpenAt, samples: Samples, script: Script
) -> None:
    async with script(samples.answer({"+46701740699": True})) as service:
        with pytest.raises(MaybeTaken):
            await open_at(service.url).submit([a_message(605), a_message(606)])


@pytest.mark.parametrize("body", UNKNOWN_BODIES, ids=lambda body: repr(body[:15]))
@pytest.mark.parametrize("status", [200, 202])
async def test_a_success_with_a_body_that_nobody_knows_is_accepted_without_an_id(
    open_at: OpenAt, script: Script, body: bytes, status: int
) -> None:
    batch = [a_message(605), a_message(606)]
    async with script(http(status, body)) as service:
        submissions = await open_at(service.url).submit(batch)
    assert submissions == [Submission(number=message.number, accepted=True) for message in batch]


async def test_a_success_that_never_has_a_body_is_whole_without_one(open_at: OpenAt, script: Script) -> None:
    async with script(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") as service:
        submissions = await open_at(service.url).submit([a_message()])
    assert submissions == [Submission(number=a_message().number, accepted=True)]


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_is_none_is_maybe_taken(open_at: OpenAt, script: Script, answer: bytes) -> None:
    async with script(answer) as service:
        with pytest.raises(MaybeTaken):
            await open_at(service.url).submit([a_message()])
        assert len(service.asked) == 2  # a log-in and one request: nothing is sent twice


@pytest.mark.parametrize(("status", "error"), ANSWERS.items())
async def test_each_status_has_one_meaning(
    open_at: OpenAt, script: Script, status: int, error: type[ProviderError]
) -> None:
    async with script(http(status, b"{}", Location="/elsewhere")) as service:
        with pytest.raises(error) as raised:
            await open_at(service.url).submit([a_message(605), a_message(606)])
        assert raised.type is error
        assert len(service.asked) == 2  # not repeated, and no redirect followed


@pytest.mark.parametrize(("status", "error"), ANSWERS.items())
async def test_a_status_that_is_no_success_says_enough_though_its_body_is_cut(
    open_at: OpenAt, script: Script, status: int, error: type[ProviderError]
) -> None:
    async with script(http(status, b"{", Content_Length="900")) as service:
        with pytest.raises(error) as raised:
            await open_at(service.url).submit([a_message()])
    assert raised.type is error


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_for_one_number_is_a_refused_number(
    open_at: OpenAt, script: Script, status: int
) -> None:
    message = a_message()
    async with script(http(status, b"no")) as service:
        [submission] = await open_at(service.url).submit([message])
    assert (submission.number, submission.accepted, submission.code) == (message.number, False, f"http_{status}")
    assert submission.reason


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_for_several_numbers_says_that_its_parts_may_be_tried(
    open_at: OpenAt, samples: Samples, script: Script, status: int
) -> None:
    async with script(http(status)) as service:
        with pytest.raises(BatchRefused):
            await open_at(service.url).submit([a_message(605), a_message(606)])
        assert len(service.requests(samples.send_path)) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "wait_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("Wed, 25 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 25 Nov 2026 12:01:30 GMT", 90.0),  # a wrong weekday
        ("Wed, 25 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999999", 86_400.0),
        ("soon", None),
        ("-3", None),
        ("²", None),
        ("", None),
    ],
)
async def test_the_wait_that_the_service_asks_for_is_kept(
    open_at: OpenAt, script: Script, status: int, asked: str, wait_s: float | None
) -> None:
    clock = Clock(now=lambda: NOW, monotonic=SYSTEM_CLOCK.monotonic, sleep=SYSTEM_CLOCK.sleep)
    async with script(http(status, Retry_After=asked)) as service:
        with pytest.raises(NotTaken) as raised:
            await open_at(service.url, clock=clock).submit([a_message()])
    assert raised.value.retry_after == wait_s


async def test_a_refused_connection_took_nothing(open_at: OpenAt, samples: Samples, script: Script) -> None:
    async with script(http(200)) as service:
        provider = open_at(service.url)
        await provider.check()
    with pytest.raises(NotTaken):
        await provider.submit([a_message()])


@pytest.mark.parametrize("fault", Fault)
async def test_a_network_that_fails_after_the_request_left_makes_it_maybe_taken(
    open_at: OpenAt, samples: Samples, server: Server, fault: Fault
) -> None:
    message = a_message(641, text=f"Through {fault.name}")
    async with open_wire(server.url) as wire:
        wire.choose = lambda line: fault if samples.send_path in line else None
        provider = open_at(wire.url, timeout_s=0.3 if fault is Fault.STALL else 10.0)
        with pytest.raises(MaybeTaken) as raised:
            await provider.submit([message])
    assert raised.type is MaybeTaken
    taken = [number for _, number, text in server.received() if text == message.text]
    assert taken == ([] if fault is Fault.RESET_BEFORE else [message.number])


async def test_a_request_that_got_no_connection_in_time_never_left(samples: Samples, server: Server) -> None:
    one_connection = aiohttp.TCPConnector(limit=1)
    async with open_wire(server.url) as wire, aiohttp.ClientSession(connector=one_connection) as session:
        wire.choose = lambda line: Fault.STALL if samples.send_path in line else None
        provider = samples.open(wire.url, session, SYSTEM_CLOCK, 0.4)
        first, second = await asyncio.gather(
            provider.submit([a_message(642)]), provider.submit([a_message(643)]), return_exceptions=True
        )
    assert (type(first), type(second)) == (MaybeTaken, NotTaken)


async def test_the_provider_goes_on_after_the_network_is_well_again(
    open_at: OpenAt, samples: Samples, server: Server
) -> None:
    faults: Iterator[Fault | None] = iter([Fault.RESET_AFTER, None])
    async with open_wire(server.url) as wire:
        wire.choose = lambda line: next(faults) if samples.send_path in line else None
        provider = open_at(wire.url)
        with pytest.raises(MaybeTaken):
            await provider.submit([a_message(651)])
        [submission] = await provider.submit([a_message(652)])
    assert submission.accepted


@pytest.mark.parametrize("odd", ["\x00", "\n", "\x1b[31m", "\ud800", "\u202e"])
async def test_what_the_service_says_can_be_stored_and_printed(
    open_at: OpenAt, samples: Samples, script: Script, odd: str
) -> None:
    messages = [a_message(613), a_message(614)]
    answer = samples.answer({messages[0].number: True, messages[1].number: False}, odd)
    async with script(answer) as service:
        submissions = await open_at(service.url).submit(messages)
    words = [word for one in submissions for word in (one.provider_id, one.code, one.reason) if word]
    assert len(words) == 3
    assert all(word.isprintable() and odd not in word for word in words)


@pytest.mark.parametrize("answer", [*BROKEN.values(), *(http(status, ECHO) for status in (*ANSWERS, 200, 400, 401))])
async def test_no_error_and_no_log_shows_a_secret_a_number_or_a_text(
    open_at: OpenAt, samples: Samples, script: Script, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    caplog.set_level(logging.DEBUG)
    with _shown() as shown:
        async with script(answer) as service:
            await open_at(service.url).submit([a_message()])
    with _shown() as shown_at_log_in:
        async with script(b"", log_in=answer) as service:
            await open_at(service.url).submit([a_message()])
    everything = "\n".join([*shown, *shown_at_log_in, *(record.getMessage() for record in caplog.records)])
    assert [word for word in (*samples.secrets, a_message().number, TEXT) if word in everything] == []


@contextmanager
def _shown() -> Iterator[list[str]]:
    """All that an error which ends the block would show."""
    shown: list[str] = []
    try:
        yield shown
    except ProviderError as error:
        shown += [*traceback.format_exception(error), error.what, error.fix, error.where]
        cause: BaseException | None = error
        while cause is not None:
            shown += [repr(cause), repr(vars(cause))]
            cause = cause.__cause__ or cause.__context__
