"""Processes that are killed for real: nobody is texted twice, nobody is forgotten, nothing is left behind."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from campaigns.ledger import open_ledger
from campaigns.ledger.schema import campaigns, messages, rows
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox

PEOPLE = 1500


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in this process, so that it outlives the senders that are killed."""
    with embedded_sandbox(Misbehaviour(latency_s=0.005)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a list of made-up numbers, for loopback alone."""
    lines = [f"Åsa {number};+4670{1_000_000 + number}" for number in range(PEOPLE)]
    (tmp_path / "lista.csv").write_text("Namn;Mobil\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def start(folder: Path, sandbox: Sandbox, *arguments: str) -> "subprocess.Popen[str]":
    environment = os.environ | {"CAMPAIGNS_SANDBOX_URL": sandbox.url, "CAMPAIGNS_DATABASE": str(folder / "ledger.db")}
    return subprocess.Popen(
        [sys.executable, "-m", "campaigns", *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def send(folder: Path, sandbox: Sandbox, *more: str) -> "subprocess.Popen[str]":
    text = ("--message", "Hej {{ namn }}!", "--provider", "sandbox", "--from", "Butiken", "--yes")
    return start(folder, sandbox, "send", "lista.csv", *text, *more)


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Poll, while the process lives, for something that it does outside this process."""
    until = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        os.sched_yield()


def read_until(word: str, process: "subprocess.Popen[str]") -> None:
    """Wait for a line on stderr that holds `word`."""
    assert process.stderr is not None
    assert any(word in line for line in process.stderr)


def put_to_sleep(process: "subprocess.Popen[str]", folder: Path, *, for_s: int = 0) -> None:
    """Stop it where it does not hold the ledger, and let its last heartbeat be so long ago."""
    while True:
        process.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(folder / "ledger.db", timeout=0.2, isolation_level=None)) as connection:
            try:
                connection.execute("UPDATE leases SET heartbeat_ms = heartbeat_ms - ?", (for_s * 1000,))
            except sqlite3.OperationalError:  # locked
                process.send_signal(signal.SIGCONT)
            else:
                return


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    output, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    return process.returncode, output, errors


