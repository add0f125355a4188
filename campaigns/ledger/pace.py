"""The time line of an account: when its next request may leave, whichever process sends for it next."""

from typing import Final

from sqlalchemy import Connection, bindparam, insert, select, update

from campaigns.ledger.schema import pace

SENDING_US: Final = 2**62  #: a sender has the account now, or died with it

FIND_NEXT: Final = select(pace.c.next_us).where(pace.c.account == bindparam("account_"))
SET_NEXT: Final = update(pace).where(pace.c.account == bindparam("account_")).values(next_us=bindparam("next_"))


def begin(connection: Connection, account: str, now_us: int, window_us: int) -> int:
    """Begin to send; returns the microseconds to wait first, so that no window holds two senders' requests.

    After a sender that died it is not known when it sent last, so a whole window is waited. The caller has the lease.
    """
    next_us = connection.scalar(FIND_NEXT, {"account_": account})
    if next_us is None:
        connection.execute(insert(pace).values(account=account, next_us=SENDING_US))
        return 0
    _set_next(connection, account, SENDING_US)
    return window_us if next_us == SENDING_US else min(max(0, next_us - now_us), window_us)


def end(connection: Connection, account: str, now_us: int, window_us: int) -> None:
    """Cease to send: the next sender waits until what was sent last is out of the window."""
    _set_next(connection, account, now_us + window_us)


def _set_next(connection: Connection, account: str, next_us: int) -> None:
    connection.execute(SET_NEXT, {"account_": account, "next_": next_us})
