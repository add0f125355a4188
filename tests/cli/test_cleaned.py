"""`campaigns check --fixed`: a dirty list becomes one that can be sent, and one that can be mended."""

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from campaigns.recipients.layout import Layout
from campaigns.recipients.reading import open_recipients
from tests.cli.conftest import Type

DIRTY = """\
Förnamn;Mobil;Stad;Kod
Åsa;070-174 06 05;Lund;A1
Örjan;+46 (0)70 174 06 06;"Malmö; ""gamla"" stan";=1+1
Zoë;0701740607;Ängelholm;-
Bo;okänd;Ystad;A4
Ida;;Ystad;A5
Åsa;0701740605;Lund;A6
"""


@pytest.fixture
def dirty(folder: Path) -> Path:
    """A list of Excel's, in Windows-1252: 3 of its 6 rows can be sent."""
    path = folder / "smutsig.csv"
    path.write_text(DIRTY, encoding="cp1252", newline="\r\n")
    return path


def recipients(path: Path, sheet: str | None = None) -> list[tuple[str, ...]]:
    """The rows that can be sent, as they are read anew."""
    opened = open_recipients(path, Layout(sheet=sheet))
    return [tuple(row.values()) for chunk in opened.chunks() for row in chunk.cells.to_pylist()]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("rena.csv", "\nCleaned list: rena.csv (3 recipients), rena-refused.csv (3 refused)\n"),
        ("rena.xlsx", "\nCleaned list: rena.xlsx (3 recipients, 3 refused)\n"),
    ],
)
def test_the_files_are_told_with_their_counts(type_: Type, dirty: Path, name: str, told: str) -> None:
    result = type_("check", "smutsig.csv", "--fixed", name)
    assert result.stdout.endswith(told)
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("name", "sheet", "changed"), [("rena.csv", [], "'"), ("rena.xlsx", ["--sheet", "Recipients"], "")]
)
def test_a_cleaned_list_is_read_without_a_problem_and_as_the_same_people(
    type_: Type, dirty: Path, name: str, sheet: list[str], changed: str
) -> None:
    type_("check", "smutsig.csv", "--fixed", name)
    again = json.loads(type_("check", name, *sheet, "--message", "{{ förnamn }} {{ stad }}", "--json").stdout)
    assert (again["rows"], again["recipients"], again["problems"]) == (3, 3, [])
    assert recipients(dirty.with_name(name), sheet[-1] if sheet else None) == [
        ("Åsa", "+46701740605", "Lund", "A1"),
        ("Örjan", "+46701740606", 'Malmö; "gamla" stan', f"{changed}=1+1"),
        ("Zoë", "+46701740607", "Ängelholm", f"{changed}-"),
    ]


def test_every_row_that_cannot_be_sent_is_among_the_refused_whatever_the_reason(type_: Type, dirty: Path) -> None:
    type_(
        "check", "smutsig.csv", "--fixed", "rena.csv", "--where", 'förnamn != "Zoë"',
        "--message", '{{ 1 / (kod != "A1") | int }}',
    )  # fmt: skip
    with (dirty.parent / "rena-refused.csv").open(encoding="utf-8-sig", newline="") as file:
        refused = {row["row"]: row for row in csv.DictReader(file)}
    assert {row: line["reason"] for row, line in refused.items()} == {
        "2": "render_error", "4": "filtered", "5": "invalid", "6": "missing",
    }  # fmt: skip
    assert list(refused["5"].values())[3:] == ["Bo", "okänd", "Ystad", "A4"]


def test_a_cell_that_had_to_be_changed_is_told_and_a_workbook_needs_no_change(type_: Type, dirty: Path) -> None:
    told = type_("check", "smutsig.csv", "--fixed", "rena.csv").stderr
    assert " note: In rena.csv, a ' stands before 2 cells that a spreadsheet program would\n" in told
    assert "  fix: A workbook keeps them as they are: --fixed rena.xlsx\n" in told
    assert " note: " not in type_("check", "smutsig.csv", "--fixed", "rena.xlsx").stderr


