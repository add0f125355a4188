"""What was lost on its way, over real HTTP: asked for, settled, and sent again by nobody's guess."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import aiohttp
import pytest
from sqlalchemy import update

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import AccountProblem, ExitStatus, InputError, UnsupportedFeature
from campaigns.events import Event, Held
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import move
from campaigns.ledger.leases import Owner, acquire
from campaigns.ledger.schema import messages
from campaigns.model import CampaignState, CampaignStatus, MessageState, PauseReason, Rate
from campaigns.pipeline import find_campaign, resume
from campaigns.providers.base import Capabilities, DuplicateGuard
from campaigns.providers.campaigns import Campaigns
from campaigns.reconciling import ON_ITS_WAY, Reconciled, ask_about, reconcile
from campaigns.settings import Account, Secret
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.builders import a_campaign, a_chunk
from tests.providers.samples import LOGGED_IN
from tests.scripted import Asked, open_service
from tests.scripted import http as answer
from tests.wire import Fault, open_wire

FAST = Rate(50_000)


def an_account(url: str, kind: str = "campaigns") -> Account:
    values = {"url": url, "username": "anna"}
    return Account(name="mine", type=kind, values=values, secrets={"password": Secret("x")})


async def sent(ledger: Ledger, account: Account, rows: int = 12) -> CampaignStatus:
    """A campaign of so many rows that was sent through the account."""
    campaign_id = a_campaign(ledger, a_chunk(rows), account="mine", max_failures=1_000)
    return (await resume(str(campaign_id), ledger=ledger, account=account, rate=FAST)).status


def received(sandbox: Sandbox) -> Counter[str]:
    return Counter(message.to for message in sandbox.carrier.messages)


def counts(status: CampaignStatus) -> dict[str, int]:
    return {word: figure for word, figure in status.counts.items() if figure and word != "rows"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with embedded_sandbox(Misbehaviour(refusals=REFUSALS)) as sandbox:
        yield sandbox


async def test_what_was_taken_although_the_service_failed_is_found(ledger: Ledger) -> None:
    with embedded_sandbox(Misbehaviour(fail_after=1, refusals=REFUSALS)) as sandbox:
        account = an_account(sandbox.url)
        assert counts(await sent(ledger, account, rows=95)) == {"unknown": 95}
        result = await reconcile("inbjudan", ledger=ledger, account=account)
        taken = len(sandbox.carrier.messages)
    assert taken == 85
    assert (result.asked, result.settled, result.ask_after) == (95, {"accepted": 85, "rejected": 10}, None)
    assert counts(result.status) == {"accepted": 85, "rejected": 10}
    assert result.status.reasons["rejected"] == {refusal.code: 1 for refusal in REFUSALS.values()}
    assert result.status.state is CampaignState.DONE


async def test_what_was_never_taken_is_planned_again_and_sent_once(ledger: Ledger, sandbox: Sandbox) -> None:
    with embedded_sandbox(Misbehaviour(fail_before=1)) as failing:
        assert counts(await sent(ledger, an_account(failing.url))) == {"unknown": 12}
        assert failing.carrier.messages == ()
        result = await reconcile("inbjudan", ledger=ledger, account=an_account(failing.url))
    assert result.settled == {"planned": 12}
    assert (result.status.state, result.status.unsent) == (CampaignState.PAUSED, 12)
    assert PauseReason.SEND_AGAIN.is_in(result.status.reason)
    summary = await resume("inbjudan", ledger=ledger, account=an_account(sandbox.url), rate=FAST)
    assert (summary.exit_status, summary.status.state) == (ExitStatus.DONE, CampaignState.DONE)
    assert (len(received(sandbox)), set(received(sandbox).values())) == (12, {1})


async def test_where_a_reference_is_taken_once_resume_sends_what_is_unknown_by_itself_and_nobody_gets_it_twice(
    ledger: Ledger, sandbox: Sandbox
) -> None:
    async with open_wire(sandbox.url) as wire:
        every_other = iter(range(1_000))
        wire.choose = lambda line: Fault.RESET_AFTER if "messages" in line and next(every_other) % 2 else None
        lost = await sent(ledger, an_account(wire.url), rows=40)
    assert lost.counts["unknown"] > 0
    assert lost.state is CampaignState.DONE
    summary = await resume("inbjudan", ledger=ledger, account=an_account(sandbox.url), rate=FAST)
    assert counts(summary.status) == {"accepted": 40}
    assert (len(received(sandbox)), set(received(sandbox).values())) == (40, {1})
    assert summary.sent == lost.counts["unknown"]


async def test_elsewhere_what_is_unknown_is_sent_again_only_by_the_users_word(ledger: Ledger) -> None:
    with embedded_sandbox(Misbehaviour(fail_after=1)) as failing:
        await sent(ledger, an_account(failing.url, "soluno"), rows=3)
        assert set(received(failing).values()) == {1}
    with embedded_sandbox() as sandbox:
        account = an_account(sandbox.url, "soluno")
        plain = await resume("inbjudan", ledger=ledger, account=account, rate=FAST)
        assert (counts(plain.status), plain.sent, plain.exit_status) == ({"unknown": 3}, 0, ExitStatus.PROBLEMS)
        assert received(sandbox) == {}
        retried = await resume("inbjudan", ledger=ledger, account=account, rate=FAST, retry_unknown=True)
        assert set(received(sandbox).values()) == {1}
    assert (counts(retried.status), retried.sent, retried.exit_status) == ({"accepted": 3}, 3, ExitStatus.DONE)


async def test_what_a_dead_sender_had_on_its_way_is_asked_for(ledger: Ledger, sandbox: Sandbox) -> None:
    await sent(ledger, an_account(sandbox.url), rows=3)
    with ledger.write() as connection:
        connection.execute(update(messages).where(messages.c.row < 4).values(state="sending"))
        move(connection, find_campaign(ledger, "inbjudan").id or 0, (CampaignState.DONE,), CampaignState.RUNNING)
    result = await reconcile("inbjudan", ledger=ledger, account=an_account(sandbox.url))
    assert (result.asked, result.settled) == (2, {"accepted": 2})
    assert result.status.state is CampaignState.DONE


async def test_while_a_sender_is_at_work_what_it_has_on_its_way_is_left_to_it(ledger: Ledger, sandbox: Sandbox) -> None:
    await sent(ledger, an_account(sandbox.url), rows=3)
    with ledger.write() as connection:
        acquire(connection, "mine", Owner.here(), SYSTEM_CLOCK.now_ms())
        connection.execute(update(messages).where(messages.c.row == 2).values(state="sending"))
        connection.execute(update(messages).where(messages.c.row == 3).values(state="unknown"))
    result = await reconcile("inbjudan", ledger=ledger, account=an_account(sandbox.url))
    assert result.settled == {"accepted": 1}
    assert counts(result.status) == {"accepted": 2, "sending": 1}


async def test_without_unknown_messages_nothing_is_asked(place: Ledger) -> None:
    a_campaign(place, account="mine")
    result = await reconcile("inbjudan", ledger=place, account=an_account("http://127.0.0.1:1"))
    assert (result.asked, counts(result.status)) == (0, {"planned": 3})


@pytest.mark.parametrize(
    ("rows", "what", "fix"),
    [
        (1, "so the one stays unknown.", "at the risk that 1 person gets it twice: "),
        (3, "so the 3 stay unknown.", "at the risk that 3 people get it twice: "),
    ],
)
async def test_a_provider_that_cannot_be_asked_is_an_error_before_any_request(
    place: Ledger, rows: int, what: str, fix: str
) -> None:
    a_campaign(place, a_chunk(rows), account="mine")
    make_unknown(place)
    with pytest.raises(UnsupportedFeature) as raised:
        await reconcile("inbjudan", ledger=place, account=an_account("http://127.0.0.1:1", "soluno"))
    assert raised.value.what == f"mine cannot be asked about a message, {what}"
    assert fix in raised.value.fix
    assert raised.value.fix.endswith("campaigns resume inbjudan --retry-unknown")
    assert raised.value.exit_status is ExitStatus.USAGE


async def test_nothing_of_a_cancelled_campaign_is_sent_again(place: Ledger, sandbox: Sandbox) -> None:
    campaign_id = a_campaign(place, account="mine")
    make_unknown(place)
    with place.write() as connection:
        move(connection, campaign_id, (CampaignState.READY,), CampaignState.CANCELLED)
    account = an_account(sandbox.url)
    for retry_unknown in (True, False):
        with pytest.raises(InputError, match="is cancelled, and what is cancelled is never sent"):
            await resume("inbjudan", ledger=place, account=account, retry_unknown=retry_unknown)
    assert (await reconcile("inbjudan", ledger=place, account=account)).settled == {"cancelled": 3}
    assert received(sandbox) == {}


class OnlyAsked(Campaigns):
    """A service that can be asked, and takes a reference as often as it comes."""

    name: ClassVar[str] = "only-asked"

    @classmethod
    def capabilities_of(cls, account: Account) -> Capabilities:
        return replace(super().capabilities_of(account), duplicate_guard=DuplicateGuard.LOOKUP, batch_size=2)


@pytest.mark.parametrize(("later", "settled"), [(timedelta(seconds=-1), {}), (timedelta(seconds=1), {"planned": 5})])
async def test_without_a_key_what_is_not_found_is_never_taken_only_once_no_request_can_be_on_its_way(
    ledger: Ledger, sandbox: Sandbox, later: timedelta, settled: dict[str, int]
) -> None:
    a_campaign(ledger, a_chunk(5), account="mine")
    since = make_unknown(ledger)
    clock = Clock(lambda: since + ON_ITS_WAY + later, SYSTEM_CLOCK.monotonic, SYSTEM_CLOCK.sleep)
    async with aiohttp.ClientSession() as session:
        provider = OnlyAsked(an_account(sandbox.url), session, clock)
        status = find_campaign(ledger, "inbjudan")
        result: Reconciled = await ask_about(provider, status, ledger=ledger, clock=clock)
    assert (result.asked, result.settled) == (5, settled)
    assert result.ask_after == (None if settled else since + ON_ITS_WAY)
    assert result.status.counts[MessageState.UNKNOWN] == 5 - sum(settled.values())


async def test_a_look_up_that_is_put_off_is_asked_again_in_its_time(place: Ledger, sandbox: Sandbox) -> None:
    await sent(place, an_account(sandbox.url), rows=3)
    make_unknown(place)
    slept, heard = [], list[Event]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    clock = Clock(SYSTEM_CLOCK.now, SYSTEM_CLOCK.monotonic, sleep)
    answers = iter([answer(503), answer(429, Retry_After="7"), answer(500)])
    found = b'{"messages": [{"to": "+46701740605", "id": "1", "state": "accepted", "reference": "%s-c1-2"}]}'
    last = answer(200, found.replace(b"%s", place.prefix.encode()))

    def said(asked: Asked) -> bytes:
        return LOGGED_IN if asked.path == "/token" else next(answers, last)

    async with open_service(said) as service:
        account = an_account(service.url)
        result = await reconcile("inbjudan", ledger=place, account=account, listen=heard.append, clock=clock)
    assert result.settled == {"accepted": 1, "planned": 2}
    assert (len(slept), slept[1]) == (3, 7.0)
    assert [event.seconds for event in heard if isinstance(event, Held)] == slept


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_service_that_does_not_answer_stops_it_and_nothing_is_guessed(place: Ledger, status: int) -> None:
    a_campaign(place, account="mine")
    make_unknown(place)
    clock = Clock(SYSTEM_CLOCK.now, SYSTEM_CLOCK.monotonic, lambda _: asyncio.sleep(0))

    def said(asked: Asked) -> bytes:
        return LOGGED_IN if asked.path == "/token" else answer(status)

    async with open_service(said) as service:
        with pytest.raises(
            AccountProblem, match=f"mine did not say what became of the messages: mine answered {status}"
        ):
            await reconcile("inbjudan", ledger=place, account=an_account(service.url), clock=clock)
        assert len(service.asked) == 7  # a log-in, and six tries
    assert counts(find_campaign(place, "inbjudan")) == {"unknown": 3}


async def test_an_answer_for_another_number_settles_nothing(place: Ledger) -> None:
    a_campaign(place, a_chunk(1), account="mine")
    make_unknown(place)
    entry = b'{"to": "+46701740699", "id": "1", "state": "accepted", "reference": "%s-c1-2"}'
    body = b'{"messages": [' + entry.replace(b"%s", place.prefix.encode()) + b"]}"

    def said(asked: Asked) -> bytes:
        return LOGGED_IN if asked.path == "/token" else answer(200, body)

    async with open_service(said) as service:
        result = await reconcile("inbjudan", ledger=place, account=an_account(service.url))
    assert result.settled == {"planned": 1}


def make_unknown(ledger: Ledger) -> datetime:
    """All messages are unknown since the moment that is returned."""
    since = SYSTEM_CLOCK.now().replace(microsecond=0)
    with ledger.write() as connection:
        lost = {"state": "unknown", "tries": 1, "updated_ms": round(since.timestamp() * 1000)}
        connection.execute(update(messages).values(**lost))
    return since
