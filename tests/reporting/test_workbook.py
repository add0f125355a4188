"""The workbook holds every row as it was, sheets that filter, and figures that add up."""

import csv
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from campaigns.model import REPORT_COLUMNS, SkipReason
from campaigns.reporting import ReportFacts, sheet
from campaigns.reporting.dictionary import FIGURES
from campaigns.reporting.finding import ACCOUNT
from campaigns.reporting.meanings import DELIVERY_REASONS, STATUSES

SHEETS = ["Summary", "Recipients", "Problems", "By reason", "Over time", "By country", "Dictionary"]
DATA_SHEETS = SHEETS[1:]


@pytest.fixture
def book(tmp_path: Path, write: Any, some_rows: Any) -> Any:
    """A workbook of one row of most kinds, with two rows delivered, as openpyxl reads it."""
    write([tmp_path / "a.xlsx"], some_rows, ["namn", "ort"])
    return openpyxl.load_workbook(tmp_path / "a.xlsx")


def table(book: Any, name: str) -> list[dict[str, Any]]:
    header, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def calamine_table(path: Path, name: str) -> list[list[Any]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python()


def test_summary_stands_first_and_the_sheets_have_fixed_names(book: Any) -> None:
    assert book.sheetnames == SHEETS
    assert book.active.title == "Summary"


def test_every_data_sheet_has_a_frozen_header_and_a_filter_over_all_of_it(book: Any) -> None:
    assert book["Recipients"].freeze_panes == "D2"
    for name in DATA_SHEETS:
        data = book[name]
        assert data.freeze_panes is not None
        first, last = data.auto_filter.ref.split(":")
        assert first == "A1"
        assert last.endswith(str(data.max_row))
        assert all(cell.font.bold for cell in data[1][:3])


def test_recipients_are_the_rows_of_the_csv(tmp_path: Path, write: Any, some_rows: Any) -> None:
    write([tmp_path / "a.xlsx", tmp_path / "a.csv"], some_rows, ["namn", "ort"])
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    shown = table(openpyxl.load_workbook(tmp_path / "a.xlsx"), "Recipients")
    assert list(shown[0]) == header
    for expected, found in zip(rows, shown, strict=True):
        as_text = [
            "" if value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else str(value)
            for value in found.values()
        ]
        assert as_text == [cell.removeprefix("'") for cell in expected]


def test_numbers_are_numbers_times_are_dates_and_ids_are_text(book: Any) -> None:
    row = dict(zip(REPORT_COLUMNS, book["Recipients"][2], strict=False))
    assert [row[name].data_type for name in ("row", "segments", "tries")] == ["n", "n", "n"]
    assert [row[name].data_type for name in ("phone", "to", "provider_id")] == ["s", "s", "s"]
    assert row["sent_at"].is_date
    assert row["sent_at"].number_format == 'yyyy-mm-dd"T"hh:mm:ss"Z"'


@pytest.mark.parametrize("text", ["=1+1", "=cmd|' /C calc'!A0", "#N/A", "#REF!", "+1", "-1", "@x", "=", "00123", "1e5"])
def test_text_is_never_a_formula_a_number_or_an_error(text: str, tmp_path: Path, write: Any, make_row: Any) -> None:
    fields = dict.fromkeys(("phone", "reason", "detail", "text", "provider_id"), text)
    write([tmp_path / "a.xlsx"], [make_row(cells=(text,), **fields)], [text])
    cells = openpyxl.load_workbook(tmp_path / "a.xlsx")["Recipients"]
    found = [cell for line in cells.iter_rows() for cell in line if cell.value == text]
    assert len(found) == 7
    assert {cell.data_type for cell in found} == {"s"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1fc\x0b", "a�b�c�"),
        ("\ufffe\uffff", "��"),
        ("two\r\nlines\rmore", "two\nlines\nmore"),
        ("_x0041_", "_x0041_"),
        ("  blanks  ", "  blanks  "),
        ("x" * 40_000, "x" * (32_767 - 7) + "… (cut)"),
    ],
)
def test_a_text_that_no_workbook_can_hold_is_mended(
    text: str, shown: str, tmp_path: Path, write: Any, make_row: Any
) -> None:
    write([tmp_path / "a.xlsx"], [make_row(cells=(text,))], ["namn"])
    assert calamine_table(tmp_path / "a.xlsx", "Recipients")[1][-1] == shown


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), min_size=1, max_size=4))
def test_any_cell_comes_back_as_it_was(cells: list[tuple[str, str]], tmp_path: Path, write: Any, make_row: Any) -> None:
    write([tmp_path / "a.xlsx"], [make_row(n, cells=pair) for n, pair in enumerate(cells, 2)], ["a", "b"])
    shown = table(openpyxl.load_workbook(tmp_path / "a.xlsx"), "Recipients")
    assert [(row["a"] or "", row["b"] or "") for row in shown] == [(sheet.clean(a), sheet.clean(b)) for a, b in cells]


