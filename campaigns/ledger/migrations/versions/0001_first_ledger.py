"""The first ledger: campaigns, rows, messages, leases, pace."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables, and give the ledger its random prefix."""
    ledger = op.create_table("ledger", sa.Column("prefix", sa.Text, primary_key=True))
    op.bulk_insert(ledger, [{"prefix": secrets.token_hex(4)}])
    _create_campaigns()
    _create_rows()
    _create_messages()
    _create_leases_and_pace()


def _create_campaigns() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("source_name", sa.Text, nullable=False),
        sa.Column("source_sha256", sa.Text, nullable=False),
        sa.Column("columns", sa.JSON, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_rows() -> None:
    op.create_table(
        "rows",
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger),
        sa.Column("cells", sa.JSON, nullable=False),
        sa.Column("skip_reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("text", sa.Text),
        sa.Column("encoding", sa.Text),
        sa.Column("segments", sa.Integer),
        sa.PrimaryKeyConstraint("campaign_id", "row"),
    )


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("campaign_id", sa.BigInteger, nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("provider_id", sa.Text),
        sa.Column("provider_code", sa.Text),
        sa.Column("due_ms", sa.BigInteger, nullable=False),
        sa.Column("closes_ms", sa.BigInteger, nullable=False),
        sa.Column("sent_ms", sa.BigInteger),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "row"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": "60"},
    )
    op.create_index("messages_by_number", "messages", ["number"])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index(
            "planned_messages",
            "messages",
            ["campaign_id", "due_ms", "row"],
            sqlite_where=sa.text("state = 'planned'"),
        )


def _create_leases_and_pace() -> None:
    op.create_table(
        "leases",
        sa.Column("resource", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("heartbeat_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "pace",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("next_us", sa.BigInteger, nullable=False),
    )
