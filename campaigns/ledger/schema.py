"""The ledger's tables, one schema for SQLite and PostgreSQL.

Times are milliseconds since the epoch (`*_ms`), numbers the digits of E.164. `campaign_id` stands first in every key.
The migrations in `migrations/` make these tables; a test holds the two alike.
"""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    literal_column,
    text,
)

NEVER_MS: Final = (
    253_402_300_799_000  #: the last second of the year 9999: not due until somebody says so, or never closing
)

LARGEST_ID: Final = 2**63 - 1  #: of any table

metadata = MetaData()

ledger = Table(
    "ledger",
    metadata,
    Column("prefix", Text, primary_key=True),  # random: tells this ledger's references at a provider from another's
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("source_name", Text, nullable=False),
    Column("source_sha256", Text, nullable=False),
    Column("columns", JSON, nullable=False),  # the headers of the file's own columns
    Column("settings", JSON, nullable=False),  # of the campaign; no secret
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    sqlite_autoincrement=True,  # an id is never given twice: it stands in references at providers
)

rows = Table(
    "rows",
    metadata,
    Column("campaign_id", BigInteger, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("phone", Text, nullable=False),
    Column("number", BigInteger),  # null where none is known
    Column("cells", JSON, nullable=False),  # aligned with campaigns.columns
    Column("skip_reason", Text),
    Column("detail", Text),
    Column("text", Text),
    Column("encoding", Text),
    Column("segments", Integer),
    PrimaryKeyConstraint("campaign_id", "row"),
)

messages = Table(
    "messages",
    metadata,
    Column("campaign_id", BigInteger, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text),
    Column("tries", Integer, nullable=False),
    Column("reference", Text),  # the API client's own
    Column("provider_id", Text),
    Column("provider_code", Text),
    Column("due_ms", BigInteger, nullable=False),
    Column("closes_ms", BigInteger, nullable=False),
    Column("sent_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("campaign_id", "row"),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "60"},  # room beside a row for its changes, so that they touch no index
)

MESSAGES_BY_NUMBER: Final = Index("messages_by_number", messages.c.number)
PLANNED_MESSAGES: Final = Index(  # what is due next, however much is done already
    "planned_messages",
    messages.c.campaign_id,
    messages.c.due_ms,
    messages.c.row,
    sqlite_where=text("state = 'planned'"),
    postgresql_where=text("state = 'planned'"),
)

PLANNED: Final[ColumnElement[str]] = literal_column("'planned'")  # that index is taken only for a literal

leases = Table(
    "leases",
    metadata,
    Column("resource", Text, primary_key=True),  # an account, or a campaign being planned
    Column("owner", Text, nullable=False),
    Column("heartbeat_ms", BigInteger, nullable=False),
)

pace = Table(  # the time line of an account that several machines share
    "pace",
    metadata,
    Column("account", Text, primary_key=True),
    Column("next_us", BigInteger, nullable=False),
)
