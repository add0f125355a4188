"""The report as a workbook (XLSX): a summary for people with charts, every row, the problems, and the figures."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.formatting.rule import DataBar, FormatObject, Rule
from openpyxl.styles.colors import Color
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from openpyxl.worksheet.worksheet import Worksheet

from campaigns.model import REPORT_COLUMNS, ReportRow
from campaigns.reporting.breakdowns import (
    BY_COUNTRY,
    BY_REASON,
    by_country,
    by_reason,
    group_block,
    over_time,
    over_time_columns,
)
from campaigns.reporting.charts import ChartSource, ChartSources
from campaigns.reporting.dictionary import DICTIONARY, dictionary
from campaigns.reporting.figures import Report
from campaigns.reporting.problems import PROBLEM_COLUMNS, ProblemSpool
from campaigns.reporting.sheet import INSTANT, MOST_CHARACTERS, Column, TableSheet, Value, clean, discard
from campaigns.reporting.summary import write_summary
from campaigns.reporting.timeline import timeline

RECIPIENTS: Final = (
    Column(name="row", width=8, means="The row's number in the source file, as a spreadsheet program shows it."),
    Column(name="phone", width=20, means="The number as given.", example="070-174 06 05"),
    Column(name="to", width=16, means="The number in E.164; empty where none is known.", example="+46701740605"),
    Column(name="country", width=9, means="ISO 3166 code of the number's country.", example="SE"),
    Column(name="status", width=13, means="What became of the row; see the lines of kind status.", example="accepted"),
    Column(name="reason", width=20, means="Why, as a code; see the lines of kind reason.", example="duplicate"),
    Column(name="detail", width=44, means="The same in a sentence.", example="same number as row 14"),
    Column(name="text", width=60, means="The text as it was sent."),
    Column(name="encoding", width=10, means="The alphabet of the text.", example="GSM-7"),
    Column(name="segments", width=10, means="SMS parts of the text, the unit of price.", unit="segments"),
    Column(name="provider", width=11, means="The account that it was sent through."),
    Column(name="provider_id", width=26, means="The provider's own name for the message."),
    Column(name="tries", width=7, means="How often it was tried.", unit="tries"),
    Column(name="sent_at", width=22, format=INSTANT, means="When the request left.", unit="UTC"),
    Column(name="updated_at", width=22, format=INSTANT, means="When the status last changed.", unit="UTC"),
)
_OURS: Final = attrgetter(*REPORT_COLUMNS)
_SANDBOX_TAB: Final = "AAB4BE"
_MEASURED_ROWS: Final = 1000  #: the rows that decide how wide the file's own columns are


class WorkbookReport:
    """Takes rows as they come; the sheets of figures follow when the last row has passed."""

    def __init__(self, part: Path, columns: Sequence[str]) -> None:
        self._part = part
        self._columns, self._own = columns, columns[len(REPORT_COLUMNS) :]
        self._book = Workbook(write_only=True)
        self._summary: Worksheet = self._book.create_sheet("Summary")  # the first sheet, written last
        self._problems = ProblemSpool()
        self._waiting: list[list[Value]] = []
        self._tab = ""
        self._recipients: TableSheet | None = None

    def add(self, rows: Sequence[ReportRow]) -> None:
        """Write rows; the first ones wait until the widths are known."""
        for row in rows:
            self._add(row)

    def finish(self, report: Report) -> None:
        """Write all other sheets, and the file."""
        if report.facts.sandbox:  # a sheet that has begun (Recipients, when it is long) keeps its colour
            self._tab = self._summary.sheet_properties.tabColor = _SANDBOX_TAB
        recipients = self._write_waiting()
        recipients.finish()
        columns = {"Recipients": recipients.columns, "Problems": PROBLEM_COLUMNS, "By reason": BY_REASON}
        self._write("Problems", PROBLEM_COLUMNS, self._problems.rows(report.facts))
        sources = ChartSources(reasons=self._write_by_reason(report))
        line = timeline(report.figures)
        if line is not None:
            columns["Over time"] = over_time_columns(report, line)
            sources.times = self._write("Over time", columns["Over time"], over_time(report, line))
            sources.times.names = tuple(report.figures.seconds)
            sources.times.length -= 1  # the line "later" is no step
        columns |= {"By country": BY_COUNTRY, "Dictionary": DICTIONARY}
        sources.countries = self._write("By country", BY_COUNTRY, by_country(report))
        self._write("Dictionary", DICTIONARY, dictionary(report, columns))
        write_summary(self._summary, report, sources)
        self._describe(report)
        self._book.save(self._part)
        self.close()

    def close(self) -> None:
        """Let go of what waits on disk."""
        self._problems.close()
        for sheet in self._book.worksheets:
            if isinstance(sheet, WriteOnlyWorksheet):
                discard(sheet)

    def _add(self, row: ReportRow) -> None:
        values = [value.astimezone(UTC) if isinstance(value, datetime) else value for value in _OURS(row)]
        self._waiting.append([*values, *row.cells])
        if self._recipients is not None or len(self._waiting) >= _MEASURED_ROWS:
            self._write_waiting()
        self._problems.add(row)
        for column, value in zip(self._columns, (*values, *row.cells), strict=True):
            if isinstance(value, str) and len(value) > MOST_CHARACTERS:
                self._problems.add_cut(row, column, value)

    def _write_waiting(self) -> TableSheet:
        if self._recipients is None:
            own = [_own_column(name, place, self._waiting) for place, name in enumerate(self._own, len(REPORT_COLUMNS))]
            self._recipients = TableSheet(self._book, "Recipients", (*RECIPIENTS, *own), freeze="D2", tab=self._tab)
        for values in self._waiting:
            self._recipients.append(values)
        self._waiting = []
        return self._recipients

    def _write(self, title: str, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> ChartSource:
        table = TableSheet(self._book, title, columns, tab=self._tab)
        for row in rows:
            table.append(row)
        return ChartSource(table.finish()[0], table.rows)

    def _write_by_reason(self, report: Report) -> ChartSource:
        names, numbers = group_block(report)
        table = TableSheet(self._book, "By reason", BY_REASON, tab=self._tab)
        table.begin(beside=names)
        rows = by_reason(report)
        for row in rows:
            table.append(row, beside=numbers if not table.rows else ())
        sheet = table.finish()[0]
        first = 2 + sum(
            row[0] in ("delivered", "accepted") for row in rows
        )  # they would flatten the bars of the others
        if first <= len(rows) + 1:
            bar = DataBar(cfvo=[FormatObject("num", 0), FormatObject("max")], color=Color("FFAAB4BE"))
            sheet.conditional_formatting.add(f"C{first}:C{len(rows) + 1}", Rule(type="dataBar", dataBar=bar))
        return ChartSource(sheet, len(names), names)

    def _describe(self, report: Report) -> None:
        about = self._book.properties
        about.title, about.subject, about.creator = clean(report.status.name), "Campaign report", None
        about.created = about.modified = report.as_of.astimezone(UTC).replace(tzinfo=None)


def _own_column(name: str, place: int, first_rows: Sequence[Sequence[Value]]) -> Column:
    longest = max((len(str(row[place])) for row in first_rows), default=0)
    means = "A column of the source file, as it was."
    return Column(name=name, width=min(max(longest + 2, 12), 40), means=means, own=True)
