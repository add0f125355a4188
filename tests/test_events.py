"""Several listeners as one."""

from collections.abc import Sequence

from campaigns.events import Attentive, Event, Stopping, all_of, ignore
from campaigns.model import Outcome

STOPPING = Stopping(in_flight=2)


class Attending(Attentive):
    """Keeps all that it hears."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def __call__(self, event: Event) -> None:
        self.heard.append(event)

    def answered(self, account: str, seconds: float, messages: int) -> None:
        self.heard.append((account, seconds, messages))

    def finished(self, account: str, outcomes: Sequence[Outcome]) -> None:
        self.heard.append((account, *outcomes))


def test_each_of_several_listeners_hears_what_happens() -> None:
    one: list[Event] = []
    other: list[Event] = []
    all_of(one.append, other.append)(STOPPING)
    assert (one, other) == ([STOPPING], [STOPPING])


def test_listeners_of_whom_none_is_attentive_are_not_either() -> None:
    assert not isinstance(all_of(ignore, ignore), Attentive)
    assert all_of(ignore) is ignore


def test_requests_and_messages_are_told_to_those_alone_who_want_them() -> None:
    plain: list[Event] = []
    attending = Attending()
    together = all_of(plain.append, attending)
    assert isinstance(together, Attentive)
    together(STOPPING)
    together.answered("sandbox", 0.1, 5)
    together.finished("sandbox", ())
    assert plain == [STOPPING]
    assert attending.heard == [STOPPING, ("sandbox", 0.1, 5), ("sandbox",)]
