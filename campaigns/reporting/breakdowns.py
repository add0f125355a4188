"""The workbook's figures by reason, over time and by country: their columns and rows, before they are written."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import Final

from campaigns.reporting.countries import country_name
from campaigns.reporting.figures import GROUP_ORDER, GROUPS, Report
from campaigns.reporting.sheet import COUNT, INSTANT, LOCAL_TIME, SECONDS, SHARE, Column, Value
from campaigns.reporting.timeline import SERIES, Timeline

BY_REASON: Final = (
    Column(name="status", width=14, means="Where the rows are.", example="rejected"),
    Column(name="reason", width=22, means="The code of the reason; empty where there is none.", example="duplicate"),
    Column(name="messages", width=11, format=COUNT, means="Rows with this status and reason.", unit="rows"),
    Column(
        name="share_of_messages",
        width=18,
        format=SHARE,
        means="Share of all messages; empty for skipped rows, which are no messages.",
        unit="share",
    ),
    Column(name="share_of_rows", width=14, format=SHARE, means="Share of all rows of the file.", unit="share"),
    Column(name="group", width=16, means="The bar of the first chart that the rows count in.", example="not delivered"),
)

OVER_TIME: Final = (
    Column(
        name="from_utc", width=22, format=INSTANT, means="When the step begins; the last line is later.", unit="UTC"
    ),
    Column(name="from_local", width=36, format=LOCAL_TIME, means="The same in the zone of the header."),
    Column(name="sent", width=24, format=COUNT, means="Messages whose request left in this step.", unit="messages"),
    Column(name="delivered", width=24, format=COUNT, means="Messages delivered in this step.", unit="messages"),
    Column(name="rejected", width=24, format=COUNT, means="Of those sent, the rejected.", unit="messages"),
    Column(name="unknown", width=24, format=COUNT, means="Of those sent, the unknown.", unit="messages"),
)

BY_COUNTRY: Final = (
    Column(name="country", width=9, means="ISO 3166 code of the number's country.", example="SE"),
    Column(name="name", width=20, means="Its English name.", example="Sweden"),
    Column(
        name="messages", width=11, format=COUNT, means="Rows of this country that were not skipped.", unit="messages"
    ),
    Column(name="delivered", width=11, format=COUNT, means="Delivered messages.", unit="messages"),
    Column(name="share_delivered", width=16, format=SHARE, means="delivered / messages", unit="share"),
    Column(
        name="share_highest",
        width=15,
        format=SHARE,
        means="The share if all that is accepted or unknown was delivered.",
        unit="share",
    ),
    Column(name="accepted", width=11, format=COUNT, means="Taken, and no delivery report yet.", unit="messages"),
    Column(name="share_accepted", width=15, format=SHARE, means="accepted / messages", unit="share"),
    Column(
        name="not_delivered",
        width=14,
        format=COUNT,
        means="undelivered + expired + rejected + failed",
        unit="messages",
    ),
    Column(name="unknown", width=11, format=COUNT, means="May have been taken.", unit="messages"),
    Column(name="not_sent", width=11, format=COUNT, means="sending + planned + cancelled + ready", unit="messages"),
    Column(name="segments_taken", width=17, format=COUNT, means="Segments that the provider took.", unit="segments"),
    Column(name="median_s", width=10, format=SECONDS, means="Half of the delivered arrived within.", unit="seconds"),
)


def by_reason(report: Report) -> list[list[Value]]:
    """One row for each status and reason that occurs, most first within its group."""
    figures = report.figures
    found = sorted(
        ((GROUPS[status], status, reason, place.rows) for (status, reason), place in figures.occurrences.items()),
        key=lambda one: (GROUP_ORDER.index(one[0]), -one[3], one[1], one[2]),
    )
    return [
        [status, reason, rows, None if group == "skipped" else rows / figures.messages, rows / figures.rows, group]
        for group, status, reason, rows in found
    ]


def group_block(report: Report) -> tuple[list[str], list[int]]:
    """The groups that the messages fall into, and their numbers: what the first chart is drawn from."""
    groups = report.figures.groups
    names = [name for name in GROUP_ORDER if groups[name] and name != "skipped"]
    return names, [groups[name] for name in names]


def over_time_columns(report: Report, line: Timeline) -> list[Column]:
    """The columns of Over time, with step and zone in their names."""
    zone = report.facts.zone or report.local(report.as_of).tzname() or "local"
    names = {"from_local": f"from_local ({zone})", **{name: f"{name} (per {line.step_name})" for name in SERIES}}
    return [replace(column, name=names.get(column.name, column.name)) for column in OVER_TIME]


def over_time(report: Report, line: Timeline) -> Iterator[list[Value]]:
    """One row for each step, zeros included, and a last one for what came later."""
    for step in (*line.lines, line.later):
        begins = step.begins
        when: list[Value] = ["later", None] if begins is None else [begins.astimezone(UTC), report.local(begins)]
        yield [*when, *(step.counts[series] for series in SERIES)]


def by_country(report: Report) -> list[list[Value]]:
    """One row for each country, most messages first."""
    messages = report.figures.country_messages
    return [_country_row(report, code) for code in sorted(messages, key=lambda code: (-messages[code], code))]


def _country_row(report: Report, code: str) -> list[Value]:
    figures = report.figures
    messages, groups = figures.country_messages[code], figures.country_groups(code)
    delivered = groups["delivered"]
    return [
        code,
        country_name(code),
        messages,
        delivered,
        delivered / messages,
        (delivered + groups["accepted"] + groups["unknown"]) / messages,
        groups["accepted"],
        groups["accepted"] / messages,
        groups["not delivered"],
        groups["unknown"],
        groups["not sent"],
        figures.taken_segments[code],
        figures.delay(0.5, code),
    ]
