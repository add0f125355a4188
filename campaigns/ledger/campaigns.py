"""Campaigns in the ledger: planned, found, counted, moved from state to state."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from campaigns.clock import from_ms
from campaigns.ledger.leases import Owner, acquire, find_owner, is_held, release
from campaigns.ledger.schema import LARGEST_ID, NEVER_MS, PLANNED, campaigns, leases, messages, rows
from campaigns.model import (
    COUNT_KEYS,
    CampaignId,
    CampaignKind,
    CampaignState,
    CampaignStatus,
    MessageState,
    PauseReason,
)

ACTIVE: Final = (CampaignState.READY, CampaignState.RUNNING)  #: the states in which messages may be claimed
CANCELLABLE: Final = (CampaignState.AWAITING_APPROVAL, *ACTIVE, CampaignState.PAUSED)
STANDING: Final = (CampaignKind.API, CampaignKind.INBOX)

LIST_CAMPAIGNS: Final = (
    select(campaigns)
    .where(campaigns.c.state != CampaignState.PLANNING, campaigns.c.kind.not_in(STANDING))
    .order_by(campaigns.c.id.desc())
)
COUNT_ROWS: Final = (  # all rows of a campaign, by why they were skipped at planning
    select(func.coalesce(rows.c.skip_reason, "").label("reason"), func.count().label("total"))
    .where(rows.c.campaign_id == bindparam("campaign"))
    .group_by(rows.c.skip_reason)
)
COUNT_MESSAGES: Final = (
    select(
        messages.c.state,
        func.coalesce(messages.c.reason, "").label("reason"),
        func.count().label("total"),
        func.min(messages.c.sent_ms).label("first_ms"),
        func.max(messages.c.sent_ms).label("last_ms"),
    )
    .where(messages.c.campaign_id == bindparam("campaign"))
    .group_by(messages.c.state, messages.c.reason)
)
MOVE: Final = (  # from one of the states before, and from no other
    update(campaigns)
    .where(campaigns.c.id == bindparam("campaign"), campaigns.c.state.in_(bindparam("before", expanding=True)))
    .values(state=bindparam("after"), reason=bindparam("reason_"))
)
CANCEL_PLANNED: Final = (  # of all cancelled campaigns: one may have come back from a sender after its campaign ended
    update(messages)
    .where(
        messages.c.campaign_id.in_(
            select(campaigns.c.id).where(
                campaigns.c.account == bindparam("account"), campaigns.c.state == CampaignState.CANCELLED
            )
        ),
        messages.c.state == PLANNED,
        messages.c.due_ms <= NEVER_MS,  # as all are; with it SQLite takes the index of planned ones
    )
    .values(
        state=MessageState.CANCELLED,
        reason=null(),
        detail=null(),
        updated_ms=func.coalesce(bindparam("now", type_=BigInteger), messages.c.updated_ms),
    )
)
WAITING_MESSAGES: Final = (  # due, or tried before and to be tried again
    select(literal(1))
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state == PLANNED,
        messages.c.due_ms < NEVER_MS,
        (messages.c.due_ms <= bindparam("now")) | (messages.c.tries > 0),
    )
    .limit(1)
)
SENDING_MESSAGES: Final = (
    select(literal(1))
    .where(messages.c.campaign_id == bindparam("campaign"), messages.c.state == MessageState.SENDING)
    .limit(1)
)
COUNT_OUTCOMES: Final = (
    select(messages.c.state, func.count().label("total"))
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state.not_in((MessageState.PLANNED, MessageState.SENDING, MessageState.SKIPPED)),
    )
    .group_by(messages.c.state)
)
LEFT_MESSAGES: Final = (
    select(
        func.count().label("left"),
        func.coalesce(func.sum(case((messages.c.due_ms >= NEVER_MS, 1), else_=0)), 0).label("held"),
    )
    .where(
        messages.c.campaign_id == bindparam("campaign"),
        messages.c.state.in_((MessageState.PLANNED, MessageState.SENDING)),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCampaign:
    """What is known of a campaign before its rows are read."""

    kind: CampaignKind
    purpose: str
    account: str
    sender: str
    source_name: str
    source_sha256: str
    columns: Sequence[str]
    settings: Mapping[str, object]
    created_ms: int
    created_by: str


def planning_lease(campaign_id: CampaignId) -> str:
    """The lease that its planner holds."""
    return f"campaign:{campaign_id}"


def add_campaign(connection: Connection, name: str, new: NewCampaign, planner: Owner) -> CampaignId | None:
    """Add a campaign in state `planning`, held by `planner`; None where the name is taken."""
    values = {field: getattr(new, field) for field in new.__slots__}
    values |= {"name": name, "state": CampaignState.PLANNING, "reason": "", "content_hash": ""}
    try:
        with connection.begin_nested():
            added = connection.execute(insert(campaigns).values(**values).returning(campaigns.c.id)).scalar_one()
    except IntegrityError:
        if free_name(connection, name) == name:
            raise
        return None
    campaign_id = CampaignId(added)
    acquire(connection, planning_lease(campaign_id), planner, new.created_ms)
    return campaign_id


def free_name(connection: Connection, wanted: str) -> str:
    """`wanted`, or with the first of -2, -3, ... that is free."""
    taken = set(
        connection.scalars(select(campaigns.c.name).where(campaigns.c.name.startswith(wanted, autoescape=True)))
    )
    names = (wanted, *(f"{wanted}-{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def make_ready(connection: Connection, campaign_id: CampaignId, planner: Owner, content_hash: str) -> bool:
    """Let a planned campaign go; False where its plan was taken for dead and removed."""
    if not is_held(connection, planning_lease(campaign_id), planner):
        return False
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(content_hash=content_hash))
    release(connection, planning_lease(campaign_id), planner)
    return move(connection, campaign_id, (CampaignState.PLANNING,), CampaignState.READY)


def remove_plan(connection: Connection, campaign_id: CampaignId) -> None:
    """Take a plan back that was never made ready; any other campaign is left alone."""
    # The lease first: a planner that lives on adds no more rows without it, and one that is adding some ends first.
    connection.execute(delete(leases).where(leases.c.resource == planning_lease(campaign_id)))
    planned = exists().where(campaigns.c.id == campaign_id, campaigns.c.state == CampaignState.PLANNING)
    for table in (messages, rows):
        connection.execute(delete(table).where(table.c.campaign_id == campaign_id, planned))
    connection.execute(
        delete(campaigns).where(campaigns.c.id == campaign_id, campaigns.c.state == CampaignState.PLANNING)
    )


def remove_dead_plans(connection: Connection, now_ms: int) -> None:
    """Remove what planners left behind that were killed."""
    for campaign_id in find_dead_plans(connection, now_ms):
        remove_plan(connection, campaign_id)


def find_dead_plans(connection: Connection, now_ms: int) -> list[CampaignId]:
    """The campaigns whose planners were killed."""
    found = select(campaigns.c.id).where(campaigns.c.state == CampaignState.PLANNING).order_by(campaigns.c.id)
    planning = connection.scalars(found).all()  # in order: two who remove them at once wait for each other only once
    return [CampaignId(id_) for id_ in planning if find_owner(connection, planning_lease(id_), now_ms) is None]


def move(
    connection: Connection,
    campaign_id: CampaignId,
    before: Sequence[CampaignState],
    after: CampaignState,
    reason: str = "",
) -> bool:
    """Change a campaign's state; False where it is in none of the states `before`."""
    values = {"campaign": campaign_id, "before": list(before), "after": after, "reason_": reason}
    return connection.execute(MOVE, values).rowcount == 1


