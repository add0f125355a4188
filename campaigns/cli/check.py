"""`campaigns check`: show what a send would do, and send nothing."""

from pathlib import Path
from typing import Any, Final

import click

from campaigns.cli.group import Command
from campaigns.cli.options import (
    DELIVERY,
    JSON,
    MAX_FAILURES,
    MESSAGE,
    NAME,
    NOT_WITHIN,
    RECIPIENTS,
    REPORT,
    as_typed,
    load_campaign,
    option,
    options,
)
from campaigns.cli.session import Session

FIRST: Final = 100  #: problems in the JSON object unless told


class Problems(click.ParamType[int]):
    """A number, or "all" (-1)."""

    name = "all|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "all":
            return -1
        if isinstance(value, int):
            return value
        if not str(value).isdecimal():
            self.fail(f'"{value}" is neither a number nor "all".', param, ctx)
        return int(value)


@click.command(cls=Command)
@click.argument("source", metavar="SOURCE")
@options(RECIPIENTS, MESSAGE, DELIVERY, NOT_WITHIN, MAX_FAILURES, NAME)
@option("--problems", section="Output", type=Problems(), metavar="all|N", help="List the rows with problems, by row")
@option(
    "--fixed",
    section="Output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write the cleaned list and the rows to mend, .xlsx or .csv",
)
@options(REPORT, JSON)
@click.pass_obj
def check(
    session: Session,
    /,
    source: str,
    problems: int | None,
    fixed: Path | None,
    reports: tuple[Path, ...],
    as_json: bool,
    **keys: Any,
) -> None:
    """Show what would be sent, and to whom; send nothing.

    SOURCE is a campaign file (.toml) or a recipient file (.csv .tsv .txt .xlsx .xlsm .xlsb .xls .ods). It is read as
    a send would read it: numbers, duplicates, texts and segments. No account is needed, and nothing is written but
    the files that are asked for.

    \b
    Examples:
      campaigns check lista.csv
      campaigns check lista.csv --message "Hej {{ förnamn }}!" --problems all
      campaigns check lista.toml --report reports/check.csv
      campaigns check kunder.xlsx --fixed mend.xlsx
    """
    from campaigns.cli.checked import Asked, as_object, show_check
    from campaigns.cli.figures import nothing_ready
    from campaigns.cli.progress import reading
    from campaigns.preflight import check as look_at

    campaign = load_campaign(source, keys)
    campaign.check_reports(reports)
    most = FIRST if problems is None else None if problems < 0 else problems
    with reading(lambda: session.screen) as on_rows:
        found = look_at(campaign, reports=reports, fixed=fixed, problems=most, on_rows=on_rows)
    asked = Asked(session, campaign, as_typed([source], keys), reports, list_problems=problems is not None)
    if as_json:
        session.screen.show_json(as_object(found))
    else:
        show_check(found, asked)
    if not found.recipients:
        raise nothing_ready(found, asked.command("check", "--problems", "all"), asked.mended)
