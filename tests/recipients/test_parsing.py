"""A file gives the same rows in blocks of any size, and what no block can hold is refused before memory is spent."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.errors import InputError
from campaigns.recipients.parsing import BLOCK_BYTES, MOST_COLUMNS, MOST_ROW_BYTES, Dialect, read_rows

PIECES = st.sampled_from(["a", "å", '"', '""', ";", ";", '";"', "\n", "\r\n", "\r", " ", "bcd"])


def outcome(path: Path, dialect: Dialect, block_bytes: int) -> list[list[str]] | str:
    """All rows with the cells that each has, or where a quotation mark is never closed."""
    table: list[list[str]] = []
    try:
        for rows in read_rows(path, dialect, block_bytes):
            assert rows.first_row == len(table) + 1
            for piece in rows.slices(3):
                columns = [column.to_pylist() for column in piece.columns(max(piece.lengths().to_pylist()))]
                table += [trimmed(row) for row in zip(*columns, strict=True)]
    except InputError as error:
        return error.where
    return table


def trimmed(row: Sequence[str]) -> list[str]:
    """Without the empty cells at its end."""
    return list(row[: max((place for place, cell in enumerate(row, 1) if cell), default=0)])


@settings(deadline=None)
@given(
    st.lists(PIECES, max_size=40).map("".join),
    st.integers(1, 30),
    st.integers(1, 4),
    st.sampled_from(["UTF-8", "UTF-16", "cp1252"]),
)
@example("a;b\r\n\r\nc;d", 4, 2, "UTF-8")
@example('a;"b\r\n\r\n";c;d\n', 2, 2, "UTF-8")
def test_rows_are_those_of_the_csv_module_in_blocks_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, body: str, block_bytes: int, usual: int, encoding: str
) -> None:
    path = tmp_path_factory.mktemp("blocks") / "lista.csv"
    path.write_bytes(body.encode(encoding))
    dialect = Dialect(encoding, ";", hides_first_line=False, usual=usual)
    rows = list(csv.reader(io.StringIO(body, newline=""), delimiter=";"))
    is_closed = list(csv.reader(io.StringIO(f'{body}\n"x"\n', newline=""), delimiter=";"))[-1] == ["x"]
    expected = [trimmed(row) for row in rows] if is_closed else f"lista.csv, row {len(rows)}"
    assert outcome(path, dialect, block_bytes) == outcome(path, dialect, BLOCK_BYTES) == expected


def test_each_row_keeps_its_number_of_cells_and_its_place(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("a;b\n1\n1;2;3\n\n1;2\n1\n")
    (rows,) = read_rows(path, Dialect("UTF-8", ";", hides_first_line=False, usual=2))
    assert rows.lengths().to_pylist() == [2, 1, 3, 2, 2, 1]  # the blank line has the usual number
    assert [column.to_pylist() for column in rows.columns(3)] == [
        ["a", "1", "1", "", "1", "1"], ["b", "", "2", "", "2", ""], ["", "", "3", "", "", ""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "what", "row"),
    [
        (b"a;b\n" + b"x" * (BLOCK_BYTES + MOST_ROW_BYTES), "A row is longer than 4 MB, and a cell may hold 1 MB.", 2),
        (b'a;b\nc;"' + b"x\n" * MOST_ROW_BYTES, "A quotation mark is never closed, so all rows after it", 2),
        (b"a;b\n\n" + b"x;" * MOST_COLUMNS, "lista.csv has a row of 16,385 cells, and a table may have 16,384", 3),
    ],
    ids=["long", "open", "wide"],
)
def test_a_row_that_no_table_has_is_refused_with_its_number(
    tmp_path: Path, content: bytes, what: str, row: int
) -> None:
    path = tmp_path / "lista.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_rows(path, Dialect("UTF-8", ";", hides_first_line=False, usual=2)))
    assert caught.value.what.startswith(what)
    assert caught.value.where == f"lista.csv, row {row}"
    assert caught.value.fix
