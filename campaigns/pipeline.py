"""The job, told in a page: plan a campaign into the ledger, send it, resume it, report on it.

recipient file -> rows -> recipients -> messages -> ledger -> delivery -> report
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import Connection

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.delivery.stop import Stop
from campaigns.errors import ExitStatus, InputError, SettingsError
from campaigns.events import Event, Held, Listen, Progress, Started, Stopping, Watching, ignore
from campaigns.ledger import Ledger, open_ledger
from campaigns.ledger.campaigns import (
    campaign_names,
    find_dead_plans,
    find_settings,
    find_status,
    get_status,
    list_statuses,
    move,
    remove_dead_plans,
    settle,
)
from campaigns.ledger.messages import release_held
from campaigns.ledger.rows import PAGE_ROWS, OutcomeRow, read_rows
from campaigns.ledger.unknown import send_again
from campaigns.model import (
    CampaignId,
    CampaignState,
    CampaignStatus,
    MessageState,
    PauseReason,
    Rate,
    ReportRow,
)
from campaigns.planning import Plan, effective_rate, plan, plan_text, prepare_to_send
from campaigns.providers.base import DuplicateGuard, capabilities_of, guard_of
from campaigns.recipients.countries import countries_of
from campaigns.reporting import ReportFacts, open_reports
from campaigns.sending import Run
from campaigns.settings import SANDBOX, Account, Settings
from campaigns.spelling import nearest

__all__ = [
    "Event",
    "Held",
    "Plan",
    "Progress",
    "Started",
    "Stop",
    "Stopping",
    "Summary",
    "Watching",
    "plan",
    "plan_text",
    "prepare_to_send",
    "report",
    "resume",
    "send",
]

log = logging.getLogger(__name__)

REPORT_FOLDER: Final = Path("reports")
MOST_WORKBOOK_ROWS: Final = 100_000  #: more make a workbook only where it was asked for
STOPPED_STATES: Final = (PauseReason.ACCOUNT_PROBLEM, PauseReason.TOO_MANY_FAILURES)
BAD_STATES: Final = (MessageState.REJECTED, MessageState.FAILED, MessageState.UNKNOWN)
CONCURRENCY: Final = 128  #: of a campaign whose settings say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run of `send` or `resume` came to."""

    status: CampaignStatus
    sent: int  #: messages that have an outcome of this run
    elapsed_s: float
    exit_status: ExitStatus


async def send(
    what: Plan | Campaign,
    *,
    ledger: Ledger | None = None,
    account: Account | None = None,
    again: bool = False,
    stop: Stop | None = None,
    listen: Listen = ignore,
) -> Summary:
    """Send a planned campaign, or plan and send one, and return when it has nothing due left.

    Without `ledger` and `account` those of the user's settings are used. What was stopped goes on with `resume`.
    The same text to the same people within 7 days is an InputError, and nothing is sent, unless that is meant: `again`.
    """
    if isinstance(what, Campaign):
        return await _plan_and_send(what, ledger, account, again, stop or Stop(), listen)
    what.make_ready(again=again)
    return await _run(
        what.ledger, what.id, what.account, what.rate, what.concurrency, stop or Stop(), listen, what.clock
    )


async def resume(
    name_or_id: str,
    *,
    ledger: Ledger,
    account: Account | None = None,
    rate: Rate | None = None,
    retry_unknown: bool = False,
    stop: Stop | None = None,
    listen: Listen = ignore,
    clock: Clock = SYSTEM_CLOCK,
) -> Summary:
    """Go on with a campaign: what was stopped, held back by a limit, or left by a process that died.

    Without `account` its own is looked up in the user's settings. What may have been taken (`unknown`) is only sent
    again where the provider takes a reference once, or with `retry_unknown`, at the risk that somebody gets it twice.
    Where nothing is left nothing is opened. Raises InputError for a campaign that was cancelled.
    """
    status = find_campaign(ledger, name_or_id)
    campaign_id = _id_of(status)
    if status.state is CampaignState.CANCELLED:
        raise _is_cancelled(status)
    if unknown_to_send(status, account, retry_unknown=retry_unknown):
        with ledger.write() as connection:
            send_again(connection, campaign_id, clock.now_ms())
            status = get_status(connection, campaign_id)
    if not status.unsent:
        with ledger.write() as connection:
            settle(connection, status.account)  # its sender may have died before it could
            status = get_status(connection, campaign_id)
        return Summary(status=status, sent=0, elapsed_s=0.0, exit_status=_exit_status(status))
    account = account or Settings.load().account(status.account)
    with ledger.read() as connection:
        settings = find_settings(connection, campaign_id)
    wanted = rate or (Rate.parse(settings["rate"]) if "rate" in settings else None)
    wanted = effective_rate(account, wanted)
    with ledger.write() as connection:
        move(connection, campaign_id, (CampaignState.PAUSED,), CampaignState.RUNNING)
        release_held(connection, campaign_id)
    concurrency = settings.get("concurrency", CONCURRENCY)
    return await _run(ledger, campaign_id, account, wanted, concurrency, stop or Stop(), listen, clock)


