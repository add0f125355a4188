"""A ledger that cannot be written for a while: the sender says so, sends nothing more, loses nothing, and goes on."""

import resource
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from campaigns.ledger import open_ledger
from campaigns.web.sandbox import Sandbox
from tests.crash.senders import (
    AHEAD_S,
    IN_FLIGHT,
    Desk,
    Process,
    a_desk,
    check_all_accounted,
    finish,
    read_until,
    wait_until,
)

RATE = 200
SOON_S = 20  #: on a busy machine
END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
WAITS = "The ledger cannot be written"


@contextmanager
def full_disk(process: Process, desk: Desk) -> Iterator[None]:
    """No file of the process may grow, as on a full disk."""
    sender = psutil.Process(process.pid)
    unlimited = sender.rlimit(resource.RLIMIT_FSIZE)
    sender.rlimit(resource.RLIMIT_FSIZE, (0, unlimited[1]))
    yield
    if sender.is_running():
        sender.rlimit(resource.RLIMIT_FSIZE, unlimited)


@contextmanager
def locked_by_another(process: Process, desk: Desk) -> Iterator[None]:
    """This process writes to the ledger for so long."""
    with closing(sqlite3.connect(desk.database, timeout=60, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


troubles = pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(
            full_disk, marks=pytest.mark.skipif(sys.platform != "linux", reason="limits another process: Linux")
        ),
        locked_by_another,
    ],
)


@troubles
def test_a_sender_whose_ledger_cannot_be_written_waits_and_goes_on(desk: Desk, sandbox: Sandbox, trouble) -> None:
    process = desk.send("--rate", f"{RATE}/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, process)
    with trouble(process, desk):
        read_until(WAITS, process)
        received = len(sandbox.carrier.messages)
        finish(desk.start("status", "lista"))  # it can be read
        assert len(sandbox.carrier.messages) <= received + IN_FLIGHT + RATE * AHEAD_S
    code, _, _ = finish(process)
    assert code == 0
    assert check_all_accounted(desk, sandbox.carrier.messages) == {"accepted": desk.people}


@troubles
def test_the_second_word_ends_a_sender_whose_ledger_cannot_be_written(desk: Desk, sandbox: Sandbox, trouble) -> None:
    process = desk.send("--rate", f"{RATE}/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, process)
    with trouble(process, desk):
        read_until(WAITS, process)
        process.send_signal(signal.SIGINT)
        read_until("Stopping", process)
        process.send_signal(signal.SIGINT)
        code, _, errors = finish(process, SOON_S)
    assert code == 130
    assert "campaigns resume lista" in errors
    code, _, _ = finish(desk.resume("--rate", "2000/s"))
    by_status = check_all_accounted(desk, sandbox.carrier.messages)
    assert code == 1
    assert set(by_status) == {"accepted", "unknown"}
    assert by_status["unknown"] <= IN_FLIGHT + RATE * AHEAD_S


def test_a_database_server_that_ends_the_connections_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, new_postgres_url: str, sandbox: Sandbox
) -> None:
    desk = a_desk(tmp_path, new_postgres_url, sandbox.url)
    process = desk.send("--rate", f"{RATE}/s")
    with psycopg.connect(new_postgres_url, autocommit=True) as connection:
        for at in range(50, desk.people, 50):
            wait_until(lambda at=at: len(sandbox.carrier.messages) >= at, process)
            connection.execute(END_CONNECTIONS)
    code, _, _ = finish(process)
    assert code == 0
    assert check_all_accounted(desk, sandbox.carrier.messages) == {"accepted": desk.people}


@pytest.mark.parametrize("database", ["lista.csv/ledger.db", "lista.csv"])
def test_a_ledger_that_cannot_be_one_is_an_error_in_words(desk: Desk, sandbox: Sandbox, database: str) -> None:
    code, output, errors = finish(desk.send("--database", database))
    assert (code, output, sandbox.requests) == (2, "", 0)
    assert errors.startswith("error: ")
    assert database in errors.replace("\n       ", "")  # folded
    assert "  fix: " in errors


def test_a_disk_that_is_full_from_the_start_sends_nothing(desk: Desk, sandbox: Sandbox) -> None:
    open_ledger(desk.database).close()
    process = desk.send()
    psutil.Process(process.pid).rlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    code, output, errors = finish(process)
    assert (code, output, sandbox.requests) == (2, "", 0)
    assert errors.startswith("error: The ledger")
    assert "See whether its disk is full" in errors