def test_the_account_adds_up_and_no_figure_ever_moves(book: Any, tmp_path: Path, write: Any) -> None:
    lines = {row[0]: row[1] for row in book["Summary"].iter_rows(min_row=14, max_row=27, values_only=True)}
    assert list(lines) == list(ACCOUNT)
    assert lines["rows"] == lines["skipped"] + lines["messages"] == 7
    assert lines["messages"] == sum(number for name, number in lines.items() if name not in ACCOUNT[:3])
    write([tmp_path / "empty.xlsx"], [])
    empty = openpyxl.load_workbook(tmp_path / "empty.xlsx")["Summary"]
    for before, after in zip(book["Summary"]["A"], empty["A"], strict=True):
        if before.row not in (1, 2, 3, 36):
            assert before.value == after.value


def test_every_sheet_counts_the_same_rows(book: Any) -> None:
    recipients, reasons = table(book, "Recipients"), table(book, "By reason")
    assert sum(line["messages"] for line in reasons) == len(recipients)
    messages = sum(line["messages"] for line in reasons if line["group"] != "skipped")
    countries = table(book, "By country")
    assert sum(line["messages"] for line in countries) == messages
    parts = ("delivered", "accepted", "not_delivered", "unknown", "not_sent")
    assert sum(line[part] for line in countries for part in parts) == messages
    sent = sum(line["sent (per second)"] for line in table(book, "Over time"))
    assert sent == sum(row["sent_at"] is not None for row in recipients)


def test_problems_come_in_order_with_what_to_do(book: Any) -> None:
    problems = table(book, "Problems")
    assert [(line["row"], line["status"], line["reason"]) for line in problems] == [
        (3, "rejected", "sender_not_allowed"),
        (5, "unknown", "timeout"),
        (4, "skipped", "duplicate"),
        (6, "skipped", "invalid"),
    ]
    assert all(line["what_to_do"] for line in problems)
    assert [line["to_mend"] for line in problems] == ["no", "no", "no", "yes"]
    assert {line["column"] for line in problems} == {"Mobil"}


def test_a_cell_that_was_cut_is_named_among_the_problems(tmp_path: Path, write: Any, make_row: Any) -> None:
    write([tmp_path / "a.xlsx"], [make_row(2, cells=("ok", "x" * 40_000))], ["namn", "status"])
    [problem] = table(openpyxl.load_workbook(tmp_path / "a.xlsx"), "Problems")
    assert [problem[name] for name in ("row", "column", "status", "reason")] == [2, "file.status", "accepted", "cut"]
    assert "32,767" in problem["detail"]


def test_the_finding_stands_clear_of_the_charts(book: Any) -> None:
    lead, qualification = (book["Summary"][place].value for place in ("A2", "A3"))
    assert lead == "2 of 5 messages were accepted by the provider: 40.0 %."
    assert qualification.startswith("1 was refused")


def test_many_problems_of_one_reason_keep_their_order(tmp_path: Path, write: Any, make_row: Any) -> None:
    rows = [make_row(n, "skipped", reason="invalid", detail="x" * 60) for n in range(2, 3002)]
    write([tmp_path / "a.xlsx"], rows)
    lines = calamine_table(tmp_path / "a.xlsx", "Problems")[1:]
    assert [line[0] for line in lines] == [float(n) for n in range(2, 3002)]


