"""Who hears of a run while a command sends: the screen or the log, and the metrics."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from campaigns.cli.progress import progress
from campaigns.cli.screen import Screen
from campaigns.cli.session import Session
from campaigns.events import Listen, all_of, ignore
from campaigns.logs import MessageLog, log_events


@contextmanager
def metrics_at(port: int | None, screen: Screen) -> Iterator[Sequence[Listen]]:
    """What counts for Prometheus, which may ask at that port until the block ends; nothing without a port."""
    if port is None:
        yield ()
        return
    from campaigns.metrics import Metrics, shown_at  # only few ask for them

    metrics = Metrics()
    with shown_at(port, metrics) as address:
        screen.tell(f"Metrics at {address}")
        yield (metrics,)


@contextmanager
def listening(session: Session, further: Sequence[Listen]) -> Iterator[Listen]:
    """Whoever hears of the run. Where events are logged, the log takes the place of the lines of a pipe."""
    listeners = [*further]
    if session.logs_from(logging.INFO):
        listeners.append(log_events())
    if session.logs_from(logging.DEBUG):
        listeners.append(MessageLog(numbers=session.log_numbers))
    is_shown = session.screen.err.terminal or not session.logs_from(logging.INFO)
    with progress(lambda: session.screen) if is_shown else nullcontext(ignore) as shown:
        yield all_of(shown, *listeners)
