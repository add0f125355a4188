"""The report as one page (HTML) that opens offline: figures, charts, and at most 1,000 rows with masked numbers."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from campaigns.model import ReportRow
from campaigns.reporting import sections
from campaigns.reporting.figures import GROUP_ORDER, SHOWN_ROWS, Report
from campaigns.reporting.finding import finding
from campaigns.reporting.table import SCHEMA_VERSION
from campaigns.wording import count, plural, share

_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9 .,:()+_/-]")


class PageReport:
    """Waits for the figures: no row is written as it passes."""

    def __init__(self, part: Path) -> None:
        self._part = part

    def add(self, rows: Sequence[ReportRow]) -> None:
        """Nothing: the figures hold the rows that the page shows."""

    def finish(self, report: Report) -> None:
        """Write the page."""
        _environment().get_template("page.html").stream(_values(report)).dump(str(self._part), "utf-8")

    def close(self) -> None:
        """Nothing is held open."""


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["css"] = _css_string
    return environment


def _css_string(text: str) -> str:
    """A text inside a string of a style sheet; what is not plain is written by its number."""
    return _NOT_PLAIN.sub(lambda odd: f"\\{ord(odd[0]):x} ", text)


def _values(report: Report) -> dict[str, object]:
    """Everything that the template names."""
    figures, status = report.figures, report.status
    lead, qualification = finding(report)
    as_of = report.local(report.as_of)
    kicker = "Check of a recipient file" if report.is_check else "Campaign report"
    outcomes = list(sections.outcomes(report))
    shown = sections.lines(report)
    results = sections.results(report, figures.groups)
    return {
        "title": f"{status.name}: {kicker.lower()}, {sections.day(as_of)}",
        "kicker": f"{kicker}. Sandbox: nothing left this machine" if report.facts.sandbox else kicker,
        "name": status.name,
        "lead": lead,
        "qualification": qualification,
        "footer": _footer(report),
        "facts": list(sections.facts(report)),
        "tiles": list(sections.tiles(report)),
        "funnel": list(sections.funnel(report)) if figures.rows else [],
        "funnel_title": _funnel_title(report),
        "rows_text": plural(figures.rows, "row"),
        "strip": sections.strip(report),
        "strip_label": ", ".join(f"{bar.label} {bar.number}" for bar in sections.strip(report)),
        "outcomes": outcomes,
        "outcome_note": _outcome_note(report),
        "outcome_scale": f"Of these {plural(sum(figures.counts.values()) - _well(report), 'row')}",
        "plot": sections.time_plot(report),
        "delays": list(sections.delays(report)),
        "delay_note": f"The {plural(figures.delays.total(), 'delivered message')} with both times, as recorded here.",
        "countries": sections.countries(report),
        "country_heads": ["Messages", results[0][2], "Share", *(label for _, _, label in results[1:])],
        "country_scale": ", ".join(label.lower() for _, _, label in results),
        "texts": sections.texts(report),
        "text_total": (count(sum(figures.texts.values())), count(figures.segments)),
        "problems": sections.problems(report),
        "examples": sections.examples(report),
        "examples_title": "What people would receive" if not figures.taken_segments else "What people received",
        "lines": shown,
        "lines_note": _lines_note(report, len(shown)),
        "words": sections.words(report),
        "method": list(_method(report)),
        "quote": _quote(report),
    }


def _footer(report: Report) -> str:
    sandbox = " (sandbox: nothing left this machine)" if report.facts.sandbox else ""
    as_of = report.local(report.as_of)
    return f"{report.status.name}{sandbox}, as of {sections.day(as_of)} {as_of:%H:%M} ({sections.zone_name(report)})"


def _funnel_title(report: Report) -> str:
    if report.is_check:
        return "From rows to messages"
    return "From rows to delivered" if report.delivery_known else "From rows to accepted"


def _well(report: Report) -> int:
    counts = report.figures.counts
    return counts["delivered"] + counts["ready"] + (0 if report.delivery_known else counts["accepted"])


def _outcome_note(report: Report) -> str:
    if report.is_check:
        return f"All {plural(report.figures.rows, 'row')}, then the skipped ones by reason."
    goal = "delivered" if report.delivery_known else "accepted"
    rest = f"then all rows that are not known to be {goal}, by reason"
    shares = "Shares are of the messages, those of skipped rows of all rows."
    return f"All {plural(report.figures.messages, 'message')}, {rest}. {shares}"


def _lines_note(report: Report, shown: int) -> str:
    if shown < report.figures.rows:
        return f"{count(SHOWN_ROWS)} of {plural(report.figures.rows, 'row')}, problems first."
    return "The only row." if shown == 1 else f"All {count(shown)} rows, problems first."


def _method(report: Report) -> Iterator[tuple[str, str]]:
    """How each figure came about, as far as it stands on the page."""
    figures, groups = report.figures, report.figures.groups
    parts = [f"{count(groups[name])} {name}" for name in GROUP_ORDER if groups[name] and name != "skipped"]
    total = (
        f"{plural(figures.rows, 'row')} = {count(groups['skipped'])} skipped + {plural(figures.messages, 'message')}"
    )
    sum_of_messages = f"; messages = {' + '.join(parts)}" if parts else ""
    yield "Every row counts once:", f"{total}{sum_of_messages}."
    if report.is_check:
        yield "Ready", "is a row that nothing in the file stands against. Nothing was planned or sent."
    else:
        yield "Not delivered", "is undelivered + expired + rejected + failed."
        yield "Shares", "are of the messages unless something else is said, rounded to one decimal."
    if figures.delays:
        yield "Time to deliver", "runs from our request to the delivery as it was recorded here."
    source = report.status.source
    if source:
        digest = f", SHA-256 {report.status.source_sha256[:16]}…" if report.status.source_sha256 else ""
        yield (
            "Source:",
            f"{source}{digest}; columns after report schema {SCHEMA_VERSION}; campaigns {version('campaigns')}.",
        )
    yield "Numbers", "are masked on this page; the CSV, XLSX and JSON reports hold them whole."


def _quote(report: Report) -> str:
    if report.is_check or not report.figures.messages or report.facts.sandbox:  # no trial is quoted as a campaign
        return ""
    counts, messages = report.figures.counts, report.figures.messages
    outcome = "delivered" if report.delivery_known else "accepted by the provider"
    number = counts["delivered" if report.delivery_known else "accepted"]
    as_of = report.local(report.as_of)
    what = f"{count(number)} of {plural(messages, 'message')} {outcome} ({share(number, messages)})"
    when = f"as of {sections.day(as_of)} {as_of:%H:%M} ({sections.zone_name(report)})"
    campaign = "" if report.status.id is None else f", campaign {report.status.id}"
    return f"“{report.status.name}: {what}. Source: campaigns {version('campaigns')}{campaign}, {when}.”"
