"""Whom campaigns reached lately, by number."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, cast, column, func, select, true

from campaigns.ledger.schema import campaigns, messages
from campaigns.model import MessageState

REACHED: Final = (  # what is on its way, and what may have been taken, counts too
    MessageState.SENDING,
    MessageState.ACCEPTED,
    MessageState.DELIVERED,
    MessageState.UNKNOWN,
)


def find_reached(
    connection: Connection, numbers: Sequence[int], since_ms: int
) -> tuple[Sequence[int], Sequence[str], Sequence[int]]:
    """Which of these numbers campaigns reached since then: the number, the campaign's name and when, in ms.

    A number stands there once, with the last message to it. As columns: there may be as many as numbers.
    """
    statement, as_parameter = BY_NUMBER[connection.dialect.name]
    found = connection.execute(statement, {"numbers": as_parameter(numbers), "since": since_ms}).all()
    last = {line[0]: line for line in found}  # of several the last one stays
    reached, names, moments = zip(*last.values(), strict=True) if last else ((), (), ())
    return reached, names, moments


# what a backup made unknown may have been sent after it; nobody knows when
_REACHED_MS: Final = func.coalesce(messages.c.sent_ms, messages.c.updated_ms)
_WHEN_REACHED: Final = (messages.c.state.in_(REACHED), bindparam("since") <= _REACHED_MS)
_GIVEN: Final = column("value", BigInteger)


def _on_sqlite() -> Any:
    given = func.json_each(bindparam("numbers")).table_valued(_GIVEN)
    return (
        select(messages.c.number, campaigns.c.name, _REACHED_MS)
        .select_from(given.join(messages, messages.c.number == given.c.value))
        .join(campaigns, campaigns.c.id == messages.c.campaign_id)
        .where(*_WHEN_REACHED)
        .order_by(_REACHED_MS)
    )


def _on_postgresql() -> Any:
    """A look-up for each number: as a join it would read all messages of the ledger until they are analysed."""
    given = func.unnest(cast(bindparam("numbers"), ARRAY(BigInteger))).table_valued(_GIVEN).render_derived()
    last = (
        select(messages.c.number, messages.c.campaign_id, _REACHED_MS.label("reached_ms"))
        .where(messages.c.number == given.c.value, *_WHEN_REACHED)
        .order_by(_REACHED_MS.desc())
        .limit(1)
        .lateral()
    )
    return (
        select(last.c.number, campaigns.c.name, last.c.reached_ms)
        .select_from(given.join(last, true()))
        .join(campaigns, campaigns.c.id == last.c.campaign_id)
    )


BY_NUMBER: Final[Mapping[str, Any]] = {  # all numbers in one parameter, and how that is written
    "sqlite": (_on_sqlite(), json.dumps),
    "postgresql": (_on_postgresql(), list),
}
