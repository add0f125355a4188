"""Messages in the ledger: claimed, finished, given back. The old state stands in every WHERE."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    null,
    select,
    update,
)

from campaigns.clock import to_ms
from campaigns.ledger.campaigns import ACTIVE
from campaigns.ledger.schema import NEVER_MS, PLANNED, campaigns, messages, rows
from campaigns.model import (
    CampaignId,
    CampaignState,
    Claim,
    Encoding,
    Message,
    MessageEvent,
    MessageState,
    Msisdn,
    Outcome,
    states_before,
)

DIALECTS: Final = ("sqlite", "postgresql")
ENCODINGS: Final = {encoding.value: encoding for encoding in Encoding}
AFTER: Final = {  # where each outcome of a claim leads
    MessageEvent.ACCEPT: MessageState.ACCEPTED,
    MessageEvent.REJECT: MessageState.REJECTED,
    MessageEvent.RETRY: MessageState.PLANNED,
    MessageEvent.GIVE_BACK: MessageState.PLANNED,
    MessageEvent.FAIL: MessageState.FAILED,
    MessageEvent.LOSE: MessageState.UNKNOWN,
}

CLAIMABLE_CAMPAIGNS: Final = (  # locked, so that a pause waits for our commit or we see it
    select(campaigns.c.id, campaigns.c.sender, campaigns.c.state)
    .where(campaigns.c.account == bindparam("account"), campaigns.c.state.in_(ACTIVE))
    .order_by(campaigns.c.id)
    .with_for_update(read=True)
)
_DUE: Final = (  # the oldest due; the row makes the order total
    select(messages.c.campaign_id, messages.c.row, messages.c.number, messages.c.tries, messages.c.due_ms)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state == PLANNED,
        messages.c.due_ms <= bindparam("now"),
        messages.c.closes_ms > bindparam("now"),
    )
    .order_by(messages.c.due_ms, messages.c.row)
    .limit(bindparam("size"))
    .with_for_update(skip_locked=True)
    .subquery("due")
)
_DUE_FIELDS: Final = (
    _DUE.c.due_ms,
    _DUE.c.row,
    _DUE.c.number,
    _DUE.c.tries,
    rows.c.text,
    rows.c.encoding,
    rows.c.segments,
)


def _due_statement(as_array: Any, together: Any) -> Any:
    """All that is due in one value: row by row the driver would take the interpreter's lock for each."""
    # The texts of these alone: PostgreSQL would else join them to all that are due before it sorts.
    is_its_row = (rows.c.campaign_id == _DUE.c.campaign_id) & (rows.c.row == _DUE.c.row)
    return select(together(as_array(*_DUE_FIELDS), type_=JSON)).select_from(_DUE.join(rows, is_its_row))


DUE_MESSAGES: Final = {
    "sqlite": _due_statement(func.json_array, func.json_group_array),
    "postgresql": _due_statement(func.json_build_array, func.json_agg),
}


def _given(dialect: str, parameter: BindParameter[Any], fields: Mapping[str, Any]) -> FromClause:
    """A JSON array of arrays as a table: all rows of a change in one parameter, and one statement however many."""
    if dialect == "sqlite":
        value = func.json_each(parameter).table_valued("value").c.value
        columns = [func.json_extract(value, f"$[{place}]").label(name) for place, name in enumerate(fields)]
    else:
        value = func.json_array_elements(parameter).table_valued(column("value", JSON)).c.value
        columns = [
            cast(value[place].as_string(), kind).label(name) for place, (name, kind) in enumerate(fields.items())
        ]
    return select(*columns).subquery("given")


def _is_given(given: FromClause) -> ColumnElement[bool]:
    # The campaign comes from there too: with it alone a database would look through all messages of the campaign.
    return and_(messages.c.campaign_id == given.c.campaign_id, messages.c.row == given.c.row)


_CLAIMED: Final[dict[str, Any]] = {"campaign_id": BigInteger, "row": BigInteger}


def _claim_statement(given: FromClause) -> Any:
    return (
        update(messages)
        # No plain column: until it has statistics PostgreSQL would go through the index of all that is planned.
        .where(_is_given(given), messages.c.state.concat("") == MessageState.PLANNED)
        .values(
            state=MessageState.SENDING,
            tries=messages.c.tries + 1,
            reason=null(),
            detail=null(),
            sent_ms=bindparam("now"),
            updated_ms=bindparam("now"),
        )
    )


CLAIM_MESSAGES: Final = {
    dialect: _claim_statement(_given(dialect, bindparam("claimed", type_=JSON), _CLAIMED)) for dialect in DIALECTS
}
SETTLE_CRASHED: Final = (  # what a dead sender had claimed: its requests may have left
    update(messages)
    .where(
        messages.c.campaign_id.in_(
            select(campaigns.c.id).where(
                campaigns.c.account == bindparam("account"),
                campaigns.c.state.in_((*ACTIVE, CampaignState.PAUSED, CampaignState.CANCELLED)),
            )
        ),
        messages.c.state == MessageState.SENDING,
    )
    .values(
        state=MessageState.UNKNOWN,
        reason="crashed",
        detail="The sender died while this message was on its way.",
        updated_ms=bindparam("now"),
    )
)
RELEASE_HELD: Final = (
    update(messages)
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state == PLANNED,
        messages.c.due_ms >= NEVER_MS,
    )
    .values(due_ms=0)
)


