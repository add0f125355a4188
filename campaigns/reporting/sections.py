"""The sections of the page as named values: what the template shows, section by section."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from campaigns.model import ReportRow
from campaigns.reporting.countries import country_name
from campaigns.reporting.drawing import Bar, Plot, plot, single_bar, stacked_bars
from campaigns.reporting.figures import GROUPS, PROBLEMS, READY, Occurrences, Report
from campaigns.reporting.finding import ACCOUNT
from campaigns.reporting.meanings import meaning_of
from campaigns.reporting.timeline import timeline
from campaigns.wording import count, duration, mask, plural, share

_DELAYS: Final = (  # (upper limit in tenths of a second, label)
    (100, "under 10 s"),
    (600, "10 s to 1 min"),
    (6000, "1 to 10 min"),
    (36_000, "10 min to 1 h"),
    (None, "over 1 h"),
)
_LOOKS: Final = {  # the colour role of each group in the style sheet
    "delivered": "good",
    "accepted": "took",
    "not delivered": "bad",
    "unknown": "unk",
    "not sent": "skip",
    "skipped": "skip",
}
_NUMBER: Final = re.compile(r"\+\d{7,15}|\b\d{9,15}\b|\b\d(?=(?:[ -]?\d){8})[\d -]{7,17}\d")
_LABELS: Final = {"accepted": "accepted, no delivery report yet", "unknown": "unknown, may have been taken"}


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of the head: a tile, or a line with a note."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step on the way from rows to delivered, and what was lost after it."""

    number: str
    label: str
    note: str
    bar: Bar
    loss: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of a table with a bar: a status, one of its reasons, or a span of time."""

    label: str
    number: str
    share: str
    bar: Bar | None
    is_reason: bool = False


@dataclass(frozen=True, slots=True)
class Country:
    """One line of the table by country."""

    name: str
    figures: Sequence[str]
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong in the same way for some rows."""

    reason: str
    rows: str
    where: str
    means: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Example:
    """One text as a person saw it."""

    text: str
    caption: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file, its number masked."""

    row: str
    number: str
    status: str
    look: str
    reason: str
    detail: str
    segments: str
    sent: str


def facts(report: Report) -> Iterator[Fact]:
    """When, by whom, to whom, from and through; what is not known is left out."""
    status, known = report.status, report.facts
    if status.first_sent_at is not None and status.last_sent_at is not None:
        yield Fact("Sent", _span(report, status.first_sent_at, status.last_sent_at), zone_name(report))
    yield Fact("Figures as of", f"{day(report.local(report.as_of))}, {report.local(report.as_of):%H:%M}", _open(report))
    if status.created_by or known.command:
        yield Fact("By", status.created_by or "-", f"started with {known.command}" if known.command else "")
    header = f"header in row {known.header_row}" if known.header_row else ""
    column = f"numbers in “{known.phone_column}”" if known.phone_column else ""
    region = f"region {known.region}" if known.region else ""
    rows = plural(report.figures.rows, "row")
    yield Fact("To", status.source or rows, ", ".join(filter(None, (rows, header, column, region))))
    if status.sender:
        yield Fact("From", status.sender, known.purpose)
    if status.account:
        reports = "delivery is reported" if report.delivery_known else "delivery is not reported"
        rate = f", at most {known.rate}" if known.rate else ""
        yield Fact("Through", f"{status.account}{rate}", "" if report.is_check else reports)


def tiles(report: Report) -> Iterator[Fact]:
    """The figures that are read first, at most six."""
    figures, groups = report.figures, report.figures.groups
    if not figures.rows:
        return
    if report.is_check or not figures.messages:
        ready = figures.counts[READY]
        yield Fact("Ready to send", share(ready, figures.rows), f"{count(ready)} of {plural(figures.rows, 'row')}")
    else:
        yield from _outcome_tiles(report)
    yield Fact("Skipped", count(groups["skipped"]), f"of {plural(figures.rows, 'row')}")
    if figures.segments:
        yield Fact("Segments", count(figures.segments), f"in {plural(figures.messages, 'message')}")


def funnel(report: Report) -> Iterator[Stage]:
    """From the rows of the file to what was delivered."""
    figures, groups, counts = report.figures, report.figures.groups, report.figures.counts
    rows, messages = figures.rows, figures.messages
    skipped = _reasons(report, "skipped")
    loss = f"{count(groups['skipped'])} skipped before sending ({skipped})" if groups["skipped"] else ""
    yield Stage(
        count(rows), "row in the file" if rows == 1 else "rows in the file", "", single_bar("skip", rows, rows), loss
    )
    noun = "message" if messages == 1 else "messages"
    unsent = [(counts[name], name) for name in ("rejected", "failed", "unknown", "sending", "planned", "cancelled")]
    label = "ready to send" if report.is_check else noun
    yield Stage(
        count(messages), label, f"{share(messages, rows)} of rows", single_bar("plan", messages, rows), _losses(unsent)
    )
    if report.is_check:
        return
    taken = groups["delivered"] + groups["accepted"] + counts["undelivered"] + counts["expired"]
    lost = [(counts[name], name) for name in ("undelivered", "expired")]
    open_ = [(counts["accepted"], "without a delivery report")] if report.delivery_known else []
    note = f"{share(taken, messages)} of messages"
    yield Stage(count(taken), "taken by the provider", note, single_bar("took", taken, rows), _losses(lost + open_))
    if report.delivery_known:
        delivered = groups["delivered"]
        note = f"{share(delivered, messages)} of messages"
        yield Stage(count(delivered), "delivered", note, single_bar("good", delivered, rows), "")


def strip(report: Report) -> list[Bar]:
    """All messages (of a check: all rows) as one bar, by what became of them."""
    groups = report.figures.groups
    if report.is_check:
        parts = [("good", groups["not sent"], "Ready"), ("skip", groups["skipped"], "Skipped")]
        return stacked_bars(parts, report.figures.rows)
    return stacked_bars(results(report, groups), report.figures.messages)


def results(report: Report, groups: Counter[str]) -> list[tuple[str, int, str]]:
    """Messages by what the page tells apart: (colour role, number, label)."""
    if report.delivery_known:
        main, open_ = [("good", groups["delivered"], "Delivered")], groups["accepted"] + groups["unknown"]
    else:
        main, open_ = [("took", groups["accepted"], "Accepted")], groups["unknown"]
    return [
        *main,
        ("bad", groups["not delivered"], "Not delivered" if report.delivery_known else "Rejected or failed"),
        ("unk", open_, "Not known" if report.delivery_known else "Unknown"),
        ("skip", groups["not sent"], "Not sent"),
    ]


def outcomes(report: Report) -> Iterator[Outcome]:
    """Every status that is not well, with its reasons; a share is of the messages, for skipped rows of the rows."""
    figures, counts = report.figures, report.figures.counts
    statuses = [status for status in _not_well(report) if counts[status]]
    scale = sum(counts[status] for status in statuses)
    for status in statuses:
        whole = figures.rows if status == "skipped" else figures.messages
        label = _LABELS.get(status, status).capitalize()
        look = "unk" if status == "accepted" else _LOOKS[GROUPS[status]]  # listed only where delivery is reported
        bar = single_bar(look, counts[status], scale)
        yield Outcome(label, count(counts[status]), share(counts[status], whole), bar)
        for reason, number in _by_reason(report, status):
            if reason:
                yield Outcome(reason, count(number), share(number, whole), None, is_reason=True)


def time_plot(report: Report) -> Plot | None:
    """Messages over time; None where nothing was sent, or all of it in one step."""
    line = timeline(report.figures)
    if line is None or len(line.lines) < 2:
        return None
    moments = [report.local(step.begins) for step in line.lines if step.begins is not None]
    form = "%Y-%m-%d" if line.step >= 86_400 else "%H:%M:%S" if line.step < 60 else "%H:%M"
    if moments[0].date() != moments[-1].date() and line.step < 86_400:
        form = f"%d %b {form}"
    later = line.later.counts["delivered"]
    past = f" {plural(later, 'message')} {'was' if later == 1 else 'were'} delivered later." if later else ""
    note = f"Messages per {line.step_name} from {day(moments[0])}, {moments[0]:%H:%M:%S}, {zone_name(report)}.{past}"
    return plot(line, [f"{moment:{form}}" for moment in moments], note)


def delays(report: Report) -> Iterator[Outcome]:
    """How long delivered messages took."""
    total = report.figures.delays.total()
    below = 0
    for limit, label in _DELAYS if total else ():
        upto = sum(n for (_, tenths), n in report.figures.delays.items() if limit is None or tenths < limit)
        number, below = upto - below, upto
        yield Outcome(label, count(number), share(number, total), single_bar("good", number, total))


def countries(report: Report) -> list[Country]:
    """One line for each country, most messages first; none where there is only one."""
    messages = report.figures.country_messages
    if len(messages) < 2 or report.is_check:
        return []
    return [_country(report, code) for code, _ in sorted(messages.items(), key=lambda item: (-item[1], item[0]))]


def texts(report: Report) -> list[tuple[str, str, str]]:
    """Messages and segments by alphabet and length."""
    return [
        (f"{encoding}, {plural(segments, 'segment')}", count(messages), count(messages * segments))
        for (encoding, segments), messages in sorted(report.figures.texts.items())
    ]


def problems(report: Report) -> list[Problem]:
    """What went wrong, by status and reason, the most pressing status first and in it the most rows."""
    found = [(key, rows) for key, rows in report.figures.occurrences.items() if key[0] in PROBLEMS]
    found.sort(key=lambda item: (PROBLEMS.index(item[0][0]), -item[1].rows, item[0][1]))
    return [_problem(status, reason, rows) for (status, reason), rows in found]


def examples(report: Report) -> list[Example]:
    """The first text, the longest and the first in UCS-2, each once."""
    rows = {row.row: row for row in report.figures.examples.values()}
    return [
        Example(
            row.text,
            f"Row {count(row.row)}, {mask(row.to or row.phone)}. {plural(row.segments or 0, 'segment')}, "
            f"{row.encoding}, {plural(len(row.text), 'character')}. {row.status.capitalize()}.",
        )
        for row in rows.values()
    ]


def lines(report: Report) -> list[Line]:
    """At most 1,000 rows, problems first."""
    return [_line(report, row) for row in report.figures.shown]


def words(report: Report) -> list[tuple[str, str]]:
    """The statuses that occur, explained."""
    found = [name for name in ACCOUNT[1:] if report.figures.counts[name]]
    meant = [(name, meaning_of(name, "").means) for name in found]
    return [*meant, ("segment", "One SMS part, the unit of price.")] if report.figures.segments else meant


def day(moment: datetime) -> str:
    """A date as people write it: "Thursday 13 August 2026"."""
    return f"{moment:%A} {moment.day} {moment:%B} {moment.year}"


def zone_name(report: Report) -> str:
    """The zone of the page's times: its name where one was given, and its distance from UTC on that day."""
    offset = report.local(report.status.first_sent_at or report.as_of).utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset else 0
    hours, rest = divmod(abs(minutes), 60)
    distance = f"UTC{'+' if minutes >= 0 else '-'}{hours}{f':{rest:02}' if rest else ''}" if minutes else "UTC"
    return f"{report.facts.zone}, {distance}" if report.facts.zone else distance


