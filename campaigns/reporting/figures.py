"""What all reports count: one pass over the rows fills one Figures, and every format shows that."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from campaigns.model import CampaignStatus, Encoding, ReportRow

READY: Final = "ready"  #: the status of a row that a check found nothing against
PROBLEMS: Final = ("rejected", "undelivered", "expired", "failed", "unknown", "skipped")
"""The statuses that someone should know of, in the order in which they are shown."""
GROUPS: Final = {
    "delivered": "delivered",
    "undelivered": "not delivered",
    "expired": "not delivered",
    "rejected": "not delivered",
    "failed": "not delivered",
    "accepted": "accepted",
    "unknown": "unknown",
    "sending": "not sent",
    "planned": "not sent",
    "cancelled": "not sent",
    READY: "not sent",
    "skipped": "skipped",
}
"""The group that each status counts in; all groups but `skipped` add up to the messages."""
GROUP_ORDER: Final = ("delivered", "accepted", "not delivered", "unknown", "not sent", "skipped")
TAKEN: Final = frozenset({"accepted", "delivered", "undelivered", "expired"})  #: statuses of what the provider took
SHOWN_ROWS: Final = 1000  #: the most rows that the page shows

_RANKS: Final = {status: rank for rank, status in enumerate(PROBLEMS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What a report says of the campaign beside its rows; "" and 0 where it is not known, and then it is left out."""

    sandbox: bool = False  #: nothing left this machine
    delivery_reports: bool = False  #: the provider tells what became of each message
    rate: str = ""  #: as people read it, such as "20/s"
    region: str = ""
    phone_column: str = ""
    header_row: int = 0
    purpose: str = ""
    command: str = ""  #: what the campaign was started with
    zone: str | None = None  #: IANA name for times that people read; None is the machine's own

    @property
    def tzinfo(self) -> tzinfo | None:
        """What to give to `astimezone`."""
        return ZoneInfo(self.zone) if self.zone else None


@dataclass(slots=True)
class Occurrences:
    """The rows of one status and reason: how many, the first three, the first and the last."""

    rows: int = 0
    first: list[int] = field(default_factory=list)
    last: int = 0

    def add(self, rows: Sequence[int]) -> None:
        """Count more rows; they come in their order."""
        self.rows += len(rows)
        self.last = rows[-1]
        self.first += rows[: 3 - len(self.first)]


