"""`campaigns check`: what a send would do, for people and as JSON."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Type


def test_a_check_shows_the_account_the_reasons_and_the_first_message(type_: Type) -> None:
    result = type_("check", "lista.csv", "--message", "Hej {{ förnamn }}!")
    assert result.stdout == (
        'lista.csv: UTF-8, ";", header in row 1, numbers in "Mobil", region SE\n'
        "\n"
        "        6  rows\n"
        "        3  skipped      below\n"
        "        3  ready        3 segments, all GSM-7\n"
        "\n"
        "Skipped    Rows  For example      What it means\n"
        "duplicate     1  5                the first row is used\n"
        'invalid       1  6: "07*-*** 06"  no number in region SE\n'
        "missing       1  7                the cell is empty\n"
        "\n"
        "First, row 2 to +46*******05: 1 segment, 9 of 160\n"
        "  Hej Anna!\n"
        "Shortest, row 4: 8 of 160. Longest, row 2: 9 of 160.\n"
    )
    assert result.stderr == (
        " next: Mend the 2 rows: campaigns check lista.csv --message 'Hej {{ förnamn }}!' --fixed mend.xlsx\n"
        "       or send to the 3 that are ready: campaigns send lista.csv --message 'Hej {{ förnamn }}!'\n"
    )
    assert result.exit_code == 0


def test_a_check_makes_no_ledger(type_: Type, folder: Path) -> None:
    type_("check", "lista.toml")
    assert sorted(path.name for path in folder.iterdir()) == ["lista.csv", "lista.toml"]


def test_without_a_text_it_says_how_to_give_one(type_: Type) -> None:
    result = type_("check", "lista.csv")
    assert "        3  ready        no text yet, so no segments\n" in result.stdout
    assert "       or campaigns check lista.csv --message 'Hej!'\n" in result.stderr


def test_problems_lists_the_rows_masked(type_: Type) -> None:
    result = type_("check", "lista.csv", "--problems", "2")
    assert "  5  Mobil   07******05  duplicate  same number as row 2\n" in result.stdout
    assert "and 1 more: --problems all\n" in result.stdout
    assert "and 1 more" not in type_("check", "lista.csv", "--problems", "all").stdout


def test_json_is_one_object_on_stdout_and_nothing_else(type_: Type) -> None:
    result = type_("check", "lista.csv", "--message", "Hej {{ förnamn }}!", "--json", "--color", "always")
    found = json.loads(result.stdout)
    assert list(found) == [
        "rows", "recipients", "skipped", "segments", "encodings", "preview", "problems", "remarks", "source", "advice",
    ]  # fmt: skip
    assert (found["remarks"], found["advice"]) == ({}, [])
    assert found["source"] == {
        "file": "lista.csv", "sheet": None, "encoding": "UTF-8", "delimiter": ";", "header_row": 1,
        "phone_column": "Mobil", "region": "SE",
    }  # fmt: skip
    assert (found["rows"], found["recipients"], found["segments"]) == (6, 3, 3)
    assert found["skipped"] == {"duplicate": 1, "invalid": 1, "missing": 1}
    assert found["encodings"] == {"GSM-7": 3, "UCS-2": 0}
    assert found["preview"][0] == {
        "row": 2, "to": "+46701740605", "text": "Hej Anna!", "segments": 1, "encoding": "GSM-7",
    }  # fmt: skip
    assert list(found["problems"][0]) == ["row", "column", "value", "reason", "detail"]
    assert result.stderr == ""


def test_without_a_text_json_has_no_segments_and_no_text(type_: Type) -> None:
    found = json.loads(type_("check", "lista.csv", "--json").stdout)
    assert (found["segments"], found["preview"][0]["text"]) == (0, None)


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_list_of_which_no_row_is_ready_ends_with_2_and_is_shown_all_the_same(
    type_: Type, folder: Path, as_json: list[str]
) -> None:
    (folder / "tom.csv").write_text("Namn;Mobil\nAnna;070\nBo;\n", encoding="utf-8")
    result = type_("check", "tom.csv", *as_json)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: No row of tom.csv can be sent.\n  fix: ")
    assert json.loads(result.stdout)["recipients"] == 0 if as_json else "        2  rows" in result.stdout


def test_a_report_of_a_check_has_every_row(type_: Type, folder: Path) -> None:
    result = type_("check", "lista.csv", "--message", "Hej!", "--report", "a.csv", "--report", "b.jsonl")
    assert result.stdout.endswith("\nReports: a.csv, b.jsonl\n")
    rows = [json.loads(line) for line in (folder / "b.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["row"] for row in rows] == [2, 3, 4, 5, 6, 7]
    assert [row["status"] for row in rows] == ["ready"] * 3 + ["skipped"] * 3
    assert (folder / "a.csv").exists()


def test_an_empty_field_without_a_default_is_counted(type_: Type, folder: Path) -> None:
    (folder / "hål.csv").write_text("Namn;Mobil;Kod\nAnna;0701740605;\nBo;0701740606;X1\n", encoding="utf-8")
    result = type_("check", "hål.csv", "--message", "Din kod: {{ kod }}")
    assert ' note: "Kod" is empty in 1 row; the text is sent without it.\n' in result.stderr


@pytest.mark.parametrize(("header", "field"), [("Kod", "kod"), ("Min kod", "min_kod"), ("Row", 'row["Row"]')])
def test_the_default_that_is_proposed_for_an_empty_field_can_be_typed(
    type_: Type, folder: Path, header: str, field: str
) -> None:
    (folder / "hål.csv").write_text(f"Namn;Mobil;{header}\nAnna;0701740605;\n", encoding="utf-8")
    result = type_("check", "hål.csv", "--message", f'Din kod: {{{{ row["{header}"] }}}}')
    proposed = f'{{{{ {field} | default("...") }}}}'
    assert f"  fix: Give a default in the text: {proposed}, or:" in result.stderr
    assert "Din kod: ..." in type_("check", "hål.csv", "--message", f"Din kod: {proposed}").stdout


@pytest.mark.parametrize("command", ["check", "send"])
def test_a_report_never_takes_the_place_of_the_list(type_: Type, folder: Path, command: str) -> None:
    before = (folder / "lista.csv").read_bytes()
    result = type_(command, "lista.toml", "--report", str(folder / "lista.csv"), at_terminal=True)
    assert "is what the campaign is read from" in result.stderr.replace("\n       ", " ")
    assert (result.exit_code, (folder / "lista.csv").read_bytes()) == (2, before)


def test_an_option_that_cannot_be_used_is_mended_as_an_option(type_: Type) -> None:
    result = type_("check", "lista.toml", "--region", "Sweden", "--name", "12", "--message-file", "lista.cs")
    assert '  fix: Write the ISO code of a country: --region "SE"\n' in result.stderr
    assert '  fix: Write --name "Summer sale"\n' in result.stderr
    assert '  fix: Write --message-file "lista.csv"\n' in result.stderr
    assert "where:" not in result.stderr


def test_what_to_type_next_goes_to_the_same_ledger(type_: Type) -> None:
    result = type_("--database", "my ledger.db", "check", "lista.toml", "--where", 'stad == "Malmö"')
    assert result.stderr.endswith(
        "campaigns send lista.toml --where 'stad == \"Malmö\"' --database 'my ledger.db'\n"  # longer than a line
    )


def test_an_unknown_field_names_the_nearest_column(type_: Type) -> None:
    result = type_("check", "lista.csv", "--message", "Hej {{ fornamn }}!")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "{{ förnamn }}" in result.stderr


def test_dry_run_is_check(type_: Type) -> None:
    check, send = type_("check", "lista.toml"), type_("send", "lista.toml", "--dry-run")
    assert (check.stdout, check.stderr, check.exit_code) == (send.stdout, send.stderr, send.exit_code)


def test_every_key_of_a_campaign_file_has_an_option(type_: Type, folder: Path) -> None:
    (folder / "text.txt").write_text("Hej {{ stad }}!", encoding="utf-8")
    options = {
        "--region": "SE", "--phone-column": "Mobil", "--encoding": "utf-8", "--where": 'stad == "Lund"',
        "--message-file": "text.txt", "--from": "Test", "--on-empty": "skip", "--purpose": "marketing",
        "--provider": "sandbox", "--rate": "1/s", "--concurrency": "2", "--name": "x", "--max-failures": "3",
    }  # fmt: skip
    words = [word for pair in options.items() for word in pair]
    result = type_("check", "lista.csv", *words)
    assert result.exit_code == 0
    assert "        2  ready        2 segments, all GSM-7\n" in result.stdout
    assert "Time: the last message leaves 1 s after the first, at 1/s\n" in result.stdout
