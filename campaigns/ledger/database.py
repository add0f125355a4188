"""Open the ledger: where it lies, how SQLite and PostgreSQL are set up, and its migrations."""

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from platformdirs import user_data_path
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from campaigns.errors import SettingsError
from campaigns.ledger.schema import ledger as ledger_table
from campaigns.ledger.writer import T, Unit, Writer

HEAD: Final = "0002"  #: the newest migration; a test compares it with the folder
NETWORK_FILE_SYSTEMS: Final = ("nfs", "cifs", "smb", "afs", "fuse.sshfs", "9p", "ceph", "glusterfs", "webdav", "davfs")
READ_ONLY: Final[dict[str, dict[str, Any]]] = {  # one snapshot for the whole transaction
    "sqlite": {"read_only": True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
BUSY_S: Final = 30.0  #: how long a writer waits for another process's short transaction
BUSY_AGAIN_S: Final = 2.0  #: the same, where it tries again itself
BUSY_AT_THE_END_S: Final = 1.0  #: the same, once the user waits no more
POSTGRESQL_SESSION: Final = (
    f"SELECT set_config('lock_timeout', '{BUSY_S:.0f}s', false),"
    # a client whose machine went away in a transaction would hold its locks for hours
    " set_config('idle_in_transaction_session_timeout', '60s', false),"
    # a claim that a crash of the server could undo would be sent twice
    " set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), false)"
)
MIGRATING: Final = (  # however long it takes the other: two may open a new ledger at once
    "SET LOCAL lock_timeout = 0",
    "SELECT pg_advisory_xact_lock(3267461)",  # any number of our own
)
FIXES: Final = {  # by what the database says
    "locked": "End the program that holds it, then give the command again.",
    "full": "Make room on its disk, then give the command again.",
    "malformed": "Go back to a backup: campaigns guide ledger",
    "I/O": "See whether its disk is full, then give the command again.",
}


def to_json(value: object) -> str:
    """How a value is stored: compact, with its letters as they are."""
    return msgspec.json.encode(value).decode()


JSON_AS: Final[dict[str, Any]] = {"json_serializer": to_json, "json_deserializer": msgspec.json.decode}


class Ledger:
    """An open ledger. `read` and `write` give a connection inside one transaction; `run` is for async callers."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._longest_wait_s = BUSY_S
        with self.read() as connection:
            self.prefix: str = connection.scalar(select(ledger_table.c.prefix)) or ""
        self._writer = Writer(lambda: self._transaction(BUSY_AGAIN_S))

    @property
    def place(self) -> str:
        """Its file, or its address without the password."""
        return place_of(self.engine.url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the ledger and holds nobody up."""
        options = READ_ONLY[self.engine.dialect.name]
        with in_words(self.engine.url), self._transaction(BUSY_S, options) as connection:
            yield connection

    @contextmanager
    def write(self, wait_s: float = BUSY_S) -> Iterator[Connection]:
        """A connection whose changes are on disk when the block ends, or not at all where it raises.

        So long it waits on SQLite for another process that writes.
        """
        with in_words(self.engine.url), self._transaction(wait_s) as connection:
            yield connection

    async def run(self, unit: Unit[T]) -> T:
        """Do `unit` on the writer thread; returns after the commit that holds it. It may run twice."""
        with in_words(self.engine.url):
            return await self._writer.run(unit)

    def give_up(self) -> None:
        """From here on a write that fails is not tried again, nor a lock waited for long: who called `run` is told."""
        self._longest_wait_s = BUSY_AT_THE_END_S
        self._writer.give_up()

    def close(self) -> None:
        """Finish what the writer has begun, and let the database go."""
        self._writer.close()
        self.engine.dispose()

    @contextmanager
    def _transaction(self, wait_s: float, options: Mapping[str, Any] = {}) -> Iterator[Connection]:
        with self.engine.connect().execution_options(**options) as connection:
            if self.engine.dialect.name == "sqlite":
                _wait(connection, min(wait_s, self._longest_wait_s))
            with connection.begin():
                yield connection

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_ledger(place: str | Path | None = None, *, must_exist: bool = False) -> Ledger:
    """Open the ledger at a path or URL (`sqlite:///...`, `postgresql://...`), made or migrated where needed.

    Without a place it lies in the user's data folder. Raises SettingsError where it cannot be used, and with
    `must_exist` where there is none yet.
    """
    engine = open_engine(place, must_exist=must_exist)
    try:
        with in_words(engine.url):
            if must_exist:
                _require_ledger(engine)
            migrate(engine)
        return Ledger(engine)
    except SettingsError:
        engine.dispose()
        raise


def open_engine(place: str | Path | None = None, *, must_exist: bool = False) -> Engine:
    """The database at a place, whatever its schema."""
    url = _url(place or default_place())
    if url.get_backend_name() == "sqlite":
        if must_exist and not Path(url.database or "").exists():
            raise _no_ledger(url)
        return _sqlite_engine(url)
    return _postgresql_engine(url)


def default_place() -> Path:
    """The ledger that is used where nothing else is said: one for each user of the machine."""
    return user_data_path("campaigns", appauthor=False) / "ledger.db"


def migrate(engine: Engine) -> str | None:
    """Bring the ledger to the newest schema, quickly where it has it; returns the one before, None where it is new."""
    current = _version_of(engine)
    if current == HEAD:
        return current
    from alembic import command  # only a new or an old ledger needs Alembic, and it is slow to import
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:  # one transaction: a killed migration leaves nothing
        for statement in MIGRATING if engine.dialect.name == "postgresql" else ():
            connection.exec_driver_sql(statement)
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SettingsError(
                f"The ledger was made by a newer version of campaigns (its schema is {current}, ours {HEAD}).",
                fix="pip install --upgrade campaigns, or give another ledger with --database.",
            ) from error
    return current


def _require_ledger(engine: Engine) -> None:
    if _version_of(engine) is None:
        raise _no_ledger(engine.url)


def _no_ledger(url: URL) -> SettingsError:
    return SettingsError(f"There is no ledger {place_of(url)}.", fix="Say where it is with --database.")


def _version_of(engine: Engine) -> str | None:
    options = READ_ONLY[engine.dialect.name]  # so that who looks at a ledger waits for nobody who writes
    with engine.connect().execution_options(**options) as connection, connection.begin():
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return version


def _url(place: str | Path) -> URL:
    text = str(place)
    if not re.match(r"[A-Za-z][\w+]+:", text):  # C:\ledger.db is a file
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise _no_place(text) from error
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql") or (backend == "sqlite" and not url.database):
        raise _no_place(text)
    return url


def _no_place(text: str) -> SettingsError:
    shown = re.sub(r"//.*@", "//***@", text)  # it may hold a password
    return SettingsError(
        f'"{shown}" is no ledger.', fix="Give a file, sqlite:///PATH, or postgresql://USER@HOST/DATABASE."
    )


def _sqlite_engine(url: URL) -> Engine:
    path = Path(url.database or "")
    _refuse_network(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # personal data: for its user only
    except OSError as error:
        raise SettingsError(
            f"The ledger {path} cannot be written: {error.strerror}.", fix="Give another file with --database."
        ) from error
    engine = create_engine(url, connect_args={"timeout": BUSY_S, "isolation_level": None}, **JSON_AS)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    # 16 MB of pages: a new message has a random place in the index by number, and with the usual 2 MB planning a large
    # campaign, or taking it back, would wait for the disk.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -16000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _wait(connection: Connection, seconds: float) -> None:
    driver: Any = connection.connection.driver_connection  # of which SQLAlchemy would begin a transaction first
    driver.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}").close()


def _begin_sqlite(connection: Connection) -> None:
    # The driver's own transactions start as readers, and a reader that turns writer can be refused at once.
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _postgresql_engine(url: URL) -> Engine:
    try:
        engine = create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, **JSON_AS)
    except (ImportError, NoSuchModuleError) as error:
        raise SettingsError(
            "A PostgreSQL ledger needs the package psycopg.", fix="pip install 'campaigns[postgres]'"
        ) from error
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def _set_up_postgresql(connection: Any, _: object) -> None:
    connection.execute(POSTGRESQL_SESSION).close()
    connection.commit()


def _refuse_network(path: Path) -> None:
    """SQLite's locks do not hold on network file systems: two senders could both believe they are alone."""
    resolved = path.absolute()
    mounts = [part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)]
    nearest = max(mounts, key=lambda part: len(part.mountpoint), default=None)
    if nearest is not None and nearest.fstype.startswith(NETWORK_FILE_SYSTEMS):
        raise SettingsError(
            f"The ledger {path} lies on a network file system ({nearest.fstype}), where its locks do not hold.",
            fix="Give a file on this machine with --database, or use PostgreSQL.",
        )


@contextmanager
def outside_transactions(engine: Engine) -> Iterator[sqlite3.Connection]:
    """SQLite's own connection, for what no transaction may be around."""
    pooled = engine.raw_connection()
    try:
        connection: Any = pooled.driver_connection
        yield connection
    finally:
        pooled.close()


@contextmanager
def in_words(url: URL) -> Iterator[None]:
    """What the database refuses is an error for people: a full disk, a lock that stays, a server that went away."""
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        if "not a database" in reason:
            what = f"{place_of(url)} is no ledger, and was left as it is."
        else:
            what = f"The ledger {place_of(url)} cannot be used: {reason}."
        fix = next((fix for word, fix in FIXES.items() if word in reason), "Give another ledger with --database.")
        raise SettingsError(what, fix=fix) from error


def place_of(url: URL) -> str:
    """The file of a ledger, or its address without the password."""
    return (url.database or "") if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
