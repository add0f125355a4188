"""What an opened file tells of itself, and what its chunks hold."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS, CHUNK_SCHEMA
from campaigns.recipients import Layout, from_numbers, open_recipients

A, B = "070-174 06 05", "070-174 06 06"


def test_an_opened_file_tells_what_was_decided(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(f"Namn;Mobil\nÅsa;{A}\n", encoding="utf-8")
    file = open_recipients(path, Layout(region="se"))
    assert (file.path, file.name, file.sheet, file.encoding, file.delimiter) == (path, "lista.csv", None, "UTF-8", ";")
    assert (file.header_row, file.phone_column, file.region, file.columns) == (1, "Mobil", "SE", ("Namn", "Mobil"))
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.describe() == 'lista.csv: UTF-8, ";", header in row 1, numbers in "Mobil", region SE'


def test_a_problem_stands_with_its_reason_detail_and_column(read_text: Callable) -> None:
    table = read_text(f"Namn;Mobil\nÅsa;{A}\nBo;070-174 06\n")
    assert [(row["number"], row["skip_reason"], row["detail"], row["column"]) for row in table.rows] == [
        (46701740605, None, None, None),
        (None, "invalid", "too few digits for region SE", "Mobil"),
    ]


def test_phone_and_cells_stay_as_they_were_given(read_text: Callable) -> None:
    table = read_text("Namn;Mobil\n Åsa ;  '070-174 06 05 \n")
    assert (table.rows[0]["phone"], table.cells) == ("  '070-174 06 05 ", [[" Åsa ", "  '070-174 06 05 "]])


def test_text_encoding_and_segments_are_left_to_the_messages(read_text: Callable) -> None:
    (row,) = read_text(f"Mobil\n{A}\n").rows
    assert (row["text"], row["encoding"], row["segments"]) == (None, None, None)


def test_numbers_alone_are_rows_without_cells() -> None:
    numbers = from_numbers([A, "", "08-123 456 78", B], "se")
    (chunk,) = numbers.chunks()
    assert chunk.table.schema == CHUNK_SCHEMA
    assert chunk.table["row"].to_pylist() == [1, 2, 3, 4]
    assert chunk.table["skip_reason"].to_pylist() == [None, "missing", "not_mobile", None]
    assert chunk.table["column"].to_pylist() == [None] * 4
    assert (chunk.cells.num_columns, chunk.cells.num_rows, numbers.columns) == (0, 4, ())
    assert numbers.describe() == "4 numbers, region SE"


def test_many_numbers_come_in_chunks_and_none_in_no_chunk() -> None:
    assert [len(chunk) for chunk in from_numbers([A] * (CHUNK_ROWS + 1), "SE").chunks()] == [CHUNK_ROWS, 1]
    assert list(from_numbers([], "SE").chunks()) == []


def test_numbers_of_an_unknown_region_are_refused() -> None:
    with pytest.raises(InputError, match='"ZZ" is no region'):
        from_numbers([A], "ZZ")
