"""The command line: one file per noun, each loaded when its command is called.

A command reads options, calls one function of the package, and shows its result. So that every help page appears at
once, the command files import pandas, the ledger and the web only inside the commands themselves.
"""

from typing import Final

import click

from campaigns import __version__
from campaigns.cli.group import Entry, Program, shared_options
from campaigns.cli.session import Session

COMMANDS: Final = {
    "demo": Entry("Before", "Send a sample campaign to a sandbox on this machine", "campaigns.cli.demo:demo"),
    "check": Entry("Before", "Show what would be sent, and to whom; send nothing", "campaigns.cli.check:check"),
    "send": Entry("Sending", "Send a campaign, after asking", "campaigns.cli.send:send"),
    "text": Entry("Sending", "Send one text to one or several numbers", "campaigns.cli.send:text"),
    "resume": Entry("Sending", "Go on with a campaign that stopped", "campaigns.cli.send:resume"),
    "pause": Entry("Sending", "Hold a campaign, from any terminal", "campaigns.cli.pausing:pause"),
    "cancel": Entry("Sending", "End a campaign; what has not left stays unsent", "campaigns.cli.pausing:cancel"),
    "list": Entry("After", "Show all campaigns", "campaigns.cli.campaigns:list_"),
    "status": Entry("After", "Show one campaign", "campaigns.cli.campaigns:status"),
    "report": Entry("After", "Write the report: .csv .xlsx .html .json .jsonl", "campaigns.cli.campaigns:report"),
    "reconcile": Entry("After", "Ask the provider about messages that are unknown", "campaigns.cli.unknown:reconcile"),
    "providers": Entry(
        "Set-up", "Services that carry messages: list, log in, check", "campaigns.cli.providers:providers"
    ),
    "sandbox": Entry("Set-up", "A pretend service on this machine", "campaigns.cli.sandbox:sandbox"),
    "db": Entry("Set-up", "The ledger: upgrade, check, vacuum, backup", "campaigns.cli.db:db"),
    "guide": Entry("Set-up", "Longer texts: campaign files, numbers, reports ...", "campaigns.cli.guide:guide"),
}

EXAMPLE: Final = 'Example: campaigns check lista.csv --message "Hej {{ förnamn }}!"'

EXIT_CODES: Final = (
    "Exit codes: 0 done, 1 done but some messages were rejected, failed or are unknown, 2 wrong usage or input, "
    "3 stopped by the provider, 130 interrupted."
)

FIRST_STEPS: Final = (
    ("Try it    campaigns demo                  ", "nothing leaves this machine"),
    ("Begin     campaigns guide campaign-file   ", "how to write lista.toml"),
    ("Check     campaigns check lista.toml      ", "what each person would get"),
    ("Send      campaigns send lista.toml       ", "asks before the first message"),
)


@click.command(
    "campaigns",
    cls=Program,
    entries=COMMANDS,
    params=shared_options(hidden=False),
    invoke_without_command=True,
    help=f"Send one text to many people, and know what became of each.\n\n{EXAMPLE}",
    epilog=EXIT_CODES,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, prog_name="campaigns", message="%(prog)s %(version)s", help="Show the version")
@click.pass_context
def cli(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        _first_page(ctx.ensure_object(Session))


def main() -> None:
    """What the shell runs."""
    cli.main()


def _first_page(session: Session) -> None:
    screen = session.screen
    screen.show_folded(f"campaigns {__version__}: one text to many people, and what became of each.")
    screen.show("")
    for command, what in FIRST_STEPS:
        has_room = len(command) + len(what) <= screen.out.width
        screen.show(f"{command}{what}" if has_room else command.rstrip())
    screen.show("", "All commands: campaigns --help")
