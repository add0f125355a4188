"""Of rows with one number the first wins, over chunks as within one; rows that are skipped anyway do not count."""

from collections.abc import Callable
from itertools import count, islice
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.model import CHUNK_ROWS, CHUNK_SCHEMA, Chunk
from campaigns.recipients import from_numbers, mark_duplicates

A, B = "070-174 06 05", "070-174 06 06"


def judged(values: list[str], phone_column: str = "Mobil") -> list[tuple[int, str | None, str | None, str | None]]:
    chunks = mark_duplicates(from_numbers(values, "SE").chunks(), phone_column)
    rows = [row for chunk in chunks for row in chunk.table.to_pylist()]
    return [(row["row"], row["skip_reason"], row["detail"], row["column"]) for row in rows]


def test_the_first_row_of_a_number_wins_and_later_ones_name_it() -> None:
    assert judged([A, B, "+46701740605", "0046701740605"]) == [
        (1, None, None, None),
        (2, None, None, None),
        (3, "duplicate", "same number as row 1", "Mobil"),
        (4, "duplicate", "same number as row 1", "Mobil"),
    ]


def test_rows_without_a_number_are_no_duplicates() -> None:
    assert [reason for _, reason, _, _ in judged(["", "", "08-123 456 78", "08-123 456 78"])] == [
        "missing",
        "missing",
        "not_mobile",
        "not_mobile",
    ]


def test_a_filtered_row_does_not_take_the_number() -> None:
    (chunk,) = from_numbers([A, A, A], "SE").chunks()
    chunk = chunk.with_columns(skip_reason=pa.array(["filtered", None, None]))
    (marked,) = mark_duplicates([chunk], "Mobil")
    assert marked.table["skip_reason"].to_pylist() == ["filtered", None, "duplicate"]
    assert marked.table["detail"].to_pylist() == [None, None, "same number as row 2"]


def test_a_number_is_remembered_over_chunks() -> None:
    last = judged([A, *[""] * CHUNK_ROWS, A])[-1]
    assert last == (CHUNK_ROWS + 2, "duplicate", "same number as row 1", "Mobil")


def a_chunk(rows: list[int], numbers: list[tuple[int, bool]]) -> Chunk:
    """Rows with a number each, some of them skipped already."""
    size = len(rows)
    values = {
        "row": rows,
        "phone": [""] * size,
        "number": [number for number, _ in numbers],
        "skip_reason": ["invalid" if skipped else None for _, skipped in numbers],
        "text": [None if skipped else "Hej" for _, skipped in numbers],
        "empty_field": [None if skipped else "Namn" for _, skipped in numbers],
    }
    table = {field.name: values.get(field.name, [None] * size) for field in CHUNK_SCHEMA}
    return Chunk(pa.table(table, schema=CHUNK_SCHEMA), pa.table({"": rows}).select([]))


few_numbers = st.tuples(st.integers(46700000000, 46700000040), st.booleans())


@settings(deadline=None)
@given(st.lists(st.lists(few_numbers, min_size=1, max_size=30), max_size=12))
def test_a_repeat_is_found_wherever_the_chunks_are_cut(pieces: list[list[tuple[int, bool]]]) -> None:
    chunks, rows = [], count(2)
    expected: list[tuple[str | None, ...]] = []
    first_rows: dict[int, int] = {}
    for piece in pieces:
        places = list(islice(rows, len(piece)))
        chunks.append(a_chunk(places, piece))
        for row, (number, skipped) in zip(places, piece, strict=True):
            if skipped:
                expected.append(("invalid", None, None, None))
            elif (first := first_rows.setdefault(number, row)) == row:
                expected.append((None, None, "Hej", "Namn"))
            else:  # no message will go, so nothing is said of its text either
                expected.append(("duplicate", f"same number as row {first}", None, None))
    marked = [row for chunk in mark_duplicates(chunks) for row in chunk.table.to_pylist()]
    found = [(row["skip_reason"], row["detail"], row["text"], row["empty_field"]) for row in marked]
    assert found == expected


@pytest.mark.parametrize("phone_column", ["", "Mobil"])
def test_the_detail_speaks_of_the_phone_column_where_there_is_one(phone_column: str) -> None:
    assert judged([A, A], phone_column)[1][3] == (phone_column or None)


def test_the_cells_of_a_duplicate_stay(read_text: Callable[..., Any]) -> None:
    assert read_text(f"Namn;Mobil\nÅsa;{A}\nBo;{A}\n").cells == [["Åsa", A], ["Bo", A]]
