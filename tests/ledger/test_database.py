import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.engine import make_url

import campaigns.ledger.database as database
from campaigns.errors import SettingsError
from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.schema import ledger as ledger_table
from campaigns.ledger.schema import metadata, pace

MIGRATIONS = Path(database.__file__).parent / "migrations"


def test_the_newest_migration_is_the_head_that_the_code_knows_and_the_only_one() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]


def test_a_migrated_ledger_has_the_schema_that_the_code_declares(ledger: Ledger) -> None:
    with ledger.write() as connection:
        assert _differences(connection) == []


def test_a_ledger_of_the_oldest_schema_is_migrated_and_keeps_what_is_in_it(ledger_url: str) -> None:
    engine = database.open_engine(ledger_url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(insert(pace).values(account="soluno", next_us=7))
    engine.dispose()
    with open_ledger(ledger_url) as ledger, ledger.write() as connection:
        assert connection.execute(select(pace)).all() == [("soluno", 7)]
        assert _differences(connection) == []


def _differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "compare_server_default": True}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def test_a_migrated_ledger_is_the_same_as_one_made_at_once(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "migrated.db") as ledger, ledger.read() as connection:
        migrated = _statements(connection)
    engine = create_engine(f"sqlite:///{tmp_path / 'new.db'}")
    metadata.create_all(engine)
    with engine.connect() as connection:
        new = _statements(connection)
    engine.dispose()
    assert {name: sql for name, sql in migrated.items() if name != "alembic_version"} == new


def _statements(connection) -> dict[str, str]:
    found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    return {name: " ".join(sql.replace("\t", " ").split()) for name, sql in found}


def test_opening_again_keeps_what_is_there(ledger_url: str) -> None:
    with open_ledger(ledger_url) as ledger:
        prefix = ledger.prefix
    with open_ledger(ledger_url) as ledger:
        assert ledger.prefix == prefix
        assert len(prefix) == 8


def test_two_ledgers_have_two_prefixes(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "one.db") as one, open_ledger(tmp_path / "two.db") as two:
        assert one.prefix != two.prefix


def test_a_sqlite_ledger_is_durable_at_every_commit(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db") as ledger, ledger.write() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_who_gave_up_waits_no_longer_for_a_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_S", 3600.0)
    monkeypatch.setattr(database, "BUSY_AT_THE_END_S", 0.0)
    with open_ledger(tmp_path / "ledger.db") as ledger, closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        ledger.give_up()
        with pytest.raises(SettingsError, match="locked") as error, ledger.write():
            pass
    assert "End the program that holds it" in error.value.fix


def test_who_opens_a_ledger_to_look_waits_for_nobody_who_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.0)
    open_ledger(tmp_path / "ledger.db").close()
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with open_ledger(tmp_path / "ledger.db") as ledger, ledger.read() as connection:
            assert connection.scalar(select(ledger_table.c.prefix)) == ledger.prefix


def test_on_postgresql_no_lock_is_waited_for_or_held_without_end_and_commits_are_on_disk(new_postgres_url: str) -> None:
    name = make_url(new_postgres_url).database
    with psycopg.connect(new_postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    with open_ledger(new_postgres_url) as ledger, ledger.read() as connection:
        names = ("lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
        values = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
    assert values == ["30s", "1min", "on"]


def test_a_ledger_is_readable_by_its_user_only(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "å folder" / "ledger.db"):
        assert (tmp_path / "å folder" / "ledger.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "place",
    [
        "mysql://root@localhost/x", "sqlite://", "nonsense://", "postgresql:/x",
        "postgresql://karin:hemlig@127.0.0.1:abc/x", "mysql://karin:hemlig@127.0.0.1/x",
    ],
)  # fmt: skip
def test_what_is_no_ledger_address_is_an_error_that_says_what_is(place: str) -> None:
    with pytest.raises(SettingsError) as error:
        open_ledger(place)
    assert "postgresql://" in error.value.fix
    assert "hemlig" not in str(error.value)


def test_a_file_that_is_no_ledger_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text("Namn;Mobil\nAnna;0701740605\n" * 100, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(SettingsError, match="is no ledger"):
        open_ledger(path)
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(SettingsError, match="newer version"):
        open_ledger(path)


def test_a_ledger_in_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        open_ledger(tmp_path / "file" / "ledger.db")


def test_a_sqlite_ledger_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = [
        type("Mount", (), {"mountpoint": "/", "fstype": "ext4"})(),
        type("Mount", (), {"mountpoint": str(tmp_path), "fstype": "nfs4"})(),
    ]
    monkeypatch.setattr(database.psutil, "disk_partitions", lambda **_: mounts)  # no such mount can be made in a test
    with pytest.raises(SettingsError, match="network file system"):
        open_ledger(tmp_path / "ledger.db")


def test_several_processes_may_open_a_new_ledger_at_once(ledger_url: str) -> None:
    code = f"from campaigns.ledger import open_ledger; print(open_ledger({ledger_url!r}).prefix)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate() for process in processes]
    assert [errors for _, errors in outputs] == [""] * 4
    assert len({prefix for prefix, _ in outputs}) == 1


def test_a_password_in_a_ledger_address_is_not_shown() -> None:
    with pytest.raises(SettingsError) as error:
        open_ledger("postgresql://karin:hemlig@127.0.0.1:1/nowhere")
    assert "hemlig" not in str(error.value)