_OUTCOME: Final[dict[str, Any]] = {  # what differs from outcome to outcome, in the order of `_values`
    "campaign_id": BigInteger, "row": BigInteger, "tries": Integer, "provider_id": Text, "sent_ms": BigInteger,
    "due_ms": BigInteger,
}  # fmt: skip


def _finish_statement(event: MessageEvent, given: FromClause) -> Any:
    """The changes that outcomes of one kind make; `tries` fences each: a late result never undoes a newer try."""
    after = AFTER[event]
    return (
        update(messages)
        .where(
            _is_given(given),
            messages.c.tries == given.c.tries,
            messages.c.state.in_(states_before(event, after)),
        )
        .values(
            state=after,
            reason=bindparam("reason_"),
            detail=bindparam("detail_"),
            provider_id=given.c.provider_id,
            provider_code=bindparam("provider_code_"),
            sent_ms=given.c.sent_ms,
            due_ms=func.coalesce(given.c.due_ms, messages.c.due_ms),
            tries=messages.c.tries - (1 if event is MessageEvent.GIVE_BACK else 0),
            updated_ms=bindparam("now"),
        )
    )


FINISH_MESSAGES: Final = {
    (dialect, event): _finish_statement(event, _given(dialect, bindparam("outcomes", type_=JSON), _OUTCOME))
    for dialect in DIALECTS
    for event in AFTER
}


def claim_due(connection: Connection, account: str, prefix: str, size: int, now_ms: int) -> list[Claim]:
    """Mark up to `size` due messages of the account as `sending` and return them, the oldest campaign first.

    The caller holds the account's lease, confirmed in this transaction.
    """
    claims: list[Claim] = []
    dialect = connection.dialect.name
    for campaign in connection.execute(CLAIMABLE_CAMPAIGNS, {"account": account}).all():
        room = size - len(claims)
        if room <= 0:
            break
        values = {"campaign": campaign.id, "now": now_ms, "size": room}
        due = sorted(connection.scalar(DUE_MESSAGES[dialect], values) or ())  # here: a database would sort texts too
        if not due:
            continue
        connection.execute(
            CLAIM_MESSAGES[dialect],
            {"claimed": [(campaign.id, row) for _, row, *_ in due], "now": now_ms},
        )
        if campaign.state == CampaignState.READY:
            connection.execute(
                update(campaigns).where(campaigns.c.id == campaign.id).values(state=CampaignState.RUNNING)
            )
        claims += [_claim(campaign, one, prefix) for one in due]
    return claims


def finish(connection: Connection, outcomes: Sequence[Outcome], now_ms: int) -> None:
    """Write what became of claims; an outcome whose message has moved on since changes nothing."""
    alike: dict[tuple[MessageEvent, str, str], list[Outcome]] = {}
    for outcome in outcomes:
        alike.setdefault((outcome.event, outcome.reason, outcome.detail), []).append(outcome)
    for (event, reason, detail), group in alike.items():
        values = {
            "outcomes": [_values(outcome, now_ms) for outcome in group],
            "reason_": reason or None,
            "detail_": detail or None,
            "provider_code_": reason if event is MessageEvent.REJECT else None,
            "now": now_ms,
        }
        connection.execute(FINISH_MESSAGES[connection.dialect.name, event], values)


def settle_crashed(connection: Connection, account: str, now_ms: int) -> int:
    """Make `unknown` what a dead sender of this account left `sending`; only the new holder of the lease may."""
    return connection.execute(SETTLE_CRASHED, {"account": account, "now": now_ms}).rowcount


def release_held(connection: Connection, campaign_id: CampaignId) -> None:
    """Let go what a pilot (`--limit`) held back."""
    connection.execute(RELEASE_HELD, {"campaign": campaign_id})


def _claim(campaign: Any, due: Sequence[Any], prefix: str) -> Claim:
    _, row, number, tries, text, encoding, segments = due
    name = f"c{campaign.id}-{row}"
    return Claim(
        campaign_id=campaign.id,
        row=row,
        tries=tries + 1,
        message=Message(
            id=name,
            reference=f"{prefix}-{name}",
            number=Msisdn(f"+{number}"),
            text=text,
            sender=campaign.sender,
            encoding=ENCODINGS[encoding],
            segments=segments,
        ),
    )


def _values(outcome: Outcome, now_ms: int) -> tuple[object, ...]:
    claim, sent_at, wait_s = outcome.claim, outcome.sent_at, outcome.retry_in_s
    sent_ms = to_ms(sent_at) if sent_at else None
    due_ms = now_ms + round(wait_s * 1000) if wait_s else None
    return claim.campaign_id, claim.row, claim.tries, outcome.provider_id, sent_ms, due_ms