def test_the_dictionary_explains_every_word_and_no_other(book: Any) -> None:
    lines = table(book, "Dictionary")
    named = {kind: [line["name"] for line in lines if line["kind"] == kind] for kind in ("column", "status", "reason")}
    headers = [f"{name}: {cell.value}" for name in DATA_SHEETS for cell in book[name][1] if cell.value]
    beside = {f"By reason: {name}" for name in ("accepted", "not delivered", "unknown", "not sent")}  # of a chart
    assert named["column"] == [header for header in headers if header not in beside]
    assert named["status"] == [str(status) for status in STATUSES]
    assert named["reason"] == [*(str(reason) for reason in (*SkipReason, *DELIVERY_REASONS)), "cut", "(any other)"]
    figures = [line["name"] for line in lines if line["kind"] == "figure"]
    assert figures == [*ACCOUNT, *FIGURES]
    assert all(line["means"] for line in lines)


def test_charts_are_drawn_from_cells_as_far_as_there_is_something_to_draw(
    book: Any, tmp_path: Path, write: Any, make_row: Any
) -> None:
    assert len(book["Summary"]._charts) == 3
    write([tmp_path / "b.xlsx"], [make_row(2, "skipped", reason="invalid")])
    bare = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert bare["Summary"]._charts == []
    assert "Over time" not in bare.sheetnames


def test_figures_on_a_dark_bar_are_white(book: Any) -> None:
    accepted, not_delivered, *_ = book["Summary"]._charts[0].series
    assert accepted.dLbls.txPr is None
    [paragraph] = not_delivered.dLbls.txPr.paragraphs
    assert paragraph.pPr.defRPr.solidFill.srgbClr == "FFFFFF"


def test_a_full_sheet_goes_on_on_the_next(
    tmp_path: Path, write: Any, make_row: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "MOST_ROWS", 4)
    write([tmp_path / "a.xlsx"], [make_row(n) for n in range(2, 12)])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    names = [name for name in book.sheetnames if name.startswith("Recipients")]
    assert names == ["Recipients", "Recipients 2", "Recipients 3"]
    assert [row["row"] for name in names for row in table(book, name)] == list(range(2, 12))
    assert book["Recipients 3"].auto_filter.ref == "A1:O3"


def test_status_is_coloured_by_ranges_not_by_cell(book: Any) -> None:
    ranges = {str(area.sqref): len(area.rules) for area in book["Recipients"].conditional_formatting}
    assert ranges == {"E2:E8": 4, "J2:J8": 1}
    assert not any(cell.fill.fill_type for cell in book["Recipients"]["E"][1:])


def test_the_sandbox_is_named_so_that_no_trial_is_quoted(tmp_path: Path, write: Any, some_rows: Any) -> None:
    write([tmp_path / "a.xlsx"], some_rows, ["namn", "ort"], ReportFacts(sandbox=True))
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book["Summary"]["A1"].value == "sommarrea (sandbox: nothing left this machine)"
    assert all(data.sheet_properties.tabColor is not None for data in book)


def test_a_name_that_looks_like_a_formula_is_text(tmp_path: Path, write: Any) -> None:
    write([tmp_path / "a.xlsx"], [], name='=HYPERLINK("x")', source="=1+1")
    summary = openpyxl.load_workbook(tmp_path / "a.xlsx")["Summary"]
    assert (summary["A1"].data_type, summary["B7"].data_type) == ("s", "s")


def test_widths_follow_the_first_values_within_bounds(tmp_path: Path, write: Any, make_row: Any) -> None:
    write([tmp_path / "a.xlsx"], [make_row(cells=("", "x" * 20, "x" * 99))], ["a", "b", "c"])
    widths = openpyxl.load_workbook(tmp_path / "a.xlsx")["Recipients"].column_dimensions
    assert [widths[letter].width for letter in "PQR"] == [12, 22, 40]


def test_the_file_names_the_campaign_and_no_author(book: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx") as package:
        assert b"creator" not in package.read("docProps/core.xml")
    assert (book.properties.title, book.properties.subject) == ("sommarrea", "Campaign report")
