"""The geometry of the page's charts: widths in per cent, places on a scale of 600."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from campaigns.reporting.timeline import Timeline
from campaigns.wording import count

_HEIGHT: Final = 600
_TICKS: Final = (1, 2, 5, 10, 15, 20, 30, 60)  #: steps between two labels of the time axis
_MOST_TICKS: Final = 6
_NARROWEST: Final = 0.4  #: per cent; a bar that stands for something is never too thin to see


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle of a horizontal bar; `x` and `width` are per cent of the whole, as SVG takes them."""

    look: str
    width: str
    x: str = ""
    label: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One upright bar of the plot."""

    x: str
    y: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """Messages over time: bars for what was sent, a line for what was delivered, and the same figures as a table."""

    width: int  #: in steps
    bars: Sequence[Column]
    line: str  #: points of the polyline; "" where nothing was delivered
    scale: Sequence[str]  #: from the top
    times: Sequence[tuple[str, str]]  #: per cent from the left, label
    table: Sequence[Sequence[str]]
    note: str


def single_bar(look: str, part: int, whole: int) -> Bar:
    """A bar from the left edge."""
    return Bar(look, _percent(max(100 * part / whole, _NARROWEST if part else 0) if whole else 0))


def stacked_bars(parts: Iterable[tuple[str, int, str]], whole: int) -> list[Bar]:
    """Bars end to end, (look, number, label) each; those of nothing are left out."""
    bars, before = [], 0
    for look, number, label in parts:
        if number:
            bars.append(Bar(look, _percent(100 * number / whole), _percent(100 * before / whole), label, count(number)))
            before += number
    return bars


def plot(line: Timeline, labels: Sequence[str], note: str) -> Plot:
    """The plot of a time line; `labels` are the local times of its steps."""
    top = _round_up(max(max(step.counts["sent"], step.counts["delivered"]) for step in line.lines))
    sent = [round(_HEIGHT * step.counts["sent"] / top) for step in line.lines]
    delivered = [round(_HEIGHT * step.counts["delivered"] / top) for step in line.lines]
    points = " ".join(f"{at}.5,{_HEIGHT - height}" for at, height in enumerate(delivered))
    return Plot(
        width=len(line.lines),
        bars=[Column(f"{at}.1", _HEIGHT - height, height) for at, height in enumerate(sent) if height],
        line=points if any(delivered) or line.later.counts["delivered"] else "",
        scale=[count(top * part // 3) for part in (3, 2, 1, 0)],
        times=list(_ticks(line, labels)),
        table=[
            [label, *(count(step.counts[series]) for series in ("sent", "delivered", "rejected", "unknown"))]
            for label, step in zip((*labels, "later"), (*line.lines, line.later), strict=True)
        ],
        note=note,
    )


def _round_up(highest: int) -> int:
    """The smallest figure from `highest` on that is a third, two thirds and whole in round numbers."""
    size = 1
    while True:
        for step in (3, 6, 9, 15):
            if step * size >= highest:
                return step * size
        size *= 10


def _ticks(line: Timeline, labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Some labels at even times, each at the left edge of its step."""
    every = next((size for size in _TICKS if size * _MOST_TICKS >= len(labels)), len(labels))
    for at, (step, label) in enumerate(zip(line.lines, labels, strict=True)):
        if step.begins is not None and int(step.begins.timestamp()) // line.step % every == 0:
            yield _percent(100 * at / len(labels)), label


def _percent(value: float) -> str:
    return f"{value:.2f}"
