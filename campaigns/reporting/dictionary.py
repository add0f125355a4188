"""The workbook's Dictionary: every column, status, reason and figure in words, so that the file explains itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from importlib.metadata import version
from typing import Final

from campaigns.reporting.figures import Report
from campaigns.reporting.finding import ACCOUNT
from campaigns.reporting.meanings import DELIVERY_REASONS, REASONS, STATUSES
from campaigns.reporting.problems import CUT_MEANING, CUT_REASON
from campaigns.reporting.sheet import Column, Value
from campaigns.reporting.table import SCHEMA_VERSION, instant

DICTIONARY: Final = (
    Column(name="kind", width=12, means="column, status, reason, figure or report."),
    Column(name="name", width=34, means="The word as it stands in the workbook."),
    Column(name="means", width=80, wrap=True, means="What it means."),
    Column(name="unit", width=14, means="What is counted or measured."),
    Column(name="example", width=28, means="A value that could stand there."),
    Column(name="what_to_do", width=60, wrap=True, means="What you can do about such a row."),
)

ACCOUNT_MEANS: Final = {
    "rows": "All data rows of the file: skipped + messages.",
    "skipped": "Rows that got no message; the reasons are on the sheet By reason. Share of rows.",
    "messages": "Rows that were not skipped: the sum of the lines below. Share of rows.",
}
FIGURES: Final = {
    "share delivered, lowest": "delivered / messages",
    "share delivered, highest": "(delivered + accepted + unknown) / messages",
    "time to deliver, median": "Seconds from our request to the delivery, for half of the delivered messages.",
    "time to deliver, 95 %": "The same for 95 % of them.",
    "segments planned": "The segments of all messages.",
    "segments taken": "The segments of the messages that the provider took.",
}


def dictionary(report: Report, sheets: Mapping[str, Sequence[Column]]) -> Iterator[list[Value]]:
    """All lines of the Dictionary; `sheets` are the workbook's data sheets with their columns."""
    for sheet, columns in sheets.items():
        for column in columns:
            yield ["column", f"{sheet}: {column.name}", column.means, column.unit, column.example, ""]
    for status, meaning in STATUSES.items():
        yield ["status", str(status), meaning.means, "", "", meaning.what_to_do]
    for reason, meaning in (*REASONS.items(), *DELIVERY_REASONS.items(), (CUT_REASON, CUT_MEANING)):
        yield ["reason", str(reason), meaning.means, "", "", meaning.what_to_do]
    yield ["reason", "(any other)", "The code of the provider or the network, as it gave it.", "", "", ""]
    for name in ACCOUNT:
        yield ["figure", name, account_means(name), "rows", "", ""]
    for name, means in FIGURES.items():
        yield ["figure", name, means, "", "", ""]
    for name, value in _about(report):
        yield ["report", name, value, "", "", ""]


def account_means(name: str) -> str:
    """What a line of the account means."""
    return ACCOUNT_MEANS.get(name) or STATUSES[name].means


def _about(report: Report) -> Iterator[tuple[str, str]]:
    yield "schema version", str(SCHEMA_VERSION)
    yield "program version", version("campaigns")
    yield "as of", instant(report.as_of.astimezone(UTC))
    yield "time zone of local times", report.facts.zone or report.local(report.as_of).tzname() or "local"