@dataclass(slots=True)
class Figures:
    """Everything that is counted while the rows pass; its size does not grow with their number."""

    occurrences: dict[tuple[str, str], Occurrences] = field(default_factory=dict)  #: by status and reason
    countries: Counter[tuple[str, str]] = field(default_factory=Counter)  #: by country and status; messages only
    taken_segments: Counter[str] = field(default_factory=Counter)  #: by country
    texts: Counter[tuple[str, int]] = field(default_factory=Counter)  #: messages by encoding and segments
    seconds: dict[str, Counter[int]] = field(default_factory=dict)  #: by series, then second since the epoch
    delays: Counter[tuple[str, int]] = field(default_factory=Counter)  #: delivered, by country and tenths of a second
    examples: dict[str, ReportRow] = field(default_factory=dict)  #: the first, the longest, the first in UCS-2
    _shown: dict[int, list[ReportRow]] = field(default_factory=dict)

    def add(self, rows: Sequence[ReportRow]) -> None:
        """Count rows; they come in the order of the file."""
        found: dict[tuple[str, str], list[int]] = {}
        for row in rows:
            found.setdefault((row.status, row.reason), []).append(row.row)
        for key, places in found.items():
            self.occurrences.setdefault(key, Occurrences()).add(places)
        self._show(rows, {status for status, _ in found})
        messages = [row for row in rows if row.status != "skipped"]
        self.countries.update([(row.country, row.status) for row in messages])
        self._add_texts([row for row in messages if row.segments is not None])
        for row in messages:
            if row.sent_at is not None:
                self._add_times(row, row.sent_at)

    @property
    def counts(self) -> Counter[str]:
        """Rows by status."""
        counts: Counter[str] = Counter()
        for (status, _), found in self.occurrences.items():
            counts[status] += found.rows
        return counts

    @property
    def rows(self) -> int:
        """All rows of the file."""
        return self.counts.total()

    @property
    def messages(self) -> int:
        """All rows that were not skipped."""
        return self.rows - self.counts["skipped"]

    @property
    def groups(self) -> Counter[str]:
        """Rows by group."""
        groups: Counter[str] = Counter()
        for status, rows in self.counts.items():
            groups[GROUPS[status]] += rows
        return groups

    @property
    def country_messages(self) -> Counter[str]:
        """Messages by country."""
        messages: Counter[str] = Counter()
        for (country, _), rows in self.countries.items():
            messages[country] += rows
        return messages

    def country_groups(self, country: str) -> Counter[str]:
        """The messages of one country by group."""
        groups: Counter[str] = Counter()
        for (place, status), rows in self.countries.items():
            if place == country:
                groups[GROUPS[status]] += rows
        return groups

    @property
    def segments(self) -> int:
        """The segments of all messages."""
        return sum(segments * messages for (_, segments), messages in self.texts.items())

    @property
    def shown(self) -> list[ReportRow]:
        """At most SHOWN_ROWS rows, problems first, each status in the order of the file."""
        return [row for rank in sorted(self._shown) for row in self._shown[rank]][:SHOWN_ROWS]

    def delay(self, part: float, country: str | None = None) -> float | None:
        """The seconds within which this part of the delivered messages arrived; None where nothing was timed."""
        delays = sorted((tenths, n) for (place, tenths), n in self.delays.items() if country in (None, place))
        wanted = part * sum(n for _, n in delays)
        for tenths, n in delays:
            wanted -= n
            if wanted <= 0:
                return tenths / 10
        return None

    def _show(self, rows: Sequence[ReportRow], statuses: set[str]) -> None:
        for rank in {_RANKS.get(status, len(_RANKS)) for status in statuses}:
            shown = self._shown.setdefault(rank, [])
            if len(shown) < SHOWN_ROWS:
                shown += [row for row in rows if _RANKS.get(row.status, len(_RANKS)) == rank]
                del shown[SHOWN_ROWS:]

    def _add_texts(self, rows: Sequence[ReportRow]) -> None:
        if not rows:
            return
        self.texts.update([(row.encoding, row.segments or 0) for row in rows])
        for row in rows:
            if row.status in TAKEN:
                self.taken_segments[row.country] += row.segments or 0
        self.examples.setdefault("first", rows[0])
        self.examples["longest"] = max(self.examples.get("longest", rows[0]), *rows, key=_length)
        if "ucs2" not in self.examples and (ucs2 := [row for row in rows if row.encoding == Encoding.UCS2]):
            self.examples["ucs2"] = ucs2[0]

    def _add_times(self, row: ReportRow, sent_at: datetime) -> None:
        sent = int(sent_at.timestamp())
        self._count("sent", sent)
        if row.status in ("rejected", "unknown"):
            self._count(row.status, sent)
        if row.status == "delivered" and row.updated_at is not None:
            self._count("delivered", int(row.updated_at.timestamp()))
            delay = max((row.updated_at - sent_at).total_seconds(), 0)  # the network's clock may be behind ours
            self.delays[row.country, round(delay * 10)] += 1

    def _count(self, series: str, second: int) -> None:
        self.seconds.setdefault(series, Counter())[second] += 1


def _length(row: ReportRow) -> tuple[int, int]:
    return row.segments or 0, len(row.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a format gets to finish its file, once the last row has passed."""

    status: CampaignStatus
    as_of: datetime
    facts: ReportFacts
    figures: Figures
    columns: Sequence[str]  #: the headers of the whole report, in their order

    @property
    def delivery_known(self) -> bool:
        """Whether delivery is reported: by the provider's word, or because a report has come."""
        counts = self.figures.counts
        return self.facts.delivery_reports or any(counts[status] for status in ("delivered", "undelivered", "expired"))

    @property
    def is_check(self) -> bool:
        """Whether nothing was planned: the report of `campaigns check`."""
        return self.status.state is None

    def local(self, moment: datetime) -> datetime:
        """The moment in the zone of the people who read the report."""
        return moment.astimezone(self.facts.tzinfo)
