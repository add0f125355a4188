"""`campaigns demo`: the whole way, from a recipient file to reports, on this machine alone."""

import click

from campaigns.cli.group import Command
from campaigns.cli.session import Session
from campaigns.errors import ExitStatus


@click.command(cls=Command)
@click.pass_obj
def demo(session: Session) -> ExitStatus:
    """Send a sample campaign to a sandbox on this machine. Nothing leaves it.

    The reports are written to reports/ in the current folder. The demo keeps a ledger of its own, and may be run again.

    \b
    Example:
      campaigns demo
    """
    from campaigns.cli.trial import send_sample

    return send_sample(session)
