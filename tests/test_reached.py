"""Whom any campaign reached lately is left out where the campaign says so, and the row says by whom and when."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from campaigns.clock import to_ms
from campaigns.errors import InputError
from campaigns.ledger import Ledger
from campaigns.ledger.reach import find_reached
from campaigns.ledger.schema import messages
from campaigns.model import CHUNK_ROWS, MessageState
from campaigns.pipeline import find_campaign, plan_text
from campaigns.planning import Plan
from tests.test_pipeline import read_report, sizes
from tests.test_repeats import NOBODY, NOW, PEOPLE, Campaign, a_plan, clock_at

REACHED = {"sending", "accepted", "delivered", "unknown"}


def vinter(
    ledger: Ledger,
    folder: Path,
    people: Sequence[str] = PEOPLE,
    *,
    ago: timedelta,
    state: str = "accepted",
    name: str = "vinter",
) -> None:
    """A campaign whose messages are all in one state."""
    planned = a_plan(ledger, folder, people, clock=clock_at(NOW - ago), name=name, message=f"Om {name}")
    planned.make_ready()
    with ledger.write() as connection:
        values = {"state": state, "sent_ms": to_ms(NOW - ago)}
        connection.execute(update(messages).where(messages.c.campaign_id == planned.id).values(**values))


def a_later_plan(
    ledger: Ledger, folder: Path, people: Sequence[str] = (*PEOPLE, "Ulf;0701740608"), **settings: object
) -> Plan:
    return a_plan(ledger, folder, people, clock=clock_at(NOW), **{"not_within": "24h", **settings})


def test_a_number_that_was_reached_lately_is_skipped_with_campaign_and_time(ledger: Ledger, tmp_path: Path) -> None:
    vinter(ledger, tmp_path, PEOPLE[:2], ago=timedelta(hours=3))
    people = [*PEOPLE, "Bo igen;0701740606", "Fel;070", "Ulf;0701740608"]
    planned = a_later_plan(ledger, tmp_path, people)
    assert planned.preflight.skipped == {"recently_reached": 2, "duplicate": 1, "too_short": 1}
    assert (planned.ready, planned.preflight.segments) == (2, 2)
    planned.make_ready()
    lines = read_report(ledger, "lista", tmp_path)
    when = f"{(NOW - timedelta(hours=3)).astimezone():%Y-%m-%d %H:%M}"
    assert [(line["status"], line["reason"]) for line in lines[:2]] == [("skipped", "recently_reached")] * 2
    assert {line["detail"] for line in lines[:2]} == {f'reached by "vinter" on {when}'}
    assert [line["text"] for line in lines] == ["", "", "Hej Eva!", "", "", "Hej Ulf!"]
    assert [line["reason"] for line in lines[3:]] == ["duplicate", "too_short", ""]


@pytest.mark.parametrize("state", MessageState)
def test_what_was_taken_or_may_have_been_counts_and_nothing_else(
    ledger: Ledger, tmp_path: Path, state: MessageState
) -> None:
    vinter(ledger, tmp_path, ago=timedelta(hours=1), state=state)
    with a_later_plan(ledger, tmp_path) as planned:
        assert planned.preflight.skipped == ({"recently_reached": 3} if state in REACHED else {})


@pytest.mark.parametrize(
    ("not_within", "skipped"),
    [("23h", {}), ("1 d", {"recently_reached": 3}), (timedelta(days=7), {"recently_reached": 3}), (None, {})],
)
def test_it_counts_as_far_back_as_the_campaign_says(
    place: Ledger, tmp_path: Path, not_within: object, skipped: dict[str, int]
) -> None:
    vinter(place, tmp_path, ago=timedelta(hours=24))
    with a_later_plan(place, tmp_path, not_within=not_within) as planned:
        assert planned.preflight.skipped == skipped


def test_the_last_of_several_messages_to_a_number_is_named(ledger: Ledger, tmp_path: Path) -> None:
    for name, hours in (("one", 5), ("two", 2), ("three", 4)):
        vinter(ledger, tmp_path, ago=timedelta(hours=hours), name=name)
    with ledger.read() as connection:
        numbers, names, moments = find_reached(connection, [46701740605, 46701740699], to_ms(NOW - timedelta(days=1)))
    assert (list(numbers), list(names), list(moments)) == ([46701740605], ["two"], [to_ms(NOW - timedelta(hours=2))])


def test_a_text_to_a_typed_number_reaches_it_too(place: Ledger, tmp_path: Path) -> None:
    campaign = Campaign(recipients="-", message="Hej!", sender="Butiken")
    plan_text(["0701740605"], campaign, ledger=place, account=NOBODY).make_ready()
    with place.write() as connection:
        connection.execute(update(messages).values(state="unknown", sent_ms=to_ms(NOW)))
    with a_later_plan(place, tmp_path) as planned:
        assert planned.preflight.skipped == {"recently_reached": 1}


@pytest.mark.parametrize("rows", [CHUNK_ROWS + 7])
def test_a_list_of_several_chunks_is_looked_through_to_its_end(ledger: Ledger, tmp_path: Path, rows: int) -> None:
    people = [f"P{number};+4670{1_000_000 + number}" for number in range(rows)]
    vinter(ledger, tmp_path, [*people[:3], *people[-3:]], ago=timedelta(hours=1))
    with a_later_plan(ledger, tmp_path, people, limit=4) as planned:
        assert planned.preflight.skipped == {"recently_reached": 6}
        assert (planned.ready, planned.preflight.recipients) == (4, rows - 6)


def test_where_all_were_reached_it_is_an_error_that_says_what_to_do(place: Ledger, tmp_path: Path) -> None:
    vinter(place, tmp_path, ago=timedelta(hours=1))
    before = sizes(place)
    with pytest.raises(InputError, match="None of the 3 rows can be sent: recently_reached 3") as error:
        a_later_plan(place, tmp_path, PEOPLE)
    assert error.value.fix == "Wait until they may be reached again, or give a shorter --not-within."
    assert sizes(place) == before


def test_whom_the_first_campaign_missed_the_second_reaches(place: Ledger, tmp_path: Path) -> None:
    """The same list again is no repeat of what went lately where only the rest of it goes."""
    vinter(place, tmp_path, PEOPLE[:2], ago=timedelta(hours=1))
    a_later_plan(place, tmp_path, PEOPLE, message="Om vinter").make_ready()
    assert find_campaign(place, "lista").counts["planned"] == 1
