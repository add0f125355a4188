"""`list`, `status`, `report`, `demo`: what became of campaigns."""

import json
from pathlib import Path

import pytest

from campaigns.model import COUNT_KEYS
from tests.cli.conftest import Type


@pytest.fixture
def sent(type_: Type) -> Type:
    """The campaign `lista` was sent through the built-in sandbox."""
    type_("send", "lista.toml", "--yes")
    return type_


def test_a_list_of_nothing_says_how_to_begin(type_: Type) -> None:
    result = type_("list")
    assert (result.stdout, result.stderr, result.exit_code) == ("No campaigns yet.\n", " next: campaigns demo\n", 0)
    assert json.loads(type_("list", "--json").stdout) == []


def test_a_list_is_a_table_of_data_only(sent: Type) -> None:
    result = sent("list")
    head, line = result.stdout.splitlines()
    assert head == "Id  Name   State  Messages  Delivered  Failed  Open  Unknown  Sent"
    assert line.startswith(" 1  lista  done          3          -       0     0        0  20")
    assert result.stderr.startswith("\n note: Failed is undelivered, expired, rejected and failed.")


def test_list_and_status_print_the_same_objects(sent: Type) -> None:
    listed = json.loads(sent("list", "--json").stdout)
    assert listed == [json.loads(sent("status", "lista", "--json").stdout)]
    assert list(listed[0]) == ["id", "name", "state", "reason", "counts"]
    assert set(listed[0]["counts"]) == set(COUNT_KEYS)


@pytest.mark.parametrize("word", ["lista", "1"])
def test_status_shows_state_time_and_account(sent: Type, word: str) -> None:
    result = sent("status", word)
    lines = result.stdout.splitlines()
    assert lines[0] == "lista (1) is done."
    assert lines[1].startswith("Sent 20")
    assert lines[1].endswith(", through sandbox.")
    assert lines[3:6] == [
        "        6  rows",
        "        3  skipped      duplicate 1, invalid 1, missing 1",
        "        3  accepted     the provider has them",
    ]
    assert lines[-1].startswith("As of 20")
    assert result.stderr == " next: campaigns report lista --to reports/lista.html\n"


def test_a_campaign_that_is_not_there_is_an_error_that_names_the_nearest(sent: Type) -> None:
    result = sent("status", "lsta")
    assert result.exit_code == 2
    assert result.stderr.startswith('error: There is no campaign "lsta".\n  fix: ')
    assert "lista" in result.stderr.splitlines()[1]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".html", ".json", ".jsonl"])
def test_a_report_is_written_in_each_format(sent: Type, folder: Path, suffix: str) -> None:
    result = sent("report", "lista", "--to", f"out/a{suffix}", "--to", f"b{suffix}")
    assert result.stdout == f"Reports: out/a{suffix}, b{suffix}\n"
    assert result.exit_code == 0
    assert (folder / "out" / f"a{suffix}").stat().st_size > 0


def test_the_demo_runs_twice_in_any_folder_and_keeps_a_ledger_of_its_own(
    type_: Type, folder: Path, clean_environment: Path
) -> None:
    for name in ("demo", "demo-2"):
        result = type_("demo")
        assert f"{name} is done: " in result.stdout
        assert result.stdout.endswith(f"Reports: reports/{name}.html, reports/{name}.xlsx, reports/{name}.csv\n")
        assert result.stderr.startswith("Sandbox at http://127.0.0.1:")
        assert result.stderr.splitlines()[1] == f'Sending samples/discount-codes.toml as "{name}".'
        last = result.stderr.partition(" next: ")[2].split()
        assert " ".join(last) == f"Open reports/{name}.html, then try your own list: campaigns check lista.csv"
        assert "note:" not in result.stderr
        assert "rejected" in result.stdout
        assert result.exit_code == 0
    assert not (folder / "ledger.db").exists()
    assert (clean_environment / "data" / "campaigns" / "demo.db").exists()


def test_the_demo_heeds_no_setting_of_the_user(
    type_: Type, clean_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_environment / "config" / "campaigns").mkdir(parents=True)
    (clean_environment / "config" / "campaigns" / "settings.toml").write_text("[broken", encoding="utf-8")
    monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", "http://127.0.0.1:1")
    assert type_("demo").exit_code == 0
