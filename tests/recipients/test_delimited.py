"""Text files are read row by row as a spreadsheet program shows them: nothing is shifted, lost, joined or coerced."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS
from campaigns.recipients.delimited import MOST_CELLS, TextGrid, open_text
from campaigns.recipients.layout import Layout
from campaigns.recipients.reading import open_recipients

A, B = "070-174 06 05", "070-174 06 06"
CELL = st.one_of(
    st.text(st.sampled_from('aåÄ0 ";,\t|\r\n\x85\u2028\x1f=#\\'), max_size=5),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        ["NA", "null", "None", "nan", "007", "12345678901234567890", "1e5", "TRUE", "2026-12-24", '5" rör']
    ),
)
TABLE = st.lists(st.lists(CELL, min_size=1, max_size=5), min_size=1, max_size=12)


def grid_cells(grid: TextGrid) -> list[list[str]]:
    return [
        list(row)
        for block in grid.blocks()
        for row in zip(*(column.to_pylist() for column in block.columns), strict=True)
    ]


def written(cell: str, delimiter: str, quote: bool) -> str:
    escaped = cell.replace('"', '""')
    return f'"{escaped}"' if quote or any(sign in cell for sign in f'{delimiter}"\r\n') else cell


def trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Without the blank cells at the end of rows, which no reader can tell from missing ones."""
    return [row[: max((place for place, cell in enumerate(row, 1) if cell), default=0)] for row in rows]


@settings(deadline=None)
@given(TABLE, st.sampled_from(";,\t|"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.booleans())
@example([["", "", "x"], [], ["y"]], ";", "\n", False, False)
@example([["a"], ["b", "c", "d", "e"]], ",", "\r", False, True)
def test_what_was_written_is_read_back_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str, end: str, quote: bool, ended: bool
) -> None:
    lines = [delimiter.join(written(cell, delimiter, quote) for cell in row) for row in rows]
    text = end.join([f"sep={delimiter}", *lines]) + (end if ended else "")
    path = tmp_path_factory.mktemp("written") / "lista.csv"
    path.write_bytes(text.encode())

    (grid,) = open_text(path, Layout())

    assert grid.delimiter == delimiter
    read = trimmed(grid_cells(grid))
    assert read == trimmed(rows) or (read == trimmed(rows)[:-1] and not (ended or lines[-1]))  # no sign, no row
    assert all(len(row) == grid.width for row in grid_cells(grid))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", '"', '""', ";", "\n", "\r\n", " "]), max_size=25).map("".join))
def test_odd_quotation_marks_mean_what_they_mean_to_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, body: str
) -> None:
    text = f'sep=;\n{body}\n""\n'
    path = tmp_path_factory.mktemp("odd") / "lista.csv"
    path.write_bytes(text.encode())
    expected = list(csv.reader(io.StringIO(f'{body}\n""\n', newline=""), delimiter=";"))
    if expected[-1] == [""]:  # the quotation marks added at the end were a cell by themselves: all others are closed
        (grid,) = open_text(path, Layout())
        assert trimmed(grid_cells(grid)) == trimmed(expected)
    else:
        with pytest.raises(InputError, match="never closed"):
            open_text(path, Layout())


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found_though_cells_hold_the_others(read_text: Callable, delimiter: str) -> None:
    others = "; , |".replace(delimiter, "")
    table = read_text(delimiter.join(["Namn", "Mobil", "Not"]) + f"\nÅsa{delimiter}{A}{delimiter}{others}\n" * 3)
    assert table.cells[0] == ["Åsa", A, others]


def test_a_decimal_comma_is_no_delimiter(read_text: Callable) -> None:
    assert read_text(f"Mobil;Pris\n{A};12,50\n{B};9,90\n").cells == [[A, "12,50"], [B, "9,90"]]