def report(ledger: Ledger, name_or_id: str, to: Sequence[Path], clock: Clock = SYSTEM_CLOCK) -> list[Path]:
    """Write the report of a campaign to each path, in the format that its extension names; returns the paths.

    Every row of the file is in each (in the HTML page a part), with its outcome as of now.
    """
    status = find_campaign(ledger, name_or_id)
    campaign_id = _id_of(status)
    with ledger.read() as connection:
        settings = find_settings(connection, campaign_id)
    _keep_source(to, settings)
    with open_reports(to, status.columns) as reports, ledger.read() as connection:
        status = get_status(connection, campaign_id)  # of the same moment as the rows
        reports.add(_report_rows(read_rows(connection, campaign_id), status.account))
        reports.finish(status, clock.now(), _facts(status, settings))
    log.info("report written", extra={"campaign": campaign_id, "paths": [str(path) for path in to]})
    return list(to)


def default_reports(status: CampaignStatus) -> list[Path]:
    """Where the campaign says, else reports/NAME; a workbook of over 100,000 rows is only made when asked for."""
    if status.reports:
        return [Path(path) for path in status.reports]
    suffixes = (".html", ".xlsx", ".csv") if status.counts["rows"] <= MOST_WORKBOOK_ROWS else (".html", ".csv")
    return [REPORT_FOLDER / f"{status.name}{suffix}" for suffix in suffixes]


def find_campaign(ledger: Ledger, name_or_id: str) -> CampaignStatus:
    """One campaign and its counts; InputError with the nearest name where there is none."""
    with ledger.read() as connection:
        status = find_status(connection, name_or_id)
        if status is None:
            raise no_campaign(connection, name_or_id)
        return status


def no_campaign(connection: Connection, name_or_id: str) -> InputError:
    """There is no such campaign; which name is the nearest."""
    near = nearest(name_or_id, campaign_names(connection))
    fix = f"Write {near}." if near else "campaigns list shows all."
    return InputError(f'There is no campaign "{name_or_id}".', fix=fix)


def list_campaigns(ledger: Ledger, clock: Clock = SYSTEM_CLOCK) -> list[CampaignStatus]:
    """All campaigns and their counts, the newest first; what a killed planner left is removed."""
    _remove_dead_plans(ledger, clock)
    with ledger.read() as connection:
        return list_statuses(connection)


def unknown_to_send(status: CampaignStatus, account: Account | None = None, *, retry_unknown: bool = False) -> int:
    """How many unknown messages `resume` sends again; without `account` the campaign's own is looked up."""
    unknown = status.counts[MessageState.UNKNOWN] if status.state is not CampaignState.CANCELLED else 0
    if not unknown or retry_unknown:
        return unknown
    try:
        guard = guard_of(account or Settings.load().account(status.account))
    except SettingsError:  # of an account that is no more nothing is known
        return 0
    return unknown if DuplicateGuard.KEY in guard else 0


def reports_delivery(account: Account) -> bool:
    """Whether the account's provider tells what became of a message after it took it."""
    return bool(capabilities_of(account).reports)


def _remove_dead_plans(ledger: Ledger, clock: Clock) -> None:
    with ledger.read() as connection:
        dead = find_dead_plans(connection, clock.now_ms())
    if dead:  # seldom, and only then does who just looks wait for those who write
        with suppress(SettingsError), ledger.write() as connection:
            remove_dead_plans(connection, clock.now_ms())


