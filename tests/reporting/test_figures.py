"""Figures, the time line and the words of a report are right at their edges."""

import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.model import MessageState, SkipReason
from campaigns.reporting.countries import country_name
from campaigns.reporting.figures import GROUP_ORDER, GROUPS, PROBLEMS, READY, Figures
from campaigns.reporting.finding import ACCOUNT
from campaigns.reporting.meanings import DELIVERY_REASONS, REASONS, STATUSES, meaning_of
from campaigns.reporting.timeline import MOST_LINES, timeline

EVERY_STATUS = {*(str(state) for state in MessageState), READY}
MIDNIGHT = datetime(2026, 8, 13, tzinfo=UTC)


def test_every_status_has_a_group_a_meaning_and_a_line_in_the_account() -> None:
    assert set(GROUPS) == EVERY_STATUS == set(STATUSES)
    assert set(GROUPS.values()) == set(GROUP_ORDER)
    assert set(ACCOUNT) == {*EVERY_STATUS, "rows", "messages"}


def test_every_reason_of_the_model_has_a_meaning_and_no_other_has() -> None:
    assert set(REASONS) == set(SkipReason)


def test_a_reason_of_the_delivery_is_told_with_what_its_status_asks_for() -> None:
    found = meaning_of("unknown", "no_answer")
    assert (found.means, found.what_to_do) == (
        DELIVERY_REASONS["no_answer"].means,
        STATUSES[MessageState.UNKNOWN].what_to_do,
    )


@pytest.mark.parametrize("status", PROBLEMS)
def test_a_reason_that_is_not_ours_is_told_by_its_status(status: str) -> None:
    assert meaning_of(status, "provider_code_17").means == STATUSES[MessageState(status)].means


def figures_of(seconds: list[int]) -> Figures:
    return Figures(seconds={"sent": Counter(seconds)})


@pytest.mark.parametrize(
    ("seconds", "step"),
    [(0, 1), (180, 1), (182, 10), (1800, 10), (1830, 30), (5400, 30), (6000, 60), (86_400, 900), (30 * 86_400, 86_400)],
)
def test_the_step_is_the_smallest_with_at_most_200_lines(seconds: int, step: int) -> None:
    begin = int(MIDNIGHT.timestamp())
    line = timeline(figures_of([begin, begin + seconds]))
    assert line is not None
    assert line.step == step
    assert len(line.lines) <= MOST_LINES


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 200_000), min_size=1, max_size=50),
    st.lists(st.integers(-100, 10_000_000), max_size=50),
)
def test_a_time_line_loses_no_message(sent: list[int], delivered: list[int]) -> None:
    begin = int(MIDNIGHT.timestamp())
    figures = Figures(
        seconds={
            "sent": Counter(begin + second for second in sent),
            "delivered": Counter(begin + second for second in delivered),
        }
    )
    line = timeline(figures)
    assert line is not None
    total = sum((step.counts for step in (*line.lines, line.later)), Counter())
    assert (total["sent"], total["delivered"]) == (len(sent), len(delivered))
    gaps = {after.begins - before.begins for before, after in zip(line.lines, line.lines[1:], strict=False)}
    assert gaps <= {timedelta(seconds=line.step)}


def test_without_a_message_sent_there_is_no_time_line() -> None:
    assert timeline(Figures()) is None


def test_the_median_is_that_of_the_delivered(make_row: Any) -> None:
    figures = Figures()
    for row, seconds in enumerate((1, 2, 3, 40, 50), 2):
        sent = MIDNIGHT + timedelta(seconds=row)
        figures.add([make_row(row, "delivered", sent_at=sent, updated_at=sent + timedelta(seconds=seconds))])
    figures.add([make_row(9, "accepted")])
    assert (figures.delay(0.5), figures.delay(0.95), figures.delay(0.5, "SE")) == (3.0, 50.0, 3.0)
    assert figures.delay(0.5, "NO") is None


def test_what_is_kept_does_not_grow_with_the_rows(make_row: Any) -> None:
    figures = Figures()
    row = make_row(2)
    for _ in range(5000):
        figures.add([row])
    assert figures.rows == 5000
    assert len(figures.shown) == 1000
    assert len(figures.occurrences) == len(figures.countries) == len(figures.texts) == 1


@pytest.mark.parametrize(
    ("code", "name"), [("SE", "Sweden"), ("GB", "United Kingdom"), ("", "no country"), ("ZZ", "ZZ")]
)
def test_a_country_has_its_english_name(code: str, name: str) -> None:
    assert country_name(code) == name


def test_the_names_of_countries_load_no_table_of_places() -> None:
    country_name("SE")
    assert not [name for name in sys.modules if name.startswith("phonenumbers.geodata.data")]
