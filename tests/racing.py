"""Two transactions at once: one is held open until the other surely waits for it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from campaigns.ledger import Ledger

T = TypeVar("T")


def start_behind(ledger: Ledger, job: Callable[[], T]) -> "Future[T]":
    """Start a job in a thread; returns once it waits for a lock of a transaction that is open here.

    SQLite does not tell who waits; there it is enough that the job has been started, for one writes at a time.
    """
    executor = ThreadPoolExecutor(1)
    future = executor.submit(job)
    executor.shutdown(wait=False)
    while ledger.engine.dialect.name == "postgresql" and not somebody_waits(ledger):
        assert not future.done(), future.result()
    return future


def somebody_waits(ledger: Ledger) -> bool:
    """Whether a transaction on PostgreSQL waits for another's lock."""
    with ledger.read() as connection:
        here = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(connection.exec_driver_sql(here).scalar())
