"""PostgreSQL finds what is due next by an index too: without it each claim read all that was done before."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the index that SQLite has from the start."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "planned_messages",
            "messages",
            ["campaign_id", "due_ms", "row"],
            postgresql_where=sa.text("state = 'planned'"),
        )
