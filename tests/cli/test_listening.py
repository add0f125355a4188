"""Looking on while a command sends: metrics, and the log on stderr."""

import csv
import io
import json
import logging
import os
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaigns.cli.logs import logging_to
from campaigns.cli.progress import OneLine
from campaigns.cli.screen import Screen, Stream
from campaigns.clock import SYSTEM_CLOCK
from campaigns.events import Progress
from campaigns.web.carrier import REFUSALS
from campaigns.web.sandbox import Misbehaviour, Sandbox, embedded_sandbox
from tests.cli.conftest import Type

PEOPLE = 60
TEXT = "Hemlig text till {{ namn }}"
SEND = ("send", "many.csv", "--message", TEXT, "--provider", "sandbox", "--from", "Butiken", "--yes")
FAULTS = Misbehaviour(
    refusals={f"{ending}7": REFUSALS["92"] for ending in range(10)}, throttle_first=1, retry_after_s=0, fail_after=0.1
)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with embedded_sandbox(FAULTS) as running:
        monkeypatch.setenv("CAMPAIGNS_SANDBOX_URL", running.url)
        yield running


@pytest.fixture
def many(folder: Path) -> list[str]:
    """The numbers of many.csv, for loopback alone."""
    numbers = [f"+4670{1_000_000 + number}" for number in range(PEOPLE)]
    lines = [f"Åsa{place};{number}" for place, number in enumerate(numbers)]
    (folder / "many.csv").write_text("\n".join(["Namn;Mobil", *lines]) + "\n", encoding="utf-8")
    return numbers


