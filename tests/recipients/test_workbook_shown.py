"""Percentages, currency, dates, merged cells, errors and hidden rows of a workbook come out as people see them."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from campaigns.model import CHUNK_ROWS
from campaigns.recipients import Layout, open_recipients
from campaigns.recipients.number_formats import BUILT_IN, DateParts, date_parts, number_format

CASES = Path(__file__).parent / "cases"
A, B, C = "070-174 06 05", "070-174 06 06", "070-174 06 07"
SWEDISH = '_-* #,##0.00\\ "kr"_-;\\-* #,##0.00\\ "kr"_-;_-* "-"??\\ "kr"_-;_-@_-'
UNKNOWN = "not understood"


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("0%", 0.2, "20%"), ("0%", 0.125, "13%"), ("0.0%", 0.125, "12.5%"), ("0.00%", 1, "100.00%"),
        ("0\\ %", 0.2, "20 %"),
        ('#,##0.00 "kr"', 1234.5, "1 234,50 kr"), ("#,##0.00\\ [$kr-41D]", 1234.5, "1 234,50 kr"),
        ("#,##0.00\\ [$kr-41D];[RED]\\-#,##0.00\\ [$kr-41D]", -1234567.891, "-1 234 567,89 kr"), ("0 kr", 20, "20 kr"),
        (SWEDISH, 1234.5, "1 234,50 kr"), (SWEDISH, -5, "-5,00 kr"), (SWEDISH, 0, "- kr"),
        ('"$"#,##0.00', 1234.5, "$1,234.50"), ("[$$-409]#,##0.00", -5.25, "-$5.25"), ("[$£-809]#,##0", 1234, "£1,234"),
        ("#,##0.00\\ [$€-407]", 1234.5, "1.234,50 €"), ("[$€-2]\\ #,##0.00", 1234.5, "€ 1,234.50"),
        (BUILT_IN[44], 1234.5, "$1,234.50"), (BUILT_IN[44], -12.5, "$(12.50)"), (BUILT_IN[37], -12345, "(12,345)"),
        ("#,##0.00\xa0kr", 1234.5, "1 234,50 kr"),
        ("0000000000", 701740605, "0701740605"), ("000-000 00 00", 701740605, "070-174 06 05"),
        ("+0", 46701740605, "+46701740605"),
        ("00000", -7, "-00007"), ("[<=9999999]###-####;(###) ###-####", 2025550123, "(202) 555-0123"),
        ("[<=9999999]###-####;(###) ###-####", 5550123, "555-0123"),
        ("0.00", 12.5, "12.50"), ("0.00", 0.005, "0.01"), ("0", 12.6, "13"), ("0.0#", 12.5, "12.5"),
        ("#.##", 0.5, ".5"),
        ("#,##0", 12345, "12,345"), ("#,##0", 0, "0"), ("0.0,", 12345, "12.3"), ('0,,\\ "M"', 12345678, "12 M"),
        ('General\\ "st"', 12.5, "12.5 st"), ('"Nr "0', 5, "Nr 5"), ('"ja";"nej";"noll"', 0, "noll"),
        ('[Color10]0"°"', 7, "7°"),
        # A phone number keeps its digits together.
        ("#,##0", 701740605, "701740605"), ("0.00", 46701740605, "46701740605"),
        ("#,##0_);(#,##0)", 46701740605, "46701740605"),
        # These show the number as it is stored, or more of it than Excel.
        ("General", 5, None), ("@", 5, None), ("0.00E+00", 46701740605, None), ("General;General", 5, None),
        ("# ?/?", 0.5, UNKNOWN), (";;;", 5, UNKNOWN), ("0" * 300, 5, UNKNOWN), ("0%", float("inf"), UNKNOWN),
        ("[>10]0", 5, UNKNOWN),
    ],
)  # fmt: skip
def test_a_number_is_shown_as_its_format_says(code: str, value: float, text: str | None) -> None:
    show = number_format(code)
    assert (show and (show(value) or UNKNOWN)) == text


@pytest.mark.parametrize("value", [0.1, 1e300, -1e-300, 5e-324, 123456789012345678])
@pytest.mark.parametrize(
    "code", ["0%", "#,##0.00", "0.0,,", "000 000", *(BUILT_IN[number] for number in (5, 8, 43, 44))]
)
def test_any_number_can_be_shown(code: str, value: float) -> None:
    show = number_format(code)
    assert show is not None
    assert show(value) is not None


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("yyyy-mm-dd", DateParts(True, False, False)), ("[$-41D]d mmmm yyyy", DateParts(True, False, False)),
        ("h:mm", DateParts(False, True, False)), ("mm:ss", DateParts(False, True, True, hours=False)),
        ("mmm", DateParts(True, False, False)),
        ("yyyy-mm-dd h:mm:ss", DateParts(True, True, True)), ("h:mm AM/PM", DateParts(False, True, False)),
        ("[h]:mm", None), ('0.00" dagar"', None), ("General", None), ("[Red]0", None), ("0;dd", None), ("\\d0", None),
    ],
)  # fmt: skip
def test_a_format_tells_what_of_a_date_it_shows(code: str, parts: DateParts | None) -> None:
    assert date_parts(code) == parts


def save(path: Path, rows: list[list[Any]], merges: str = "", hidden: tuple[int, ...] = ()) -> Path:
    """A value may be given with its number format: (0.2, "0%")."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row, values in enumerate(rows, start=1):
        for place, value in enumerate(values, start=1):
            cell = sheet.cell(row, place)
            cell.value, code = value if isinstance(value, tuple) else (value, None)
            cell.number_format = code or cell.number_format
    for merge in merges.split():
        sheet.merge_cells(merge)
    for row in hidden:
        sheet.row_dimensions[row].hidden = True
    book.save(path)
    return path


