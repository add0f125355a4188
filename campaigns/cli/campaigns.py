"""`campaigns list`, `status` and `report`: what became of campaigns, and their reports."""

from pathlib import Path

import click

from campaigns.cli.group import Command
from campaigns.cli.options import JSON, option
from campaigns.cli.session import Session
from campaigns.errors import ExitStatus


@click.command("list", cls=Command)
@JSON
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """Show all campaigns, the newest first.

    \b
    Example:
      campaigns list
    """
    from campaigns import pipeline
    from campaigns.cli.accounts import silent_accounts
    from campaigns.cli.statuses import show_list
    from campaigns.reporting import status_object

    with session.ledger() as ledger:
        campaigns = pipeline.list_campaigns(ledger)
    if as_json:
        session.screen.show_json([status_object(status) for status in campaigns])
    else:
        silent = silent_accounts(session.settings(), [status.account for status in campaigns])
        show_list(campaigns, silent, session.screen)


@click.command(cls=Command)
@click.argument("campaign", metavar="CAMPAIGN")
@option("--watch", section="Output", is_flag=True, help="Stay, and show each change until nothing is left to do")
@option("--unknown", section="Output", is_flag=True, help="Show what may have been taken, and what can be done")
@option("--full", section="Output", is_flag=True, help="Of these all, not only ten")
@JSON
@click.pass_obj
def status(session: Session, campaign: str, watch: bool, unknown: bool, full: bool, as_json: bool) -> ExitStatus:
    """Show one campaign: its state, and what became of its messages.

    CAMPAIGN is its name or its id, as in: campaigns list. With --watch it is redrawn until it is done, paused or
    cancelled; without a terminal, or as JSON, each change is a line. Ctrl-C only ends the watch.

    \b
    Examples:
      campaigns status demo
      campaigns status demo --unknown
      campaigns status 17 --json
      campaigns status sommarrea --watch
    """
    if watch:
        from campaigns.cli.watching import follow

        return follow(session, campaign, as_json=as_json)
    from campaigns import pipeline
    from campaigns.cli.accounts import silent_accounts
    from campaigns.cli.statuses import show_status
    from campaigns.cli.unknown import show_unknown
    from campaigns.reporting import status_object

    with session.ledger() as ledger:
        found = pipeline.find_campaign(ledger, campaign)
        if unknown:
            show_unknown(found, ledger, session, full=full, as_json=as_json)
            return ExitStatus.DONE
    if as_json:
        session.screen.show_json(status_object(found))
    else:
        silent = found.account in silent_accounts(session.settings(), [found.account])
        show_status(found, session, silent=silent)
    return ExitStatus.DONE


@click.command(cls=Command)
@click.argument("campaign", metavar="CAMPAIGN")
@option(
    "--to",
    section="Output",
    metavar="PATH",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="File to write: .csv .xlsx .html .json .jsonl; may be repeated",
)
@click.pass_obj
def report(session: Session, campaign: str, to: tuple[Path, ...]) -> None:
    """Write the report: every row of the file, and what became of it.

    CAMPAIGN is its name or its id, as in: campaigns list

    \b
    Examples:
      campaigns report demo --to reports/demo.csv
      campaigns report demo --to reports/demo.xlsx --to reports/demo.html
    """
    from campaigns import pipeline
    from campaigns.cli.statuses import show_reports

    with session.ledger() as ledger:
        written = pipeline.report(ledger, campaign, to)
    show_reports(written, session.screen)
