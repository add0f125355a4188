"""The rate where it counts: at the moment of each post, over real HTTP to a real server process."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp
import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.delivery.dispatch import Plan, deliver
from campaigns.delivery.pace import Pace
from campaigns.delivery.stop import Stop
from campaigns.model import Message, MessageEvent, Rate, Submission
from campaigns.providers.base import open_account
from campaigns.settings import sandbox_account
from tests.delivery.test_dispatch import Ear, MemoryOutbox, a_claim

SINK = Path(__file__).parents[1] / "bench" / "sink.py"


@pytest.fixture
def service() -> Iterator[str]:
    """The address of the cheapest service that can be."""
    with subprocess.Popen([sys.executable, str(SINK), "0.01"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.mark.parametrize(("per_second", "messages"), [(10, 21), (100, 250), (1000, 2500)])
async def test_no_sliding_second_holds_more_posts_than_the_rate(service: str, per_second: int, messages: int) -> None:
    moments: list[float] = []
    outbox = MemoryOutbox([a_claim(row) for row in range(messages)], Stop())
    account, clock = sandbox_account().with_url(service), SYSTEM_CLOCK
    async with aiohttp.ClientSession() as http, open_account(account, http, clock) as provider:
        await provider.check()

        async def submit(batch: Sequence[Message]) -> Sequence[Submission]:
            moments.append(clock.monotonic())
            return await provider.submit(batch)

        plan = Plan(workers=64, batch_size=1, units=lambda claims: 1)
        async with asyncio.timeout(60):
            await deliver(outbox, submit, Pace(Rate(per_second), clock), outbox.stop, plan, clock, Ear())
    assert outbox.events() == {MessageEvent.ACCEPT: messages}
    for first, beyond in zip(moments, moments[per_second:], strict=False):
        assert beyond - first >= 1.0 - 0.0005  # the clock is read once more, a little after the permit
