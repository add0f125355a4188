"""Write one campaign's report in several formats at once, in one pass over its rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from campaigns.model import CampaignStatus, ReportRow
from campaigns.reporting.destinations import Destination, check_destinations, unwritable
from campaigns.reporting.figures import Figures, Report, ReportFacts
from campaigns.reporting.table import CsvReport, JsonLinesReport, JsonReport, report_columns

PAGE_ROWS: Final = 250  #: rows that are counted and written together; more do not fit into a processor's cache


class ReportWriter(Protocol):
    """One format: gets every row once, then all figures; `close` lets go of what it holds, finished or not."""

    def add(self, rows: Sequence[ReportRow]) -> None: ...

    def finish(self, report: Report) -> None: ...

    def close(self) -> None: ...


def _open_workbook(part: Path, columns: Sequence[str]) -> ReportWriter:
    from campaigns.reporting.workbook import WorkbookReport  # openpyxl takes a while to load

    return WorkbookReport(part, columns)


def _open_page(part: Path, _columns: Sequence[str]) -> ReportWriter:
    from campaigns.reporting.page import PageReport  # as does Jinja2

    return PageReport(part)


FORMATS: Final[Mapping[str, Callable[[Path, Sequence[str]], ReportWriter]]] = {
    ".csv": CsvReport,
    ".xlsx": _open_workbook,
    ".html": _open_page,
    ".json": JsonReport,
    ".jsonl": JsonLinesReport,
}


class Reports:
    """All reports of one campaign while they are being written; made by `open_reports`."""

    def __init__(self, writers: Sequence[tuple[Destination, ReportWriter]], columns: Sequence[str]) -> None:
        self._writers = writers
        self._columns = columns
        self._figures = Figures()

    def add(self, rows: Iterable[ReportRow]) -> None:
        """Write rows into every report; they come in the order of the file."""
        rows = iter(rows)
        while page := list(islice(rows, PAGE_ROWS)):
            self._figures.add(page)
            for destination, writer in self._writers:
                try:
                    writer.add(page)
                except OSError as error:
                    raise unwritable(destination.path, error) from error

    def finish(self, status: CampaignStatus, as_of: datetime, facts: ReportFacts) -> None:
        """Complete every report with its figures, then move each into its place."""
        report = Report(status=status, as_of=as_of, facts=facts, figures=self._figures, columns=self._columns)
        for destination, writer in self._writers:
            try:
                writer.finish(report)
            except OSError as error:
                raise unwritable(destination.path, error) from error
        for destination, _ in self._writers:
            destination.move()


def check_places(paths: Sequence[Path]) -> None:
    """InputError for the first path that no report can be written to; makes missing folders, leaves no file."""
    check_destinations(paths, tuple(FORMATS))


@contextmanager
def open_reports(paths: Sequence[Path], columns: Sequence[str]) -> Iterator[Reports]:
    """Open a report at each path, its format told by the extension; `columns` are the headers of the file's own.

    A path that cannot be written is an InputError at once. Left without `finish`, nothing stays behind.
    """
    destinations = check_destinations(paths, tuple(FORMATS))
    headers = report_columns(columns)
    with ExitStack() as stack:
        writers = [(destination, _open(destination, headers, stack)) for destination in destinations]
        yield Reports(writers, headers)


def _open(destination: Destination, columns: Sequence[str], stack: ExitStack) -> ReportWriter:
    stack.callback(destination.part.unlink, missing_ok=True)
    try:
        writer = FORMATS[destination.path.suffix.lower()](destination.part, columns)
    except OSError as error:
        raise unwritable(destination.path, error) from error
    stack.callback(_close, writer)
    return writer


def _close(writer: ReportWriter) -> None:
    with suppress(OSError):  # a full disk was told already, or the file is thrown away
        writer.close()