def objects(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


def figure(page: str, name: str) -> float:
    found = re.search(rf"^campaigns_{name}\{{[^}}]*\}} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_while_a_command_sends_its_metrics_can_be_read_and_add_up(
    python: list[str], many: list[str], sandbox: Sandbox, folder: Path
) -> None:
    started = subprocess.Popen(
        [*python, *SEND, "--rate", "60/s", "--metrics-port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"CAMPAIGNS_DATABASE": str(folder / "ledger.db"), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert started.stderr is not None
    address = started.stderr.readline().removeprefix("Metrics at ").strip()
    page = ""
    while figure(page, "messages_accepted_total") < 5:
        assert started.poll() is None
        page = urllib.request.urlopen(address, timeout=30).read().decode()
    started.communicate(timeout=60)
    outcomes = [figure(page, f"messages_{word}_total") for word in ("accepted", "rejected", "unknown")]
    assert figure(page, "messages_sent_total") == sum(outcomes)
    assert figure(page, "messages_to_go") == PEOPLE
    assert figure(page, "rate_full") == 60
    assert figure(page, "request_seconds_count") > 0
    assert [number for number in many if number.lstrip("+") in page] == []
    assert started.returncode == 1  # some were rejected
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=30)


@pytest.mark.parametrize("words", [SEND, ("text", "0701740605", *SEND[2:]), ("resume", "lista", "--yes")])
def test_a_port_that_is_taken_ends_it_before_anything_is_planned(
    type_: Type, many: list[str], sandbox: Sandbox, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = type_(*words, "--metrics-port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "address already in use" in " ".join(result.stderr.split())
    assert type_("list").stdout == "No campaigns yet.\n"


@pytest.mark.parametrize("numbers", [False, True])
def test_at_debug_level_each_message_is_one_line_as_the_report_has_it(
    type_: Type, many: list[str], sandbox: Sandbox, folder: Path, numbers: bool
) -> None:
    more = ["--log-numbers"] if numbers else []
    result = type_("--log-level", "debug", *more, *SEND, "--rate", "5000/s", "--log-json", "--max-failures", "0")
    lines = [line for line in objects(result.stderr) if line["event"] == "message"]
    with (folder / "reports" / "many.csv").open(encoding="utf-8-sig", newline="") as file:
        reported = {int(row["row"]): (row["status"], row["to"]) for row in csv.DictReader(file)}
    logged = {line["row"]: (line["state"], line["to"]) for line in lines}
    assert len(lines) == PEOPLE
    assert {row: state for row, (state, _) in logged.items()} == {row: state for row, (state, _) in reported.items()}
    assert {state for state, _ in logged.values()} == {"accepted", "rejected", "unknown"}
    assert (logged == reported) is numbers
    shown = [number for number in many if number.lstrip("+") in result.stderr]
    assert shown == (many if numbers else [])
    assert "Hemlig" not in result.stderr


def test_with_json_all_of_stderr_is_lines_of_json_that_tell_the_run(
    type_: Type, many: list[str], sandbox: Sandbox
) -> None:
    result = type_(*SEND, "--rate", "5000/s", "--log-json")
    events = [line["event"] for line in objects(result.stderr)]
    wanted = ["campaign planned", "campaign ready", "lease taken", "started", "held", "progress", "ended"]
    assert [event for event in dict.fromkeys(events) if event in wanted] == wanted
    assert "message" not in events
    assert "report written" in events
    assert all(line["timestamp"] and line["level"] for line in objects(result.stderr))
    assert result.stdout.startswith("many.csv: ")


@pytest.mark.parametrize(
    ("words", "event", "fix"),
    [
        (["send", "nowhere.csv", "--yes"], "nowhere.csv does not exist.", ""),
        (["send", "--bogus"], '"send" has no option --bogus.', "campaigns send --help"),
        (["send", "lista.toml"], "With --log-json nobody is asked, so nothing was planned or sent.", "--yes"),
    ],
)
def test_with_json_an_error_is_one_line_too(type_: Type, words: list[str], event: str, fix: str) -> None:
    result = type_(*words, "--log-json")
    [line] = objects(result.stderr)
    assert (result.exit_code, line["event"], line["level"]) == (2, event, "error")
    assert fix in str(line.get("fix", ""))


def test_with_json_and_the_level_of_warnings_a_run_that_goes_well_says_nothing(type_: Type) -> None:
    result = type_("send", "lista.toml", "--yes", "--log-json", "--log-level", "warning")
    assert (result.exit_code, result.stderr) == (0, "")


def test_without_json_the_log_takes_the_place_of_the_lines_of_progress(type_: Type) -> None:
    usual = type_("send", "lista.toml", "--yes").stderr
    logged = type_("send", "lista.toml", "--yes", "--again", "--log-level", "info").stderr
    assert "lista: sending 3 messages" in usual
    assert "[info]" not in usual
    assert "lista-2: sending" not in logged
    assert "[info] started account=sandbox campaign=2" in logged


def test_a_fault_of_the_program_is_a_line_of_json_too(
    type_: Type, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    monkeypatch.setattr("campaigns.pipeline.report", lambda *_: 1 / 0)
    result = type_("send", "lista.toml", "--yes", "--log-json")
    last = objects(result.stderr)[-1]
    assert (result.exit_code, last["event"]) == (1, "ZeroDivisionError: a fault of the program")
    assert "ZeroDivisionError" in str(last["exception"])


def test_a_line_of_the_log_stands_above_the_bar() -> None:
    stream = Stream(io.StringIO(), 80, terminal=True)
    bar = OneLine(lambda: Screen(stream, stream), SYSTEM_CLOCK)
    bar(Progress(done=5, total=10, counts={}))
    with logging_to(stream, logging.WARNING, as_json=False, numbers=False):
        logging.getLogger("campaigns.x").warning("The disk is full.")
    drawn = stream.file.getvalue()  # type: ignore[attr-defined]  # of the StringIO above
    bar.erase()
    before, _, after = drawn.partition("[warning] The disk is full.\n")
    cleared = before.split("\r")[-2]
    assert (cleared.strip(), before.split("\r")[-1].count(":")) == ("", 2)
    assert "5/10" in after


def test_below_a_warning_nothing_of_a_library_is_logged_and_afterwards_all_is_as_before() -> None:
    stream, root, ours = Stream(io.StringIO(), 80), logging.getLogger(), logging.getLogger("campaigns")
    before = (root.handlers[:], ours.level)
    with logging_to(stream, logging.DEBUG, as_json=False, numbers=False):
        root.handlers[-1].handle(logging.makeLogRecord({"name": "aiohttp.client", "levelno": 20, "msg": "a token"}))
        logging.getLogger("aiohttp.client").warning("a warning")
        logging.getLogger("campaigns.x").debug("our own")
    said = stream.file.getvalue()  # type: ignore[attr-defined]  # of the StringIO above
    assert [line[9:] for line in said.splitlines()] == ["[warning] a warning", "[debug] our own"]
    assert (root.handlers, ours.level) == before