def problems(path: Path, **layout: Any) -> list[tuple[int, str | None, str, str]]:
    chunks = open_recipients(path, Layout(**layout)).chunks()
    return [(each.row, each.column, each.value, each.reason) for chunk in chunks for each in chunk.problems]


def test_excel_workbooks_show_what_excel_shows(read: Callable) -> None:
    table = read(CASES / "shown.xlsx")
    assert table.columns == ("Namn", "Mobil", "Rabatt", "Pris", "Dag", "Tid", "När", "Kod", "Fel", "Tid2")
    assert table.cells == [
        ["Åsa", "0701740605", "20%", "1 234,50 kr", "2026-12-24", "18:30", "2026-12-24 18:30", "00042", "", "26:30"],
        ["Örjan", "46701740606", "13%", "99,00 kr", "2027-01-02", "08:05", "2027-01-02 00:00", "00007", "", "01:00"],
        ["Ängla", C, "100%", "-5,25 kr", "2027-01-02", "08:05", "2027-01-02 01:02:03", "00013", "", "25:00"],
        ["Bo", "070-174 06 08", "100%", "-5,25 kr", "2027-01-02", "08:05", "2027-01-02 01:02:03", "00013", "", "25:00"],
        ["Bo", "070-174 06 09", *[""] * 8],
    ]
    assert problems(CASES / "shown.xlsx") == [
        (2, "Fel", "#N/A", "error_cell"), (3, "Fel", "#DIV/0!", "error_cell"), (4, "Fel", "#VALUE!", "error_cell"),
        (4, None, "", "hidden_row"), (5, "Fel", "#REF!", "error_cell"), (6, "Namn", "Bo", "merged_cell"),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "value_error"), [("shown.ods", "Err:502"), ("shown.xls", "#VALUE!")])
