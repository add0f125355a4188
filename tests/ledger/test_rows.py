"""Rows go into the ledger as they are, and a message for each that may be sent."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from campaigns.ledger import Ledger
from campaigns.ledger.rows import LINES_AT_ONCE, add_messages, add_rows, read_rows
from campaigns.ledger.schema import NEVER_MS, messages
from campaigns.model import CampaignId, Chunk
from tests.builders import a_chunk

CAMPAIGN = CampaignId(7)


def _messages(ledger: Ledger) -> dict[int, int]:
    """When each message is due, by its row."""
    with ledger.read() as connection:
        return {line.row: line.due_ms for line in connection.execute(select(messages.c.row, messages.c.due_ms))}


@pytest.mark.parametrize("count", [5, LINES_AT_ONCE + 2, 2 * LINES_AT_ONCE + 9])
def test_every_row_comes_back_whole_in_the_order_of_the_file(ledger: Ledger, count: int) -> None:
    chunk = a_chunk(count, skipped=[0, 3])
    with ledger.write() as connection:
        add_rows(connection, CAMPAIGN, chunk)
        found = list(read_rows(connection, CAMPAIGN))
    lines = chunk.table.to_pylist()
    assert [row.row for row in found] == list(range(2, count + 2))
    assert [row.cells for row in found] == [[f"Åsa {place}", "Öland"] for place in range(count)]
    assert [row.row for row in found if row.reason == "duplicate"] == [2, 5]
    for row, line in zip(found, lines, strict=True):
        assert (row.phone, row.number) == (line["phone"], f"+{line['number']}")
        assert (row.detail, row.text, row.encoding) == tuple(
            line[name] or "" for name in ("detail", "text", "encoding")
        )
        assert row.segments == line["segments"]


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 3).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1)))
def test_any_cells_come_back_as_they_were(ledger: Ledger, lines: list[list[str]]) -> None:
    columns = {str(place): pa.array(values, pa.string()) for place, values in enumerate(zip(*lines, strict=True))}
    table = a_chunk(len(lines)).table
    chunk = Chunk(table, pa.table(columns) if columns else table.select([]))
    with ledger.write() as connection:
        add_rows(connection, CAMPAIGN, chunk)
        assert [row.cells for row in read_rows(connection, CAMPAIGN)] == lines
        connection.rollback()


@pytest.mark.parametrize(("limit", "due"), [(None, 4), (0, 0), (1, 1), (3, 3), (4, 4), (9, 4)])
def test_only_as_many_messages_as_the_limit_says_are_due(ledger: Ledger, limit: int | None, due: int) -> None:
    with ledger.write() as connection:
        add_rows(connection, CAMPAIGN, a_chunk(6, skipped=[0, 2]))
        assert add_messages(connection, CAMPAIGN, -1, 17, limit) == 4
    found = _messages(ledger)
    assert list(found) == [3, 5, 6, 7]
    assert list(found.values()) == [0] * due + [NEVER_MS] * (4 - due)


def test_messages_are_added_for_the_rows_that_are_new(ledger: Ledger) -> None:
    with ledger.write() as connection:
        add_rows(connection, CAMPAIGN, a_chunk(3))
        assert add_messages(connection, CAMPAIGN, -1, 17) == 3
        add_rows(connection, CAMPAIGN, a_chunk(2, first_row=5, skipped=[0, 1]))
        add_rows(connection, CAMPAIGN, a_chunk(2, first_row=7))
        add_rows(connection, CampaignId(8), a_chunk(2, first_row=9))
        assert add_messages(connection, CAMPAIGN, 4, 17, 1) == 2
    assert _messages(ledger) == {2: 0, 3: 0, 4: 0, 7: 0, 8: NEVER_MS}


def test_a_row_that_is_there_already_is_refused(ledger: Ledger) -> None:
    with ledger.write() as connection:
        add_rows(connection, CAMPAIGN, a_chunk())
    with ledger.write() as connection, pytest.raises(IntegrityError):
        add_rows(connection, CAMPAIGN, a_chunk())
