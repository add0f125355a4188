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
    """The provider asked the account to wait."""

    seconds: float
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Another process sends for this account; we only look on."""

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The first word to stop came; `in_flight` requests are waited for."""

    in_flight: int


Event = Started | Progress | Held | Watching | Stopping
Listen = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """Listen to nothing."""
