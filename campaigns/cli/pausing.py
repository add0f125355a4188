"""`campaigns pause` and `cancel`: hold a campaign, or end it, from any terminal."""

import click

from campaigns.cli.group import Command
from campaigns.cli.options import JSON, YES, options
from campaigns.cli.session import Session


@click.command(cls=Command)
@click.argument("campaign", metavar="CAMPAIGN")
@options(JSON)
@click.pass_obj
def pause(session: Session, campaign: str, as_json: bool) -> None:
    """Hold a campaign, from any terminal: within a second nothing more of it leaves.

    CAMPAIGN is its name or its id, as in: campaigns list. What is on its way gets its answer; the rest waits for:
    campaigns resume

    \b
    Example:
      campaigns pause sommarrea
    """
    from campaigns import pausing
    from campaigns.cli.statuses import show_change

    with session.ledger() as ledger:
        show_change(pausing.pause(ledger, campaign), session, as_json=as_json)


@click.command(cls=Command)
@click.argument("campaign", metavar="CAMPAIGN")
@options(YES, JSON)
@click.pass_obj
def cancel(session: Session, campaign: str, yes: bool, as_json: bool) -> None:
    """End a campaign for good, after asking; what has not left stays unsent.

    CAMPAIGN is its name or its id, as in: campaigns list. It takes effect within a second, also on a campaign that
    another terminal sends. What is on its way gets its answer. A cancelled campaign is never sent again.

    \b
    Examples:
      campaigns cancel sommarrea
      campaigns cancel 17 --yes
    """
    from campaigns import pausing
    from campaigns.cli.statuses import agree_to_cancel, show_change

    with session.ledger() as ledger:
        if yes or agree_to_cancel(ledger, campaign, session):
            show_change(pausing.cancel(ledger, campaign), session, as_json=as_json)
        else:
            session.screen.tell("Nothing was cancelled.")
