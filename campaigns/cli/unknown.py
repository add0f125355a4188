"""Messages that may have been taken: what can be done about them, and `campaigns reconcile`, which asks about them."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

import click

from campaigns.cli.group import Command
from campaigns.cli.options import JSON
from campaigns.cli.screen import Column, Screen, table
from campaigns.cli.session import Session
from campaigns.errors import ExitStatus, SettingsError
from campaigns.wording import count, duration, plural

if TYPE_CHECKING:  # a command imports what it needs when it runs: see campaigns.cli
    from campaigns.events import Event
    from campaigns.ledger import Ledger
    from campaigns.ledger.unknown import UnknownMessage
    from campaigns.model import CampaignStatus
    from campaigns.reconciling import Reconciled

COLUMNS: Final = (
    Column("Row", figures=True),
    Column("To"),
    Column("Sent at"),
    Column("What happened"),
)
MOST_ROWS: Final = 10
ALL_ROWS: Final = 1_000_000_000
ONE: Final = ("is", "it", "It is", "itself")
MANY: Final = ("are", "them", "They are", "themselves")


@click.command(cls=Command)
@click.argument("campaign", metavar="CAMPAIGN")
@JSON
@click.pass_obj
def reconcile(session: Session, campaign: str, as_json: bool) -> ExitStatus:
    """Ask the provider about messages that are unknown, and settle what it can say.

    CAMPAIGN is its name or its id, as in: campaigns list. Nothing is sent: what was surely never taken is planned
    again, for: campaigns resume. Ends with 1 where messages stay unknown, with 2 where the provider cannot be asked.

    \b
    Example:
      campaigns reconcile sommarrea
    """
    from campaigns.pipeline import find_campaign
    from campaigns.reconciling import reconcile as ask
    from campaigns.reporting import status_object

    with session.ledger() as ledger:
        account = session.settings().account(find_campaign(ledger, campaign).account)
        result = asyncio.run(ask(campaign, ledger=ledger, account=account, listen=partial(_tell, session.screen)))
    if as_json:
        session.screen.show_json(status_object(result.status))
    else:
        _show_reconciled(result, session)
    return ExitStatus.PROBLEMS if result.status.counts["unknown"] else ExitStatus.DONE


def show_unknown(status: "CampaignStatus", ledger: "Ledger", session: Session, *, full: bool, as_json: bool) -> None:
    """The unknown messages of a campaign, ten of them unless `full`, and what can be done."""
    from campaigns.ledger.unknown import read_unknown

    total, screen = status.counts["unknown"], session.screen
    size = ALL_ROWS if full or as_json else MOST_ROWS
    with ledger.read() as connection:
        messages = read_unknown(connection, status.id, ledger.prefix, size) if status.id else []
    if as_json:
        screen.show_json([_as_object(message) for message in messages])
        return
    if not total:
        screen.show_folded(f"{status.name} has no unknown messages.")
        return
    are, them, they_are, themselves = ONE if total == 1 else MANY
    screen.show_folded(
        f"{plural(total, 'message')} {are} unknown: the request left, but no answer came. The provider may or may not "
        f"have taken {them}. {they_are} not sent again by {themselves}."
    )
    screen.show("", *table(COLUMNS, [_row(message, screen) for message in messages], screen.out))
    if total > len(messages):
        screen.show(f"and {count(total - len(messages))} more: --full")
    screen.tell("")
    _say_what_can_be_done(status, session)


def _say_what_can_be_done(status: "CampaignStatus", session: Session) -> None:
    from campaigns.cli.accounts import silent_accounts
    from campaigns.providers.base import DuplicateGuard, guard_of
    from campaigns.reconciling import get_it_twice

    account, total, screen = status.account, status.counts["unknown"], session.screen
    settings = session.settings()
    try:
        guard = guard_of(settings.account(account))
    except SettingsError as error:  # what it could do cannot be known
        screen.say("note", error.what)
        screen.say("fix", error.fix)
        return
    steps = []
    if DuplicateGuard.LOOKUP in guard:
        steps.append(f"{session.command('reconcile', status.name)}    asks {account} about the {count(total)}")
    if DuplicateGuard.KEY in guard:
        screen.say("note", f"{account} takes each message once, so that nobody gets it twice if it is sent again.")
        steps.append(f"{session.command('resume', status.name)}    sends the {count(total)} again")
    if not guard:
        reports = account not in silent_accounts(settings, [account])
        late = " A late delivery report settles it, also days later." if reports else ""
        screen.say("note", f"{account} cannot be asked about a message.{late}")
        again = f"end again, at the risk that {get_it_twice(total)}:"
        steps += [f"Wait; or s{again}" if reports else f"S{again}"]
        steps += [session.command("resume", status.name, "--retry-unknown")]
    screen.say("next", "\n".join(steps))


def _row(message: "UnknownMessage", screen: Screen) -> tuple[str, ...]:
    sent = f"{message.sent_at.astimezone():%H:%M:%S}" if message.sent_at else "-"
    return count(message.row), screen.number(message.number), sent, message.what_happened


def _as_object(message: "UnknownMessage") -> dict[str, object]:
    return {
        "row": message.row,
        "to": message.number,
        "sent_at": message.sent_at.isoformat() if message.sent_at else None,
        "what_happened": message.what_happened,
    }


def _show_reconciled(result: "Reconciled", session: Session) -> None:
    from campaigns.cli.accounts import silent_accounts
    from campaigns.cli.statuses import say_next, show_account_of

    status, screen = result.status, session.screen
    if not result.asked:
        screen.show_folded(f"{status.name} has no unknown messages, so nothing was asked.")
    else:
        screen.show_folded(
            f"{status.account} was asked about {plural(result.asked, 'unknown message')}: {_in_words(result)}."
        )
    show_account_of(status, screen, silent=status.account in silent_accounts(session.settings(), [status.account]))
    if result.ask_after:
        still = plural(status.counts["unknown"], "message")
        screen.say(
            "note",
            f"{still} not known to {status.account} may still be on the way. "
            f"Ask again after {result.ask_after.astimezone():%H:%M:%S}.",
        )
    say_next(status, session, otherwise=session.command("report", status.name, "--to", f"reports/{status.name}.html"))


def _in_words(result: "Reconciled") -> str:
    never = {"planned", "cancelled"}
    parts = [f"{state} {count(figure)}" for state, figure in result.settled.items() if state not in never]
    never_taken = sum(result.settled[state] for state in never)
    parts += [f"never taken {count(never_taken)}"] if never_taken else []
    parts += [f"still unknown {count(result.status.counts['unknown'])}"] if result.status.counts["unknown"] else []
    return ", ".join(parts)


def _tell(screen: Screen, event: "Event") -> None:
    from campaigns.events import Held

    if isinstance(event, Held):
        screen.tell(f"{event.account} cannot say it yet. Asking again in {duration(event.seconds)}.")
