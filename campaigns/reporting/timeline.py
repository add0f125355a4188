"""Messages over time: the step that fits the length of the sending, and what fell into each step."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from campaigns.reporting.figures import Figures
from campaigns.wording import duration

STEPS: Final = (1, 10, 30, 60, 300, 900, 3600, 86_400)  #: in seconds
MOST_LINES: Final = 200
_NAMES: Final = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}
SERIES: Final = ("sent", "delivered", "rejected", "unknown")


@dataclass(frozen=True, slots=True)
class Line:
    """One step and the messages of each series in it."""

    begins: datetime | None  #: aware UTC; None for all that came after the last step
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every step from the first message sent to a tenth past the last, zeros included; `later` holds the rest."""

    step: int  #: in seconds
    lines: Sequence[Line]
    later: Line

    @property
    def step_name(self) -> str:
        """The step as people read it behind "per": "second", "30 s", "hour"."""
        return _NAMES.get(self.step) or duration(self.step)


def timeline(figures: Figures) -> Timeline | None:
    """What happened when; None where nothing was sent."""
    sent = figures.seconds.get("sent")
    if not sent:
        return None
    first, last = min(sent), max(sent)
    end = last + (last - first) // 10
    step = next((step for step in STEPS if end // step - first // step < MOST_LINES), STEPS[-1])
    begin = first // step
    buckets = [Counter[str]() for _ in range(end // step - begin + 1)]
    later: Counter[str] = Counter()
    for series, seconds in figures.seconds.items():
        for second, messages in seconds.items():
            place = max(second // step - begin, 0)  # a network's clock may say that it came before it left
            (buckets[place] if place < len(buckets) else later)[series] += messages
    lines = [Line(datetime.fromtimestamp((begin + at) * step, UTC), counts) for at, counts in enumerate(buckets)]
    return Timeline(step, lines, Line(None, later))
