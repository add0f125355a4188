"""`campaigns status --watch`: the status redrawn on a terminal, a line at each change elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from campaigns.cli.account import ORDER
from campaigns.cli.accounts import silent_accounts
from campaigns.cli.session import Session
from campaigns.cli.statuses import say_next_after, state_in_words, status_lines
from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import ExitStatus
from campaigns.model import CampaignStatus, MessageState
from campaigns.reporting import status_object
from campaigns.watching import watch
from campaigns.wording import count, share

Show = Callable[[CampaignStatus], None]
NO_OUTCOME: Final = ("rows", MessageState.SKIPPED, MessageState.PLANNED, MessageState.SENDING)


def follow(session: Session, campaign: str, *, as_json: bool) -> ExitStatus:
    """Show the campaign until it has nothing left to do. Ctrl-C ends it with 130: it was not seen to its end."""
    with session.ledger() as ledger:
        looks = watch(ledger, campaign)
        try:
            last = _shown(session, looks, as_json=as_json)
        except KeyboardInterrupt:
            return ExitStatus.INTERRUPTED
    if not as_json:
        say_next_after(last, session)
    return ExitStatus.DONE


def _shown(session: Session, looks: Iterator[CampaignStatus], *, as_json: bool) -> CampaignStatus:
    last = next(looks)
    with _manner(session, last, as_json=as_json) as show:
        show(last)
        for status in looks:
            show(status)
            last = status
    return last


@contextmanager
def _manner(session: Session, first: CampaignStatus, *, as_json: bool) -> Iterator[Show]:
    screen = session.screen
    if as_json:
        yield _at_changes(lambda status: screen.show_json(status_object(status), indent=None))
    elif not screen.out.terminal or session.environ.get("TERM") == "dumb":
        yield _at_changes(lambda status: screen.show(_line(status)))
    else:
        silent = first.account in silent_accounts(session.settings(), [first.account])
        with screen.out.redrawn() as draw:
            yield lambda status: draw(status_lines(status, session.screen.out, silent=silent))


def _at_changes(show: Show) -> Show:
    """Show a status only where it is another than the one before."""
    last: CampaignStatus | None = None

    def show_new(status: CampaignStatus) -> None:
        nonlocal last
        if status != last:
            show(status)
        last = status

    return show_new


def _line(status: CampaignStatus) -> str:
    """For logs and pipes: "14:02:09 running. 1,312 of 2,400 (54.7 %): rejected 2, accepted 1,310"."""
    messages = status.counts["rows"] - status.counts[MessageState.SKIPPED]
    outcomes = {word: status.counts[word] for word in ORDER if word not in NO_OUTCOME and status.counts.get(word)}
    done = sum(outcomes.values())
    said = ", ".join(f"{word} {count(figure)}" for word, figure in outcomes.items()) or "none has an outcome yet"
    now = SYSTEM_CLOCK.now().astimezone()
    return (
        f"{now:%H:%M:%S} {state_in_words(status)}. {count(done)} of {count(messages)} ({share(done, messages)}): {said}"
    )
