"""`status --watch`: redrawn on a terminal, a line at each change elsewhere, ended by Ctrl-C."""

import fcntl
import io
import json
import os
import re
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from rich.text import Text

from campaigns.cli.screen import Stream
from campaigns.ledger import Ledger, open_ledger
from campaigns.pausing import cancel
from tests.builders import a_campaign
from tests.cli.conftest import Type


@pytest.fixture
def ready(folder: Path) -> Iterator[Ledger]:
    """A ledger with a campaign that nobody sends."""
    with open_ledger(folder / "ledger.db") as ledger:
        a_campaign(ledger)
        yield ledger


@pytest.fixture
def environ(folder: Path) -> dict[str, str]:
    package = str(Path(__file__).parents[2])
    return os.environ | {"CAMPAIGNS_DATABASE": str(folder / "ledger.db"), "PYTHONPATH": package, "TERM": "xterm"}


def start(python: list[str], environ: dict[str, str], *more: str) -> "subprocess.Popen[str]":
    words = [*python, "status", "inbjudan", "--watch", *more]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


def test_json_is_an_object_a_line_at_each_change(python: list[str], environ: dict[str, str], ready: Ledger) -> None:
    started = start(python, environ, "--json")
    assert started.stdout is not None
    first = json.loads(started.stdout.readline())
    cancel(ready, "inbjudan")
    rest, said = started.communicate(timeout=60)
    second = json.loads(rest)  # one line, though it was looked at more often
    assert (first["state"], second["state"]) == ("ready", "cancelled")
    assert (first["counts"]["planned"], second["counts"]["cancelled"]) == (3, 3)
    assert (started.returncode, said) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_quietly(
    python: list[str], environ: dict[str, str], ready: Ledger, number: signal.Signals
) -> None:
    started = start(python, environ)
    assert started.stdout is not None
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d ready\. 0 of 3 \(0\.0 %\): none has an outcome yet\n", started.stdout.readline()
    )
    started.send_signal(number)
    assert started.communicate(timeout=60) == ("", "")
    assert started.returncode == 130


def test_what_has_come_to_rest_is_one_line_and_says_what_is_next(type_: Type, ready: Ledger) -> None:
    cancel(ready, "inbjudan")
    result = type_("status", "inbjudan", "--watch")
    assert re.fullmatch(r"\d\d:\d\d:\d\d cancelled: .+\. 3 of 3 \(100\.0 %\): cancelled 3\n", result.stdout)
    assert result.stderr == " next: campaigns report inbjudan --to reports/inbjudan.html\n"
    assert result.exit_code == 0


def test_a_narrow_terminal_shows_the_status_in_its_width(
    python: list[str], environ: dict[str, str], ready: Ledger
) -> None:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    started = subprocess.Popen([*python, "status", "inbjudan", "--watch"], stdout=theirs, stderr=theirs, env=environ)
    os.close(theirs)
    shown = b""
    while b"As of" not in shown:
        shown += os.read(ours, 4096)
    cancel(ready, "inbjudan")
    with suppress(OSError):  # its end has ended
        while True:
            shown += os.read(ours, 4096)
    os.close(ours)
    assert started.wait(timeout=60) == 0
    plain = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", shown.decode())
    assert "        3  planned      not sent" in plain
    assert "        3  cancelled    left unsent" in plain
    assert max(len(line) for line in re.split(r"[\r\n]+", plain) if " next: " not in line) <= 40
    assert re.search(rb"\x1b\[\d*A", shown)  # the second was drawn over the first


def test_what_is_drawn_again_stands_over_what_was_drawn_before() -> None:
    file = io.StringIO()
    with Stream(file, 80, terminal=True).redrawn() as draw:
        draw([Text("planned 3"), Text("\x1b[2J")])
        draw([Text("planned 2")])
    first, _, second = file.getvalue().partition("\x1b[1A")
    assert "planned 3" in first
    assert "\x1b[2J" not in first
    assert "planned 2" in second
