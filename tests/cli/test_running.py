"""Ctrl-C and SIGTERM while sending: the first word, the second, the third."""

import asyncio
import signal

import pytest

from campaigns.cli.running import run
from campaigns.delivery.stop import Stop

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


@BOTH
def test_the_first_signal_asks_and_the_work_ends_by_itself(number: signal.Signals) -> None:
    stop = Stop()

    async def work() -> str:
        signal.raise_signal(number)
        await stop.asked.wait()
        return "aborted" if stop.aborted.is_set() else "asked"

    assert run(work, stop) == "asked"


@BOTH
def test_the_second_signal_aborts(number: signal.Signals) -> None:
    stop = Stop()

    async def work() -> str:
        signal.raise_signal(number)
        await stop.asked.wait()
        signal.raise_signal(number)
        await stop.aborted.wait()
        return "aborted"

    assert run(work, stop) == "aborted"


def test_a_signal_that_comes_before_the_work_begins_is_not_lost() -> None:
    stop = Stop()

    async def work() -> bool:
        await asyncio.wait_for(stop.asked.wait(), 10)
        return True

    def begin() -> object:
        signal.raise_signal(signal.SIGINT)
        return work()

    assert run(begin, stop) is True  # type: ignore[arg-type]  # begin gives the coroutine that is run


def test_a_third_signal_interrupts() -> None:
    stop = Stop()

    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(work, stop)


def test_afterwards_signals_do_what_they_did_before() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]

    async def work() -> None:
        assert signal.getsignal(signal.SIGINT) is not before[0]

    run(work, Stop())
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
