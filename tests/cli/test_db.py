"""`db`: what is said of the ledger itself, and the exit codes."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from campaigns.ledger.database import HEAD
from tests.cli.conftest import Type


@pytest.fixture
def pilot(type_: Type) -> Type:
    """A ledger with the campaign `lista`, of which one message was sent; `--limit` held two back."""
    type_("send", "lista.toml", "--limit", "1", "--yes")
    return type_


def bare(text: str) -> str:
    """Without blanks: the path of a ledger may be wider than the screen, and is folded anywhere then."""
    return "".join(text.split())


def test_without_a_command_the_commands_are_shown(type_: Type) -> None:
    result = type_("db")
    assert "  backup " in result.stdout
    assert (result.exit_code, result.stderr) == (0, "")


def test_upgrade_says_from_which_schema_to_which(type_: Type, folder: Path) -> None:
    place = folder / "ledger.db"
    assert bare(type_("db", "upgrade").stdout) == bare(f"The ledger {place} is new; its schema is {HEAD}.")
    assert bare(type_("db", "upgrade").stdout) == bare(f"The ledger {place} is up to date; its schema is {HEAD}.")


@pytest.mark.parametrize("words", [["check"], ["vacuum"], ["backup", "copy.db"]])
def test_what_looks_at_a_ledger_makes_none(type_: Type, folder: Path, words: list[str]) -> None:
    result = type_("db", *words)
    assert bare(result.stderr).startswith(bare(f"error: There is no ledger {folder / 'ledger.db'}."))
    assert (result.exit_code, result.stdout) == (2, "")
    assert not (folder / "ledger.db").exists()


def test_a_check_of_a_sound_ledger_says_how_much_was_looked_at(pilot: Type) -> None:
    result = pilot("db", "check")
    assert bare(result.stdout).endswith(bare("is sound: 1 campaign, 6 rows, 3 messages."))
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(pilot("db", "check", "--json").stdout) == {
        "faults": [],
        "campaigns": 1,
        "rows": 6,
        "messages": 3,
    }


def test_a_check_lists_what_is_wrong_and_ends_with_1(pilot: Type, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as connection:
        connection.execute("UPDATE messages SET number = 46701740699 WHERE row = 2")
    result = pilot("db", "check")
    first, _, table = result.stdout.partition("\n\n")
    assert bare(first) == bare(f"The ledger {folder / 'ledger.db'} is not sound.")
    assert table == "Count  What\n    1  messages to another number than that of their row\n"
    assert result.stderr.startswith("  fix: Send nothing from it")
    assert result.exit_code == 1
    as_json = pilot("db", "check", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["faults"][0]["count"] == 1


def test_vacuum_says_how_much_was_freed(pilot: Type) -> None:
    result = pilot("db", "vacuum")
    assert bare(result.stdout).endswith("kB.")
    assert result.exit_code == 0


def test_a_backup_says_where_it_is_and_what_is_different_in_it(pilot: Type, folder: Path) -> None:
    result = pilot("db", "backup", "backups/copy.db")
    assert result.stdout.startswith("Backed up to backups/copy.db, ")
    assert result.stderr.startswith(" note: 2 messages were still to go.")
    assert result.stderr.endswith(" next: campaigns guide ledger    how to go back to a backup\n")
    assert result.exit_code == 0
    gone_back = json.loads(pilot("status", "lista", "--json", "--database", "backups/copy.db").stdout)
    assert gone_back["state"] == "paused"
    assert (gone_back["counts"]["accepted"], gone_back["counts"]["unknown"]) == (1, 2)


def test_a_backup_of_what_is_done_has_nothing_to_note(type_: Type) -> None:
    type_("send", "lista.toml", "--yes")
    result = type_("db", "backup", "copy.db")
    assert "note:" not in result.stderr
    again = type_("db", "backup", "copy.db")
    assert again.stderr.startswith("error: copy.db is there already, and was left as it is.\n")
    assert again.exit_code == 2
