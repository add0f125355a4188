"""CSV, JSON lines and JSON hold every row, whole and harmless."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.model import REPORT_COLUMNS, RESERVED_COLUMNS, ReportRow
from campaigns.reporting.table import neutralise, report_columns


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_columns_stand_in_their_order_and_the_files_own_follow(tmp_path: Path, write: Any, some_rows: Any) -> None:
    write([tmp_path / "a.csv", tmp_path / "a.jsonl"], some_rows, ["namn", "ort"])
    expected = [*REPORT_COLUMNS, "namn", "ort"]
    assert list(read_csv(tmp_path / "a.csv")[0]) == expected
    assert list(read_lines(tmp_path / "a.jsonl")[0]) == expected


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (["status", "namn"], ["file.status", "namn"]),
        (["cost"], ["file.cost"]),
        (["file.row", "row"], ["file.row", "file.file.row"]),
        (["row", "file.row"], ["file.file.row", "file.row"]),
        (["Row"], ["Row"]),
    ],
)
def test_a_column_with_a_name_of_ours_gets_a_prefix_and_stays_unique(columns: list[str], names: list[str]) -> None:
    assert list(report_columns(columns)[len(REPORT_COLUMNS) :]) == names


@settings(deadline=None)
@given(st.lists(st.sampled_from([*REPORT_COLUMNS, *RESERVED_COLUMNS, "file.row", "file.file.row", "x"]), unique=True))
def test_every_header_is_unique(columns: list[str]) -> None:
    headers = report_columns(columns)
    assert len(set(headers)) == len(headers) == len(REPORT_COLUMNS) + len(columns)


def test_a_csv_is_what_excel_opens_without_questions(tmp_path: Path, write: Any, some_rows: Any) -> None:
    write([tmp_path / "a.csv"], some_rows, ["namn", "ort"])
    raw = (tmp_path / "a.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfrow,phone,to,")
    assert raw.count(b"\r\n") == raw.count(b"\n") == len(some_rows) + 1
    assert "Åsa" in raw.decode()


def test_times_are_iso_8601_in_utc_of_one_width(tmp_path: Path, write: Any, some_rows: Any) -> None:
    write([tmp_path / "a.csv", tmp_path / "a.jsonl"], some_rows, ["namn", "ort"])
    assert read_csv(tmp_path / "a.csv")[0]["sent_at"] == "2026-08-13T08:00:02Z"
    assert read_lines(tmp_path / "a.jsonl")[0]["sent_at"] == "2026-08-13T08:00:02Z"


def test_json_has_numbers_as_numbers_and_null_where_nothing_is_known(
    tmp_path: Path, write: Any, some_rows: Any
) -> None:
    write([tmp_path / "a.jsonl"], some_rows, ["namn", "ort"])
    accepted, _, skipped, *_ = read_lines(tmp_path / "a.jsonl")
    assert (accepted["row"], accepted["segments"], accepted["tries"], accepted["reason"]) == (2, 1, 1, "")
    nothing = {"to", "segments", "sent_at", "updated_at"}
    assert {key for key, value in skipped.items() if value is None} == nothing


def test_json_is_the_campaign_and_its_rows(tmp_path: Path, write: Any, some_rows: Any) -> None:
    write([tmp_path / "a.json", tmp_path / "a.jsonl"], some_rows, ["namn", "ort"])
    report = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert list(report) == ["id", "name", "state", "reason", "counts", "rows"]
    assert (report["id"], report["state"]) == (17, "done")
    assert report["counts"]["rows"] == len(some_rows) == sum(report["counts"].values()) - len(some_rows)
    assert report["rows"] == read_lines(tmp_path / "a.jsonl")


def test_a_report_without_rows_is_still_a_report(tmp_path: Path, write: Any) -> None:
    write([tmp_path / "a.csv", tmp_path / "a.json", tmp_path / "a.jsonl"], [], ["namn"])
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"] == []
    assert (tmp_path / "a.jsonl").read_bytes() == b""
    assert read_csv(tmp_path / "a.csv") == []


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+46 70 1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\nx",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "  =1",
        "\ufeff=1",
        "\x00=1",
    ],
)
def test_a_formula_becomes_text(text: str) -> None:
    assert neutralise(text) == f"'{text}"


@pytest.mark.parametrize("text", ["+46701740605", "", "Anna", "a=b", "1-2", "'=1", "å@b", "+4670174060512345"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == text


@pytest.mark.parametrize("text", ["+46=1", "+", "+46\n=1", "+４６"])
def test_only_a_plus_and_digits_passes_as_a_number(text: str) -> None:
    assert neutralise(text).startswith("'")


@settings(deadline=None)
@given(st.text())
def test_no_cell_begins_as_a_formula(text: str) -> None:
    cell = neutralise(text)
    assert cell.removeprefix("'") == text.removeprefix("'")
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) or re.fullmatch(r"\+[0-9]+", cell)


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "+46\x7f=1+1", '+1,"', "\t=1"])
def test_headers_and_every_text_column_are_neutralised(tmp_path: Path, write: Any, make_row: Any, evil: str) -> None:
    fields = dict.fromkeys(("phone", "reason", "detail", "text", "provider_id"), evil)
    rows = [make_row(2, cells=("Åsa",)), make_row(3, cells=(evil,), **fields), make_row(4, cells=("",))]
    write([tmp_path / "a.csv"], rows, [evil])
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for line in csv.reader(file) for cell in line]
    assert evil not in cells
    assert cells.count(f"'{evil}") == 7


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.tuples(st.text(), st.text("+=1a ,\"'\x7f\n")), min_size=1, max_size=5))
def test_any_cell_comes_back_from_every_table(
    cells: list[tuple[str, str]], tmp_path: Path, write: Any, make_row: Any
) -> None:
    rows: list[ReportRow] = [make_row(number, cells=pair) for number, pair in enumerate(cells, 2)]
    write([tmp_path / "a.csv", tmp_path / "a.json", tmp_path / "a.jsonl"], rows, ["a", "b"])
    from_json = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["rows"]
    assert [(row["a"], row["b"]) for row in from_json] == cells
    assert from_json == read_lines(tmp_path / "a.jsonl")
    assert [(row["a"], row["b"]) for row in read_csv(tmp_path / "a.csv")] == [
        (neutralise(a), neutralise(b)) for a, b in cells
    ]
