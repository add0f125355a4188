"""`campaigns db`: the ledger itself: its schema, its soundness, its size, its backup."""

from pathlib import Path

import click

from campaigns.cli.group import Group
from campaigns.cli.options import JSON
from campaigns.cli.session import Session
from campaigns.errors import ExitStatus


@click.group(cls=Group, invoke_without_command=True, subcommand_metavar="COMMAND [ARGS]...")
@click.pass_context
def db(ctx: click.Context) -> None:
    """The ledger, in which all campaigns are kept: upgrade, check, vacuum, backup.

    \b
    Examples:
      campaigns db check
      campaigns db backup backups/ledger.db
    """
    if ctx.invoked_subcommand is None:
        ctx.ensure_object(Session).screen.show(*ctx.get_help().splitlines())


@db.command()
@click.pass_obj
def upgrade(session: Session) -> None:
    """Bring the ledger to the schema of this version.

    Every command does so by itself when it opens an older ledger; an older version cannot read it afterwards.

    \b
    Example:
      campaigns db upgrade
    """
    from campaigns.cli.ledgers import show_upgrade
    from campaigns.ledger.maintenance import upgrade as upgrade_ledger

    show_upgrade(upgrade_ledger(session.ledger_place()), session.screen)


@db.command()
@JSON
@click.pass_obj
def check(session: Session, as_json: bool) -> ExitStatus:
    """Look for what is wrong with the ledger; change nothing.

    The file (SQLite), and what must hold between campaigns, rows and messages. Ends with 1 where something is wrong.

    \b
    Example:
      campaigns db check
    """
    from campaigns.cli.ledgers import show_soundness
    from campaigns.ledger.checking import check as check_ledger

    with session.ledger(must_exist=True) as ledger:
        return show_soundness(check_ledger(ledger), ledger.place, session, as_json=as_json)


@db.command()
@click.pass_obj
def vacuum(session: Session) -> None:
    """Give back the room of what was removed.

    It needs as much free room as the ledger takes, and is refused while somebody sends.

    \b
    Example:
      campaigns db vacuum
    """
    from campaigns.cli.ledgers import show_vacuumed
    from campaigns.ledger.maintenance import vacuum as vacuum_ledger

    with session.ledger(must_exist=True) as ledger:
        show_vacuumed(vacuum_ledger(ledger), ledger.place, session.screen)


@db.command()
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.pass_obj
def backup(session: Session, path: Path) -> None:
    """Copy the ledger to a new file, also while it is in use.

    In the copy, what was still to go is unknown and not planned: it may have been sent by the time you go back to it.
    A ledger on PostgreSQL becomes a file of SQL, by its own pg_dump. See: campaigns guide ledger

    \b
    Example:
      campaigns db backup backups/ledger.db
    """
    from campaigns.cli.ledgers import show_backup
    from campaigns.ledger.backup import back_up

    with session.ledger(must_exist=True) as ledger:
        show_backup(back_up(ledger, path), session.screen)
