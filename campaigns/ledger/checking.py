"""Whether a ledger is sound: its file, and each promise of the product that can be seen in its data."""

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from campaigns.ledger.database import Ledger, outside_transactions
from campaigns.ledger.schema import campaigns, messages, rows
from campaigns.model import CampaignKind, CampaignState, MessageState

MOST_FAULTS: Final = 10  #: of the file that are listed; one is enough to go back to a backup


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, and how often."""

    what: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What a check of the ledger found; without faults it is sound."""

    faults: tuple[Fault, ...]
    campaigns: int = 0
    rows: int = 0
    messages: int = 0


def check(ledger: Ledger) -> Soundness:
    """Look through the whole ledger. What is wrong with the file itself is said alone: its data tell nothing then."""
    if ledger.engine.dialect.name == "sqlite" and (damage := _damage(ledger)):
        return Soundness(faults=damage)
    with ledger.read() as connection:
        counted = ((what, connection.scalar(statement) or 0) for what, statement in BROKEN_PROMISES.items())
        faults = tuple(Fault(what=what, count=count) for what, count in counted if count)
        sizes = {table.name: connection.scalar(_count(table)) or 0 for table in (campaigns, rows, messages)}
    return Soundness(faults=faults, **sizes)


def _damage(ledger: Ledger) -> tuple[Fault, ...]:
    """SQLite looks at every page of the file; PostgreSQL has tools of its own for that (pg_amcheck)."""
    with outside_transactions(ledger.engine) as connection:
        try:
            found = [line for (line,) in connection.execute(f"PRAGMA integrity_check({MOST_FAULTS})")]
        except sqlite3.DatabaseError as error:  # it cannot even be read to its end
            found = [str(error)]
    return tuple(Fault(what=f"file: {line}", count=1) for line in found if line != "ok")


def _count(table: Any, *where: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(*where)


_OF_ROW: Final = (messages.c.campaign_id == rows.c.campaign_id) & (messages.c.row == rows.c.row)
_BOTH: Final = rows.join(messages, _OF_ROW)
_LISTED: Final = (CampaignKind.FILE, CampaignKind.TEXT)  #: a number stands once in these


def _belongs(table: Any, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(campaigns.c.id == table.c.campaign_id, *where)


_SEVERAL_TIMES: Final = (
    select(messages.c.campaign_id)
    .where(_belongs(messages, campaigns.c.kind.in_(_LISTED)))
    .group_by(messages.c.campaign_id, messages.c.number)
    .having(func.count() > 1)
    .subquery()
)
BROKEN_PROMISES: Final = {
    "messages without a row": _count(messages, ~exists().where(_OF_ROW)),
    "rows that may be sent, without a message": _count(
        rows,
        rows.c.skip_reason.is_(None),
        _belongs(rows, campaigns.c.state != CampaignState.PLANNING),
        ~exists().where(_OF_ROW),
    ),
    "rows that are skipped, with a message": _count(_BOTH, rows.c.skip_reason.is_not(None)),
    "messages to another number than that of their row": _count(
        _BOTH, or_(rows.c.number.is_(None), rows.c.number != messages.c.number)
    ),
    "numbers with several messages in one campaign": _count(_SEVERAL_TIMES),
    "rows of no campaign": _count(rows, ~_belongs(rows)),
    "messages of no campaign": _count(messages, ~_belongs(messages)),
    "messages still to go in campaigns that are done": _count(
        messages,
        messages.c.state.in_((MessageState.PLANNED, MessageState.SENDING)),
        _belongs(messages, campaigns.c.state == CampaignState.DONE),
    ),
    "messages in a state that does not exist": _count(messages, messages.c.state.not_in(tuple(MessageState))),
    "campaigns in a state that does not exist": _count(campaigns, campaigns.c.state.not_in(tuple(CampaignState))),
}
