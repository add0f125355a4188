"""Workbooks give the text that a spreadsheet program shows, and the row numbers that it shows beside it."""

import csv
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS
from campaigns.recipients import Layout, open_recipients
from campaigns.recipients.cell_texts import cell_text, column_texts

A, B = "070-174 06 05", "070-174 06 06"
PEOPLE = [["Namn", "Mobil"], ["Åsa", A]]


def save(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("007", "007"), ("NA", "NA"), ("", ""), (46701740605.0, "46701740605"), (-3.0, "-3"), (0.1 + 0.2, "0.3"),
        (12.5, "12.5"), (1e20, "100000000000000000000"), (1e300, "1e+300"), (7, "7"), (True, "TRUE"), (False, "FALSE"),
        (date(2026, 12, 24), "2026-12-24"), (datetime.fromisoformat("2026-12-24T18:30"), "2026-12-24 18:30"),
        (datetime.fromisoformat("2026-12-24T18:29:59.999999"), "2026-12-24 18:30"),
        (datetime.fromisoformat("2026-12-24T18:30:05"), "2026-12-24 18:30:05"),
        (time(18, 30), "18:30"), (time(8, 5, 9), "08:05:09"),
        (timedelta(hours=26, minutes=30), "26:30"), (timedelta(hours=-1), "-01:00"),
    ],
)  # fmt: skip
def test_a_cell_is_given_as_people_see_it(value: object, text: str) -> None:
    assert cell_text(value) == text
    assert column_texts([value, value], None).to_pylist() == [text, text]


def test_a_column_of_many_kinds_is_given_cell_by_cell() -> None:
    values = [True, 1.0, False, "0", 0.5, date(2026, 12, 24), ""]
    assert column_texts(values, None).to_pylist() == ["TRUE", "1", "FALSE", "0", "0.5", "2026-12-24", ""]


ROW = st.one_of(
    st.just([]),
    st.just(["", "", ""]),
    st.tuples(st.sampled_from(["Åsa", "Bo\nEk", '"Eva"', ""]), st.sampled_from([A, "saknas", ""]), st.just("x")).map(
        list
    ),
)


@settings(deadline=None)
@given(st.lists(ROW, max_size=15), st.integers(0, 3))
def test_rows_have_the_numbers_that_a_spreadsheet_program_shows(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], titles: int
) -> None:
    folder = tmp_path_factory.mktemp("same")
    table = [*[["Kunder 2026"]] * titles, ["Namn", "Mobil", "Ort"], *rows, ["Sist", B, "y"]]
    book = save(folder / "lista.xlsx", Blad1=table)
    with (folder / "lista.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=";").writerows(table)

    shown = {
        row[0].row: [cell.value or "" for cell in row]
        for row in openpyxl.load_workbook(book).worksheets[0].iter_rows(min_row=titles + 2)
        if any(cell.value for cell in row)
    }
    for path in (book, folder / "lista.csv"):
        file = open_recipients(path, Layout())
        numbers = [number for chunk in file.chunks() for number in chunk.table["row"].to_pylist()]
        cells = [list(row.values()) for chunk in file.chunks() for row in chunk.cells.to_pylist()]
        assert file.header_row == titles + 1
        assert dict(zip(numbers, cells, strict=True)) == shown


def test_a_table_that_begins_below_and_right_of_a1_keeps_its_row_numbers(tmp_path: Path, read: Callable) -> None:
    path = save(tmp_path / "lista.xlsx", Blad1=[[], [], ["", "", "Namn", "Mobil"], [], ["", "", "Åsa", A]])
    table = read(path)
    assert (table.numbering, table.columns) == ([5], ("column 1", "column 2", "Namn", "Mobil"))


def test_a_large_sheet_comes_in_chunks(tmp_path: Path) -> None:
    path = save(tmp_path / "lista.xlsx", Blad1=[["Mobil"], *[[A]] * (CHUNK_ROWS + 5)])
    chunks = list(open_recipients(path, Layout()).chunks())
    assert [len(chunk) for chunk in chunks] == [CHUNK_ROWS - 1, 6]
    assert chunks[-1].table["row"].to_pylist()[-1] == CHUNK_ROWS + 6


@pytest.mark.parametrize("first", [[], [["Priser", "Kr"], ["Kaffe", 20]], [["Telefon"], ["saknas"]]])
def test_the_sheet_that_has_numbers_is_taken(tmp_path: Path, read: Callable, first: list[list[Any]]) -> None:
    table = read(save(tmp_path / "lista.xlsx", Blad1=first, Kunder=PEOPLE))
    assert table.describe == 'lista.xlsx: sheet "Kunder", header in row 1, numbers in "Mobil", region SE'


def test_several_sheets_with_numbers_are_asked_about(tmp_path: Path, read: Callable) -> None:
    path = save(tmp_path / "lista.xlsx", Kunder=PEOPLE, Gamla=PEOPLE)
    with pytest.raises(InputError) as caught:
        open_recipients(path, Layout())
    assert caught.value.what == '2 sheets of lista.xlsx hold numbers: "Kunder", "Gamla".'
    assert caught.value.fix == '--sheet "Kunder" or --sheet "Gamla"'
    assert 'sheet "Gamla"' in read(path, sheet="gamla").describe


def test_a_hidden_sheet_is_taken_only_by_name(tmp_path: Path, read: Callable) -> None:
    path = save(tmp_path / "lista.xlsx", Kunder=PEOPLE, Dold=PEOPLE)
    book = openpyxl.load_workbook(path)
    book["Dold"].sheet_state = "hidden"
    book.save(path)
    assert 'sheet "Kunder"' in read(path).describe
    assert 'sheet "Dold"' in read(path, sheet="Dold").describe


def test_an_unknown_sheet_is_an_error_that_names_the_sheets(tmp_path: Path) -> None:
    path = save(tmp_path / "lista.xlsx", Kunder=PEOPLE, Priser=[])
    with pytest.raises(InputError) as caught:
        open_recipients(path, Layout(sheet="Kundr"))
    assert caught.value.what == 'lista.xlsx has no sheet "Kundr".'
    assert caught.value.fix == 'Write "Kunder". Sheets: Kunder, Priser'


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([], "lista.xlsx is empty: 0 recipients."),
        ([["Namn", "Mobil"]], "lista.xlsx has a header but no rows: 0 recipients."),
        ([["Namn", "Ort"], ["Åsa", "Lund"]], "No column of lista.xlsx holds phone numbers."),
        ([["Mobil", "Mobil"], [A, B]], 'Two columns hold mobile numbers: "Mobil" and "Mobil 2".'),
    ],
)
def test_a_workbook_without_recipients_is_refused(tmp_path: Path, rows: list[list[Any]], what: str) -> None:
    with pytest.raises(InputError) as caught:
        open_recipients(save(tmp_path / "lista.xlsx", Blad1=rows), Layout())
    assert caught.value.what == what


@pytest.mark.parametrize(
    ("sheet", "what"),
    [
        ("tom", 'lista.xlsx, sheet "tom" is empty: 0 recipients.'),
        ("Blad2", 'lista.xlsx, sheet "Blad2" has a header but no rows: 0 recipients.'),
    ],
)
def test_a_named_sheet_without_recipients_is_the_one_that_is_spoken_of(tmp_path: Path, sheet: str, what: str) -> None:
    path = save(tmp_path / "lista.xlsx", Kunder=PEOPLE, Tom=[], Blad2=[["Mobil"]])
    with pytest.raises(InputError) as caught:
        open_recipients(path, Layout(sheet=sheet))
    assert caught.value.what == what
