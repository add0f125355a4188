"""Run what sends, and let Ctrl-C (or SIGTERM) stop it in two steps: claim no more, then wait no more."""

import asyncio
import contextlib
import gc
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, Final, TypeVar

from campaigns.delivery.stop import Stop

NEW_LOOP: Callable[[], asyncio.AbstractEventLoop]
try:
    import uvloop
except ImportError:  # Windows
    NEW_LOOP = asyncio.new_event_loop
else:
    NEW_LOOP = uvloop.new_event_loop

T = TypeVar("T")

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run(work: Callable[[], Coroutine[Any, Any, T]], stop: Stop) -> T:
    """Run `work` to its end. A signal never cuts it: the first asks `stop`, the second aborts, a third interrupts."""
    gc.freeze()  # what was loaded so far stays: the collector need not look through it again and again
    with asyncio.Runner(loop_factory=NEW_LOOP) as runner, _in_steps(stop, runner.get_loop()):
        return runner.run(work())


@contextlib.contextmanager
def _in_steps(stop: Stop, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only the main thread hears signals
        yield
        return
    steps = iter((stop.ask, stop.abort))

    def step(_signal: int, _frame: FrameType | None) -> None:
        following = next(steps, None)
        if following is None:
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(following)  # wakes the loop, which may be waiting for an answer

    before = {number: signal.signal(number, step) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