def _span(report: Report, first: datetime, last: datetime) -> str:
    begin, end = (report.local(moment).replace(microsecond=0) for moment in (first, last))
    if begin == end:
        return f"{day(begin)}, {begin:%H:%M:%S}"
    until = f"{end:%H:%M:%S}" if begin.date() == end.date() else f"{day(end)}, {end:%H:%M:%S}"
    return f"{day(begin)}, {begin:%H:%M:%S} to {until}"


def _open(report: Report) -> str:
    accepted = report.figures.counts["accepted"]
    if not report.delivery_known or not accepted:
        return ""
    return f"{plural(accepted, 'message')} still without a delivery report"


def _outcome_tiles(report: Report) -> Iterator[Fact]:
    figures, messages = report.figures, report.figures.messages
    shown = [(label, number) for look, number, label in results(report, figures.groups) if number or look != "skip"]
    for place, (label, number) in enumerate(shown):
        of = f"{count(number)} of {plural(messages, 'message')}" if not place else plural(number, "message")
        yield Fact(label, share(number, messages), of)
    median, most = figures.delay(0.5), figures.delay(0.95)
    if median is not None and most is not None and len(shown) < 4:
        yield Fact("Time to deliver", duration(median), f"median; 95 % within {duration(most)}")


def _losses(losses: Sequence[tuple[int, str]]) -> str:
    return ", − ".join(f"{count(number)} {what}" for number, what in losses if number)


