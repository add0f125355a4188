"""Rows in the ledger: every row of a campaign's file, as planned, and with its outcome for the report."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, insert, select

from campaigns.clock import from_ms
from campaigns.ledger.schema import NEVER_MS, messages, rows
from campaigns.model import CampaignId, Chunk, MessageState, Msisdn

PAGE_ROWS: Final = 5_000

READ_PAGE: Final = (  # rows with their messages, from the one after `after` on
    select(
        rows,
        messages.c.state,
        messages.c.reason,
        messages.c.detail.label("message_detail"),
        messages.c.provider_id,
        messages.c.tries,
        messages.c.sent_ms,
        messages.c.updated_ms,
    )
    .select_from(
        rows.outerjoin(messages, and_(messages.c.campaign_id == rows.c.campaign_id, messages.c.row == rows.c.row))
    )
    .where(rows.c.campaign_id == bindparam("campaign"), rows.c.row > bindparam("after"))
    .order_by(rows.c.row)
    .limit(PAGE_ROWS)
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One row of a campaign and what became of it."""

    row: int
    phone: str
    number: Msisdn | None
    cells: list[str]
    status: MessageState
    reason: str
    detail: str
    text: str
    encoding: str
    segments: int | None
    provider_id: str
    tries: int
    sent_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def from_row(cls, found: Row[Any]) -> "OutcomeRow":
        """The one place where a database row becomes an OutcomeRow."""
        return cls(
            row=found.row,
            phone=found.phone,
            number=Msisdn(f"+{found.number}") if found.number is not None else None,
            cells=found.cells,
            status=MessageState(found.state or MessageState.SKIPPED),
            reason=found.reason or found.skip_reason or "",
            detail=found.message_detail or found.detail or "",
            text=found.text or "",
            encoding=found.encoding or "",
            segments=found.segments,
            provider_id=found.provider_id or "",
            tries=found.tries or 0,
            sent_at=from_ms(found.sent_ms) if found.sent_ms is not None else None,
            updated_at=from_ms(found.updated_ms) if found.updated_ms is not None else None,
        )


def add_rows(connection: Connection, campaign_id: CampaignId, chunk: Chunk, now_ms: int, limit: int | None) -> int:
    """Add a Chunk's rows, and a planned message for each that may be sent; returns how many those are.

    From message `limit` on they are held: due only when `release_held` says so.
    """
    cells = (
        zip(*(column.to_pylist() for column in chunk.cells.columns), strict=True) if chunk.cells.num_columns else None
    )
    lines = chunk.table.drop_columns(["column", "empty_field"]).to_pylist()
    for line in lines:
        line["campaign_id"] = campaign_id
        line["cells"] = list(next(cells)) if cells is not None else []
    ready = [line for line in lines if line["skip_reason"] is None]
    connection.execute(insert(rows), lines)
    if ready:
        held_from = len(ready) if limit is None else limit
        connection.execute(
            insert(messages),
            [
                {
                    "campaign_id": campaign_id,
                    "row": line["row"],
                    "number": line["number"],
                    "state": MessageState.PLANNED,
                    "tries": 0,
                    "due_ms": 0 if place < held_from else NEVER_MS,  # at once, also when the clock is set back
                    "closes_ms": NEVER_MS,
                    "updated_ms": now_ms,
                }
                for place, line in enumerate(ready)
            ],
        )
    return len(ready)


def read_rows(connection: Connection, campaign_id: CampaignId) -> Iterator[OutcomeRow]:
    """Every row of the campaign in the order of the file, each once, a page at a time."""
    after = -1
    while page := connection.execute(READ_PAGE, {"campaign": campaign_id, "after": after}).all():
        yield from map(OutcomeRow.from_row, page)
        after = page[-1].row