async def _plan_and_send(
    campaign: Campaign, ledger: Ledger | None, account: Account | None, again: bool, stop: Stop, listen: Listen
) -> Summary:
    with ExitStack() as stack:
        if account is None:
            account = Settings.load().account(campaign.provider)
        if ledger is None:
            ledger = stack.enter_context(open_ledger(Settings.load().database))
        planned = await asyncio.to_thread(plan, campaign, ledger=ledger, account=account)
        return await send(stack.enter_context(planned), again=again, stop=stop, listen=listen)


async def _run(
    ledger: Ledger,
    campaign_id: CampaignId,
    account: Account,
    rate: Rate,
    concurrency: int,
    stop: Stop,
    listen: Listen,
    clock: Clock,
) -> Summary:
    with ledger.read() as connection:
        name = get_status(connection, campaign_id).name
    run = Run(
        ledger=ledger,
        campaign_id=campaign_id,
        account=account,
        rate=rate,
        concurrency=concurrency,
        stop=stop,
        listen=listen,
        clock=clock,
        name=name,
    )
    started = clock.monotonic()
    await run.send()
    with ledger.read() as connection:
        status = get_status(connection, campaign_id)
    counts = {state: count for state, count in status.counts.items() if count}
    log.info("ended", extra={"campaign": campaign_id, "state": status.state, "reason": status.reason, **counts})
    return Summary(
        status=status,
        sent=run.done.total(),
        elapsed_s=clock.monotonic() - started,
        exit_status=_exit_status(status, interrupted=stop.asked.is_set()),
    )


def _is_cancelled(status: CampaignStatus) -> InputError:
    return InputError(
        f"{status.name} is cancelled, and what is cancelled is never sent.",
        fix=f"See who got it and who did not: campaigns report {status.name} --to {status.name}.csv",
    )


def _exit_status(status: CampaignStatus, *, interrupted: bool = False) -> ExitStatus:
    if status.state is CampaignState.PAUSED and not PauseReason.LIMIT.is_in(status.reason):
        if interrupted and PauseReason.STOPPED.is_in(status.reason):
            return ExitStatus.INTERRUPTED
        is_stopped = any(reason.is_in(status.reason) for reason in STOPPED_STATES)
        return ExitStatus.STOPPED if is_stopped else ExitStatus.PROBLEMS
    has_problems = status.state is CampaignState.CANCELLED or any(status.counts[state] for state in BAD_STATES)
    return ExitStatus.PROBLEMS if has_problems else ExitStatus.DONE


def _keep_source(paths: Sequence[Path], settings: Mapping[str, Any]) -> None:
    """No report takes the place of the list that it was made from."""
    for path in paths:
        if str(path.resolve()) == settings.get("source"):
            raise InputError(
                f"{path} is the list that the campaign was read from, so no report can be written there.",
                fix=f"Give another name: {path.with_name(f'{path.stem}-report{path.suffix}')}",
            )


def _report_rows(rows: Iterator[OutcomeRow], account: str) -> Iterator[ReportRow]:
    while page := list(islice(rows, PAGE_ROWS)):
        countries = countries_of(pa.array([row.number and row.number[1:] for row in page], pa.string()))
        yield from (_report_row(row, country, account) for row, country in zip(page, countries, strict=True))


def _report_row(row: OutcomeRow, country: str, account: str) -> ReportRow:
    return ReportRow(
        row=row.row,
        phone=row.phone,
        to=row.number,
        country=country,
        status=row.status,
        reason=row.reason,
        detail=row.detail,
        text=row.text,
        encoding=row.encoding,
        segments=row.segments,
        provider=account,
        provider_id=row.provider_id,
        tries=row.tries,
        sent_at=row.sent_at,
        updated_at=row.updated_at,
        cells=row.cells,
    )


def _facts(status: CampaignStatus, settings: Mapping[str, Any]) -> ReportFacts:
    return ReportFacts(
        sandbox=status.account == SANDBOX,
        rate=settings.get("rate", ""),
        purpose=settings.get("purpose", ""),
        **settings.get("found", {}),
    )


def _id_of(status: CampaignStatus) -> CampaignId:
    if status.id is None:
        raise InputError(f"{status.name} is not in the ledger.")
    return status.id
