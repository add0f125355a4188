"""A folder with a list, a ledger and a sandbox in this process, so that it outlives the senders that are killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.crash.senders import Desk, a_desk


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """One that takes 5 ms for an answer."""
    with embedded_sandbox(Misbehaviour(latency_s=0.005)) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    """On SQLite, with the built-in account."""
    return a_desk(tmp_path, str(tmp_path / "ledger.db"), sandbox.url)


@pytest.fixture
def each_desk(tmp_path: Path, ledger_url: str, sandbox: Sandbox) -> Desk:
    """On each database."""
    return a_desk(tmp_path, ledger_url, sandbox.url)
