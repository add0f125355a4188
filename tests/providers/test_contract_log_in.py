"""What every provider promises of its log-in: one for all senders, anew in time, and no message is lost by it."""

import asyncio
from datetime import UTC, datetime

import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import AccountProblem, NotTaken, ProviderError, Throttled
from tests.providers.samples import BROKEN, UNKNOWN_BODIES, OpenAt, Samples, Script, Server, a_message
from tests.scripted import http
from tests.wire import Fault, open_wire

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
LOG_IN_ANSWERS = {  # what a status means for a log-in, which carries no message
    **dict.fromkeys((400, 401, 402, 403, 404, 405, 410, 422, 499), AccountProblem),
    **dict.fromkeys((301, 302, 307), AccountProblem),
    **dict.fromkeys((408, 500, 502, 503, 504), NotTaken),
    429: Throttled,
}


async def test_check_logs_in_and_says_so_in_one_line(open_at: OpenAt, server: Server) -> None:
    line = await open_at(server.url).check()
    assert "logged in" in line
    assert "\n" not in line


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
async def test_a_log_in_that_breaks_off_took_nothing(open_at: OpenAt, script: Script, answer: bytes) -> None:
    async with script(b"", log_in=answer) as service:
        with pytest.raises(NotTaken):
            await open_at(service.url).submit([a_message()])


@pytest.mark.parametrize(("status", "error"), LOG_IN_ANSWERS.items())
async def test_each_status_of_a_log_in_has_one_meaning(
    open_at: OpenAt, script: Script, status: int, error: type[ProviderError]
) -> None:
    async with script(b"", log_in=http(status, b"{}", Location="/elsewhere")) as service:
        with pytest.raises(error) as raised:
            await open_at(service.url).submit([a_message()])
        assert raised.type is error
        assert len(service.asked) == 1


@pytest.mark.parametrize("body", [*UNKNOWN_BODIES, b'{"access_token": 7}', b'{"access_token": "a\\r\\nX: b"}'])
async def test_a_log_in_without_a_token_is_a_wrong_address(open_at: OpenAt, script: Script, body: bytes) -> None:
    async with script(b"", log_in=http(200, body)) as service:
        with pytest.raises(AccountProblem):
            await open_at(service.url).submit([a_message()])


async def test_a_401_logs_in_anew_and_sends_the_same_again(open_at: OpenAt, samples: Samples, script: Script) -> None:
    message = a_message()
    async with script(http(401), samples.answer({message.number: True})) as service:
        [submission] = await open_at(service.url).submit([message])
    assert submission.accepted
    assert len(service.requests(samples.log_in_path)) == 2
    first, second = service.requests(samples.send_path)
    assert first.body == second.body


async def test_a_second_401_is_an_account_problem(open_at: OpenAt, samples: Samples, script: Script) -> None:
    async with script(http(401)) as service:
        with pytest.raises(AccountProblem):
            await open_at(service.url).submit([a_message()])
    assert len(service.requests(samples.send_path)) == 2


@pytest.mark.parametrize("fault", Fault)
async def test_a_network_that_fails_at_the_log_in_took_nothing(
    open_at: OpenAt, samples: Samples, server: Server, fault: Fault
) -> None:
    async with open_wire(server.url) as wire:
        wire.choose = lambda line: fault if samples.log_in_path in line else None
        with pytest.raises(NotTaken):
            await open_at(wire.url, timeout_s=0.3 if fault is Fault.STALL else 10.0).submit([a_message()])


async def test_many_senders_share_one_log_in(open_at: OpenAt, samples: Samples, script: Script) -> None:
    async with script(http(200)) as service:
        provider = open_at(service.url)
        await asyncio.gather(*(provider.submit([a_message(605 + number)]) for number in range(64)))
        assert len(service.requests(samples.log_in_path)) == 1


@pytest.mark.parametrize(("answer", "error"), [(http(400), AccountProblem), (http(503), NotTaken)])
async def test_many_senders_share_one_failed_log_in(
    open_at: OpenAt, samples: Samples, script: Script, answer: bytes, error: type[ProviderError]
) -> None:
    async with script(http(200), log_in=answer) as service:
        provider = open_at(service.url)
        results = await asyncio.gather(*(provider.submit([a_message()]) for _ in range(64)), return_exceptions=True)
        assert {type(result) for result in results} == {error}
        assert len(service.requests(samples.log_in_path)) == 1


async def test_many_senders_whose_token_is_refused_log_in_once_more(
    open_at: OpenAt, samples: Samples, script: Script
) -> None:
    async with script(*[http(401)] * 16, http(200)) as service:
        provider = open_at(service.url)
        await asyncio.gather(*(provider.submit([a_message(605 + number)]) for number in range(16)))
        assert len(service.requests(samples.log_in_path)) == 2


async def test_a_token_is_renewed_before_a_day_is_over(open_at: OpenAt, samples: Samples, script: Script) -> None:
    hours = [0.0]
    clock = Clock(now=lambda: NOW, monotonic=lambda: 3600 * hours[-1], sleep=SYSTEM_CLOCK.sleep)
    log_ins = []
    async with script(http(200)) as service:
        provider = open_at(service.url, clock=clock)
        for hour in (0, 23, 23.98, 24):
            hours.append(hour)
            await provider.submit([a_message()])
            log_ins.append(len(service.requests(samples.log_in_path)))
    assert log_ins == [1, 1, 2, 2]


async def test_nobody_waits_for_a_new_token_while_the_old_one_is_good(
    open_at: OpenAt, samples: Samples, server: Server
) -> None:
    hours, renewing = [0.0], asyncio.Event()
    clock = Clock(now=lambda: NOW, monotonic=lambda: 3600 * hours[-1], sleep=SYSTEM_CLOCK.sleep)

    def stall_renewals(line: str) -> Fault | None:
        if samples.log_in_path not in line or hours[-1] == 0:
            return None
        renewing.set()
        return Fault.STALL

    async with open_wire(server.url) as wire:
        wire.choose = stall_renewals
        provider = open_at(wire.url, clock=clock)
        await provider.submit([a_message(631)])
        hours.append(23.98)
        renewal = asyncio.create_task(provider.submit([a_message(632)]))
        await renewing.wait()
        await provider.submit([a_message(633)])
        assert not renewal.done()
        renewal.cancel()