def find_status(connection: Connection, name_or_id: str | CampaignId) -> CampaignStatus | None:
    """The campaign of that name, or id, with its counts; one that is being planned is not there yet."""
    found = connection.execute(select(campaigns).where(*_is(name_or_id))).one_or_none()
    return None if found is None else _status(connection, found)


def find_id_and_account(connection: Connection, name_or_id: str) -> tuple[CampaignId, str] | None:
    """The same campaign as `find_status` finds, without a count of its rows."""
    found = connection.execute(select(campaigns.c.id, campaigns.c.account).where(*_is(name_or_id))).one_or_none()
    return None if found is None else (CampaignId(found.id), found.account)


def get_status(
    connection: Connection, campaign_id: CampaignId, row_counts: Mapping[str, int] | None = None
) -> CampaignStatus:
    """The campaign of that id, which is there; `row_counts` spare a second count of its rows."""
    found = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).one()
    return _status(connection, found, row_counts)


def count_rows(connection: Connection, campaign_id: CampaignId) -> dict[str, int]:
    """How many rows there are, by the reason to skip them; "" for those that may be sent."""
    return {line.reason: line.total for line in connection.execute(COUNT_ROWS, {"campaign": campaign_id})}


def list_statuses(connection: Connection) -> list[CampaignStatus]:
    """All campaigns, the newest first; standing and planned ones are left out."""
    return [_status(connection, found) for found in connection.execute(LIST_CAMPAIGNS).all()]


def campaign_names(connection: Connection) -> list[str]:
    """The names of all campaigns, to find the nearest to a misspelt one."""
    return list(connection.scalars(select(campaigns.c.name).where(campaigns.c.state != CampaignState.PLANNING)))


def find_settings(connection: Connection, campaign_id: CampaignId) -> dict[str, Any]:
    """The settings that the campaign was planned with."""
    settings: dict[str, Any] = (
        connection.scalar(select(campaigns.c.settings).where(campaigns.c.id == campaign_id)) or {}
    )
    return settings


