"""The cleaned list: every row in one of two places, cells as they are, whole or not at all."""

import csv
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from campaigns.errors import InputError
from campaigns.model import CHUNK_SCHEMA, Chunk
from campaigns.reporting import Cleaned, open_cleaned
from campaigns.reporting.table import neutralise

Lines = list[list[str]]
FORMATS = ("a.csv", "a.xlsx")
COLUMNS = ("Förnamn", "Mobil", "Ort")
ROWS: Lines = [
    ["Åsa", "070-174 06 05", "Lund"],
    ["Örjan", "070", 'Malmö; "gamla" stan'],
    ["Zoë", "+46 (0)70 174 06 06", "a, b\r\nc"],
    ["Bo", "", "Ystad"],
]


def a_chunk(rows: Lines, refused: Sequence[int], columns: Sequence[str] = COLUMNS, first_row: int = 2) -> Chunk:
    """Rows whose number is that of fiction at their place; those at the places `refused` have none."""
    places = range(len(rows))
    table = {
        "row": [first_row + place for place in places],
        "phone": ["" for _ in places],
        "number": [None if place in refused else 46701740605 + place for place in places],
        "skip_reason": ["invalid" if place in refused else None for place in places],
        "detail": ["too few digits" if place in refused else None for place in places],
    }
    nothing = {name: [None] * len(rows) for name in CHUNK_SCHEMA.names if name not in table}
    cells = {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(columns)}
    return Chunk(pa.table(table | nothing, schema=CHUNK_SCHEMA), pa.table(cells))


def write(path: Path, *chunks: Chunk, columns: Sequence[str] = COLUMNS) -> Cleaned:
    with open_cleaned(path, columns, "Mobil") as cleaned:
        for chunk in chunks:
            cleaned.add(chunk)
        return cleaned.finish()


def read(path: Path) -> tuple[Lines, Lines]:
    """The two tables, all cells as text."""
    if path.suffix == ".csv":
        return _lines(path), _lines(path.with_stem(f"{path.stem}-refused"))
    book = load_workbook(path, read_only=True)
    recipients, refused = ([["" if v is None else str(v) for v in row] for row in book[name].values]
                           for name in ("Recipients", "Refused"))  # fmt: skip
    book.close()
    return recipients, refused


def _lines(path: Path) -> Lines:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


EVERY_FORMAT = pytest.mark.parametrize("name", FORMATS)


@EVERY_FORMAT
def test_every_row_stands_in_one_of_the_two_with_its_own_cells(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, a_chunk(ROWS[:2], refused=[1]), a_chunk(ROWS[2:], refused=[1], first_row=4))
    recipients, refused = read(tmp_path / name)
    line_end = "\r\n" if name.endswith("csv") else "\n"
    assert recipients == [
        ["Förnamn", "Mobil", "Ort"],
        ["Åsa", "+46701740605", "Lund"],
        ["Zoë", "+46701740605", f"a, b{line_end}c"],
    ]
    assert refused == [
        ["row", "reason", "detail", "Förnamn", "Mobil", "Ort"],
        ["3", "invalid", "too few digits", "Örjan", "070", 'Malmö; "gamla" stan'],
        ["5", "invalid", "too few digits", "Bo", "", "Ystad"],
    ]


@EVERY_FORMAT
@pytest.mark.parametrize("refused", [[], [0, 1, 2, 3]])
def test_both_tables_are_there_where_one_has_no_rows(tmp_path: Path, name: str, refused: list[int]) -> None:
    cleaned = write(tmp_path / name, a_chunk(ROWS, refused))
    assert [len(lines) - 1 for lines in read(tmp_path / name)] == [4 - len(refused), len(refused)]
    assert (cleaned.recipients, cleaned.refused) == (4 - len(refused), len(refused))