def test_other_workbooks_show_numbers_as_stored_and_say_so(read: Callable, name: str, value_error: str) -> None:
    first = ["Åsa", "701740605", "0.2", "1234.5", "2026-12-24", "18:30", "2026-12-24 18:30", "42", "", "26:30"]
    table = read(CASES / name)
    assert table.cells[0] == first
    assert table.cells[4] == ["Bo", "070-174 06 09", *[""] * 8]
    assert problems(CASES / name) == [
        (2, "Mobil", "701740605", "as_stored"), (2, "Rabatt", "0.2", "as_stored"),
        (2, "Pris", "1234.5", "as_stored"), (2, "Kod", "42", "as_stored"), (2, "Fel", "#N/A", "error_cell"),
        (3, "Rabatt", "0.125", "as_stored"), (3, "Pris", "99", "as_stored"), (3, "Kod", "7", "as_stored"),
        (3, "Fel", "#DIV/0!", "error_cell"),
        (4, "Rabatt", "1", "as_stored"), (4, "Pris", "-5.25", "as_stored"), (4, "Kod", "12.5", "as_stored"),
        (4, "Fel", value_error, "error_cell"), (4, None, "", "hidden_row"),
        (5, "Rabatt", "1", "as_stored"), (5, "Pris", "-5.25", "as_stored"), (5, "Kod", "12.5", "as_stored"),
        (5, "Fel", "#REF!", "error_cell"), (6, "Namn", "Bo", "merged_cell"),
    ]  # fmt: skip


def test_dates_show_what_their_formats_show(tmp_path: Path, read: Callable) -> None:
    evening = datetime.fromisoformat("2026-12-24T18:30:05")
    codes = ["yyyy-mm-dd", "h:mm", "yyyy-mm-dd h:mm", "yyyy-mm-dd h:mm:ss", "d mmmm yyyy", "mm:ss"]
    rows = [
        ["Mobil", *"abcdef"],
        [A, *[(evening, code) for code in codes]],
        [B, *[(date(2026, 1, 2), code) for code in codes]],
    ]
    assert read(save(tmp_path / "lista.xlsx", rows)).cells == [
        [A, "2026-12-24", "18:30", "2026-12-24 18:30", "2026-12-24 18:30:05", "2026-12-24", "30:05"],
        [B, "2026-01-02", "00:00", "2026-01-02 00:00", "2026-01-02 00:00", "2026-01-02", "00:00"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("yyyy-mm-dd", datetime.fromisoformat("2026-12-24T18:30"), "2026-12-24"),
        ("yyyy-mm-dd h:mm", date(2026, 12, 24), "2026-12-24 00:00"), ("h:mm", time(18, 30, 5), "18:30"),
        ("mm:ss", time(0, 5, 0), "05:00"),
        ("[h]:mm", timedelta(hours=26, minutes=30), "26:30"),
        ("yyyy-mm-dd h:mm", datetime.fromisoformat("9999-12-31T23:59:59.9"), "9999-12-31 23:59"),
    ],
)  # fmt: skip
def test_a_workbook_with_one_way_to_show_dates_needs_no_second_look(
    tmp_path: Path, read: Callable, code: str, value: Any, text: str
) -> None:
    rows = [["Mobil", "När"], [A, (value, code)], [B, (value, code)]]
    assert read(save(tmp_path / "lista.xlsx", rows)).cells == [[A, text], [B, text]]


def test_a_format_that_is_not_understood_gives_the_number_and_says_so(tmp_path: Path, read: Callable) -> None:
    path = save(tmp_path / "lista.xlsx", [["Mobil", "Del"], [A, (0.5, "# ?/?")], [B, ("halv", "# ?/?")]])
    assert read(path).cells == [[A, "0.5"], [B, "halv"]]
    assert problems(path) == [(2, "Del", "0.5", "as_stored")]


