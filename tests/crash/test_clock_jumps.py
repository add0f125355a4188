"""Clocks that jump in mid-run: set forward or back by a day, or gone on while the machine was asleep."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import ExitStatus
from campaigns.events import Event, Progress
from campaigns.ledger import Ledger
from campaigns.model import MessageState, Rate
from campaigns.pipeline import find_campaign, plan, resume, send
from campaigns.settings import Account, Settings
from campaigns.web.sandbox import Sandbox
from tests.crash.senders import write_list

PEOPLE = 150
DAY = timedelta(days=1)


@dataclass
class JumpingClock:
    """The system's clock until it jumps."""

    wall: timedelta = timedelta()
    asleep_s: float = 0.0
    jumps: list[Callable[[], None]] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return replace(
            SYSTEM_CLOCK,
            now=lambda: datetime.now(UTC) + self.wall,
            monotonic=lambda: SYSTEM_CLOCK.monotonic() + self.asleep_s,
        )

    def jump_after(self, messages: int, *, wall: timedelta = timedelta(), asleep_s: float = 0.0):
        """A listener that lets it jump, once, when so many messages have an outcome."""

        def listen(event: Event) -> None:
            if isinstance(event, Progress) and event.done >= messages and not self.jumps:
                self.jumps.append(listen)
                self.wall, self.asleep_s = self.wall + wall, self.asleep_s + asleep_s

        return listen


@pytest.fixture(params=["sandbox", "campaigns"])
def account(request: pytest.FixtureRequest, sandbox: Sandbox) -> Account:
    """The built-in account, and one whose provider takes each reference once."""
    fields = {"URL": sandbox.url, "USERNAME": "karin", "PASSWORD": "secret"}
    environ = {f"CAMPAIGNS_{request.param.upper()}_{name}": value for name, value in fields.items()}
    return Settings.load(environ).account(request.param)


@pytest.mark.parametrize(
    "jump",
    [{"wall": DAY}, {"wall": -DAY}, {"wall": DAY, "asleep_s": DAY.total_seconds()}, {"asleep_s": 60.0}],
    ids=str,
)
async def test_a_clock_that_jumps_while_two_want_to_send_loses_nobody_and_texts_nobody_twice(
    place: Ledger, tmp_path: Path, sandbox: Sandbox, account: Account, jump
) -> None:
    write_list(tmp_path, PEOPLE)
    campaign = Campaign(
        recipients=tmp_path / "lista.csv", message="Hej {{ namn }}!", sender="Butiken", rate=Rate(200), concurrency=4
    )
    jumping = JumpingClock()
    planned = plan(campaign, ledger=place, account=account, clock=jumping.clock)
    begun, jump_at = asyncio.Event(), jumping.jump_after(30, **jump)

    def listen(event: Event) -> None:
        begun.set()
        jump_at(event)

    async def watch():
        await begun.wait()
        return await resume("lista", ledger=place, account=account, clock=jumping.clock)

    sent, watched = await asyncio.gather(send(planned, ledger=place, account=account, listen=listen), watch())
    assert jumping.jumps
    status = find_campaign(place, "lista")
    at_carrier = Counter(message.to for message in sandbox.carrier.messages)
    counts = {state: count for state, count in status.counts.items() if count and state != "rows"}
    assert set(at_carrier.values()) == {1}
    assert set(counts) <= {MessageState.ACCEPTED, MessageState.UNKNOWN}
    assert counts.get(MessageState.UNKNOWN, 0) <= campaign.concurrency + 24  # in flight, and 100 ms of work
    assert sent.exit_status == watched.exit_status == (ExitStatus.DONE if status.counts["unknown"] == 0 else 1)
