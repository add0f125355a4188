"""Care for a ledger: bring it to the newest schema, and give back the room that it does not need."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, select

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import InputError
from campaigns.ledger.database import HEAD, Ledger, in_words, migrate, open_engine, outside_transactions, place_of
from campaigns.ledger.leases import find_owner
from campaigns.ledger.schema import leases, metadata

FIND_RESOURCES: Final = select(leases.c.resource).order_by(leases.c.resource)
SQLITE_VACUUM: Final = (
    "VACUUM",
    "PRAGMA analysis_limit = 1000",  # rows of an index: enough for an estimate, in milliseconds
    "ANALYZE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
)
POSTGRESQL_SIZE: Final = "SELECT sum(pg_total_relation_size(to_regclass(name))) FROM unnest(%s::text[]) AS name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """From which schema to which; `before` is None where the ledger is new."""

    place: str
    before: str | None
    after: str = HEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuumed:
    """How many bytes the ledger took before and takes now."""

    before: int
    after: int


def upgrade(place: str | Path | None = None) -> Upgrade:
    """Bring the ledger to the newest schema; every command that opens a ledger does so by itself."""
    engine = open_engine(place)
    try:
        with in_words(engine.url):
            before = migrate(engine)
        return Upgrade(place=place_of(engine.url), before=before)
    finally:
        engine.dispose()


def vacuum(ledger: Ledger, clock: Clock = SYSTEM_CLOCK) -> Vacuumed:
    """Give back the room of what was removed. Raises InputError while somebody sends or plans: it would wait long."""
    with ledger.read() as connection:
        _refuse_company(connection, clock.now_ms())
    run = _vacuum_sqlite if ledger.engine.dialect.name == "sqlite" else _vacuum_postgresql
    with in_words(ledger.engine.url):
        before = _size(ledger.engine)
        run(ledger.engine)
        return Vacuumed(before=before, after=_size(ledger.engine))


def _refuse_company(connection: Connection, now_ms: int) -> None:
    for resource in connection.scalars(FIND_RESOURCES).all():
        owner = find_owner(connection, resource, now_ms)
        if owner is not None:
            does = "plans a campaign" if resource.startswith("campaign:") else f"sends for {resource}"
            raise InputError(
                f"{owner.describe()} {does}, and would have to wait until the ledger is tidied up.",
                fix="Give the command again when it has ended; campaigns pause holds a campaign.",
            )


def _vacuum_sqlite(engine: Engine) -> None:
    with outside_transactions(engine) as connection:
        for statement in SQLITE_VACUUM:
            connection.execute(statement).fetchall()


def _vacuum_postgresql(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in metadata.tables:
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {quoted}")


def _size(engine: Engine) -> int:
    if engine.dialect.name == "sqlite":
        files = (Path(f"{engine.url.database}{suffix}") for suffix in ("", "-wal"))
        return sum(file.stat().st_size for file in files if file.exists())
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(POSTGRESQL_SIZE, (list(metadata.tables),)).scalar() or 0)
