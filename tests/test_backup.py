"""A backup that is made while somebody sends: who goes back to it texts nobody twice, and forgets nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.ledger import open_ledger
from campaigns.ledger.checking import check
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.crash.senders import Desk, a_desk, check_all_accounted, finish, wait_until


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox in this process."""
    with embedded_sandbox(Misbehaviour(latency_s=0.005)) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    """Where the commands are typed."""
    return a_desk(tmp_path, str(tmp_path / "ledger.db"), sandbox.url, people=1500)


def test_going_back_to_a_backup_of_a_running_campaign_texts_nobody_twice(desk: Desk, sandbox: Sandbox) -> None:
    sender = desk.send("--rate", "500/s")
    wait_until(lambda: len(sandbox.carrier.messages) >= 100, sender)
    code, shown, said = finish(desk.start("db", "backup", "copy.db"))
    assert (code, shown.startswith("Backed up to copy.db, ")) == (0, True)
    assert "still to go" in said
    assert finish(sender)[0] == 0  # it was not held up
    assert len(sandbox.carrier.messages) == desk.people
    with open_ledger(desk.folder / "copy.db") as copy:
        assert check(copy).faults == ()
    code, _, _ = finish(desk.resume("--database", str(desk.folder / "copy.db")))
    by_status = check_all_accounted(desk, sandbox.carrier.messages)
    assert code == 1
    assert set(by_status) == {"accepted", "unknown"}
    assert len(sandbox.carrier.messages) == desk.people
