"""What only a process of its own can show: pipes, signals, letters that a terminal lacks."""

import os
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from campaigns.web.sandbox import Misbehaviour, embedded_sandbox


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    """The environment of a command that is started from the folder with the list."""
    package = Path(__file__).parents[2]
    return os.environ | {"CAMPAIGNS_DATABASE": str(folder / "ledger.db"), "PYTHONPATH": str(package)}


def test_a_closed_pipe_ends_the_output_and_not_the_work(
    python: list[str], environ: dict[str, str], folder: Path
) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # nobody reads, as after `| head -1`
    ended = subprocess.run(
        [*python, "send", "lista.toml", "--yes"], stdout=writing, stderr=subprocess.PIPE, text=True, env=environ
    )
    os.close(writing)
    assert ended.returncode == 0
    assert "Error" not in ended.stderr
    assert (folder / "reports" / "lista.csv").exists()


def test_a_closed_stderr_is_quiet_too(python: list[str], environ: dict[str, str], folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run([*python, "send"], stdout=subprocess.PIPE, stderr=writing, env=environ)
    os.close(writing)
    assert (ended.returncode, ended.stdout) == (2, b"")


@pytest.mark.parametrize(
    ("words", "streams", "code"),
    [("list", "0>&- 1>&- 2>&-", 0), ("--help", "1>&-", 0), ("send lista.toml", "0>&-", 2), ("send", "2>&-", 2)],
)
def test_a_stream_that_was_closed_before_the_start_is_an_empty_one(
    python: list[str], environ: dict[str, str], folder: Path, words: str, streams: str, code: int
) -> None:
    line = f"{shlex.join(python)} {words} {streams}".replace(" 0>&-", " <&-")
    ended = subprocess.run(line, shell=True, capture_output=True, text=True, env=environ)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr


def test_a_signal_after_the_last_message_leaves_only_the_reports_to_write(
    python: list[str], environ: dict[str, str], folder: Path
) -> None:
    workbooks = [f"--report={number}.xlsx" for number in range(40)]  # seconds of work, of which nothing is awaited
    started = subprocess.Popen(
        [*python, "send", "lista.toml", "--yes", "--json", *workbooks],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )
    assert started.stdout is not None
    assert started.stdout.read(1) == "{"
    started.send_signal(signal.SIGINT)
    _, said = started.communicate(timeout=60)
    assert started.returncode == 130
    assert " note: lista is done; only its reports were not written.\n" in said
    assert said.endswith(" next: campaigns report lista --to lista.html\n")


def test_letters_that_the_terminal_lacks_do_not_stop_a_command(
    python: list[str], environ: dict[str, str], folder: Path
) -> None:
    words = [*python, "check", "lista.csv", "--message", "Hej {{ förnamn }}, på återseende"]
    ended = subprocess.run(words, capture_output=True, text=True, env=environ | {"PYTHONIOENCODING": "ascii"})
    assert ended.returncode == 0
    assert "Hej Anna, p? ?terseende" in ended.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_sending_stops_it_cleanly(
    python: list[str], environ: dict[str, str], folder: Path, number: signal.Signals
) -> None:
    with embedded_sandbox(Misbehaviour(latency_s=0.3)) as sandbox:
        started = subprocess.Popen(
            [*python, "send", "lista.toml", "--yes", "--rate", "30/min"],  # the second would leave after 2 s
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ | {"CAMPAIGNS_SANDBOX_URL": sandbox.url},
        )
        assert started.stderr is not None
        assert "lista: sending 3 messages through sandbox, at most 30/min" in started.stderr.readline()
        started.send_signal(number)
        shown, said = started.communicate(timeout=60)
        reached = {message.to for message in sandbox.carrier.messages}
    assert started.returncode == 130
    assert "lista is paused: you stopped it at " in shown
    assert "campaigns resume lista" in said
    assert len(reached) < 3
    resumed = subprocess.run(
        [*python, "resume", "lista", "--rate", "50/s", "--yes"], capture_output=True, text=True, env=environ
    )
    assert resumed.returncode == 0
    assert f"{3 - len(reached)} message" in resumed.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_says_where_it_is_and_runs_until_it_is_stopped(
    python: list[str], environ: dict[str, str], number: signal.Signals
) -> None:
    started = subprocess.Popen([*python, "sandbox"], stdout=subprocess.PIPE, text=True, env=environ)
    assert started.stdout is not None
    first = started.stdout.readline()
    assert first.startswith("Sandbox at http://127.0.0.1:")
    checked = subprocess.run(
        [*python, "providers", "check", "sandbox"],
        capture_output=True,
        text=True,
        env=environ | {"CAMPAIGNS_SANDBOX_URL": first.split()[-1]},
    )
    started.send_signal(number)
    started.communicate(timeout=60)
    assert checked.stdout.startswith("sandbox: logged in at 127.0.0.1")
    assert (checked.returncode, started.returncode) == (0, 0)
