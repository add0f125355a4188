"""Senders as processes of their own, over a sandbox in the test's process, and what must be true after them."""

import csv
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from campaigns.web.carrier import Received

IN_FLIGHT = 32  #: requests at once, as `send` has it unless told
AHEAD_S = 0.1 + 0.02  #: of work that may be claimed ahead, and a tick of the loop
SEED = os.environ.get("CAMPAIGNS_TEST_SEED") or str(random.SystemRandom().randrange(10**6))

CAMPAIGN = """
recipients = "lista.csv"
reports = ["reports/lista.csv"]  # the others would take longer than the sending
"""

Process = subprocess.Popen[str]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where commands are typed: a folder with a list, a ledger, and a service at `url`."""

    folder: Path
    database: str
    url: str
    account: str = "sandbox"  #: or "campaigns", which takes each reference once
    people: int

    @property
    def environment(self) -> dict[str, str]:
        service = {"URL": self.url, "USERNAME": "karin", "PASSWORD": "secret"}
        settings = {f"CAMPAIGNS_{self.account.upper()}_{field}": value for field, value in service.items()}
        python = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONFAULTHANDLER": "1"}
        return os.environ | settings | python | {"CAMPAIGNS_DATABASE": self.database}

    def start(self, *words: str, **environment: str) -> Process:
        """A command that nobody answers."""
        return subprocess.Popen(
            [sys.executable, "-m", "campaigns", *words],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, *words: str, text: str = "Hej {{ namn }}!", **environment: str) -> Process:
        """Send the list."""
        said = ("--message", text, "--provider", self.account, "--from", "Butiken", "--yes")
        return self.start("send", "lista.toml", *said, *words, **environment)

    def resume(self, *words: str) -> Process:
        """Go on with it."""
        return self.start("resume", "lista", "--yes", *words)


def a_desk(folder: Path, database: str, url: str, people: int = 400) -> Desk:
    """One with a list of so many people."""
    write_list(folder, people)
    return Desk(folder=folder, database=database, url=url, people=people)


def write_list(folder: Path, people: int) -> None:
    """A list of made-up numbers, for loopback alone."""
    lines = [f"Åsa {number};+4670{1_000_000 + number}" for number in range(people)]
    (folder / "lista.csv").write_text("Namn;Mobil\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (folder / "lista.toml").write_text(CAMPAIGN, encoding="utf-8")


def wait_until(condition: Callable[[], bool], process: Process) -> None:
    """Look again and again, while the process lives, for something that it does outside this process."""
    assert wait_while_alive(condition, process), process.communicate()


def wait_while_alive(condition: Callable[[], bool], process: Process) -> bool:
    """The same; False where the process ended before."""
    until = time.monotonic() + 60
    while not condition():
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.002)
        if process.poll() is not None:
            return condition()
        assert time.monotonic() < until
    return True


def read_until(word: str, process: Process) -> str:
    """Wait for a line on stderr that holds `word`."""
    assert process.stderr is not None
    found = next((line for line in process.stderr if word in line), None)
    assert found is not None, word
    return found


def kill(process: Process) -> None:
    """As the kernel does it: nothing of the process runs any more."""
    process.send_signal(signal.SIGKILL)
    _, errors = process.communicate()
    assert "Traceback" not in errors, errors


def finish(process: Process, within_s: float = 120) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    try:
        output, errors = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # with faulthandler on it says where it was
        pytest.fail(f"still there after {within_s} s:\n{process.communicate()[1]}")
    assert "Traceback" not in errors, errors
    return process.returncode, output, errors


def put_to_sleep(process: Process, desk: Desk, *, for_s: int = 0) -> None:
    """Stop it where it does not hold the ledger, and let its last heartbeat be so long ago."""
    while True:
        process.send_signal(signal.SIGSTOP)
        if _try(desk.database, f"UPDATE leases SET heartbeat_ms = heartbeat_ms - {for_s * 1000}"):
            return
        process.send_signal(signal.SIGCONT)


def is_planning(desk: Desk) -> bool:
    """Whether a campaign is in the ledger, planned or being planned; on SQLite."""
    if not Path(desk.database).exists():
        return False
    with (
        suppress(sqlite3.OperationalError),  # not migrated yet
        closing(sqlite3.connect(f"file:{desk.database}?mode=ro", uri=True)) as connection,
    ):
        return bool(connection.execute("SELECT count(*) FROM campaigns").fetchone()[0])
    return False


def check_all_accounted(desk: Desk, messages: Sequence[Received]) -> Counter[str]:
    """Every row stands once in the report, and the carrier has no number twice; returns the rows by status."""
    at_carrier = Counter(message.to for message in messages)
    assert not [number for number, count in at_carrier.items() if count > 1]
    lines = report_lines(desk)
    assert [int(line["row"]) for line in lines] == list(range(2, desk.people + 2))
    assert [line["Namn"] for line in lines] == [f"Åsa {number}" for number in range(desk.people)]
    texts = {message.to: message.text for message in messages}
    assert all(texts[line["to"]] == line["text"] for line in lines if line["status"] == "accepted")
    assert all(line["to"] not in texts for line in lines if line["status"] in ("planned", "rejected", "failed"))
    return Counter(line["status"] for line in lines)


def report_lines(desk: Desk) -> list[dict[str, str]]:
    """The rows of the report."""
    with (desk.folder / "reports" / "lista.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def most_in_a_second(messages: Sequence[Received]) -> int:
    """The most that the carrier took in any span of one second."""
    moments = sorted(message.at.timestamp() for message in messages)
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def _try(database: str, statement: str) -> bool:
    """Change the ledger from outside; False where it is locked."""
    try:
        if database.startswith("postgresql"):
            with psycopg.connect(database) as connection:
                connection.execute("SET lock_timeout = '200ms'")
                connection.execute(statement)
        else:
            with closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as connection:
                connection.execute(statement)
    except (sqlite3.OperationalError, psycopg.errors.LockNotAvailable):
        return False
    return True
