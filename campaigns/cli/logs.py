"""The log on stderr: from which level on, how its lines look, and stderr as a log that holds nothing else."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, Literal

from rich.text import Text

from campaigns.cli.screen import Label, Stream

log = logging.getLogger(__name__)
Level = Literal["debug", "info", "warning"]

OURS: Final = "campaigns"
LEVELS: Final[dict[Label, int]] = {"error": logging.ERROR, "note": logging.WARNING}


@dataclass(frozen=True, slots=True)
class LogStream(Stream):
    """stderr as a log: whatever is said on the way is a line of it."""

    def write(self, lines: Iterable[str | Text]) -> None:
        said = " ".join(str(line).strip() for line in lines).strip()
        if said:
            log.info(said)

    def say(self, label: Label, text: str) -> None:
        log.log(LEVELS.get(label, logging.INFO), text, extra={"label": label})

    def say_error(self, what: str, where: str, fix: str) -> None:
        log.error(what, extra={key: value for key, value in (("where", where), ("fix", fix)) if value})


@contextmanager
def logging_to(stream: Stream, level: int, *, as_json: bool, numbers: bool) -> Iterator[None]:
    """Let all that is logged appear there until the block ends.

    Below a warning only our own lines do: those of libraries may hold numbers, texts and addresses.
    """
    handler = _Lines(stream, as_json=as_json, numbers=numbers)
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name.partition(".")[0] == OURS)
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    before = ours.level
    root.addHandler(handler)
    ours.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(before)


class _Lines(logging.Handler):
    """Writes lines, above the bar where there is one."""

    def __init__(self, stream: Stream, *, as_json: bool, numbers: bool) -> None:
        super().__init__()
        self._stream = stream
        self._as_json = as_json
        self._numbers = numbers

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        with _above_the_bar(self._stream):
            self._stream.write_raw(f"{line}\n")

    def format(self, record: logging.LogRecord) -> str:
        if self.formatter is None:
            from campaigns.logs import formatter  # few commands ever log

            self.setFormatter(formatter(as_json=self._as_json, numbers=self._numbers))
        return super().format(record)


def _above_the_bar(stream: Stream) -> AbstractContextManager[None]:
    bars = sys.modules.get("tqdm") if stream.terminal else None
    return nullcontext() if bars is None else bars.tqdm.external_write_mode(file=stream.file)
