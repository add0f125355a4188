"""What concerns a list as a whole: hidden rows, a wrong region, letters in doubt; and the table of problems."""

import json
from pathlib import Path

import pytest
from openpyxl import Workbook

from campaigns.cli.figures import MEANINGS, REMARKS
from campaigns.cli.options import with_option
from campaigns.model import Remark, SkipReason
from tests.cli.conftest import Type

SEND = ["--from", "X", "--provider", "sandbox"]


@pytest.fixture
def workbook(folder: Path) -> Path:
    """A workbook with two hidden rows, an error cell and a merged one."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    rows = [["Förnamn", "Mobil", "Ort"], *([f"Åke {n}", f"07017406{n:02}", "Öland"] for n in range(5, 11))]
    for row in rows:
        sheet.append(row)
    sheet["C2"] = "#N/A"
    for row in (3, 4):
        sheet.row_dimensions[row].hidden = True
    book.save(folder / "kunder.xlsx")
    return folder / "kunder.xlsx"


@pytest.fixture
def norwegian(folder: Path) -> Path:
    """A list whose numbers are all Norwegian but one."""
    lines = ["Navn;Telefon", *(f"Bjørn {n};{4 + 5 * (n % 2)}{1_000_000 + n}" for n in range(40)), "Åsa;0701740605"]
    (folder / "norge.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder / "norge.csv"


def test_every_reason_and_every_remark_has_its_meaning() -> None:
    assert list(MEANINGS) == [*SkipReason]
    assert list(REMARKS) == [*Remark]
    assert all(meaning.startswith("sent; ") for meaning in REMARKS.values())


def test_remarks_and_reasons_stand_in_one_table_the_commonest_first(type_: Type, workbook: Path) -> None:
    result = type_("check", "kunder.xlsx", "--message", "Hej {{ förnamn }}!")
    assert (
        "Problem     Count  For example  What it means\n"
        "hidden_row      2  3, 4         sent; the workbook hides the row\n"
        'error_cell      1  2: "#N/A"    sent; the error is read as empty\n'
    ) in result.stdout
    assert "        6  ready " in result.stdout


def test_hidden_rows_are_counted_with_the_option_that_leaves_them_out(type_: Type, workbook: Path) -> None:
    said = type_("check", "kunder.xlsx").stderr
    assert " note: 2 rows are hidden in the workbook, and used like all others.\n" in said
    assert "  fix: campaigns check kunder.xlsx --skip-hidden\n" in said
    asked = type_("send", "kunder.xlsx", "--message", "Hej!", *SEND, at_terminal=True, typed="n\n")
    assert "--skip-hidden\n" in asked.stderr.partition("Send 6 messages?")[0]


@pytest.mark.parametrize("as_key", [False, True])
def test_hidden_rows_are_left_out_by_option_and_by_key(type_: Type, workbook: Path, as_key: bool) -> None:
    words = ["kunder.xlsx", "--skip-hidden"]
    if as_key:
        words = ["dolda.toml"]
        keys = 'message = "Hej!"\n[recipients]\nfile = "kunder.xlsx"\nskip_hidden = true\n'
        (workbook.parent / "dolda.toml").write_text(keys, encoding="utf-8")
    found = json.loads(type_("check", *words, "--json").stdout)
    assert (found["recipients"], found["skipped"]) == (4, {"hidden": 2})
    assert "hidden in the workbook, and used" not in type_("check", *words).stderr


@pytest.mark.parametrize("as_key", [False, True])
def test_a_land_line_is_let_through_by_option_and_by_key(type_: Type, folder: Path, as_key: bool) -> None:
    (folder / "fast.csv").write_text("Mobil\n0701740605\n08-465 004 01\n", encoding="utf-8")
    words = ["fast.csv", "--allow-landline"]
    if as_key:
        words = ["fast.toml"]
        keys = 'message = "Hej!"\n[recipients]\nfile = "fast.csv"\nallow_landline = true\n'
        (folder / "fast.toml").write_text(keys, encoding="utf-8")
    assert json.loads(type_("check", "fast.csv", "--json").stdout)["skipped"] == {"not_mobile": 1}
    assert json.loads(type_("check", *words, "--json").stdout)["skipped"] == {}


def test_text_takes_a_land_line_when_told(type_: Type) -> None:
    words = ["text", "08-465 004 01", "--message", "Hej!", *SEND, "--yes"]
    assert type_(*words).exit_code == 2
    assert type_(*words, "--allow-landline").exit_code == 0


def test_one_reason_for_a_whole_column_is_said_once_in_place_of_the_table(type_: Type, norwegian: Path) -> None:
    result = type_("check", "norge.csv", "--message", "Hei!")
    assert "Skipped " not in result.stdout
    assert "numbers in region SE" in " ".join(result.stderr.split())
    assert "  fix: campaigns check norge.csv --message 'Hei!' --region NO\n" in result.stderr
    assert json.loads(type_("check", "norge.csv", "--json").stdout)["advice"][0]["fix"] == "--region NO"


def test_the_advice_stands_before_the_question_of_send(type_: Type, norwegian: Path) -> None:
    asked = type_("send", "norge.csv", "--message", "Hei!", "--region", "SE", *SEND, at_terminal=True, typed="n\n")
    before = " ".join(asked.stderr.partition("Send 1 message?")[0].split())
    assert "campaigns send norge.csv --message 'Hei!' --from X --provider sandbox --region NO" in before


@pytest.mark.parametrize("command", ["check", "send"])
def test_where_nobody_is_left_the_error_is_the_advice(type_: Type, norwegian: Path, command: str) -> None:
    lines = norwegian.read_text(encoding="utf-8").splitlines()[:-1]
    norwegian.write_text("\n".join(lines), encoding="utf-8")
    result = type_(command, "norge.csv", *(["--message", "Hei!", *SEND, "--yes"] if command == "send" else []))
    error = result.stderr.partition("error: ")[2]
    assert "mobile numbers in region NO" in " ".join(error.split())
    assert error.endswith("  fix: campaigns check norge.csv --region NO\n")
    assert result.exit_code == 2


@pytest.fixture
def doubtful(folder: Path) -> Path:
    """A list in which å, ä and ö may be other letters."""
    (folder / "dos.csv").write_text("Förnamn;Mobil\nÅsa;0701740605\n", encoding="cp850")
    return folder / "dos.csv"


@pytest.mark.usefixtures("doubtful")
def test_letters_in_doubt_are_a_note_of_check_with_samples_and_no_step_to_a_send(type_: Type) -> None:
    result = type_("check", "dos.csv", "--message", "Hej {{ förnamn }}!")
    said = " ".join(result.stderr.split())
    assert "its encoding cannot be told for sure. where: dos.csv, line 1 fix: --encoding CP850 if" in said
    assert '"Förnamn" is right' in said
    assert "next:" not in said
    assert "No problems" not in result.stdout
    assert result.exit_code == 0
    found = json.loads(type_("check", "dos.csv", "--json").stdout)
    assert [list(advice) for advice in found["advice"]] == [["note", "fix"]]


@pytest.mark.parametrize("words", [["send", "--message", "Hej!", *SEND], ["check", "--fixed", "rena.csv"]])
@pytest.mark.parametrize("at_terminal", [True, False])
def test_letters_in_doubt_end_a_send_and_a_cleaned_list_before_anything_is_asked_or_written(
    type_: Type, doubtful: Path, words: list[str], at_terminal: bool
) -> None:
    result = type_(words[0], "dos.csv", *words[1:], at_terminal=at_terminal, typed="y\n")
    assert result.stderr.startswith("error: dos.csv is not UTF-8, and its encoding cannot be told for sure.\n")
    assert "--encoding CP850" in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")
    assert not (doubtful.parent / "ledger.db").exists()
    assert not (doubtful.parent / "rena.csv").exists()
    assert type_(words[0], "dos.csv", *words[1:], "--encoding", "cp850", at_terminal=True, typed="n\n").exit_code == 0


@pytest.mark.parametrize(
    ("fix", "words"),
    [
        ("--region NO", ["lista.csv", "--region", "NO"]),
        ("--skip-hidden", ["lista.csv", "--region", "SE", "--skip-hidden"]),
        ('--phone-column "Mobil 2"', ["lista.csv", "--region", "SE", "--phone-column", "Mobil 2"]),
        ("--region NO or --region DK", None),
        ("Format the column as Text.", None),
        ('--encoding CP850 if "d\'é" is right', None),
        ('--encoding CP850 if "a"b" is right', None),
    ],
)
def test_an_option_takes_the_place_of_its_old_value_and_a_sentence_is_none(fix: str, words: list[str] | None) -> None:
    assert with_option(["lista.csv", "--region", "SE"], fix) == words


@pytest.mark.parametrize("name", ["kunder.xlsx", "norge.csv"])
@pytest.mark.usefixtures("workbook", "norwegian")
def test_every_line_fits_a_narrow_screen(type_: Type, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.cli.screen.PLAIN_WIDTH", 40)
    result = type_("check", name, "--message", "Hej!", "--problems", "all", "--fixed", "rena.csv")
    said, _, commands = result.output.partition(" next: ")  # what is to be copied is not folded
    assert commands
    assert [line for line in said.splitlines() if len(line) > 40] == []
