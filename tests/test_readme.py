"""The README tells the truth: every command in it runs, its tables are those of the code."""

import re
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from campaigns.cli import cli
from campaigns.errors import ExitStatus
from campaigns.model import REPORT_COLUMNS
from campaigns.providers.base import capabilities_of, in_words, provider_types
from campaigns.settings import Account, Secret
from campaigns.web.sandbox import embedded_sandbox

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMANDS = [line.removeprefix("$ ") for block in CONSOLE.findall(README) for line in block.splitlines()]


def test_the_readme_has_at_most_200_lines_and_both_commands_each_on_a_line() -> None:
    lines = [line.strip() for line in README.splitlines()]
    assert len(lines) <= 200
    assert "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/campaigns demo" in lines
    assert "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/pytest" in lines


def test_every_command_in_the_readme_runs_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) > 10
    with embedded_sandbox() as service:  # stands in for the service that the README sets up
        for name, value in (("USERNAME", "lindbergs"), ("PASSWORD", "x"), ("FROM", "Lindbergs"), ("URL", service.url)):
            monkeypatch.setenv(f"CAMPAIGNS_SOLUNO_{name}", value)
        for command in COMMANDS:
            program, *words = shlex.split(command)
            result = CliRunner().invoke(cli, words)
            assert (program, result.exit_code) == ("campaigns", 0), (command, result.output)
        assert service.carrier.messages == ()  # all that was sent went to the built-in sandbox
    assert {path.name for path in Path("reports").iterdir()} >= {"visitors.xlsx", "visitors.json", "text.html"}


def test_every_link_in_the_readme_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_exit_codes_are_those_of_the_code() -> None:
    assert re.findall(r"^\| (\d+) \|", README, re.MULTILINE) == [str(status.value) for status in ExitStatus]


def test_the_columns_of_a_report_are_those_of_the_code() -> None:
    assert f"Columns: {', '.join(REPORT_COLUMNS)}, then" in " ".join(README.split())


def test_the_provider_table_says_what_each_provider_declares() -> None:
    table = [line for line in README.splitlines() if line.startswith(tuple(f"| {name} |" for name in provider_types()))]
    assert table == [_line(name) for name in provider_types()]


def _line(name: str) -> str:
    kind = provider_types()[name]
    needed = {one.name: "https://x.example" for one in kind.fields if one.required and not one.secret}
    secrets = {setting.name: Secret("x") for setting in kind.fields if setting.required and setting.secret}
    words = asdict(in_words(capabilities_of(Account(name=name, type=name, values=needed, secrets=secrets))))
    return f"| {' | '.join([name, *(word for key, word in words.items() if key != 'senders')])} |"


def test_the_program_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    for program in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(program, "README.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "304 of 320 rows can be sent\n"


def test_the_folders_of_the_readme_are_those_of_the_package() -> None:
    folders = {path.name for path in (ROOT / "campaigns").iterdir() if (path / "__init__.py").exists()}
    assert set(re.findall(r"^\| `campaigns/(\w+)/` \|", README, re.MULTILINE)) == folders