def test_what_is_noted_of_cells_and_rows_holds_in_every_chunk(tmp_path: Path) -> None:
    last_row = CHUNK_ROWS + 1
    rows = [["Namn", "Mobil", "Rabatt"], ["Ek", A, (0.2, "0%")], *[[None, B, (0.2, "0%")]] * (CHUNK_ROWS - 1)]
    path = save(tmp_path / "lista.xlsx", rows, f"A2:A{last_row}", hidden=(last_row,))
    *_, last = open_recipients(path, Layout()).chunks()
    assert last.cells.to_pylist() == [{"Namn": "Ek", "Mobil": B, "Rabatt": "20%"}]
    assert [(problem.row, problem.reason) for problem in last.problems] == [
        (last_row, "merged_cell"),
        (last_row, "hidden_row"),
    ]


def test_the_quick_and_the_thorough_look_see_the_same(tmp_path: Path, read: Callable) -> None:
    day = datetime.fromisoformat("2026-12-24T18:30")
    rows = [["Mobil", "Rabatt", "Dag", "Tid"], *[[A, (0.2, "0%"), (day, "yyyy-mm-dd"), (day, "h:mm")]] * 3]
    quick = save(tmp_path / "quick.xlsx", rows)
    thorough = save(tmp_path / "thorough.xlsx", rows, hidden=(9,))
    styled = save(tmp_path / "styled.xlsx", rows)
    book = openpyxl.load_workbook(styled)
    book.worksheets[0].row_dimensions[2].number_format = "0%"  # a row that names a style, as its cells do
    book.save(styled)
    assert read(quick).cells == read(thorough).cells == read(styled).cells == [[A, "20%", "2026-12-24", "18:30"]] * 3


def test_hidden_rows_are_told_or_left_out(tmp_path: Path, read: Callable) -> None:
    path = save(tmp_path / "lista.xlsx", [["Mobil"], [A], [B], [C]], hidden=(3,))
    assert problems(path) == [(3, None, "", "hidden_row")]
    assert read(path).reasons == [None, None, None]
    assert read(path, skip_hidden=True).reasons == [None, "hidden", None]
    assert problems(path, skip_hidden=True) == []


@pytest.mark.parametrize(
    ("rows", "merges", "columns", "cells", "told"),
    [
        (
            [["Namn", "Mobil"], ["Ek", A], [None, B], [None, C]], "A2:A4", ["Namn", "Mobil"],
            [["Ek", A], ["Ek", B], ["Ek", C]], [(3, "Namn", "Ek", "merged_cell"), (4, "Namn", "Ek", "merged_cell")],
        ),
        (
            [["Namn", "Mobil"], ["Åsa", A], ["Bo", None]], "B2:B3", ["Namn", "Mobil"],
            [["Åsa", A], ["Bo", A]], [(3, "Mobil", A, "merged_cell")],
        ),
        # A title across columns stays with its first; a row that holds nothing of its own is no row.
        ([["Kunder 2026"], ["Namn", "Mobil"], ["Åsa", A]], "A1:B1", ["Namn", "Mobil"], [["Åsa", A]], []),
        ([["Namn", "Mobil"], [], ["Åsa", A], []], "A1:A2 B1:B2 A3:A4 B3:B4", ["Namn", "Mobil"], [["Åsa", A]], []),
        # A header of two rows, under a title that spans two of its columns.
        (
            [["Namn", "Mobil", "Adress"], [None, None, "Gata", "Ort"], ["Åsa", A, "Storgatan 1", "Lund"]],
            "A1:A2 B1:B2 C1:D1", ["Namn", "Mobil", "Gata", "Ort"], [["Åsa", A, "Storgatan 1", "Lund"]], [],
        ),
    ],
)  # fmt: skip
def test_a_merged_cell_gives_its_value_to_each_of_its_rows(
    tmp_path: Path, read: Callable, rows: list[Any], merges: str, columns: list[str], cells: list[Any], told: list[Any]
) -> None:
    path = save(tmp_path / "lista.xlsx", rows, merges)
    table = read(path)
    assert (list(table.columns), table.cells) == (columns, cells)
    assert problems(path) == told
