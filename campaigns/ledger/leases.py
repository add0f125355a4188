"""Leases: who alone may send for an account, or is planning a campaign."""

import os
import platform
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from campaigns.clock import Clock
from campaigns.errors import SettingsError
from campaigns.ledger.database import BUSY_AGAIN_S, Ledger
from campaigns.ledger.schema import leases

BEAT_S: Final = 2.0  #: between two heartbeats
LOST_AFTER_S: Final = 10.0  #: without a heartbeat anybody may take a lease over

FIND_LEASE: Final = select(leases.c.owner, leases.c.heartbeat_ms).where(leases.c.resource == bindparam("resource_"))
TAKE_OVER: Final = (  # only from the owner and heartbeat that were seen: of two who try, one wins
    update(leases)
    .where(
        leases.c.resource == bindparam("resource_"),
        leases.c.owner == bindparam("seen_owner"),
        leases.c.heartbeat_ms == bindparam("seen_ms"),
    )
    .values(owner=bindparam("owner_"), heartbeat_ms=bindparam("now"))
)
BEAT: Final = (
    update(leases)
    .where(leases.c.resource == bindparam("resource_"), leases.c.owner == bindparam("owner_"))
    .values(heartbeat_ms=bindparam("now"))
)
RELEASE: Final = delete(leases).where(
    leases.c.resource == bindparam("resource_"), leases.c.owner == bindparam("owner_")
)
CONFIRM_LEASE: Final = FIND_LEASE.with_for_update(read=True)  # nobody takes it over before our commit


@dataclass(frozen=True, slots=True)
class Owner:
    """One holder: the machine, its process (with the start time, since ids are used again) and which of its holders."""

    host: str
    pid: int
    started: float
    nonce: str

    @classmethod
    def here(cls) -> "Owner":
        """A new owner in this process."""
        process = psutil.Process()
        return cls(platform.node(), process.pid, process.create_time(), secrets.token_hex(4))

    @classmethod
    def parse(cls, text: str) -> "Owner":
        """Read what `str` wrote."""
        host, pid, started, nonce = text.rsplit("|", 3)
        return cls(host, int(pid), float(started), nonce)

    def __str__(self) -> str:
        return f"{self.host}|{self.pid}|{self.started}|{self.nonce}"

    def is_dead(self) -> bool:
        """Whether its process surely ended; of another machine's nothing is known."""
        if self.host != platform.node():
            return False
        try:
            process = psutil.Process(self.pid)
            return process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - self.started) > 1
        except psutil.NoSuchProcess:
            return True

    def describe(self) -> str:
        """The same for people."""
        here = self.pid == os.getpid() and self.host == platform.node()
        return "this process" if here else f"process {self.pid} on {self.host}"


def find_owner(connection: Connection, resource: str, now_ms: int) -> Owner | None:
    """Who holds `resource`; None where nobody does, or where the holder is dead or silent and it can be taken over."""
    found = connection.execute(FIND_LEASE, {"resource_": resource}).one_or_none()
    if found is None:
        return None
    owner = Owner.parse(found.owner)
    return None if _is_lost(owner, found.heartbeat_ms, now_ms) else owner


def acquire(connection: Connection, resource: str, owner: Owner, now_ms: int) -> Owner | None:
    """Take the lease: None when `owner` has it now, else the one who holds it."""
    found = connection.execute(FIND_LEASE, {"resource_": resource}).one_or_none()
    if found is None:
        return _take_new(connection, resource, owner, now_ms)
    holder = Owner.parse(found.owner)
    if holder == owner:
        return None
    if not _is_lost(holder, found.heartbeat_ms, now_ms):
        return holder
    values = {
        "resource_": resource, "seen_owner": found.owner, "seen_ms": found.heartbeat_ms, "owner_": str(owner),
        "now": now_ms,
    }  # fmt: skip
    return None if connection.execute(TAKE_OVER, values).rowcount == 1 else holder


def is_held(connection: Connection, resource: str, owner: Owner) -> bool:
    """Whether `owner` still has the lease, for the whole of this transaction."""
    held = connection.scalar(CONFIRM_LEASE, {"resource_": resource})
    return bool(held == str(owner))


def release(connection: Connection, resource: str, owner: Owner) -> None:
    """Give the lease back; nothing happens where another has it by now."""
    connection.execute(RELEASE, {"resource_": resource, "owner_": str(owner)})


@contextmanager
def keep_alive(ledger: Ledger, resource: str, owner: Owner, clock: Clock) -> Iterator[None]:
    """Beat for a lease that `owner` has, from a thread of its own, until the block ends; then release it."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(BEAT_S):
            try:
                with ledger.write(BUSY_AGAIN_S) as connection:
                    connection.execute(BEAT, {"resource_": resource, "owner_": str(owner), "now": clock.now_ms()})
            except SettingsError:
                continue  # locked or full: the next beat may come through, and each claim asks for the lease itself

    thread = threading.Thread(target=beat, name=f"lease-{resource}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        with suppress(SettingsError), ledger.write(BUSY_AGAIN_S) as connection:  # else it is found silent, or dead
            release(connection, resource, owner)


def _take_new(connection: Connection, resource: str, owner: Owner, now_ms: int) -> Owner | None:
    try:
        with connection.begin_nested():
            connection.execute(insert(leases).values(resource=resource, owner=str(owner), heartbeat_ms=now_ms))
    except IntegrityError:  # PostgreSQL: another was quicker
        return acquire(connection, resource, owner, now_ms)
    return None


def _is_lost(owner: Owner, heartbeat_ms: int, now_ms: int) -> bool:
    return owner.is_dead() or now_ms - heartbeat_ms > LOST_AFTER_S * 1000
