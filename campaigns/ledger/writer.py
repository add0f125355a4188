"""One thread that writes for all async callers, many units to a commit (group commit)."""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.nap import sleep_using_event

log = logging.getLogger(__name__)
T = TypeVar("T")
Unit = Callable[[Connection], T]
"""What may be done in one transaction; it may run twice, so it must only read and write the ledger."""

MOST_UNITS: Final = 500  #: in one commit


@dataclass(frozen=True, slots=True)
class _Job:
    unit: Unit[Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"

    def answer(self, result: Any, error: BaseException | None = None) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            self.loop.call_soon_threadsafe(self._settle, result, error)

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.done():  # its caller was cancelled; the unit is done all the same
            return
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class Writer:
    """Runs units in the order in which they come; each is answered after the commit that holds it.

    A database that is locked or full is tried again until `give_up` or `close` is called: an outcome that a provider
    has answered must not be lost because the disk was full for a minute.
    """

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._given_up = threading.Event()
        self._thread: threading.Thread | None = None

    async def run(self, unit: Unit[T]) -> T:
        """Do `unit` in a transaction and return its result once that is on disk."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        job = _Job(unit, loop, loop.create_future())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def give_up(self) -> None:
        """Try nothing a second time any more."""
        self._given_up.set()

    def close(self) -> None:
        """Finish what was handed in, then end the thread."""
        if self._thread is not None:
            self.give_up()
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._do([job, *self._waiting_jobs()])

    def _waiting_jobs(self) -> list[_Job]:
        jobs: list[_Job] = []
        while len(jobs) < MOST_UNITS:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:  # the word to end: for the next turn
                self._jobs.put(None)
                break
            jobs.append(job)
        return jobs

    def _do(self, jobs: list[_Job]) -> None:
        try:
            results = self._commit([job.unit for job in jobs])
        except Exception as error:  # whatever a unit raises belongs to its caller, never to this thread
            if len(jobs) == 1 or isinstance(error, OperationalError):  # the ledger's own fault spoils all of them
                for job in jobs:
                    job.answer(None, error)
                return
            for job in jobs:  # one of them spoilt the commit: each alone
                self._do([job])
            return
        for job, result in zip(jobs, results, strict=True):
            job.answer(result)

    def _commit(self, units: list[Unit[Any]]) -> list[Any]:
        def once() -> list[Any]:
            with self._transaction() as connection:
                return [unit(connection) for unit in units]

        return Retrying(
            retry=retry_if_exception_type(OperationalError),
            wait=wait_random_exponential(multiplier=0.05, max=2.0),
            stop=stop_when_event_set(self._given_up),
            sleep=sleep_using_event(self._given_up),
            before_sleep=_warn_once,
            reraise=True,
        )(once)


def _warn_once(state: RetryCallState) -> None:
    if state.attempt_number == 1 and state.outcome is not None:
        reason = getattr(state.outcome.exception(), "orig", None)
        log.warning("The ledger cannot be written (%s); sending waits for it, and nothing is lost.", reason)
