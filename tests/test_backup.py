"""A backup that is made while somebody sends: who goes back to it texts nobody twice, and forgets nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.ledger import open_ledger
from campaigns.ledger.checking import check
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.test_crash import PEOPLE, check_all_accounted, finish, send, start, wait_until


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in this process."""
    with embedded_sandbox(Misbehaviour(latency_s=0.005)) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a list of made-up numbers, for loopback alone."""
    lines = [f"Åsa {number};+4670{1_000_000 + number}" for number in range(PEOPLE)]
    (tmp_path / "lista.csv").write_text("Namn;Mobil\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_going_back_to_a_backup_of_a_running_campaign_texts_nobody_twice(folder: Path, sandbox: Sandbox) -> None:
    sender = send(folder, sandbox, "--rate", "500/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 100, sender)
    code, shown, said = finish(start(folder, sandbox, "db", "backup", "copy.db"))
    assert (code, shown.startswith("Backed up to copy.db, ")) == (0, True)
    assert "still to go" in said
    assert finish(sender)[0] == 0  # it was not held up
    assert len(sandbox.carrier.messages) == PEOPLE
    with open_ledger(folder / "copy.db") as copy:
        assert check(copy).faults == ()
    code, _, _ = finish(start(folder, sandbox, "resume", "lista", "--yes", "--database", str(folder / "copy.db")))
    by_status = check_all_accounted(folder, sandbox)
    assert code == 1
    assert set(by_status) == {"accepted", "unknown"}
    assert len(sandbox.carrier.messages) == PEOPLE
