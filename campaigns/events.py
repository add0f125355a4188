"""What a run tells whoever listens while it sends; values only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from campaigns.model import CampaignId, Outcome, Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Sending begins."""

    name: str
    campaign_id: CampaignId
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How the loop of one account stands at a moment."""

    in_flight: int  #: requests
    waiting: int  #: messages that are claimed and wait for their turn
    rate: Rate  #: that is kept now


class Attentive:
    """A listener that is also told of each request and each message; where nobody is one, that costs nothing."""

    def __call__(self, event: Event) -> None:
        """Something happened."""

    def sending(self, account: str, look: Callable[[], Figures]) -> None:
        """The loop of an account begins; `look` says how it stands, and may be asked by any thread."""

    def answered(self, account: str, seconds: float, messages: int) -> None:
        """A request for so many messages ended after so long."""

    def finished(self, account: str, outcomes: Sequence[Outcome]) -> None:
        """These outcomes are on disk, in one commit."""


def all_of(*listeners: Listen) -> Listen:
    """Several listeners as one, which is attentive where one of them is."""
    attentive = [one for one in listeners if isinstance(one, Attentive)]
    if len(listeners) == 1:
        return listeners[0]
    return _AllAttentive(listeners, attentive) if attentive else lambda event: _tell(listeners, event)


class _AllAttentive(Attentive):
    def __init__(self, listeners: Sequence[Listen], attentive: Sequence[Attentive]) -> None:
        self._listeners = listeners
        self._attentive = attentive

    def __call__(self, event: Event) -> None:
        _tell(self._listeners, event)

    def sending(self, account: str, look: Callable[[], Figures]) -> None:
        for one in self._attentive:
            one.sending(account, look)

    def answered(self, account: str, seconds: float, messages: int) -> None:
        for one in self._attentive:
            one.answered(account, seconds, messages)

    def finished(self, account: str, outcomes: Sequence[Outcome]) -> None:
        for one in self._attentive:
            one.finished(account, outcomes)


def _tell(listeners: Sequence[Listen], event: Event) -> None:
    for one in listeners:
        one(event)
