"""The line that is redrawn on a terminal, and the lines without one."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from campaigns.cli.progress import OneLine, PlainLines, progress, reading
from campaigns.cli.screen import Screen, Stream
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.events import Held, Paced, Progress, Started, Stopping, Watching
from campaigns.model import CampaignId, Rate


class Hands:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 8, 13, 10, 0, tzinfo=UTC)

    @property
    def clock(self) -> Clock:
        return replace(SYSTEM_CLOCK, now=lambda: self.moment, monotonic=lambda: self.moment.timestamp())

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class Utf8(io.StringIO):
    encoding = "utf-8"


def a_screen(width: int = 80, terminal: bool = False) -> Screen:
    stream = Stream(Utf8(), width, terminal=terminal)
    return Screen(stream, stream)


def written(screen: Screen) -> str:
    assert isinstance(screen.err.file, io.StringIO)
    return screen.err.file.getvalue()


def last_drawn(screen: Screen) -> str:
    return [part for part in written(screen).split("\r") if part.strip()][-1]


STARTED = Started(name="sommarrea", campaign_id=CampaignId(17), account="kannel", total=11_916, rate=Rate(20.0))
HELD = Held(seconds=40, account="kannel", reason="kannel answered 429 with Retry-After: 40", throttled=True)
UNREACHED = Held(seconds=40, account="kannel", reason="no connection could be made", throttled=False)


def test_without_a_terminal_there_is_a_line_at_each_minute_and_for_each_event() -> None:
    screen, hands = a_screen(width=100), Hands()
    lines = PlainLines(screen, hands.clock)
    lines(STARTED)
    for second in range(1, 131):
        hands.move(1)
        lines(Progress(done=20 * second, total=11_916, counts={"accepted": 20 * second - 4, "rejected": 4}))
    lines(HELD)
    lines(Paced(rate=Rate(14), full=Rate(20)))
    lines(Paced(rate=Rate(20), full=Rate(20)))
    lines(Stopping(in_flight=11))
    lines(Progress(done=11_916, total=11_916, counts={"accepted": 11_912, "rejected": 4}))
    assert [line.partition(" ")[2] for line in written(screen).splitlines()] == [
        "sommarrea: sending 11,916 messages through kannel, at most 20/s",
        "1,200 of 11,916 (10.1 %): accepted 1,196, rejected 4",
        "2,400 of 11,916 (20.1 %): accepted 2,396, rejected 4",
        "held for 40 s: kannel answered 429 with Retry-After: 40",
        "sending at most 14/s (of 20/s) for a while: it was throttled",
        "sending at most 20/s again",
        "Stopping. Waiting for 11 answers; Ctrl-C again makes them unknown instead.",
        "11,916 of 11,916 (100.0 %): accepted 11,912, rejected 4",
    ]
    assert written(screen).splitlines()[1][2:9] == ":01:00 "


def test_on_a_terminal_the_line_has_percent_bar_figures_and_what_is_not_well() -> None:
    screen, hands = a_screen(terminal=True), Hands()
    line = OneLine(lambda: screen, hands.clock)
    line(Progress(done=5522, total=11_916, counts={"accepted": 5499, "rejected": 19, "unknown": 4}))
    drawn = last_drawn(screen)
    line.erase()
    assert drawn.startswith(" 46% █")
    assert "5,522/11,916" in drawn
    assert drawn.endswith("  19 rejected, 4 unknown")
    assert "accepted" not in drawn


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
def test_the_line_is_one_column_less_than_the_terminal_and_keeps_its_figures(width: int) -> None:
    screen, hands = a_screen(width, terminal=True), Hands()
    line = OneLine(lambda: screen, hands.clock)
    line(Progress(done=5522, total=11_916, counts={"rejected": 19, "unknown": 4}))
    drawn = last_drawn(screen)
    line.erase()
    assert len(drawn) <= width - 1
    assert "5,522/11,916" in drawn


def test_it_never_says_100_percent_before_all_is_done() -> None:
    screen, hands = a_screen(terminal=True), Hands()
    line = OneLine(lambda: screen, hands.clock)
    line(Progress(done=11_915, total=11_916, counts={}))
    drawn = last_drawn(screen)
    line.erase()
    assert drawn.startswith(" 99%")


@pytest.mark.parametrize(
    ("event", "said"), [(HELD, "held 0:40 by kannel (429)"), (UNREACHED, "held 0:40: no connection could be made")]
)
def test_while_all_wait_the_line_says_how_long_and_why(event: Held, said: str) -> None:
    screen, hands = a_screen(terminal=True), Hands()
    line = OneLine(lambda: screen, hands.clock)
    line(Progress(done=4931, total=11_916, counts={"rejected": 17}))
    line(event)
    drawn = last_drawn(screen)
    line.erase()
    assert f"4,931/11,916 {said}  17 rejected" in drawn


def test_a_rate_that_was_lowered_stands_beside_the_full_one_until_it_is_back() -> None:
    screen, hands = a_screen(terminal=True), Hands()
    line = OneLine(lambda: screen, hands.clock)
    line(Progress(done=100, total=1000, counts={}))
    for second in range(1, 4):
        hands.move(1)
        line(Progress(done=100 + 14 * second, total=1000, counts={}))
    line(Paced(rate=Rate(14), full=Rate(20)))
    lowered = last_drawn(screen)
    line(Paced(rate=Rate(20), full=Rate(20)))
    raised = last_drawn(screen)
    line.erase()
    assert "/s (of 20) " in lowered
    assert "(of" not in raised


def test_the_line_is_gone_at_the_end() -> None:
    screen = a_screen(terminal=True)
    with progress(lambda: screen) as listen:
        listen(STARTED)
        listen(Progress(done=1, total=2, counts={}))
    assert written(screen).rsplit("\r", 2)[1].strip() == ""


def test_a_sentence_stands_above_the_line() -> None:
    screen = a_screen(terminal=True)
    with progress(lambda: screen) as listen:
        listen(Progress(done=1, total=2, counts={}))
        listen(Stopping(in_flight=1))
        listen(Watching(owner="process 41 on kontor"))
    assert "\rStopping. Waiting for 1 answer; Ctrl-C again makes it unknown instead.\n" in written(screen)
    assert "process 41 on kontor sends for this account already" in written(screen)


@pytest.fixture
def redrawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("campaigns.cli.progress.REDRAW_S", 0)


@pytest.mark.parametrize(("width", "drawn_as"), [(20, " 23%"), (40, " 23% █"), (80, " 23% ██████")])
@pytest.mark.usefixtures("redrawn_at_once")
def test_while_a_file_is_read_the_line_has_percent_bar_and_rows(width: int, drawn_as: str) -> None:
    screen = a_screen(width, terminal=True)
    with reading(lambda: screen, delay_s=0) as on_rows:
        on_rows(240_000, 1_000_001)
        drawn = last_drawn(screen)
    assert drawn.startswith(drawn_as)
    assert " 240,000 rows" in drawn
    assert len(drawn) <= width - 1
    assert written(screen).rsplit("\r", 2)[1].strip() == ""


@pytest.mark.usefixtures("redrawn_at_once")
def test_a_file_that_is_read_to_the_end_is_not_done_yet() -> None:
    screen = a_screen(terminal=True)
    with reading(lambda: screen, delay_s=0) as on_rows:
        on_rows(1_000_000, 1_000_000)
    assert " 99% " in written(screen)
    assert "100%" not in written(screen)


def test_the_line_is_there_before_the_first_row_where_that_takes_long() -> None:
    screen = a_screen(terminal=True)
    with reading(lambda: screen, delay_s=0):
        pass
    assert "reading the file" in written(screen)
    assert written(screen).rsplit("\r", 2)[1].strip() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_a_file_that_is_read_at_once_and_any_without_a_terminal_shows_nothing(terminal: bool) -> None:
    screen = a_screen(terminal=terminal)
    with reading(lambda: screen, delay_s=60 if terminal else 0) as on_rows:
        on_rows(1, 2)
    assert written(screen) == ""