def find_failure_limits(connection: Connection, account: str) -> dict[CampaignId, int]:
    """How many failures in a row pause each of the account's campaigns that may be sent now."""
    found = connection.execute(
        select(campaigns.c.id, campaigns.c.settings).where(
            campaigns.c.account == account, campaigns.c.state.in_(ACTIVE)
        )
    )
    return {line.id: line.settings["max_failures"] for line in found if "max_failures" in line.settings}


def count_open(connection: Connection, campaign_id: CampaignId) -> int:
    """How many messages are still to go, without those that a limit holds back."""
    left, held = connection.execute(LEFT_MESSAGES, {"campaign": campaign_id}).one()
    return int(left - held)


def count_outcomes(connection: Connection, campaign_id: CampaignId) -> Counter[str]:
    """How many messages have an outcome, by state."""
    return Counter({line.state: line.total for line in connection.execute(COUNT_OUTCOMES, {"campaign": campaign_id})})


def is_active(connection: Connection, campaign_id: CampaignId) -> bool:
    """Whether its messages may be claimed: it is neither paused, cancelled nor done."""
    return connection.scalar(select(campaigns.c.state).where(campaigns.c.id == campaign_id)) in ACTIVE


def is_open(connection: Connection, campaign_id: CampaignId, now_ms: int) -> bool:
    """Whether a sender still has something to do for the campaign now: due, under way, or waiting for another try."""
    state = connection.scalar(select(campaigns.c.state).where(campaigns.c.id == campaign_id))
    statements = (WAITING_MESSAGES, SENDING_MESSAGES) if state in ACTIVE else (SENDING_MESSAGES,)
    values = {"campaign": campaign_id, "now": now_ms}
    return any(connection.scalar(statement, values) is not None for statement in statements)


def pause_account(connection: Connection, account: str, reason: str) -> None:
    """Pause all campaigns of an account that could be sent now."""
    connection.execute(
        update(campaigns)
        .where(campaigns.c.account == account, campaigns.c.state.in_(ACTIVE))
        .values(state=CampaignState.PAUSED, reason=reason)
    )


def cancel_planned(connection: Connection, account: str, now_ms: int | None = None) -> None:
    """Cancel what is planned in the account's cancelled campaigns; without `now_ms` it keeps the time of its return."""
    connection.execute(CANCEL_PLANNED, {"account": account, "now": now_ms})


def settle(connection: Connection, account: str) -> None:
    """Close the account's campaigns that have nothing left; pause running ones of which only a pilot was to go.

    What a sender gave back to a campaign that was cancelled meanwhile is cancelled too.
    """
    cancel_planned(connection, account)
    closable = (*ACTIVE, CampaignState.PAUSED)
    found = select(campaigns.c.id).where(campaigns.c.account == account, campaigns.c.state.in_(closable))
    for campaign_id in connection.scalars(found).all():
        left, held = connection.execute(LEFT_MESSAGES, {"campaign": campaign_id}).one()
        if not left:
            move(connection, campaign_id, closable, CampaignState.DONE)
        elif left == held:
            reason = PauseReason.LIMIT.with_detail(f"{held} held back by the limit")
            move(connection, campaign_id, ACTIVE, CampaignState.PAUSED, reason)


def _is(name_or_id: str | CampaignId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    is_id = str(name_or_id).isdecimal()
    match = campaigns.c.id == min(int(name_or_id), LARGEST_ID) if is_id else campaigns.c.name == name_or_id
    return match, campaigns.c.state != CampaignState.PLANNING


def _status(connection: Connection, found: Row[Any], row_counts: Mapping[str, int] | None = None) -> CampaignStatus:
    row_counts = count_rows(connection, found.id) if row_counts is None else row_counts
    counted = connection.execute(COUNT_MESSAGES, {"campaign": found.id}).all()
    counts = dict.fromkeys(COUNT_KEYS, 0) | {"rows": sum(row_counts.values())}
    reasons: dict[str, dict[str, int]] = {}
    skipped = [(MessageState.SKIPPED, reason, count) for reason, count in row_counts.items() if reason]
    for state, reason, count in (*skipped, *((line.state, line.reason, line.total) for line in counted)):
        counts[state] += count
        of_state = reasons.setdefault(state, {})
        of_state[reason] = of_state.get(reason, 0) + count
    sent = [moment for line in counted for moment in (line.first_ms, line.last_ms) if moment is not None]
    return CampaignStatus(
        id=CampaignId(found.id),
        name=found.name,
        state=CampaignState(found.state),
        reason=found.reason,
        counts=counts,
        reasons=reasons,
        kind=CampaignKind(found.kind),
        account=found.account,
        sender=found.sender,
        source=found.source_name,
        source_sha256=found.source_sha256,
        columns=tuple(found.columns),
        reports=tuple(found.settings.get("reports", ())),
        created_at=from_ms(found.created_ms),
        created_by=found.created_by,
        first_sent_at=from_ms(min(sent)) if sent else None,
        last_sent_at=from_ms(max(sent)) if sent else None,
    )
