"""Copy a ledger while it is in use, so that going back to the copy texts nobody twice.

What was still to go when the copy was made may have been sent since. So in the copy it is `unknown`, which is not sent
again by itself, its campaigns are paused, nobody holds a lease, and ids that may have been given since are left out:
they stand in references at providers.
"""

import os
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ClauseElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from campaigns.clock import SYSTEM_CLOCK, Clock, to_ms
from campaigns.errors import InputError, SettingsError
from campaigns.ledger.campaigns import CANCELLABLE
from campaigns.ledger.database import Ledger
from campaigns.ledger.schema import campaigns, leases, messages
from campaigns.model import CampaignState, MessageEvent, MessageState, PauseReason, states_before

STILL_TO_GO: Final = states_before(MessageEvent.RESTORE, MessageState.UNKNOWN)
SPARE_IDS: Final = {  # 100,000: more campaigns than anybody makes between a backup and its restoring
    "sqlite": (
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'campaigns', 0"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'campaigns')",
        "UPDATE sqlite_sequence SET seq = seq + 100000 WHERE name = 'campaigns'",
    ),
    "postgresql": (
        "SELECT setval(pg_get_serial_sequence('campaigns', 'id'),"
        " (SELECT coalesce(max(id), 0) + 100000 FROM campaigns))",
    ),
}
COUNT_STILL_TO_GO: Final = select(func.count()).where(messages.c.state.in_(STILL_TO_GO))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A copy of a ledger."""

    path: Path
    size: int  #: bytes
    unknown: int  #: messages that were still to go, and are unknown in the copy


def back_up(ledger: Ledger, to: Path, clock: Clock = SYSTEM_CLOCK) -> Backup:
    """Copy the ledger to a new file, for its user alone, while others go on; on SQLite the copy is read through.

    Of PostgreSQL the file is SQL, made by its own pg_dump. Raises InputError where the file cannot be written.
    """
    if to.exists():
        raise _is_there(to)
    copy = _copy_sqlite if ledger.engine.dialect.name == "sqlite" else _dump_postgresql
    try:
        with _part_of(to) as part:
            unknown = copy(ledger, part, clock.now())
            _put_in_place(part, to)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"The backup {to} cannot be written: {reason}.", fix="Give another place.") from error
    return Backup(path=to, size=to.stat().st_size, unknown=unknown)


@contextmanager
def _part_of(to: Path) -> Iterator[Path]:
    """A file beside the one to write, gone when the block ends: what is not whole never has the name of a backup."""
    if not to.parent.exists():
        to.parent.mkdir(parents=True)
    part = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # for its user only: it holds personal data
    try:
        yield part
    finally:
        for leftover in (part, Path(f"{part}-journal")):
            leftover.unlink(missing_ok=True)


def _copy_sqlite(ledger: Ledger, part: Path, at: datetime) -> int:
    with (
        closing(sqlite3.connect(ledger.place)) as source,
        closing(sqlite3.connect(part, isolation_level=None)) as copy,
    ):
        source.backup(copy)  # in one step, so of one moment: the senders' writes go on beside it
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()  # one file, with nothing beside it
        unknown: int = copy.execute(_sql(COUNT_STILL_TO_GO, "sqlite")).fetchone()[0]
        copy.execute("BEGIN")
        for statement in _as_restored("sqlite", at):
            copy.execute(statement)
        copy.execute("COMMIT")
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise SettingsError(
            f"The ledger {ledger.place} is damaged ({found}), so it was not backed up.", fix="campaigns db check"
        )
    return unknown


def _dump_postgresql(ledger: Ledger, part: Path, at: datetime) -> int:
    program = shutil.which("pg_dump")
    if program is None:
        raise SettingsError(
            "A PostgreSQL ledger is backed up by PostgreSQL's own pg_dump, which is not installed here.",
            fix="Install PostgreSQL's client programs, on Debian: apt install postgresql-client",
        )
    with ledger.read() as connection:
        schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
        unknown = connection.scalar(COUNT_STILL_TO_GO) or 0
    words = [program, "--no-owner", "--no-privileges", "--file", str(part), "--dbname", _address(ledger.engine.url)]
    secret = {"PGPASSWORD": ledger.engine.url.password} if ledger.engine.url.password else {}
    ended = subprocess.run(words, capture_output=True, text=True, env=os.environ | secret)  # noqa: S603 - no shell
    if ended.returncode:
        raise SettingsError(
            f"pg_dump could not copy the ledger: {(ended.stderr.strip() or 'it said nothing').splitlines()[0]}.",
            fix="It must be as new as the server: pg_dump --version",
        )
    with part.open("a", encoding="utf-8") as file:
        for statement in (f"SET search_path TO {schema}", *_as_restored("postgresql", at)):
            file.write(f"{statement};\n")
    return unknown


def _address(url: URL) -> str:
    """As PostgreSQL's programs take it; the password goes another way, for others see the words of a process."""
    return url.set(drivername="postgresql", password=None).render_as_string()


def _as_restored(dialect: str, at: datetime) -> Iterator[str]:
    """What makes of a copy a ledger that was restored."""
    moment = f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
    values: dict[str, Any] = {
        "state": MessageState.UNKNOWN,
        "reason": PauseReason.RESTORED,
        "detail": f"It was still to go when the backup of {moment} was made, and may have been sent since.",
        "updated_ms": to_ms(at),
    }
    yield _sql(update(messages).where(messages.c.state.in_(STILL_TO_GO)).values(values), dialect)
    reason = PauseReason.RESTORED.with_detail(f"it comes from the backup of {moment}")
    paused = {"state": CampaignState.PAUSED, "reason": reason}
    yield _sql(update(campaigns).where(campaigns.c.state.in_(CANCELLABLE)).values(paused), dialect)
    yield _sql(delete(leases), dialect)
    yield from SPARE_IDS[dialect]


def _sql(statement: ClauseElement, dialect: str) -> str:
    """A statement as text, with its values: none of them is anybody's input."""
    dialects = {"sqlite": sqlite.dialect, "postgresql": postgresql.dialect}
    compiled = statement.compile(dialect=dialects[dialect](), compile_kwargs={"literal_binds": True})
    return str(compiled)


def _put_in_place(part: Path, to: Path) -> None:
    """Give the whole file its name, on disk, and never that of another."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(part, to)  # which fails where a file is, as a rename would not
    except FileExistsError as error:
        raise _is_there(to) from error
    except OSError:  # a file system without links, such as that of a memory stick
        if to.exists():
            raise _is_there(to) from None
        part.rename(to)
    with suppress(OSError):  # some file systems let no folder be opened
        folder = os.open(to.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _is_there(path: Path) -> InputError:
    return InputError(f"{path} is there already, and was left as it is.", fix="Give another name.")
