"""How far a campaign is: one line that is redrawn on a terminal, a line at each full minute elsewhere."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tqdm import tqdm

from campaigns.cli.screen import Screen
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.events import Event, Held, Paced, Progress, Started, Stopping, Watching
from campaigns.model import Rate
from campaigns.wording import count, duration, plural, share

if TYPE_CHECKING:
    Tqdm = tqdm[NoReturn]
else:  # it is generic for the type checker only
    Tqdm = tqdm

NOT_WELL: Final = ("undelivered", "expired", "rejected", "failed", "unknown")
OUTCOMES: Final = ("accepted", "delivered", *NOT_WELL)
NARROWEST_BAR: Final = 6
REDRAW_S: Final = 0.1  #: at most so often


@contextmanager
def progress(screen: Callable[[], Screen], clock: Clock = SYSTEM_CLOCK) -> Iterator[Callable[[Event], None]]:
    """What shows the events of a run; the line is gone when the block ends."""
    if not screen().err.terminal:
        yield PlainLines(screen(), clock)
        return
    line = OneLine(screen, clock)
    try:
        yield line
    finally:
        line.erase()


@contextmanager
def reading(screen: Callable[[], Screen], delay_s: float = 0.5) -> Iterator[Callable[[int, int], None]]:
    """What shows how much of a file was read; on a terminal only, if it takes longer, and gone when the block ends."""
    if not screen().err.terminal:
        yield lambda _done, _total: None
        return
    line = _Rows(screen, delay_s)
    opening = threading.Timer(delay_s, line.update, (0,))  # a large file is looked through before its first row
    opening.start()
    try:
        yield line.read
    finally:
        opening.cancel()
        opening.join()
        line.close()


class PlainLines:
    """For logs and pipes: the start, each full minute, each event and the end, with the time."""

    def __init__(self, screen: Screen, clock: Clock) -> None:
        self._screen = screen
        self._clock = clock
        self._minute = ""

    def __call__(self, event: Event) -> None:
        match event:
            case Started():
                self._say(
                    f"{event.name}: sending {plural(event.total, 'message')} through {event.account}, "
                    f"at most {event.rate}"
                )
            case Progress() if event.done >= event.total or self._now()[:5] != self._minute:
                self._say(_counted(event))
            case Progress():
                pass
            case Held():
                self._say(f"held for {duration(event.seconds)}: {event.reason}")
            case _:
                self._say(_words(event))

    def _say(self, text: str) -> None:
        now = self._now()
        self._minute = now[:5]
        self._screen.tell(f"{now} {text}")

    def _now(self) -> str:
        return f"{self._clock.now().astimezone():%H:%M:%S}"


class OneLine:
    """For a terminal: percent, bar, messages with an outcome, rate, time left, and the outcomes that are not well."""

    def __init__(self, screen: Callable[[], Screen], clock: Clock) -> None:
        self._screen = screen
        self._clock = clock
        self._bar: _Bar | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case Started():
                pass
            case Progress():
                self._move(event)
            case Held():
                self._hold(event)
            case Paced():
                self._pace(event)
            case _:
                self._above(_words(event))

    def erase(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _move(self, event: Progress) -> None:
        if self._bar is None:
            self._bar = _Bar(self._screen, self._clock, event)
        self._bar.move(event)

    def _hold(self, event: Held) -> None:
        if self._bar is not None:
            self._bar.held_until = self._clock.monotonic() + event.seconds
            self._bar.held_by = f" by {event.account} (429)" if event.throttled else f": {event.reason}"
            self._bar.refresh()

    def _pace(self, event: Paced) -> None:
        if self._bar is not None:
            self._bar.full_rate = event.full if event.rate != event.full else None
            self._bar.refresh()

    def _above(self, text: str) -> None:
        """Say a sentence without breaking the line that is being redrawn."""
        if self._bar is not None:
            self._bar.clear()
        self._screen().tell(text)
        if self._bar is not None:
            self._bar.refresh()


class _Line(Tqdm):
    """tqdm with our own line: no bar where there is no room for one, never 100 % before all is done."""

    monitor_interval = 0  # its thread would only watch that it is redrawn

    def __init__(self, screen: Callable[[], Screen], done: int, total: int, delay_s: float = 0.0) -> None:
        self.done = done
        self.all = total
        self._screen = screen
        super().__init__(
            total=total,
            initial=done,
            file=screen().err.file,
            leave=False,
            mininterval=REDRAW_S,
            miniters=0,
            delay=delay_s,
            bar_format="{percent} {bar}{tail}",
        )

    @property
    def format_dict(self) -> dict[str, Any]:
        figures = dict(super().format_dict)
        columns = self._screen().err.width - 1
        percent = f"{100 * self.done // max(self.all, 1):3}%"
        tail = self._tail(figures["rate"] or self._average(figures["elapsed"]), columns - len(percent) - 1)
        if columns - len(percent) - 1 - len(tail) < NARROWEST_BAR:
            figures["bar_format"] = "{percent}{tail}"
        return figures | {"ncols": columns, "percent": percent, "tail": tail}

    def _tail(self, rate: float, room: int) -> str:
        """As many of its parts as there is room for, the first in any case."""
        parts = self._parts(rate)
        while len("".join(parts)) > room and len(parts) > 1:
            parts.pop()
        return "".join(parts)

    def _parts(self, rate: float) -> list[str]:
        raise NotImplementedError

    def _average(self, elapsed: float) -> float:
        return (self.n - self.initial) / elapsed if elapsed else 0.0


class _Bar(_Line):
    """Messages with an outcome."""

    def __init__(self, screen: Callable[[], Screen], clock: Clock, first: Progress) -> None:
        self.counts: Mapping[str, int] = first.counts
        self.held_until = 0.0
        self.held_by = ""
        self.full_rate: Rate | None = None  # where a lower one is kept now
        self._clock = clock
        super().__init__(screen, first.done, first.total)

    def move(self, event: Progress) -> None:
        self.counts = event.counts
        done, self.done = self.done, event.done
        self.update(event.done - done)

    def _parts(self, rate: float) -> list[str]:
        """The figures first, then the rate and the time, then what is not well."""
        not_well = ", ".join(f"{count(self.counts[word])} {word}" for word in NOT_WELL if self.counts.get(word))
        figures = f" {count(self.done)}/{count(self.all)}"
        return [figures, self._pace(rate), f"  {not_well}" if not_well else ""]

    def _pace(self, rate: float) -> str:
        held = self.held_until - self._clock.monotonic()
        if held > 0:
            return f" held {_minutes(held)}{self.held_by}"
        if not rate:
            return ""
        lowered = f" (of {self.full_rate.per_second:g})" if self.full_rate else ""
        return f" {_rate(rate)}{lowered} {_minutes((self.all - self.done) / rate)} left"


class _Rows(_Line):
    """Rows read of a file."""

    def __init__(self, screen: Callable[[], Screen], delay_s: float) -> None:
        super().__init__(screen, 0, 0, delay_s)

    def read(self, done: int, total: int) -> None:
        """`total` counts blank rows too, and one more is counted here: what follows the last row takes time as well."""
        self.done, self.total, self.all = done, total + 1, total + 1
        self.update(done - self.n)

    def _parts(self, rate: float) -> list[str]:
        if not self.all:
            return ["  reading the file"]
        left = f" {_minutes((self.all - self.done) / rate)} left" if rate else ""
        return [f" {plural(self.done, 'row')} read", left]


def _words(event: Stopping | Watching | Paced) -> str:
    match event:
        case Stopping() if event.in_flight:
            them = "it" if event.in_flight == 1 else "them"
            waiting = plural(event.in_flight, "answer")
            return f"Stopping. Waiting for {waiting}; Ctrl-C again makes {them} unknown instead."
        case Stopping():
            return "Stopping."
        case Paced() if event.rate != event.full:
            return f"sending at most {_rate(event.rate.per_second)} (of {event.full}) for a while: it was throttled"
        case Paced():
            return f"sending at most {event.full} again"
        case Watching():
            return f"{event.owner} sends for this account already, and sends these messages too; this only watches."


def _counted(event: Progress) -> str:
    outcomes = ", ".join(f"{word} {count(event.counts[word])}" for word in OUTCOMES if event.counts.get(word))
    share_done = share(event.done, event.total)
    return f"{count(event.done)} of {count(event.total)} ({share_done}): {outcomes or 'none has an outcome yet'}"


def _rate(per_second: float) -> str:
    return f"{per_second:.0f}/s" if per_second >= 9.95 else f"{per_second:.1f}/s"


def _minutes(seconds: float) -> str:
    """325 s as "5:25"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


tqdm.set_lock(threading.RLock())  # its own default makes a semaphore that other processes could share
