"""What `send`, `text`, `resume` and `demo` have in common: show the plan, ask, send, sum up, write the reports."""

import shlex
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from campaigns import pipeline
from campaigns.cli.accounts import silent_accounts, usable_account
from campaigns.cli.errors import from_system, say_error
from campaigns.cli.figures import show_account, show_first, show_time, tell_notes
from campaigns.cli.listening import listening, metrics_at
from campaigns.cli.options import with_option
from campaigns.cli.progress import reading
from campaigns.cli.running import run
from campaigns.cli.screen import Screen
from campaigns.cli.session import Session
from campaigns.cli.statuses import relative, say_next, show_account_of, show_reports, state_in_words
from campaigns.delivery.stop import Stop
from campaigns.errors import CampaignsError, ExitStatus, InputError, SettingsError
from campaigns.events import Listen
from campaigns.ledger import Ledger
from campaigns.model import CampaignState, CampaignStatus, MessageState, PauseReason, Rate
from campaigns.pipeline import Plan, Summary
from campaigns.reconciling import get_it_twice, settle_dead_sender
from campaigns.reporting import check_places, status_object
from campaigns.settings import Account
from campaigns.wording import count, duration, plural

if TYPE_CHECKING:  # Litestar is only for those who use the built-in sandbox
    from campaigns.web.sandbox import Misbehaviour


