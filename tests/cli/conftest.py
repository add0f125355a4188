"""What the tests of the command line share: a folder with a list, and a way to type a command."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from campaigns.cli import cli
from campaigns.cli.session import Session

LIST = """\
Förnamn;Mobil;Stad
Anna;070-174 06 05;Lund
Erik;+46 70 174 06 06;Malmö
Eva;0701740607;Lund
Anna;0701740605;Lund
Bo;070-174 06;Ystad
Ida;;Ystad
"""
CAMPAIGN = """\
provider = "sandbox"
from = "Butiken"
message = "Hej {{ förnamn }}! Vi ses i {{ stad }}."
recipients = "lista.csv"
"""

Type = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with lista.csv (3 of its 6 rows can be sent) and lista.toml."""
    (tmp_path / "lista.csv").write_text(LIST, encoding="utf-8")
    (tmp_path / "lista.toml").write_text(CAMPAIGN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def type_(folder: Path) -> Type:
    """Type a command in that folder, with a ledger of its own there; `typed` is what is typed at its questions."""

    def type_command(*words: str, at_terminal: bool = False, typed: str = "") -> Result:
        session = AtTerminal() if at_terminal else Session()
        environ = {"CAMPAIGNS_DATABASE": str(folder / "ledger.db")}
        result = CliRunner(env=environ).invoke(cli, words, obj=session, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return type_command


class AtTerminal(Session):
    """A session that somebody sits at."""

    @property
    def can_ask(self) -> bool:
        return True


@pytest.fixture
def python() -> list[str]:
    """How a command is started as a process of its own."""
    return [sys.executable, "-m", "campaigns"]
