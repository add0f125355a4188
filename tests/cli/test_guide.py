"""The guide: every command in it runs, every table in it is true."""

import logging
import re
import shlex
from pathlib import Path

import pytest

import campaigns
from campaigns.campaign import Campaign
from campaigns.campaign_keys import CAMPAIGN_SHAPE
from campaigns.cli.guide import TOPICS
from campaigns.errors import ExitStatus
from campaigns.metrics import Metrics
from campaigns.model import REPORT_COLUMNS, MessageState, Remark, SkipReason
from campaigns.reporting import FORMATS
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import embedded_sandbox
from tests.cli.conftest import Type

PAGES = Path(campaigns.__file__).parent / "guide"
COMMAND = re.compile(r"^\$ campaigns (.*)$", re.MULTILINE)
COMMANDS = [(topic, line) for topic in TOPICS for line in COMMAND.findall((PAGES / f"{topic}.md").read_text("utf-8"))]
SANDBOX = "sandbox "  # runs until it is stopped: test_process.py


def page(topic: str) -> str:
    return (PAGES / f"{topic}.md").read_text(encoding="utf-8")


def first_cells(topic: str, header: str) -> list[str]:
    """The first cell of each row of the table with that first header, without its marks."""
    table = page(topic).partition(f"| {header} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [line.split("|")[1].strip().strip("`") for line in table]


def metric_names() -> list[str]:
    endings = {"counter": "_total", "info": "_info"}
    return [family.name + endings.get(family.type, "") for family in Metrics().registry.collect()]


def logged_events() -> list[str]:
    """Those of the source: what `log` is told, and what an event of a run is called in a line."""
    files = [path.read_text(encoding="utf-8") for path in PAGES.parent.rglob("*.py")]
    return re.findall(
        r'(?:log\.(?:info|debug)\(|case \w+\(\):\n +(?:\w+ = .*\n +)?return )"([a-z ]+)"', "\n".join(files)
    )


def test_every_page_is_listed_and_every_topic_has_its_page() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == set(TOPICS)


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_is_shown_as_it_stands_without_a_terminal(type_: Type, topic: str) -> None:
    result = type_("guide", topic)
    assert (result.stdout, result.stderr, result.exit_code) == (page(topic), "", 0)


@pytest.mark.parametrize(
    ("topic", "line"),
    [pair for pair in COMMANDS if not pair[1].startswith(SANDBOX)],
    ids=lambda word: word[:40],
)
def test_every_command_in_the_guide_runs(type_: Type, topic: str, line: str) -> None:
    if line.startswith(("report ", "db ")):
        type_("send", "lista.toml", "--yes", "--name", "demo")
    assert type_(*shlex.split(line)).exit_code == 0


def test_the_tables_of_keys_have_every_key_of_a_campaign_file() -> None:
    at_top, in_recipients = (
        re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE) for part in page("campaign-file").split("[recipients]`:")
    )
    assert sorted(at_top) == sorted(CAMPAIGN_SHAPE.examples[""])
    assert sorted(in_recipients) == sorted(CAMPAIGN_SHAPE.examples["recipients"])


@pytest.mark.parametrize(
    ("topic", "header", "words"),
    [
        ("numbers", "reason", [reason.value for reason in SkipReason]),
        ("files", "remark", [remark.value for remark in Remark]),
        ("reports", "column", list(REPORT_COLUMNS)),
        ("reports", "status", [state.value for state in MessageState]),
        ("reports", "ends in", list(FORMATS)),
        ("exit-codes", "code", [str(status.value) for status in ExitStatus]),
        ("sandbox", "ends in", list(REFUSALS)),
        ("watching", "metric", metric_names()),
        ("watching", "event", logged_events()),
    ],
)
def test_a_table_has_every_word_and_no_other(topic: str, header: str, words: list[str]) -> None:
    assert sorted(first_cells(topic, header)) == sorted(words)


def test_the_reasons_of_the_sandbox_are_those_that_it_gives() -> None:
    for ending, refusal in REFUSALS.items():
        assert f"| {ending} | `{refusal.code}` |" in page("sandbox")


def test_the_programs_run(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with embedded_sandbox() as sandbox, caplog.at_level(logging.NOTSET, "campaigns"):  # one of them sets the level
        monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", sandbox.url)
        for program in re.findall(r"```python\n(.*?)```", page("python"), re.DOTALL):
            exec(compile(program, "python.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == "3 of 6 rows can be sent\nlista 3\n3 messages from Butiken\n3.0\n"
    assert (folder / "reports" / "vinter.csv").exists()


def test_the_campaign_file_of_the_guide_can_be_loaded(folder: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", page("campaign-file"), re.DOTALL)
    (folder / "example.toml").write_text(example, encoding="utf-8")
    assert Campaign.load("example.toml").given_name == "Summer sale"
