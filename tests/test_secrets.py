"""No password and no token is left anywhere: not in the ledger, a report, a log, on the screen or in a traceback."""

import base64
import io
import json
import logging
import traceback
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from campaigns.cli import cli
from campaigns.reporting import FORMATS
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox

PASSWORD = "hemligt-åäö-&%-73819"  # a marked one, to be looked for
LIST = "Mobil;Namn\n0701740605;Åsa\n0701740690;Bo\n0701740606;Eva\nx;Ida\n"
LOG = ("--log-level", "debug", "--log-json", "--log-numbers")
FAULTS = Misbehaviour(refusals=REFUSALS, throttle_first=1, retry_after_s=0, fail_after=0.2)

Type = Callable[..., str]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with embedded_sandbox(FAULTS) as sandbox:
        yield sandbox


@pytest.fixture
def type_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Type:
    """Type a command for an account at this address; all that is shown comes back, tracebacks and logs too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lista.csv").write_text(LIST, encoding="utf-8")
    caplog.set_level(logging.DEBUG)

    def type_command(url: str, *words: str, **environ: str) -> str:
        account = {"USERNAME": "anna", "PASSWORD": PASSWORD, "URL": url, "FROM": "Butiken"}
        variables = {f"CAMPAIGNS_SOLUNO_{name}": value for name, value in account.items()}
        places = {"CAMPAIGNS_DATABASE": str(tmp_path / "ledger.db"), "PYTHONASYNCIODEBUG": "1"}
        result = CliRunner(env={**variables, **places, **environ}).invoke(cli, words)
        ends = [traceback.format_exception(one) for one in _chain(result.exception)]
        return "\n".join([result.output, repr(ends), caplog.text])

    return type_command


def test_a_campaign_that_was_sent_leaves_no_secret(type_: Type, sandbox: Sandbox, tmp_path: Path) -> None:
    reports = [f"r{extension}" for extension in FORMATS]
    to = [word for name in reports for word in ("--to", name)]
    shown = [
        type_(sandbox.url, "send", "lista.csv", "--message", "Hej {{ namn }}!", "--yes", "--report", "own.json", *LOG),
        type_(sandbox.url, "resume", "lista", "--yes"),
        type_(sandbox.url, "report", "lista", *to),
        *(type_(sandbox.url, *words) for words in (("status", "lista", "--json"), ("list", "--json"))),
        *(type_(sandbox.url, "providers", *words) for words in ((), ("check", "soluno"))),
    ]
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(sandbox.carrier.messages) == 2
    assert {"own.json", "ledger.db", *reports} <= {path.name for path in left}
    secrets = [PASSWORD, *sandbox._users]
    assert len(secrets) > 2
    assert [path.name for path in left if _holds(_read(path), secrets)] == []
    assert not _holds("\n".join(shown).encode(), secrets)


@pytest.mark.parametrize("where", ["/nowhere", ":1"], ids=["no such address", "no address at all"])
def test_a_log_in_that_fails_shows_no_secret(type_: Type, sandbox: Sandbox, where: str) -> None:
    url = sandbox.url + where if where.startswith("/") else f"http://127.0.0.1{where}"
    shown = type_(url, "providers", "check", "soluno")
    assert "error:" in shown
    assert not _holds(shown.encode(), [PASSWORD])


def test_the_address_of_a_ledger_never_shows_its_password(type_: Type) -> None:
    shown = type_("", "list", CAMPAIGNS_DATABASE=f"postgresql://anna:{quote(PASSWORD)}@127.0.0.1:1/campaigns")
    assert "error:" in shown
    assert not _holds(shown.encode(), [PASSWORD])


def _holds(data: bytes, secrets: Sequence[str]) -> bool:
    """Whether any of the secrets is in it, as it is or written in one of the usual ways."""
    return any(
        form in data
        for secret in secrets
        for form in (
            secret.encode(),
            quote(secret).encode(),
            quote(secret, safe="").encode(),
            json.dumps(secret)[1:-1].encode(),
            base64.b64encode(secret.encode())[:-4],
        )
    )


def _read(path: Path) -> bytes:
    """All bytes of a file; of a workbook those of the files in it."""
    data = path.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data
    with zipfile.ZipFile(path) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def _chain(error: BaseException | None) -> list[BaseException]:
    """An error and all that led to it."""
    return [] if error is None else [error, *_chain(error.__cause__ or error.__context__)]
