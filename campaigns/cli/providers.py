"""`campaigns providers`: the accounts, what each can do, and how one is set up."""

import click

from campaigns.cli.group import Group
from campaigns.cli.options import JSON
from campaigns.cli.session import Session


@click.group(cls=Group, invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")
@JSON
@click.pass_context
def providers(ctx: click.Context, as_json: bool) -> None:
    """Services that carry messages: which accounts there are, what each can do, and which are set up.

    \b
    Examples:
      campaigns providers
      campaigns providers login soluno
    """
    if ctx.invoked_subcommand is not None:
        return
    from campaigns.cli.accounts import as_objects, look_at_accounts, show_accounts

    session = ctx.ensure_object(Session)
    accounts = look_at_accounts(session.settings())
    if as_json:
        session.screen.show_json(as_objects(accounts))
    else:
        show_accounts(accounts, session.screen)


@providers.command()
@click.argument("name", metavar="NAME")
@click.pass_obj
def check(session: Session, name: str) -> None:
    """Log in to an account, and say what was found. No message is sent.

    \b
    Example:
      campaigns providers check soluno
    """
    from campaigns.cli.accounts import check_account, usable_account

    with usable_account(session.settings().account(name), session.screen) as account:
        session.screen.show_folded(check_account(account))


@providers.command()
@click.argument("name", metavar="NAME")
@click.pass_obj
def login(session: Session, name: str) -> None:
    """Put the password of an account into the system's keyring.

    It is asked for without being shown, or read from stdin where there is no terminal.

    \b
    Example:
      campaigns providers login soluno
    """
    from campaigns.providers.base import secret_fields
    from campaigns.settings import store_secret

    account = session.settings().account(name)
    for secret in secret_fields(account):
        store_secret(name, secret.name, session.ask_secret(f"{secret.name.capitalize()} of {name}: "))
        session.screen.tell(f"The {secret.name} of {name} is in the keyring.")
    session.screen.say("next", f"campaigns providers check {name}")
