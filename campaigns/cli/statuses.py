"""How one campaign, and many, are shown: state, account, reports, and what to type next."""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.text import Text

from campaigns.cli.account import account, of_campaign
from campaigns.cli.accounts import silent_accounts
from campaigns.cli.screen import Column, Screen, Stream, fold, table
from campaigns.cli.session import Session
from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import InputError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import CANCELLABLE
from campaigns.model import CampaignState, CampaignStatus, MessageState, PauseReason
from campaigns.pausing import Change
from campaigns.pipeline import find_campaign
from campaigns.reporting import status_object
from campaigns.wording import count, plural

LIST: Final = (
    Column("Id", figures=True),
    Column("Name"),
    Column("State"),
    Column("Messages", figures=True),
    Column("Delivered", figures=True),
    Column("Failed", figures=True),
    Column("Open", figures=True),
    Column("Unknown", figures=True),
    Column("Sent"),
)
FAILED: Final = ("undelivered", "expired", "rejected", "failed")


def show_list(campaigns: Sequence[CampaignStatus], silent: Collection[str], screen: Screen) -> None:
    """All campaigns, one a line; `silent` are the accounts that do not report delivery."""
    if not campaigns:
        screen.show("No campaigns yet.")
        screen.say("next", "campaigns demo")
        return
    screen.show(*table(LIST, [_listed(status, silent) for status in campaigns], screen.out))
    accepted = sum(status.counts["accepted"] for status in campaigns if status.account in silent)
    note = "Failed is undelivered, expired, rejected and failed."
    if accepted:
        note += (
            f' "-" means that the provider does not report delivery: {count(accepted)}'
            f" {'was' if accepted == 1 else 'were'} accepted."
        )
    screen.tell("")
    screen.say("note", note)


def show_status(status: CampaignStatus, session: Session, *, silent: bool) -> None:
    """One campaign as it stands now; `silent` where its account does not report delivery."""
    session.screen.show(*status_lines(status, session.screen.out, silent=silent))
    say_next_after(status, session)


def status_lines(status: CampaignStatus, stream: Stream, *, silent: bool) -> list[Text]:
    """State, time and account, and as of when."""
    open_reports = 0 if silent else status.counts["accepted"]
    waiting = f"; {plural(open_reports, 'delivery report')} still open" if open_reports else ""
    lines = fold(f"{status.name} ({status.id}) is {state_in_words(status)}{waiting}.", stream.width)
    if status.first_sent_at and status.last_sent_at:
        span = _span(status.first_sent_at.astimezone(), status.last_sent_at.astimezone())
        lines += fold(f"Sent {span}, through {status.account}.", stream.width)
    figures = account(of_campaign(status, reports_delivery=not silent), stream.width)
    as_of = f"As of {SYSTEM_CLOCK.now().astimezone():%Y-%m-%d %H:%M:%S}."
    return [*lines, Text(), *figures, Text(), Text(as_of)]


def show_account_of(status: CampaignStatus, screen: Screen, *, silent: bool) -> None:
    """The account between blank lines."""
    screen.show("", *account(of_campaign(status, reports_delivery=not silent), screen.out.width))


def show_reports(paths: Sequence[Path], screen: Screen) -> None:
    """The files that were written, relative to the current folder."""
    if paths:
        label = "Reports: " if len(paths) > 1 else "Report: "
        screen.show_folded(label + ", ".join(relative(path) for path in paths), hang=len(label))


def say_next(status: CampaignStatus, session: Session, *, otherwise: str) -> None:
    """What to type: go on where something is left, or end it, else `otherwise`; and look at what is unknown."""
    steps = []
    if status.unsent:
        left = status.counts[MessageState.PLANNED]  # what a dead sender had on its way is not sent again
        what = f"sends only the {count(left)}" if left > 1 else "sends the one" if left else "settles what is open"
        steps.append(f"{session.command('resume', status.name)}    {what}")
        if status.state is CampaignState.PAUSED and left:
            steps.append(f"{session.command('cancel', status.name)}    leaves {'them' if left > 1 else 'it'} unsent")
    elif otherwise:
        steps.append(otherwise)
    if unknown := status.counts[MessageState.UNKNOWN]:
        look = session.command("status", status.name, "--unknown")
        steps.append(f"{look}    the {count(unknown)}, and what can be done")
    if steps:
        session.screen.say("next", "\n".join(steps))


def say_next_after(status: CampaignStatus, session: Session) -> None:
    """The same; where nothing is left to send, the report, or what settles a cancelled campaign."""
    if status.counts[MessageState.SENDING]:  # its sender lives, or died since
        otherwise = f"{session.command('cancel', status.name)}    once more, settles what is open"
    else:
        otherwise = session.command("report", status.name, "--to", f"reports/{status.name}.html")
    say_next(status, session, otherwise=otherwise)


def show_change(change: Change, session: Session, *, as_json: bool) -> None:
    """What a campaign is after it was paused or cancelled."""
    status = change.status
    if as_json:
        session.screen.show_json(status_object(status))
        return
    session.screen.show_folded(f"{status.name} is {state_in_words(status, already=not change.changed)}.")
    show_account_of(
        status, session.screen, silent=status.account in silent_accounts(session.settings(), [status.account])
    )
    say_next_after(status, session)


def agree_to_cancel(ledger: Ledger, campaign: str, session: Session) -> bool:
    """Ask, with the number of messages that would stay unsent; of what cannot be cancelled nothing is asked."""
    status = find_campaign(ledger, campaign)
    if status.state not in CANCELLABLE:
        return True
    if not session.can_ask:
        raise InputError(
            "There is no terminal to ask on, so nothing was cancelled.",
            fix=f"{session.command('cancel', campaign)} --yes",
        )
    messages = status.counts["rows"] - status.counts["skipped"]
    session.screen.tell(f"{status.name} is {state_in_words(status)}. A cancelled campaign cannot be resumed.")
    left = plural(status.counts[MessageState.PLANNED], "message")
    return session.ask(f"Cancel it, and leave {left} of {count(messages)} unsent?")


def state_in_words(status: CampaignStatus, *, already: bool = False) -> str:
    """The state as a sentence goes on: "paused: you stopped it at 14:02:09", "paused already: you ..."."""
    state = f"{status.state} already" if already else f"{status.state}"
    _, _, detail = status.reason.partition(": ")
    if PauseReason.LIMIT.is_in(status.reason):
        detail = "--limit held the rest back"
    return f"{state}: {detail.rstrip('.')}" if detail else state


def relative(path: Path) -> str:
    """A path from the current folder, where it lies in it."""
    here = Path.cwd()
    absolute = path if path.is_absolute() else here / path
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(path)


def _listed(status: CampaignStatus, silent: Collection[str]) -> list[str]:
    counts, is_silent = status.counts, status.account in silent
    open_now = counts["planned"] + counts["sending"] + (0 if is_silent else counts["accepted"])
    return [
        str(status.id),
        status.name,
        str(status.state),
        count(counts["rows"] - counts["skipped"]),
        "-" if is_silent else count(counts["delivered"]),
        count(sum(counts[word] for word in FAILED)),
        count(open_now),
        count(counts["unknown"]),
        f"{status.first_sent_at.astimezone():%Y-%m-%d}" if status.first_sent_at else "-",
    ]


def _span(first: datetime, last: datetime) -> str:
    """From when to when, with the zone: "2026-08-13 10:00:00 to 10:10:44 CEST"; what is the same is said once."""
    end = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    start = f"{first:%Y-%m-%d %H:%M:%S}"
    return f"{start} {last:%Z}" if start.endswith(end) else f"{start} to {end} {last:%Z}"
