"""What a run tells whoever listens while it sends; values only."""

from collections.abc import Callable
from dataclasses import dataclass

from campaigns.model import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Sending begins."""

    name: str
    account: str
    total: int  #: messages that are to go
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """More messages have an outcome, on disk."""

    done: int
    total: int
    counts: dict[str, int]  #: by state, of this run


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The whole account waits: the provider asked for it, or cannot be reached."""

    seconds: float
    account: str
    reason: str  #: what happened, without a full stop
    throttled: bool  #: whether it was a 429


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """The rate was lowered after repeated 429, or raised again."""

    rate: Rate
    full: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Another process sends for this account; we only look on."""

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The first word to stop came; `in_flight` requests are waited for."""

    in_flight: int


Event = Started | Progress | Held | Paced | Watching | Stopping
Listen = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """Listen to nothing."""
