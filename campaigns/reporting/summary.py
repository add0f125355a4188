"""The workbook's first sheet, for people: the finding, the facts, the account and the charts."""

from collections.abc import Iterator, Sequence
from typing import Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from campaigns.errors import CampaignsError
from campaigns.reporting.breakdowns import group_block
from campaigns.reporting.charts import ChartSources, country_chart, outcome_chart, timeline_chart
from campaigns.reporting.dictionary import FIGURES, account_means
from campaigns.reporting.figures import PROBLEMS, Report
from campaigns.reporting.finding import account, finding
from campaigns.reporting.sheet import COUNT, SECONDS, SHARE, Value, body_font, header_cell, text_cell
from campaigns.reporting.timeline import timeline
from campaigns.wording import count, plural, share

_LINE: Final = 15  #: points; the height of one line of text
_MEANS_WIDTH: Final = 58  #: of column D
_MEANS_CHARACTERS: Final = 66  #: that fit into one line of it
_WRAPPED: Final = Alignment(horizontal="left", vertical="top", wrap_text=True, indent=1)
_RIGHT: Final = Alignment(horizontal="right")
_TOP: Final = Alignment(vertical="top")


def write_summary(sheet: Worksheet, report: Report, sources: ChartSources) -> None:
    """Write the whole sheet; the place of a figure never moves, whatever is zero or not known."""
    _lay_out(sheet)
    name = text_cell(sheet, _title(report))
    title = name if isinstance(name, Cell) else WriteOnlyCell(sheet, name)
    title.font = body_font(bold=True, size=18)
    sheet.append([title])
    for sentence in finding(report):  # A2 and A3: in one cell they would run under the first chart
        sheet.append([sentence or None])
    for label, value in _facts(report):  # A4 to B11
        sheet.append([label, text_cell(sheet, value)])
    sheet.append([])
    header = [header_cell(sheet, label) for label in ("Figure", "Messages", "Share", "What it means")]
    header[1].alignment = header[2].alignment = _RIGHT
    header[3].alignment = _WRAPPED
    sheet.append(header)
    for row, line in enumerate(account(report), 14):  # A14 to D27
        part = line.number / line.whole if line.whole else None
        _append_figure(sheet, row, line.name, (line.number, part), account_means(line.name))
    sheet.append([])
    for row, (label, *figures) in enumerate(_key_figures(report), 29):  # A29 to D34
        _append_figure(sheet, row, label, figures, FIGURES[label])
    sheet.append([])
    sheet.append([f"Check: {_check(report)}"])  # A36
    _add_charts(sheet, report, sources)


def _title(report: Report) -> str:
    return f"{report.status.name} (sandbox: nothing left this machine)" if report.facts.sandbox else report.status.name


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    status, facts = report.status, report.facts
    zone = facts.zone or report.local(report.as_of).tzname() or ""
    sent = ""
    if status.first_sent_at is not None and status.last_sent_at is not None:
        first, last = report.local(status.first_sent_at), report.local(status.last_sent_at)
        until = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
        sent = f"{first:%Y-%m-%d %H:%M:%S} to {until}, {zone}"
    yield "Sent", sent
    yield "Figures as of", f"{report.local(report.as_of):%Y-%m-%d %H:%M:%S}, {zone}"
    yield "By", status.created_by
    yield "Source", status.source
    yield "SHA-256", status.source_sha256
    yield "Sender", status.sender
    yield "Provider", f"{status.account}, at most {facts.rate}" if facts.rate and status.account else status.account
    yield "Campaign", "" if status.id is None else str(status.id)


def _key_figures(report: Report) -> Iterator[tuple[str, float | None, float | None]]:
    figures, groups = report.figures, report.figures.groups
    delivered, open_ = groups["delivered"], groups["accepted"] + groups["unknown"]
    known = report.delivery_known and figures.messages > 0
    yield "share delivered, lowest", delivered if known else None, delivered / figures.messages if known else None
    highest = (delivered + open_, (delivered + open_) / figures.messages) if known else (None, None)
    yield "share delivered, highest", *highest
    yield "time to deliver, median", figures.delay(0.5), None
    yield "time to deliver, 95 %", figures.delay(0.95), None
    yield "segments planned", figures.segments, None
    yield "segments taken", figures.taken_segments.total(), None


def _append_figure(sheet: Worksheet, row: int, label: str, figures: Sequence[float | None], means: str) -> None:
    explanation = WriteOnlyCell(sheet, means)
    explanation.alignment = _WRAPPED
    sheet.row_dimensions[row].height = _LINE * -(
        -len(means) // _MEANS_CHARACTERS
    )  # not every program fits it by itself
    number, part = figures
    form = SECONDS if label.startswith("time to") else COUNT
    sheet.append([_link(sheet, label), _figure(sheet, number, form), _figure(sheet, part, SHARE), explanation])


def _figure(sheet: Worksheet, value: Value, form: str) -> Cell | None:
    if value is None:
        return None
    cell = WriteOnlyCell(sheet, value)
    cell.number_format, cell.alignment = form, _TOP
    return cell


def _link(sheet: Worksheet, label: str) -> Cell:
    """The label, linked to the sheet that holds the detail."""
    cell = WriteOnlyCell(sheet, label)
    goal = "Problems" if label in PROBLEMS else "Recipients" if label == "rows" else "By reason"
    cell.hyperlink = Hyperlink(ref="", location=f"'{goal}'!A1", display=label)
    cell.font, cell.alignment = body_font(link=True), _TOP
    return cell


def _check(report: Report) -> str:
    """The sum that proves the report whole; never written where it is not true."""
    figures = report.figures
    lines = {line.name: line.number for line in account(report)}
    if lines["skipped"] + lines["messages"] != lines["rows"] or sum(list(lines.values())[3:]) != lines["messages"]:
        raise CampaignsError(
            f'The rows of the report of "{report.status.name}" do not add up.', fix="Make the report again."
        )
    return (
        f"{plural(figures.rows, 'row')} = {count(lines['skipped'])} skipped + {plural(figures.messages, 'message')}"
        f" = {plural(figures.rows, 'line')} on sheet Recipients"
    )


def _add_charts(sheet: Worksheet, report: Report, sources: ChartSources) -> None:
    outcome = "delivered" if report.delivery_known else "accepted"
    counts, messages = report.figures.counts, report.figures.messages
    if sources.reasons.length:
        title = f"{share(counts[outcome], messages)} {outcome}"
        groups = list(zip(*group_block(report), strict=True))
        sheet.add_chart(outcome_chart(sources.reasons, title, groups), "F2")
    line = timeline(report.figures)
    if sources.times is not None and line is not None:
        what = "Sent and delivered" if "delivered" in sources.times.names else "Sent"
        step = line.step_name
        sheet.add_chart(timeline_chart(sources.times, f"{what}, per {step}", line), "F19")
    if sources.countries is not None and sources.countries.length > 1 and counts[outcome]:
        sheet.add_chart(
            country_chart(sources.countries, f"{outcome.capitalize()} by country", f"share_{outcome}"), "A38"
        )


def _lay_out(sheet: Worksheet) -> None:
    for letter, width in zip("ABCD", (30, 14, 12, _MEANS_WIDTH), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "portrait", 9
    sheet.page_setup.fitToWidth = sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
