"""The same text to the same people within 7 days is taken for a mistake, until somebody says that it is meant."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import update

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock, to_ms
from campaigns.errors import InputError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import move
from campaigns.ledger.messages import claim_due, finish
from campaigns.ledger.repeats import wait_for_other_plans
from campaigns.ledger.schema import campaigns, messages
from campaigns.model import CampaignState, MessageEvent, MessageState, Outcome
from campaigns.pipeline import list_campaigns, plan_text, send
from campaigns.planning import Plan, plan
from tests.racing import start_behind
from tests.test_pipeline import an_account, sizes

NOBODY = an_account("http://127.0.0.1:9")
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PEOPLE = ["Åsa;0701740605", "Bo;0701740606", "Eva;0701740607"]


def clock_at(moment: datetime) -> Clock:
    return replace(SYSTEM_CLOCK, now=lambda: moment)


def a_plan(
    ledger: Ledger,
    folder: Path,
    people: Sequence[str] = PEOPLE,
    *,
    file: str = "lista.csv",
    clock: Clock = SYSTEM_CLOCK,
    limit: int | None = None,
    **settings: object,
) -> Plan:
    path = folder / file
    path.write_text("\n".join(["Namn;Mobil", *people]) + "\n", encoding="utf-8")
    campaign = Campaign(recipients=path, **{"message": "Hej {{ namn }}!", "sender": "Butiken", **settings})
    return plan(campaign, ledger=ledger, account=NOBODY, clock=clock, limit=limit)


def send_all(ledger: Ledger, *, at: datetime = NOW) -> None:
    """What a sender would write, had it sent all that is due."""
    with ledger.write() as connection:
        claims = claim_due(connection, "sandbox", "x", 5000, to_ms(at))
        outcomes = [Outcome(claim=claim, event=MessageEvent.ACCEPT, sent_at=at) for claim in claims]
        finish(connection, outcomes, to_ms(at))
        connection.execute(update(campaigns).values(state=CampaignState.DONE))


@pytest.mark.parametrize(
    "settings",
    [
        {"file": "annan.csv"},
        {"people": PEOPLE[::-1]},
        {"people": ["Åsa;+46 70-174 06 05", "Fel;070", *PEOPLE]},
        {"sender": "Lagret", "name": "annan", "rate": "1/s"},
        {"message": "Hej {{ namn | trim }}!"},
        {"limit": 2},
    ],
    ids=["file", "order", "rows that are not sent", "sender and name", "template", "limit"],
)
def test_what_goes_to_whom_makes_two_campaigns_the_same_and_nothing_else_does(
    place: Ledger, tmp_path: Path, settings: dict[str, object]
) -> None:
    a_plan(place, tmp_path).make_ready()
    with pytest.raises(InputError, match='is in "lista" already'):
        a_plan(place, tmp_path, **settings).make_ready()
    assert sizes(place) == [1, 3, 3]


@pytest.mark.parametrize(
    "settings",
    [
        {"people": PEOPLE[:2]},
        {"people": [*PEOPLE, "Ulf;0701740608"]},
        {"people": ["Bo;0701740605", "Åsa;0701740606", "Eva;0701740607"]},
        {"message": "Hej {{ namn }}."},
    ],
    ids=["one less", "one more", "texts changed places", "text"],
)
def test_another_text_or_other_people_make_another_campaign(
    place: Ledger, tmp_path: Path, settings: dict[str, object]
) -> None:
    a_plan(place, tmp_path).make_ready()
    planned = a_plan(place, tmp_path, **settings)
    assert planned.sent_lately() is None
    planned.make_ready()
    assert len(list_campaigns(place)) == 2


def test_the_order_of_a_list_of_many_chunks_is_of_no_account(place: Ledger, tmp_path: Path) -> None:
    people = [f"P{number};+4670{1_000_000 + number}" for number in range(20_050)]
    a_plan(place, tmp_path, people).make_ready()
    with a_plan(place, tmp_path, people[::-1]) as same, a_plan(place, tmp_path, people[1:]) as other:
        assert same.sent_lately() is not None
        assert other.sent_lately() is None


def test_a_repeat_that_is_meant_is_sent(place: Ledger, tmp_path: Path) -> None:
    a_plan(place, tmp_path).make_ready()
    a_plan(place, tmp_path).make_ready(again=True)
    assert [status.name for status in list_campaigns(place)] == ["lista-2", "lista"]


async def test_from_python_a_repeat_is_an_error_until_it_is_said_to_be_meant(place: Ledger, tmp_path: Path) -> None:
    a_plan(place, tmp_path).make_ready()
    with pytest.raises(InputError, match='is in "lista" already') as error:
        await send(a_plan(place, tmp_path))
    assert error.value.fix.endswith("lista.csv --name lista-2 --again")
    assert (await send(a_plan(place, tmp_path), again=True)).status.name == "lista-2"


@pytest.mark.parametrize(
    ("earlier", "words"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(days=1), "yesterday"),
        (timedelta(days=6, hours=23), f"on {(NOW - timedelta(days=6, hours=23)).astimezone():%Y-%m-%d}"),
        (timedelta(days=7, minutes=1), None),
    ],
)
def test_the_same_counts_for_seven_days_and_it_is_said_when_it_went(
    place: Ledger, tmp_path: Path, earlier: timedelta, words: str | None
) -> None:
    a_plan(place, tmp_path, clock=clock_at(NOW - earlier)).make_ready()
    send_all(place, at=NOW - earlier)
    with a_plan(place, tmp_path, clock=clock_at(NOW)) as planned:
        repeats = planned.sent_lately()
    assert (repeats and repeats.what) == (words and f'The same text went to the same 3 people {words}, as "lista".')


def test_an_old_campaign_of_which_something_left_lately_counts(place: Ledger, tmp_path: Path) -> None:
    a_plan(place, tmp_path, clock=clock_at(NOW - timedelta(days=30))).make_ready()
    send_all(place, at=NOW - timedelta(days=2))
    with a_plan(place, tmp_path, clock=clock_at(NOW)) as planned:
        repeats = planned.sent_lately()
    assert repeats is not None
    when = f"on {(NOW - timedelta(days=2)).astimezone():%Y-%m-%d}"
    assert repeats.what == f'The same text went to the same 3 people {when}, as "lista".'


def test_one_that_is_not_finished_is_rather_gone_on_with(place: Ledger, tmp_path: Path) -> None:
    a_plan(place, tmp_path, file="min lista.csv", limit=2).make_ready()
    with a_plan(place, tmp_path, file="min lista.csv") as planned:
        repeats = planned.sent_lately()
    assert repeats is not None
    assert repeats.what == (
        'The same text to the same 3 people is in "min lista" already, made just now; 3 are not sent.'
    )
    assert repeats.fix.startswith("campaigns resume 'min lista', or if you mean it: campaigns send ")
    assert repeats.fix.endswith("--name 'min lista-2' --again")


@pytest.mark.parametrize(
    ("left", "words"), [(0, None), (1, "The same text went to some of the same 3 people just now")]
)
def test_a_cancelled_campaign_counts_only_where_something_of_it_had_left(
    ledger: Ledger, tmp_path: Path, left: int, words: str | None
) -> None:
    first = a_plan(ledger, tmp_path)
    first.make_ready()
    with ledger.write() as connection:
        connection.execute(update(messages).values(state=MessageState.CANCELLED))
        connection.execute(update(messages).where(messages.c.row < 2 + left).values(state=MessageState.UNKNOWN))
        move(connection, first.id, (CampaignState.READY,), CampaignState.CANCELLED)
    with a_plan(ledger, tmp_path) as second:
        repeats = second.sent_lately()
    assert (repeats and repeats.what.partition(",")[0]) == words


def test_a_text_to_typed_numbers_may_go_again_and_a_list_that_says_the_same_may_not(
    place: Ledger, tmp_path: Path
) -> None:
    campaign = Campaign(recipients="-", message="Hej!", sender="Butiken")
    for _ in range(2):
        plan_text(["0701740605"], campaign, ledger=place, account=NOBODY).make_ready()
    with a_plan(place, tmp_path, PEOPLE[:1], message="Hej!") as planned:
        repeats = planned.sent_lately()
    assert repeats is not None
    assert repeats.what == 'The same text to the same person is in "text-2" already, made just now; 1 is not sent.'


def test_of_two_plans_at_once_one_becomes_ready_and_the_other_is_taken_back(ledger: Ledger, tmp_path: Path) -> None:
    plans = [a_plan(ledger, tmp_path, name=name) for name in ("one", "two")]
    assert [planned.sent_lately() for planned in plans] == [None, None]
    both = Barrier(2, timeout=30)

    def make_ready(planned: Plan) -> str:
        both.wait()
        try:
            planned.make_ready()
        except InputError as error:
            return error.what
        return ""

    with ThreadPoolExecutor(2) as threads:
        said = sorted(threads.map(make_ready, plans))
    [ready] = list_campaigns(ledger)
    assert said[0] == ""
    assert f'is in "{ready.name}" already' in said[1]
    assert sizes(ledger) == [1, 3, 3]


def test_a_plan_waits_for_one_that_is_becoming_ready_and_then_sees_it(ledger: Ledger, tmp_path: Path) -> None:
    with a_plan(ledger, tmp_path, name="one") as first, a_plan(ledger, tmp_path, name="two") as second:
        with ledger.write() as connection:
            wait_for_other_plans(connection)
            content = {"state": CampaignState.READY, "content_hash": first._content_hash}
            connection.execute(update(campaigns).where(campaigns.c.id == first.id).values(**content))
            late = start_behind(ledger, second.make_ready)
        with pytest.raises(InputError, match='is in "one" already'):
            late.result(30)