def check_all_accounted(folder: Path, sandbox: Sandbox) -> Counter[str]:
    """Every row stands once in the report, and the carrier has no number twice; returns the rows by status."""
    at_carrier = Counter(message.to for message in sandbox.carrier.messages)
    assert max(at_carrier.values()) == 1
    with (folder / "reports" / "lista.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [int(line["row"]) for line in lines] == list(range(2, PEOPLE + 2))
    assert all(at_carrier[line["to"]] == 1 for line in lines if line["status"] == "accepted")
    assert all(at_carrier[line["to"]] == 0 for line in lines if line["status"] == "planned")
    return Counter(line["status"] for line in lines)


@pytest.mark.parametrize("kills", [[100], [1, 700, 1200]])
def test_a_sender_that_is_killed_while_sending_texts_nobody_twice_and_forgets_nobody(
    folder: Path, sandbox: Sandbox, kills: list[int]
) -> None:
    process = send(folder, sandbox, "--rate", "1000/s")
    for at in kills:
        wait_until(lambda at=at: len(sandbox.carrier.messages) >= at, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = start(folder, sandbox, "resume", "lista", "--yes")
    code, _, _ = finish(process)
    by_status = check_all_accounted(folder, sandbox)
    assert code == (1 if by_status["unknown"] else 0)
    assert set(by_status) <= {"accepted", "unknown"}
    in_flight, ahead = 32, 100  # of a 1000/s rate, a tenth of a second
    assert by_status["unknown"] <= len(kills) * (in_flight + ahead)


def test_a_planner_that_is_killed_leaves_nothing_and_send_may_be_given_again(folder: Path, sandbox: Sandbox) -> None:
    ledger = folder / "ledger.db"

    def is_planning() -> bool:
        if not ledger.exists():
            return False
        try:
            with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as connection:
                return connection.execute("SELECT count(*) FROM campaigns").fetchone()[0] == 1
        except sqlite3.OperationalError:  # not migrated yet
            return False

    process = send(folder, sandbox)
    wait_until(is_planning, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    code, output, _ = finish(start(folder, sandbox, "list", "--json"))
    assert code == 0
    if json.loads(output):  # it was killed just after the plan was ready
        finish(start(folder, sandbox, "resume", "lista", "--yes"))
    else:
        assert sandbox.carrier.messages == ()
        code, output, _ = finish(send(folder, sandbox, "--rate", "5000/s"))
        assert output.splitlines()[-1].startswith("Reports: reports/lista.html")
    check_all_accounted(folder, sandbox)
    with open_ledger(ledger) as opened, opened.read() as connection:
        sizes = [len(connection.execute(table.select()).all()) for table in (campaigns, rows, messages)]
    assert sizes == [1, PEOPLE, PEOPLE]


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_the_first_word_to_stop_finishes_what_left_and_says_how_to_go_on(
    folder: Path, sandbox: Sandbox, word: signal.Signals
) -> None:
    process = send(folder, sandbox, "--rate", "100/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, process)
    process.send_signal(word)
    code, _, errors = finish(process)
    assert code == 130
    assert "campaigns resume lista" in errors
    by_status = check_all_accounted(folder, sandbox)
    assert set(by_status) == {"accepted", "planned"}
    code, _, _ = finish(start(folder, sandbox, "resume", "lista", "--yes", "--rate", "5000/s"))
    assert code == 0
    assert check_all_accounted(folder, sandbox) == {"accepted": PEOPLE}


def test_a_resume_while_the_sender_lives_watches_and_sends_nothing_itself(folder: Path, sandbox: Sandbox) -> None:
    sender = send(folder, sandbox, "--rate", "500/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    put_to_sleep(sender, folder)  # so that it is not done before the other begins
    watcher = start(folder, sandbox, "resume", "lista", "--yes")
    read_until(str(sender.pid), watcher)
    sender.send_signal(signal.SIGCONT)
    results = [finish(process) for process in (sender, watcher)]
    assert [code for code, _, _ in results] == [0, 0]
    assert check_all_accounted(folder, sandbox) == {"accepted": PEOPLE}


def test_a_sender_that_sleeps_while_another_takes_over_texts_nobody_twice_when_it_wakes(
    folder: Path, sandbox: Sandbox
) -> None:
    sleeper = send(folder, sandbox, "--rate", "500/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sleeper)
    put_to_sleep(sleeper, folder, for_s=60)
    other = start(folder, sandbox, "resume", "lista", "--yes", "--rate", "500/s")
    received = len(sandbox.carrier.messages)
    wait_until(lambda: len(sandbox.carrier.messages) >= received + 50, other)
    sleeper.send_signal(signal.SIGCONT)
    codes = {finish(process)[0] for process in (other, sleeper)}
    by_status = check_all_accounted(folder, sandbox)
    assert codes <= {0, 1}
    assert set(by_status) <= {"accepted", "unknown"}
    assert by_status["unknown"] <= 32 + 50


def test_when_the_sender_is_killed_the_watcher_takes_over(folder: Path, sandbox: Sandbox) -> None:
    sender = send(folder, sandbox, "--rate", "500/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 50, sender)
    put_to_sleep(sender, folder)
    watcher = start(folder, sandbox, "resume", "lista", "--yes", "--rate", "1000/s")
    read_until(str(sender.pid), watcher)
    sender.send_signal(signal.SIGKILL)
    sender.communicate()
    code, _, _ = finish(watcher)
    by_status = check_all_accounted(folder, sandbox)
    assert code == (1 if by_status["unknown"] else 0)
    assert set(by_status) <= {"accepted", "unknown"}
