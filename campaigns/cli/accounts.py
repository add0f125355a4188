"""The accounts as commands use them: one to send with, one to log in to, all of them to look at."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import aiohttp

from campaigns.cli.screen import Column, Screen, table
from campaigns.clock import SYSTEM_CLOCK
from campaigns.errors import AccountProblem, MaybeTaken, NotTaken, SettingsError
from campaigns.pipeline import reports_delivery
from campaigns.providers.base import AccountOverview, list_accounts, open_account
from campaigns.settings import SANDBOX, Account, Settings

if TYPE_CHECKING:  # Litestar is only for those who use the built-in sandbox
    from campaigns.web.sandbox import Misbehaviour

COLUMNS: Final = (Column("Account"), Column("Provider"), Column("Set up"), Column("Can do"))


@contextmanager
def usable_account(account: Account, screen: Screen, misbehaviour: "Misbehaviour | None" = None) -> Iterator[Account]:
    """The account, with a sandbox behind it for the length of the block where it is the built-in one."""
    if account.name != SANDBOX or "url" in account.values:
        yield account
        return
    from campaigns.web.sandbox import WELL_BEHAVED, embedded_sandbox

    with embedded_sandbox(misbehaviour or WELL_BEHAVED) as sandbox:
        screen.tell(f"Sandbox at {sandbox.url}. Nothing leaves this machine.")
        yield account.with_url(sandbox.url)


def check_account(account: Account) -> str:
    """Log in, and give one line for people."""

    async def check() -> str:
        async with aiohttp.ClientSession() as http, open_account(account, http, SYSTEM_CLOCK) as provider:
            return await provider.check()

    try:
        return asyncio.run(check())
    except (NotTaken, MaybeTaken) as error:  # their words speak of one request
        raise AccountProblem(
            f"{account.name} could not be reached: {error.what.rstrip('.')}.",
            fix="Try again later, or look at its address: campaigns guide providers",
        ) from error


def silent_accounts(settings: Settings, names: Iterable[str]) -> frozenset[str]:
    """Those of the accounts that do not tell what became of a message; one that is no more tells nothing either."""
    return frozenset(name for name in set(names) if not _tells(settings, name))


def look_at_accounts(settings: Settings) -> list[AccountOverview]:
    """Every account, and every installed provider under its own name, whether it is set up or not."""
    return asyncio.run(list_accounts(settings, SYSTEM_CLOCK))


def show_accounts(accounts: Sequence[AccountOverview], screen: Screen) -> None:
    """One line for each account; what it lacks is said below, with what to type."""
    rows = [(one.name, one.type, "no" if one.problem else "yes", _can_do(one)) for one in accounts]
    screen.show(*table(COLUMNS, rows, screen.out))
    for one in accounts:
        if one.problem:
            screen.tell("")
            screen.say("note", one.problem.what)
            screen.say("fix", one.problem.fix)


def as_objects(accounts: Sequence[AccountOverview]) -> list[dict[str, object]]:
    """The same for `providers --json`."""
    return [
        {
            "name": one.name,
            "type": one.type,
            "set_up": one.problem is None,
            "problem": one.problem.what if one.problem else None,
            "can": asdict(one.can) if one.can else None,
        }
        for one in accounts
    ]


def _tells(settings: Settings, name: str) -> bool:
    try:
        return reports_delivery(settings.account(name))
    except SettingsError:
        return False


def _can_do(account: AccountOverview) -> str:
    if account.can is None:
        return ""
    words = {name.replace("_", " "): value for name, value in asdict(account.can).items()}
    can = [f"{name}: {value}" for name, value in words.items() if value != "no"]
    cannot = [name for name, value in words.items() if value == "no"]
    return "; ".join([*can, f"no {', '.join(cannot)}"] if cannot else can)
