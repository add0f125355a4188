"""What is logged of a run, and how its lines look: plain or JSON, with numbers masked and nobody's text in them."""

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level
from structlog.typing import EventDict, Processor

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.events import Attentive, Event, Held, Paced, Progress, Started, Stopping, Watching
from campaigns.model import MessageEvent, Outcome
from campaigns.wording import mask

log = logging.getLogger(__name__)

BECAME: Final = {
    MessageEvent.ACCEPT: "accepted",
    MessageEvent.REJECT: "rejected",
    MessageEvent.LOSE: "unknown",
    MessageEvent.FAIL: "failed",
}
NUMBER: Final = re.compile(r"(?<!\w)(?:\+|0)\d(?:[ -]?\d){6,13}(?!\d)|(?<!\d)\d{9,15}(?!\d)")


def formatter(*, as_json: bool, numbers: bool = False) -> logging.Formatter:
    """What makes a line of each record; `numbers` shows phone numbers whole."""
    masking: list[Processor] = [] if numbers else [_mask_numbers]
    stamp = TimeStamper(fmt="iso", utc=True) if as_json else TimeStamper(fmt="%H:%M:%S", utc=False)
    render: Processor = JSONRenderer() if as_json else ConsoleRenderer(0, colors=False, pad_level=False)
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder(), _drop_leavings, add_log_level],
        processors=[ProcessorFormatter.remove_processors_meta, _say_where, *masking, stamp, render],
    )


def log_events(clock: Clock = SYSTEM_CLOCK) -> Callable[[Event], None]:
    """A listener that logs what a run tells; how far it is, at each full minute and at the end."""
    minute = ""

    def listen(event: Event) -> None:
        nonlocal minute
        if isinstance(event, Progress):
            before, minute = minute, f"{clock.now():%H:%M}"
            if minute == before and event.done < event.total:
                return
        what, fields = _as_line(event)
        log.info(what, extra=fields)

    return listen


class MessageLog(Attentive):
    """A listener that logs a line for each message, once its outcome is on disk."""

    def __init__(self, *, numbers: bool = False) -> None:
        """`numbers` shows phone numbers whole."""
        self._shown: Callable[[str], str] = str if numbers else mask

    def finished(self, account: str, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.event in BECAME:
                log.debug("message", extra=self._fields(account, outcome))

    def _fields(self, account: str, outcome: Outcome) -> dict[str, Any]:
        claim = outcome.claim
        return {
            "id": claim.message.id,
            "account": account,
            "campaign": claim.campaign_id,
            "row": claim.row,
            "to": self._shown(claim.message.number),
            "state": BECAME[outcome.event],
            "reason": outcome.reason,
            "tries": claim.tries,
        }


def _as_line(event: Event) -> tuple[str, dict[str, Any]]:
    match event:
        case Started():
            campaign = {"campaign": event.campaign_id, "campaign_name": event.name, "account": event.account}
            return "started", campaign | {"messages": event.total, "rate": str(event.rate)}
        case Progress():
            return "progress", {"done": event.done, "total": event.total, **event.counts}
        case Held():
            return "held", {"account": event.account, "seconds": event.seconds, "reason": event.reason}
        case Paced():
            return "paced", {"rate": str(event.rate), "full": str(event.full)}
        case Watching():
            return "watching", {"owner": event.owner}
        case Stopping():
            return "stopping", {"in_flight": event.in_flight}


def _drop_leavings(_logger: Any, _name: str, line: EventDict) -> EventDict:
    """What the formatter of another handler left on the record: the event and the time once more."""
    line.pop("message", None)
    line.pop("asctime", None)
    return line


def _say_where(_logger: Any, _name: str, line: EventDict) -> EventDict:
    """The place of an error and its class; not its words, which may quote a text or a number."""
    info = line.pop("exc_info", None)
    if info:
        chain = reversed(list(_chain(info[1])))
        line["exception"] = "\n".join(
            "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__ for error in chain
        )
    return line


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _mask_numbers(_logger: Any, _name: str, line: EventDict) -> EventDict:
    """Whatever looks like a phone number, also in words of others."""
    for key, value in line.items():
        if isinstance(value, str):
            line[key] = NUMBER.sub(lambda found: mask(found[0]), value)
    return line