def _not_well(report: Report) -> Iterator[str]:
    """The statuses that the table of outcomes lists, in the order of the account."""
    for status in ACCOUNT[3:]:
        if status not in ("delivered", READY) and (status != "accepted" or report.delivery_known):
            yield status
    yield "skipped"


def _by_reason(report: Report, status: str) -> list[tuple[str, int]]:
    found = [(reason, place.rows) for (of, reason), place in report.figures.occurrences.items() if of == status]
    return sorted(found, key=lambda item: (-item[1], item[0]))


def _reasons(report: Report, status: str) -> str:
    """At most three reasons, the commonest first, then how many rows have others."""
    found = _by_reason(report, status)
    named = ", ".join(f"{reason} {count(rows)}" for reason, rows in found[:3])
    rest = sum(rows for _, rows in found[3:])
    return f"{named}, other reasons {count(rest)}" if rest else named


def _country(report: Report, code: str) -> Country:
    messages = report.figures.country_messages[code]
    parts = results(report, report.figures.country_groups(code))
    (_, main, _), *others = parts
    figures = [count(messages), count(main), share(main, messages), *(count(number) for _, number, _ in others)]
    return Country(country_name(code), figures, stacked_bars(parts, messages))


def _problem(status: str, reason: str, rows: Occurrences) -> Problem:
    meaning = meaning_of(status, reason)
    return Problem(reason or status, count(rows.rows), _where(rows), meaning.means, meaning.what_to_do)


def _where(rows: Occurrences) -> str:
    first, more = rows.first, rows.rows - len(rows.first)
    if more and rows.last - first[0] + 1 == rows.rows:
        return f"{count(first[0])} to {count(rows.last)}"
    named = ", ".join(count(row) for row in first)
    return f"{named} and {count(more)} more" if more else named


def _line(report: Report, row: ReportRow) -> Line:
    return Line(
        row=count(row.row),
        number=mask(row.to or row.phone),
        status=row.status,
        look="good" if row.status == READY else _LOOKS[GROUPS[row.status]],
        reason=row.reason,
        detail=_NUMBER.sub(lambda number: mask(number[0]), row.detail),  # a provider may repeat it
        segments="" if row.segments is None else count(row.segments),
        sent="" if row.sent_at is None else f"{report.local(row.sent_at):%Y-%m-%d %H:%M:%S}",
    )
