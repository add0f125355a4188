"""`campaigns send`, `text` and `resume`: the commands after which people get messages."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from campaigns.cli.check import check
from campaigns.cli.group import Command
from campaigns.cli.options import (
    DELIVERY,
    JSON,
    MAX_FAILURES,
    MESSAGE,
    METRICS_PORT,
    NAME,
    NOT_WITHIN,
    PROVIDER,
    RATE,
    RECIPIENTS,
    REPORT,
    YES,
    as_typed,
    load_campaign,
    option,
    options,
)
from campaigns.cli.session import Session
from campaigns.errors import ExitStatus


@click.command(cls=Command)
@click.argument("source", metavar="SOURCE")
@options(RECIPIENTS, MESSAGE, DELIVERY)
@option("--dry-run", section="Safety", is_flag=True, help="Send nothing; the same as check")
@option(
    "--limit", section="Safety", type=click.IntRange(min=1), metavar="N", help="Only the first N; the rest by resume"
)
@option("--again", section="Safety", is_flag=True, help="Send although the same was sent within 7 days")
@options(NOT_WITHIN, YES, MAX_FAILURES, NAME, REPORT, JSON, METRICS_PORT)
@click.pass_context
def send(
    ctx: click.Context,
    /,
    source: str,
    dry_run: bool,
    limit: int | None,
    again: bool,
    yes: bool,
    reports: tuple[Path, ...],
    as_json: bool,
    metrics_port: int | None,
    **keys: Any,
) -> ExitStatus | None:
    """Send a campaign: plan it, ask, send, report.

    SOURCE is a campaign file (.toml) or a recipient file (.csv .tsv .txt .xlsx .xlsm .xlsb .xls .ods). Every setting
    of a campaign file has an option; options win.

    \b
    Examples:
      campaigns send sommarrea.toml
      campaigns send lista.csv --message-file text.txt --from Lindbergs
      campaigns send lista.toml --limit 20
    """
    if dry_run:
        ctx.invoke(check, source=source, reports=reports, as_json=as_json, **keys)
        return None
    from campaigns.cli.progress import reading
    from campaigns.cli.sending import Manner, plan_and_send
    from campaigns.pipeline import plan, prepare_to_send

    session, campaign = ctx.ensure_object(Session), load_campaign(source, keys)
    campaign.check_reports(reports)
    with reading(lambda: session.screen):  # whatever is wrong with the file is said before anything else
        preparation = prepare_to_send(campaign)
    given = {"limit": limit, "again": again or None, "metrics_port": metrics_port}
    typed = session.command("send", *as_typed([source], keys | given))
    return plan_and_send(
        session,
        lambda: session.settings().account(campaign.provider),
        partial(plan, campaign, limit=limit, preparation=preparation, command=typed),
        Manner(
            typed=typed,
            yes=yes,
            again=again,
            as_json=as_json,
            listed=campaign.reports,
            reports=reports,
            metrics_port=metrics_port,
        ),
    )


@click.command(cls=Command)
@click.argument("numbers", metavar="NUMBER...", nargs=-1, required=True)
@option("--message", section="Message", metavar="TEXT", required=True, help="The text")
@option("--from", "from_", section="Message", metavar="SENDER", help="Name or number that people see")
@option("--region", section="Message", metavar="CODE", help="Country of national numbers  [default: SE]")
@option("--allow-landline", section="Message", is_flag=True, default=None, help="Take every valid number")
@options(PROVIDER, RATE, YES, REPORT, JSON, METRICS_PORT)
@click.pass_obj
def text(
    session: Session,
    /,
    numbers: tuple[str, ...],
    yes: bool,
    reports: tuple[Path, ...],
    as_json: bool,
    metrics_port: int | None,
    **keys: Any,
) -> ExitStatus:
    """Send one text to one or several numbers, after asking; no file is needed.

    \b
    Examples:
      campaigns text 070-1740605 --message "Vi ses kl. 18." --from Lindbergs
      campaigns text 070-1740605 070-1740606 --message "Hej!" --provider sandbox
    """
    from campaigns.cli.options import campaign_without_file
    from campaigns.cli.sending import Manner, plan_and_send
    from campaigns.pipeline import plan_text

    campaign = campaign_without_file(keys)
    typed = session.command("text", *as_typed(numbers, keys | {"metrics_port": metrics_port}))
    return plan_and_send(
        session,
        lambda: session.settings().account(campaign.provider),
        lambda ledger, account, **_: plan_text(numbers, campaign, ledger=ledger, account=account),
        Manner(typed=typed, yes=yes, as_json=as_json, reports=reports, metrics_port=metrics_port),
    )


@click.command(cls=Command)
@click.argument("campaign", metavar="CAMPAIGN")
@options(RATE, YES)
@option("--retry-unknown", section="Safety", is_flag=True, help="Send also what may have been taken: it may come twice")
@options(REPORT, JSON, METRICS_PORT)
@click.pass_obj
def resume(
    session: Session,
    /,
    campaign: str,
    rate: str | None,
    yes: bool,
    retry_unknown: bool,
    reports: tuple[Path, ...],
    as_json: bool,
    metrics_port: int | None,
) -> ExitStatus:
    """Go on with a campaign that stopped: send what is left, after asking.

    CAMPAIGN is its name or its id, as in: campaigns list. Nobody gets a message twice: what may have been taken
    already is not sent again, unless the provider takes each message once, or --retry-unknown says so.

    \b
    Examples:
      campaigns resume sommarrea
      campaigns resume 17 --rate 10/s --yes
    """
    from campaigns.cli.sending import Manner
    from campaigns.cli.sending import resume as go_on
    from campaigns.model import Rate

    given = {"rate": rate, "retry_unknown": retry_unknown or None, "metrics_port": metrics_port}
    typed = session.command("resume", *as_typed([campaign], given))
    manner = Manner(typed=typed, yes=yes, as_json=as_json, reports=reports, metrics_port=metrics_port)
    return go_on(session, campaign, None if rate is None else Rate.parse(rate), manner, retry_unknown=retry_unknown)