class Planner(Protocol):
    """What makes a plan: `plan` or `plan_text`, for a campaign."""

    def __call__(self, *, ledger: Ledger, account: Account, on_rows: Callable[[int, int], None]) -> Plan: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a command sends: whether it asks, what it prints, where it writes."""

    typed: str  #: the command as it was given, which goes on with --yes
    yes: bool = False
    again: bool = False  #: to send although the same was sent lately
    as_json: bool = False
    shows_plan: bool = True
    listed: Sequence[Path] = ()  #: reports of the campaign file; () for the usual ones
    reports: Sequence[Path] = ()  #: further ones
    metrics_port: int | None = None
    misbehaviour: "Misbehaviour | None" = None  #: of the built-in sandbox
    then: str = ""  #: what to type next, where nothing is left; {name} stands for the campaign's

    def mended(self, fix: str) -> str:
        """An advice as one may type it: an option stands in its command, a sentence for itself."""
        words = with_option(shlex.split(self.typed), fix)
        return fix if words is None else shlex.join(words)


def plan_and_send(
    session: Session, find_account: Callable[[], Account], planner: Planner, manner: Manner
) -> ExitStatus:
    """Plan a campaign, ask, send it and report; where the answer is no, nothing is left of it."""
    if not manner.yes:
        _require_terminal(session, manner)
    check_places([*manner.listed, *manner.reports])
    screen = session.screen
    with ExitStack() as stack:
        try:
            metrics = stack.enter_context(metrics_at(manner.metrics_port, screen))
            account = stack.enter_context(usable_account(find_account(), screen, manner.misbehaviour))
            ledger = stack.enter_context(session.ledger())
            with reading(lambda: session.screen) as on_rows:
                plan = stack.enter_context(planner(ledger=ledger, account=account, on_rows=on_rows))
            repeats = None if manner.again else plan.sent_lately()
            agreed = _agree_to_repeat(session, repeats, manner) and _agree(session, plan, manner)
        except KeyboardInterrupt:
            return _nothing_sent(screen, ExitStatus.INTERRUPTED)
        if not agreed:
            return _nothing_sent(screen, ExitStatus.DONE)
        if not manner.listed:
            check_places([pipeline.REPORT_FOLDER / f"{plan.name}{suffix}" for suffix in (".html", ".xlsx", ".csv")])
        work = partial(pipeline.send, plan, again=manner.again or repeats is not None)
        summary = _run(session, plan.name, work, metrics)
        return _finish(session, ledger, summary, manner, silent=not pipeline.reports_delivery(account))


def resume(
    session: Session, campaign: str, rate: Rate | None, manner: Manner, *, retry_unknown: bool = False
) -> ExitStatus:
    """Send what is left of a campaign, after asking, and report; with nothing left only the report is written."""
    check_places(manner.reports)
    with ExitStack() as stack:
        metrics = stack.enter_context(metrics_at(manner.metrics_port, session.screen))
        ledger = stack.enter_context(session.ledger())
        if retry_unknown:  # what a dead sender had on its way is meant, too
            settle_dead_sender(ledger, campaign)
        status = pipeline.find_campaign(ledger, campaign)
        again = pipeline.unknown_to_send(status, retry_unknown=retry_unknown)
        left = status.unsent + again
        try:
            agreed = manner.yes or not left or _agree_to_go_on(session, status, again, manner)
        except KeyboardInterrupt:
            return _nothing_sent(session.screen, ExitStatus.INTERRUPTED)
        if not agreed:
            return _nothing_sent(session.screen, ExitStatus.DONE)
        account = None
        if left:
            check_places(pipeline.default_reports(status))
            account = session.settings().account(status.account)
            account = stack.enter_context(usable_account(account, session.screen))
        go_on = partial(pipeline.resume, campaign, ledger=ledger, account=account, rate=rate)
        summary = _run(session, status.name, partial(go_on, retry_unknown=retry_unknown), metrics)
        silent = status.account in silent_accounts(session.settings(), [status.account])
        return _finish(session, ledger, summary, manner, silent=silent)


def _require_terminal(session: Session, manner: Manner) -> None:
    if not session.can_ask:
        why = "With --log-json nobody is asked" if session.log_json else "There is no terminal to ask on"
        raise InputError(f"{why}, so nothing was planned or sent.", fix=f"{manner.typed} --yes")


def _agree_to_repeat(session: Session, repeats: InputError | None, manner: Manner) -> bool:
    """Ask, where the same was sent lately; --yes is no answer to that."""
    if repeats is None:
        return True
    if manner.yes:
        raise repeats
    session.screen.tell(repeats.what)
    return session.ask("Send it to them again?")


def _agree(session: Session, plan: Plan, manner: Manner) -> bool:
    """Show what would be sent, and ask."""
    screen = session.screen
    if plan.renamed_from and manner.shows_plan:
        screen.say("note", f'There is a campaign "{plan.renamed_from}" already; this one is called "{plan.name}".')
    if manner.shows_plan and not (manner.as_json and manner.yes):
        _show_plan(plan, Screen(screen.err, screen.err, screen.show_numbers) if manner.as_json else screen, manner)
    return manner.yes or session.ask(_question(plan))


def _show_plan(plan: Plan, screen: Screen, manner: Manner) -> None:
    show_account(plan.preflight, screen)
    show_first(plan.preflight, screen)
    screen.show("")
    screen.show_folded(f"From: {plan.sender}, through {plan.account.name}", hang=6)
    show_time(plan.ready, plan.rate, screen)
    tell_notes(plan.preflight, screen, manner.mended)
    screen.show("")


def _question(plan: Plan) -> str:
    if plan.ready < plan.preflight.recipients:
        return f"Send the first {count(plan.ready)} of {plural(plan.preflight.recipients, 'message')}?"
    return f"Send {plural(plan.ready, 'message')}?"


def _agree_to_go_on(session: Session, status: CampaignStatus, again: int, manner: Manner) -> bool:
    """Say how far the campaign is, and ask; `again` are the unknown messages that would be sent once more."""
    _require_terminal(session, manner)
    left, screen = status.unsent, session.screen
    messages = status.counts["rows"] - status.counts["skipped"]
    done = messages - left - again
    screen.tell(
        f"{status.name} is {state_in_words(status)}. {count(done)} of {count(messages)} are done and will not be sent "
        "again."
    )
    rest = f"Send the {count(left)} that are left" if left > 1 else "Send the one that is left"
    if not again:
        return session.ask(f"{rest}?")
    unknown = f"the {count(again)} that are unknown" if again > 1 else "the one that is unknown"
    takes_once = pipeline.unknown_to_send(status, session.settings().account(status.account))
    risk = f"{status.account} takes each once" if takes_once else f"at the risk that {get_it_twice(again)}"
    return session.ask(f"{f'{rest}, and {unknown} again' if left else f'Send {unknown} again'}, {risk}?")


def _nothing_sent(screen: Screen, status: ExitStatus) -> ExitStatus:
    interrupted = status is ExitStatus.INTERRUPTED and screen.err.terminal
    screen.tell("\nNothing was sent." if interrupted else "Nothing was sent.")  # below the ^C
    return status


def _run(
    session: Session, name: str, work: Callable[..., Coroutine[Any, Any, Summary]], further: Sequence[Listen]
) -> Summary | None:
    """Send until all is done or the user stops it; None where that left no time to write down how far it came."""
    stop = Stop()
    try:
        with listening(session, further) as listen:
            return run(lambda: work(stop=stop, listen=listen), stop)
    except (SettingsError, KeyboardInterrupt) as error:
        if not stop.aborted.is_set():
            raise
        if isinstance(error, SettingsError):
            say_error(error, session.screen)
    session.screen.say("note", f"{name} was stopped at once: what was on its way becomes unknown, the rest is kept.")
    session.screen.say("next", session.command("resume", name))
    return None


def _finish(session: Session, ledger: Ledger, summary: Summary | None, manner: Manner, *, silent: bool) -> ExitStatus:
    """Show what became of the campaign, write its reports, and say what to type next."""
    if summary is None:
        return ExitStatus.INTERRUPTED
    status, screen = summary.status, session.screen
    try:
        if manner.as_json:
            screen.show_json(status_object(status))
        else:
            screen.show_folded(_headline(summary))
            show_account_of(status, screen, silent=silent)
        written = _write_reports(ledger, status, manner)
    except (CampaignsError, OSError, KeyboardInterrupt) as error:
        return _without_reports(session, summary, error)
    if written and manner.as_json:
        show_reports(written, Screen(screen.err, screen.err))
    elif written:
        screen.show("")
        show_reports(written, screen)
    if PauseReason.ACCOUNT_PROBLEM.is_in(status.reason):
        _say_account_problem(status, session)
    else:
        say_next(status, session, otherwise=manner.then.format(name=status.name) or _open(written))
    return summary.exit_status


def _write_reports(ledger: Ledger, status: CampaignStatus, manner: Manner) -> list[Path]:
    usual = manner.listed or pipeline.default_reports(status)
    return pipeline.report(ledger, status.name, list(dict.fromkeys([*usual, *manner.reports])))


def _without_reports(session: Session, summary: Summary, error: BaseException) -> ExitStatus:
    """What was sent stays sent, and the ledger holds it: only the reports are left to write."""
    status, screen = summary.status, session.screen
    if isinstance(error, CampaignsError | OSError):
        say_error(from_system(error) if isinstance(error, OSError) else error, screen)
    screen.say("note", f"{status.name} is {status.state}; only its reports were not written.")
    screen.say("next", session.command("report", status.name, "--to", f"{status.name}.html"))
    if isinstance(error, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED
    return summary.exit_status or ExitStatus.PROBLEMS


def _headline(summary: Summary) -> str:
    status = summary.status
    if status.state is not CampaignState.DONE:
        return f"{status.name} is {state_in_words(status)}."
    if not summary.sent:
        return f"{status.name} is done; nothing was left to send."
    return f"{status.name} is done: {plural(summary.sent, 'message')} in {duration(summary.elapsed_s)}."


def _say_account_problem(status: CampaignStatus, session: Session) -> None:
    """What the provider said, what became of the campaign, and how it goes on."""
    problem = status.reason.partition(": ")[2].rstrip(".")
    sent_nothing = not any(status.counts[state] for state in MessageState if state not in ("planned", "skipped"))
    nothing = "Nothing was sent; " if sent_nothing else ""
    everything = "" if not sent_nothing else "all " if status.unsent > 1 else "its "
    session.screen.say(
        "error",
        f"{problem}. {nothing}{status.name} is paused with {everything}{plural(status.unsent, 'message')}.",
    )
    going_on = session.command("resume", status.name)
    session.screen.say("fix", f"campaigns providers check {status.account}, then: {going_on}")


def _open(written: Sequence[Path]) -> str:
    pages = [relative(path) for path in written if path.suffix == ".html"]
    return f"Open {pages[0]}" if pages else ""
