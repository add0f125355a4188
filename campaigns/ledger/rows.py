"""Rows in the ledger: every row of a campaign's file, as planned, and with its outcome for the report."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, and_, bindparam, case, func, insert, literal, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from campaigns.clock import from_ms
from campaigns.ledger.database import to_json
from campaigns.ledger.schema import LARGEST_ID, NEVER_MS, PLANNED, messages, rows
from campaigns.model import CampaignId, Chunk, MessageState, Msisdn

PAGE_ROWS: Final = 5_000
LINES_AT_ONCE: Final = 50  #: of one INSERT; older versions of SQLite take 999 values
ESCAPED: Final = r'["\\\x00-\x1f]'  #: what does not stand for itself in a JSON string

READ_PAGE: Final = (  # rows with their messages, from the one after `after` on; in the order of OutcomeRow.from_row
    select(
        rows.c.row,
        rows.c.phone,
        rows.c.number,
        rows.c.cells,
        rows.c.skip_reason,
        rows.c.detail,
        rows.c.text,
        rows.c.encoding,
        rows.c.segments,
        messages.c.state,
        messages.c.reason,
        messages.c.detail,
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

_NEW_READY: Final = (
    rows.c.campaign_id == bindparam("campaign"),
    rows.c.row > bindparam("after"),
    rows.c.skip_reason.is_(None),
)
_FIRST_HELD: Final = (  # the row whose message is one too many; none where there is no limit
    select(rows.c.row).where(*_NEW_READY).order_by(rows.c.row).limit(1).offset(bindparam("limit")).scalar_subquery()
)
ADD_MESSAGES: Final = (
    insert(messages)
    .from_select(
        ["campaign_id", "row", "number", "state", "tries", "due_ms", "closes_ms", "updated_ms"],
        select(
            rows.c.campaign_id,
            rows.c.row,
            rows.c.number,
            PLANNED,
            literal(0),
            # at once, also when the clock is set back
            case((rows.c.row < func.coalesce(_FIRST_HELD, LARGEST_ID), 0), else_=NEVER_MS),
            literal(NEVER_MS),
            bindparam("now"),
        )
        .where(*_NEW_READY)
        .order_by(rows.c.row),
    )
    .execution_options(preserve_rowcount=True)  # else only SQLite tells how many there were
)


class OutcomeRow(NamedTuple):
    """One row of a campaign and what became of it; a tuple, as a ReportRow is."""

    row: int
    phone: str
    number: Msisdn | None
    cells: list[str]
    status: str  #: a MessageState
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
    def from_row(cls, found: Sequence[Any]) -> "OutcomeRow":
        """The one place where a database row becomes an OutcomeRow."""
        (
            row, phone, number, cells, skip_reason, detail, text, encoding, segments,
            state, reason, message_detail, provider_id, tries, sent_ms, updated_ms,
        ) = found  # fmt: skip  # by place: by name it takes four times as long
        return cls(
            row=row,
            phone=phone,
            number=Msisdn(f"+{number}") if number is not None else None,
            cells=cells,
            status=state or MessageState.SKIPPED.value,
            reason=reason or skip_reason or "",
            detail=message_detail or detail or "",
            text=text or "",
            encoding=encoding or "",
            segments=segments,
            provider_id=provider_id or "",
            tries=tries or 0,
            sent_at=from_ms(sent_ms) if sent_ms is not None else None,
            updated_at=from_ms(updated_ms) if updated_ms is not None else None,
        )


def add_rows(connection: Connection, campaign_id: CampaignId, chunk: Chunk) -> None:
    """Add a Chunk's rows; a planned message for each that may be sent is made by `add_messages`."""
    table = chunk.table.drop_columns(["column", "empty_field"])
    is_ready = pc.is_null(table["skip_reason"])
    for part in (is_ready, pc.invert(is_ready)):
        _insert(connection, campaign_id, table.filter(part), chunk.cells.filter(part))


def add_messages(
    connection: Connection, campaign_id: CampaignId, after: int, now_ms: int, limit: int | None = None
) -> int:
    """Add a planned message for each row from the one after `after` on that may be sent; returns how many those are.

    From message `limit` on they are held: due only when `release_held` says so.
    """
    values = {"campaign": campaign_id, "after": after, "now": now_ms, "limit": LARGEST_ID if limit is None else limit}
    return connection.execute(ADD_MESSAGES, values).rowcount


def read_rows(connection: Connection, campaign_id: CampaignId) -> Iterator[OutcomeRow]:
    """Every row of the campaign in the order of the file, each once, a page at a time."""
    after = -1
    while page := connection.execute(READ_PAGE, {"campaign": campaign_id, "after": after}).all():
        yield from map(OutcomeRow.from_row, page)
        after = page[-1].row


def _insert(connection: Connection, campaign_id: CampaignId, table: pa.Table, cells: pa.Table) -> None:
    """Insert rows as tuples, by the quickest way of each database.

    A column that holds nothing is left out: SQLite's driver takes ten times as long over a None as over a number.
    """
    if not table.num_rows:
        return
    columns = {name: table[name].to_pylist() for name in table.column_names if table[name].null_count < len(table)}
    columns |= {"campaign_id": [campaign_id] * len(table), "cells": _json_arrays(cells)}
    names = tuple(column.name for column in rows.columns if column.name in columns)
    lines = list(zip(*(columns[name] for name in names), strict=True))
    if connection.dialect.name == "postgresql":
        _copy(connection, names, lines)
    else:
        whole = len(lines) - len(lines) % LINES_AT_ONCE
        _execute(connection, names, LINES_AT_ONCE, lines[:whole])
        _execute(connection, names, 1, lines[whole:])


def _execute(connection: Connection, names: tuple[str, ...], at_once: int, lines: Sequence[tuple[object, ...]]) -> None:
    """Insert lines, a number of them by each statement: to begin one costs SQLite more than a line does."""
    if lines:
        starts = range(0, len(lines), at_once)
        groups = [tuple(chain.from_iterable(lines[start : start + at_once])) for start in starts]
        connection.exec_driver_sql(_statement(names, at_once), groups)


@cache
def _statement(names: tuple[str, ...], lines: int) -> str:
    return str(insert(rows).values([dict.fromkeys(names)] * lines).compile(dialect=sqlite.dialect()))


def _copy(connection: Connection, names: Sequence[str], lines: Sequence[tuple[object, ...]]) -> None:
    """COPY takes a fifth of the time of inserts."""
    quote = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quote(rows.name)} ({', '.join(map(quote, names))}) FROM STDIN"
    cursor: Any = connection.connection.cursor()
    errors = connection.dialect.loaded_dbapi.Error
    try:
        with cursor, cursor.copy(statement) as copy:
            for line in lines:
                copy.write_row(line)
    except errors as error:  # in the classes of SQLAlchemy, which knows no COPY itself
        raise DBAPIError.instance(statement, None, error, errors) from error


def _json_arrays(cells: pa.Table) -> list[str]:
    """Each row as a JSON array of its cells, put together column-wise but for rows with what JSON must escape."""
    if not cells.num_columns:
        return ["[]"] * cells.num_rows
    inner = pc.binary_join_element_wise(*cells.columns, '","')
    arrays: list[str] = pc.binary_join_element_wise('["', inner, '"]', "").to_pylist()
    is_odd = pc.match_substring_regex(pc.binary_join_element_wise(*cells.columns, ""), ESCAPED)
    for place in pc.indices_nonzero(is_odd).to_pylist():
        arrays[place] = to_json([column[place].as_py() for column in cells.columns])
    return arrays
