"""The sample campaign that `campaigns demo` sends: where it is, what it is called, where its ledger lies."""

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from campaigns.campaign import Campaign
from campaigns.cli.sending import Manner, plan_and_send
from campaigns.cli.session import Session
from campaigns.errors import ExitStatus
from campaigns.ledger import Ledger
from campaigns.pipeline import Plan, plan
from campaigns.settings import Account, sandbox_account
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour

SAMPLE: Final = "discount-codes.toml"
NAME: Final = "demo"
REFUSED: Final = ("92", "99")  #: endings of numbers; a few, to show how a refusal looks


def send_sample(session: Session) -> ExitStatus:
    """Send it; that the sandbox refuses a few belongs to the show, so it ends with 0 all the same."""
    campaign = replace(Campaign.load(samples_folder() / SAMPLE), file=Path(f"{NAME}.toml"))  # named so, then demo-2
    session.database = session.database or str(user_data_path("campaigns", appauthor=False) / "demo.db")

    def planner(*, ledger: Ledger, account: Account, on_rows: Callable[[int, int], None]) -> Plan:
        planned = plan(campaign, ledger=ledger, account=account, on_rows=on_rows)
        session.screen.tell(f'Sending samples/{SAMPLE} as "{planned.name}".')
        return planned

    manner = Manner(
        typed="campaigns demo",
        yes=True,
        again=True,
        shows_plan=False,
        misbehaviour=Misbehaviour(refusals={ending: REFUSALS[ending] for ending in REFUSED}),
        then="Open reports/{name}.html, then try your own list: campaigns check lista.csv",
    )
    status = plan_and_send(session, sandbox_account, planner, manner)
    return ExitStatus.DONE if status is ExitStatus.PROBLEMS else status


def samples_folder() -> Path:
    """In the installed package; beside it in a checkout."""
    package = Path(str(files("campaigns")))
    inside = package / "samples"
    return inside if inside.is_dir() else package.parent / "samples"