@pytest.mark.parametrize("name", ["rena.csv", "rena.xlsx"])
def test_what_is_typed_next_never_sends_twice_to_one_person(type_: Type, dirty: Path, name: str) -> None:
    message = ["--message", "Hej {{ förnamn }}!"]
    said = type_("check", "smutsig.csv", *message, "--encoding", "cp1252", "--fixed", name).stderr
    mend, go_on = re.findall(r"campaigns (.*?)(?= or go on|$)", " ".join(said.partition(" next: ")[2].split()))
    mended = json.loads(type_(*shlex.split(mend), "--json").stdout)
    assert mended["skipped"] == {"invalid": 1, "missing": 1, "filtered": 1}
    assert go_on.startswith("send rena")
    checked = type_("check", *shlex.split(go_on)[1:], "--json")
    assert json.loads(checked.stdout)["recipients"] == 3


def test_a_list_of_numbers_alone_gets_the_header_that_is_shown(type_: Type, folder: Path) -> None:
    (folder / "nummer.txt").write_text("070-174 06 05\n0701740605\n070\n", encoding="utf-8")
    type_("check", "nummer.txt", "--fixed", "rena.csv")
    assert (folder / "rena.csv").read_text(encoding="utf-8-sig") == "column 1\n+46701740605\n"
    refused = (folder / "rena-refused.csv").read_text(encoding="utf-8-sig").splitlines()
    assert refused[0] == "row,reason,detail,column 1"
    assert [line.rpartition(",")[2] for line in refused[1:]] == ["0701740605", "070"]
    assert type_("check", "rena.csv").exit_code == 0


def test_the_files_hold_whole_numbers(type_: Type, dirty: Path) -> None:
    type_("check", "smutsig.csv", "--fixed", "rena.csv")
    assert "0701740605" in (dirty.parent / "rena-refused.csv").read_text(encoding="utf-8-sig")


def test_a_list_of_which_nothing_can_be_sent_is_written_too(type_: Type, folder: Path) -> None:
    (folder / "tom.csv").write_text("Namn;Mobil\nBo;070\n", encoding="utf-8")
    result = type_("check", "tom.csv", "--fixed", "rena.csv")
    assert "Cleaned list: rena.csv (0 recipients), rena-refused.csv (1 refused)\n" in result.stdout
    assert result.exit_code == 2


@pytest.mark.parametrize(
    ("source", "fixed", "fix"),
    [
        ("lista.csv", "lista.csv", "--fixed lista-2.csv"),
        ("lista.toml", "lista.csv", "--fixed lista-2.csv"),
        ("lista-refused.csv", "lista.csv", "--fixed lista-2.csv"),
    ],
)
def test_neither_file_takes_the_place_of_the_source(
    type_: Type, folder: Path, source: str, fixed: str, fix: str
) -> None:
    before = (folder / "lista.csv").read_bytes()
    (folder / "lista-refused.csv").write_bytes(before)
    result = type_("check", source, "--fixed", fixed)
    assert "is what the campaign is read from" in result.stderr.replace("\n       ", " ")
    assert f"  fix: Give another name: {fix}\n" in result.stderr
    assert result.exit_code == 2
    assert [(folder / name).read_bytes() for name in ("lista.csv", "lista-refused.csv")] == [before, before]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--fixed", "rena.ods"], '"rena.ods" names no format of a cleaned list.'),
        (["--fixed", "upptagen.csv"], "upptagen.csv is no file that a report could replace."),
        (["--fixed", "a.csv", "--report", "a-refused.csv"], "a-refused.csv is a report, so no cleaned list can be"),
    ],
)
def test_a_place_that_cannot_be_used_is_said_before_the_list_is_read(
    type_: Type, folder: Path, words: list[str], what: str
) -> None:
    (folder / "upptagen.csv").mkdir()
    result = type_("check", "lista.csv", *words)
    assert result.stderr.startswith(f"error: {what}")
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_campaign_file_may_name_the_cleaned_list(type_: Type, folder: Path) -> None:
    said = type_("check", "lista.toml", "--fixed", "rena.csv").stderr
    assert " next: Mend the rows in rena-refused.csv; lista.toml may name rena.csv as its recipients.\n" in said
