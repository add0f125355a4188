"""Of rows with one number the first wins, over chunks as within one; rows that are skipped anyway do not count."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from campaigns.model import CHUNK_ROWS
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


@pytest.mark.parametrize("phone_column", ["", "Mobil"])
def test_the_detail_speaks_of_the_phone_column_where_there_is_one(phone_column: str) -> None:
    assert judged([A, A], phone_column)[1][3] == (phone_column or None)


def test_the_cells_of_a_duplicate_stay(read_text: Callable) -> None:
    assert read_text(f"Namn;Mobil\nÅsa;{A}\nBo;{A}\n").cells == [["Åsa", A], ["Bo", A]]