def test_a_csv_is_what_excel_opens_without_questions(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", a_chunk([["Åsa", "070-174 06 05", "Lund"]], []))
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw == "\ufeffFörnamn,Mobil,Ort\r\nÅsa,+46701740605,Lund\r\n".encode()


def test_a_formula_becomes_text_in_a_csv_and_is_counted(tmp_path: Path) -> None:
    rows = [["=1+1", "1", "-"], ["Åsa", "+46 70", " @x"]]
    cleaned = write(tmp_path / "a.csv", a_chunk(rows, refused=[1]))
    recipients, refused = read(tmp_path / "a.csv")
    assert recipients[1] == ["'=1+1", "+46701740605", "'-"]
    assert refused[1][3:] == ["Åsa", "'+46 70", "' @x"]  # the number is read without its apostrophe
    assert cleaned.altered == {"Förnamn": 1, "Ort": 2}


def test_a_formula_is_text_in_a_workbook_and_stays_as_it_is(tmp_path: Path) -> None:
    cleaned = write(tmp_path / "a.xlsx", a_chunk([["=1+1", "1", "#N/A"]], refused=[]))
    sheet = load_workbook(tmp_path / "a.xlsx")["Recipients"]
    assert [(cell.value, cell.data_type) for cell in sheet[2]] == [("=1+1", "s"), ("+46701740605", "s"), ("#N/A", "s")]
    assert cleaned.altered == {}


def test_what_a_workbook_cannot_hold_is_counted(tmp_path: Path) -> None:
    cleaned = write(tmp_path / "a.xlsx", a_chunk([["a\x01b", "1", "x" * 40_000], ["Bo", "2", ""]], refused=[0]))
    assert cleaned.altered == {"Förnamn": 1, "Ort": 1}


def test_a_workbook_has_a_fixed_header_a_filter_and_numbers_that_stay_text(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", a_chunk(ROWS, refused=[1, 3]))
    book = load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Recipients", "Refused"]
    for sheet, phone, last in ((book["Recipients"], "B", "C3"), (book["Refused"], "E", "F3")):
        assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:{last}")
        assert all(cell.font.bold for cell in sheet[1])
        assert [sheet[f"{phone}{row}"].number_format for row in (2, 3)] == ["@", "@"]


def test_a_sheet_that_is_full_goes_on_on_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.reporting.sheet.MOST_ROWS", 2)
    write(tmp_path / "a.xlsx", a_chunk([["Åsa", "1", "Lund"]] * 5, refused=[1]))
    book = CalamineWorkbook.from_path(tmp_path / "a.xlsx")
    assert book.sheet_names == ["Recipients", "Recipients 2", "Refused"]
    assert [len(book.get_sheet_by_name(name).to_python()) for name in book.sheet_names] == [3, 3, 2]


def test_a_column_with_a_name_of_ours_is_told_apart_among_the_refused(tmp_path: Path) -> None:
    columns = ("row", "Mobil", "file.row")
    write(tmp_path / "a.csv", a_chunk(ROWS, refused=[1], columns=columns), columns=columns)
    recipients, refused = read(tmp_path / "a.csv")
    assert recipients[0] == [*columns]
    assert refused[0] == ["row", "reason", "detail", "file.file.row", "Mobil", "file.row"]


@pytest.mark.parametrize("name", ["a.ods", "a", "a.csv.gz", "a.xlsm"])
def test_an_ending_of_no_cleaned_list_is_told_with_those_that_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="names no format of a cleaned list") as error:
        write(tmp_path / name)
    assert error.value.fix == "End the name in .csv or .xlsx."


@pytest.mark.parametrize("name", ["a.csv", "a-refused.csv"])
def test_either_file_in_the_way_is_an_error_before_the_first_row(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=name):
        write(tmp_path / "a.csv")


class BrokenError(Exception):
    """Whatever may come in the middle."""


def _give_up(path: Path) -> None:
    with open_cleaned(path, COLUMNS, "Mobil") as cleaned:
        cleaned.add(a_chunk(ROWS * 400, refused=[1]))
        raise BrokenError


@EVERY_FORMAT
def test_left_without_finish_the_old_files_stay_and_nothing_else(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch, place = tmp_path / "scratch", tmp_path / "place"
    scratch.mkdir()
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    (place / name).write_text("the old one")
    with pytest.raises(BrokenError):
        _give_up(place / name)
    assert [path.name for path in place.iterdir()] == [name]
    assert (place / name).read_text() == "the old one"
    assert list(scratch.iterdir()) == []


@EVERY_FORMAT
def test_missing_folders_are_made_and_nothing_is_left_beside_the_files(tmp_path: Path, name: str) -> None:
    cleaned = write(tmp_path / "b" / name, a_chunk(ROWS, refused=[1]))
    assert sorted((tmp_path / "b").iterdir()) == sorted(cleaned.paths)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.text(), st.just("1"), st.text(alphabet='",=+-@\r\n\t a\u00a0＝')), min_size=1, max_size=6
    ),
    refused=st.sets(st.integers(0, 5)),
)
def test_any_cell_comes_back_from_a_csv(tmp_path: Path, rows: list[tuple[str, str, str]], refused: set[int]) -> None:
    cleaned = write(tmp_path / "a.csv", a_chunk([list(row) for row in rows], sorted(refused)))
    tables = read(tmp_path / "a.csv")
    came = {tuple(line) for line in (*tables[0][1:], *(line[3:] for line in tables[1][1:]))}
    assert {(line[0], line[2]) for line in came} == {(neutralise(row[0]), neutralise(row[2])) for row in rows}
    assert sum(cleaned.altered.values()) == sum(neutralise(cell) != cell for row in rows for cell in (row[0], row[2]))