@pytest.mark.parametrize(
    "text", ["Mobil\n46701740605,0\n46701740606,0\n", "46701740605,0\n46701740606,00\n", "Pris\n12,50\n\n"]
)
def test_one_column_of_numbers_with_a_decimal_comma_stays_one_column(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(text)
    (grid,) = open_text(path, Layout())
    assert (grid.delimiter, grid.width) == (None, 1)


def test_numbers_beside_whole_numbers_are_two_columns(read_text: Callable) -> None:
    assert read_text("0701740605,12\n0701740606,13\n").cells == [["0701740605", "12"], ["0701740606", "13"]]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_quoted_header_and_a_sep_line_are_read_behind_a_byte_order_mark(
    tmp_path: Path, read: Callable, codec: str
) -> None:
    path = tmp_path / "lista.csv"
    mark = "\ufeff" if codec == "utf-16-le" else ""
    for start in ("", "sep=|\r\n"):
        path.write_bytes(f'{mark}{start}"Namn;x"|"Mobil"\r\nBo|{A}\r\n'.encode(codec))
        table = read(path)
        assert (table.columns, table.numbering) == (("Namn;x", "Mobil"), [2])


@pytest.mark.parametrize("line", ['sep="', "sep=å", "sep=x", "sep=;;"])
def test_what_is_no_separator_line_is_a_row(tmp_path: Path, line: str) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(f"{line.replace(chr(34), '')}\nMobil;Namn\n{A};Bo\n", encoding="utf-8")
    assert open_recipients(path, Layout()).header_row == 2


def test_text_with_commas_in_one_column_stays_one_column(read_text: Callable) -> None:
    assert read_text(f"Mobil\n{A}\n{B}\n{A}, ej kväll\n", name="lista.txt").columns == ("Mobil",)


def test_no_value_is_taken_for_an_empty_cell(read_text: Callable) -> None:
    values = ["NA", "N/A", "null", "NULL", "None", "nan", "#N/A", "-", "0", "FALSE", "007", "1.0", "  x ", "1e10"]
    table = read_text("Not;Mobil\n" + "".join(f"{value};{A}\n" for value in values))
    assert [cells[0] for cells in table.cells] == values


def test_a_cell_longer_than_the_csv_module_takes_is_read(read_text: Callable) -> None:
    before = csv.field_size_limit()
    long = "å" * 200_000
    assert read_text(f'Mobil;Not\n{A};"{long}\n{long}"\n').cells == [[A, f"{long}\n{long}"]]
    assert csv.field_size_limit() == before


def test_rows_are_numbered_over_chunks_and_each_is_given_once(tmp_path: Path) -> None:
    total = 2 * CHUNK_ROWS + 10
    lines = [f"{number};{A}" if number % 7 else "" for number in range(2, total)]  # each seventh line is blank
    path = tmp_path / "lista.csv"
    path.write_text("\n".join(["Nr;Mobil", *lines]), encoding="utf-8")
    chunks = list(open_recipients(path, Layout()).chunks())
    assert all(0 < len(chunk) <= CHUNK_ROWS for chunk in chunks)
    rows = [number for chunk in chunks for number in chunk.table["row"].to_pylist()]
    assert rows == [number for number in range(2, total) if number % 7]
    assert [int(nr) for chunk in chunks for nr in chunk.cells["Nr"].to_pylist()] == rows


def test_a_wide_row_far_down_gets_columns_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("Namn;Mobil\n" + f"Bo;{A}\n" * CHUNK_ROWS + f"Eva;{B};sen;;7\n")
    file = open_recipients(path, Layout())
    assert file.columns == ("Namn", "Mobil", "column 3", "column 4", "column 5")
    last = list(file.chunks())[-1].cells.to_pylist()[-1]
    assert list(last.values()) == ["Eva", B, "sen", "", "7"]


def test_a_wide_table_is_read_in_blocks_of_fewer_rows(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    rows, width = 1200, 2000
    path.write_text(f"Mobil{';x' * (width - 1)}\n" + f"{A}{';y' * (width - 1)}\n" * rows)
    lengths = [len(chunk) for chunk in open_recipients(path, Layout()).chunks()]
    assert sum(lengths) == rows
    assert max(lengths) * width < 2 * MOST_CELLS


def test_a_column_of_many_bytes_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(f"Mobil{';' * 59}\n" + f"{A}{';' * 59}z\n" * 17_000)
    file = open_recipients(path, Layout())
    assert sum(len(chunk) for chunk in file.chunks()) == 17_000
