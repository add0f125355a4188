import resource
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete

from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import InputError, SettingsError
from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.checking import check
from campaigns.ledger.database import HEAD
from campaigns.ledger.leases import Owner, acquire
from campaigns.ledger.maintenance import upgrade, vacuum
from campaigns.ledger.schema import messages, rows
from tests.builders import a_campaign, a_chunk


def test_an_upgrade_says_from_which_schema_to_which(ledger_url: str) -> None:
    new, again = upgrade(ledger_url), upgrade(ledger_url)
    assert (new.before, new.after, again.before, again.after) == (None, HEAD, HEAD, HEAD)
    with open_ledger(ledger_url, must_exist=True) as ledger:
        assert check(ledger).faults == ()


def test_what_must_exist_is_not_made(ledger_url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no ledger"):
        open_ledger(ledger_url, must_exist=True)
    assert list(tmp_path.iterdir()) == []


def test_a_vacuum_gives_back_what_was_removed_and_keeps_the_rest(ledger: Ledger) -> None:
    a_campaign(ledger, a_chunk(5000), name="kept")
    removed = a_campaign(ledger, a_chunk(5000))
    with ledger.write() as connection:
        for table in (rows, messages):
            connection.execute(delete(table).where(table.c.campaign_id == removed))
    done = vacuum(ledger)
    if ledger.engine.dialect.name == "sqlite":
        assert done.after < done.before * 0.75
        assert done.after == Path(ledger.place).stat().st_size
    assert check(ledger).rows == 5000


@pytest.mark.parametrize(
    ("lease", "does"), [("sandbox", "this process sends for sandbox"), ("campaign:7", "plans a campaign")]
)
def test_a_vacuum_is_refused_while_somebody_lives_who_sends_or_plans(ledger: Ledger, lease: str, does: str) -> None:
    owner, now = Owner.here(), SYSTEM_CLOCK.now_ms()
    with ledger.write() as connection:
        acquire(connection, "dead", replace(owner, started=1.0), now)  # a process of this id from 1970 is gone
    vacuum(ledger)
    with ledger.write() as connection:
        acquire(connection, lease, owner, now)
    with pytest.raises(InputError, match=does):
        vacuum(ledger)


def test_a_vacuum_without_room_says_so_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path) as ledger:
        a_campaign(ledger, a_chunk(5000))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def leave_little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # no file may grow beyond

    ended = subprocess.run(
        [sys.executable, "-m", "campaigns", "db", "vacuum", "--database", str(path)],
        capture_output=True,
        text=True,
        preexec_fn=leave_little_room,
    )
    assert ended.returncode == 2
    assert f"error:Theledger{path}cannotbeused:" in "".join(ended.stderr.split())  # folded anywhere in a long path
    assert "  fix: Make room on its disk" in ended.stderr or "  fix: See whether its disk is full" in ended.stderr
    with open_ledger(path) as ledger:
        assert check(ledger).faults == ()
