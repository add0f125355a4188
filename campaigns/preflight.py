"""Everything but sending: from a campaign to its rows as they would be sent, and what there is to know of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import InputError
from campaigns.messages import Filter, Template, compile_filter, compile_template, keep, render
from campaigns.model import COUNT_KEYS, CampaignStatus, Chunk, Encoding, MessageState, Msisdn, ReportRow
from campaigns.recipients import Layout, NumberList, RecipientFile, from_numbers, mark_duplicates, open_recipients
from campaigns.recipients.numbers import country_of
from campaigns.reporting import ReportFacts, open_reports

PREVIEWS: Final = 3
EXAMPLES: Final = 3  #: of each reason
READY: Final = "ready"  #: the status of a row that would be sent, in the report of a check
EMPTY_FIELD: Final = "empty_field"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One message as its recipient will see it; `text` and `encoding` are None where the campaign has no text yet."""

    row: int
    to: Msisdn
    text: str | None
    segments: int
    encoding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing about one row that somebody could mend."""

    row: int
    column: str | None
    value: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a check found."""

    source: str  #: what was decided about the file, in one line for people
    rows: int
    recipients: int  #: rows that may be sent
    skipped: Mapping[str, int]  #: by reason, the commonest first; only reasons that occur
    segments: int
    encodings: Mapping[str, int]  #: messages by encoding; both are always there
    preview: Sequence[Preview]  #: the first rows that may be sent
    shortest: Preview | None
    longest: Preview | None
    problems: Sequence[Problem]
    problem_count: int
    examples: Mapping[str, Sequence[Problem]]  #: the first of each reason
    empty_fields: Mapping[str, int]  #: by column: rows that may be sent though the text uses this empty cell
    has_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A campaign whose file was looked at and whose text was read: ready to go through its rows."""

    recipients: RecipientFile | NumberList
    template: Template | None
    where: Filter | None
    on_empty: str

    def chunks(self) -> Iterator[Chunk]:
        """The rows as they would be sent: read, filtered, rendered, and only the first of each number."""
        chunks = self.recipients.chunks()
        if self.where is not None:
            chunks = keep(chunks, self.where)
        if self.template is not None:
            chunks = render(chunks, self.template, on_empty="skip" if self.on_empty == "skip" else "send")
        return mark_duplicates(chunks, self.recipients.phone_column)


def prepare(campaign: Campaign) -> Preparation:
    """Look at the campaign's file and read its text; InputError where either cannot be used."""
    source = campaign.recipients
    layout = Layout(
        phone_column=source.phone_column, region=source.region, sheet=source.sheet, encoding=source.encoding
    )
    return _preparation(campaign, open_recipients(source.file, layout))


def prepare_numbers(numbers: Sequence[str], campaign: Campaign) -> Preparation:
    """The same for a few numbers that were typed instead of a file."""
    return _preparation(campaign, from_numbers(numbers, campaign.recipients.region))


def check(
    campaign: Campaign,
    *,
    reports: Sequence[Path] = (),
    problems: int | None = 100,
    on_rows: Callable[[int], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Preflight:
    """Go through the whole campaign and send nothing; no ledger is made.

    `reports` get every row with the status `ready` or `skipped`. `problems` bounds the list (None: all); `on_rows` is
    told how many rows were read.
    """
    preparation = prepare(campaign)
    tally = Tally(preparation, problems)
    with open_reports(reports, preparation.recipients.columns) as report:
        for chunk in preparation.chunks():
            tally.add(chunk)
            if reports:
                for row in report_rows(chunk):
                    report.add(row)
            if on_rows is not None:
                on_rows(tally.rows)
        preflight = tally.result()
        if reports:
            report.finish(_status(campaign, preparation, preflight), clock.now(), _facts(campaign, preparation))
    return preflight


def report_rows(chunk: Chunk) -> Iterator[ReportRow]:
    """The rows of a Chunk for the report of a check."""
    columns = [column.to_pylist() for column in chunk.cells.columns]
    for place, line in enumerate(chunk.table.to_pylist()):
        number = _number(line["number"])
        yield ReportRow(
            row=line["row"],
            phone=line["phone"],
            to=number,
            country=country_of(number) if number else "",
            status=READY if line["skip_reason"] is None else MessageState.SKIPPED,
            reason=line["skip_reason"] or "",
            detail=line["detail"] or "",
            text=line["text"] or "",
            encoding=line["encoding"] or "",
            segments=line["segments"],
            provider="",
            provider_id="",
            tries=0,
            sent_at=None,
            updated_at=None,
            cells=[column[place] for column in columns],
        )


class Tally:
    """Counts Chunks as they pass, and keeps the few rows that are shown."""

    def __init__(self, preparation: Preparation, problems: int | None = 0) -> None:
        self.rows = 0
        self._preparation = preparation
        self._most_problems = problems
        self._ready = 0
        self._segments = 0
        self._skipped: Counter[str] = Counter()
        self._encodings: Counter[str] = Counter({encoding.value: 0 for encoding in Encoding})
        self._empty: Counter[str] = Counter()
        self._preview: list[Preview] = []
        self._shortest: tuple[int, Preview] | None = None
        self._longest: tuple[int, Preview] | None = None
        self._problems: list[Problem] = []
        self._problem_count = 0
        self._examples: dict[str, list[Problem]] = {}

    def add(self, chunk: Chunk) -> None:
        """Count one Chunk."""
        table = chunk.table
        may_go = pc.is_null(table["skip_reason"])
        ready = table.filter(may_go)
        self.rows += table.num_rows
        self._ready += ready.num_rows
        self._segments += pc.sum(ready["segments"]).as_py() or 0
        self._skipped.update(_counts(table["skip_reason"]))
        self._encodings.update(_counts(ready["encoding"]))
        self._empty.update(_counts(ready.filter(self._is_empty_field(ready))["column"]))
        self._preview += [_preview(line) for line in ready.slice(0, PREVIEWS - len(self._preview)).to_pylist()]
        self._keep_extremes(ready)
        self._add_problems(chunk)

    def result(self) -> Preflight:
        """All that was counted."""
        return Preflight(
            source=self._preparation.recipients.describe(),
            rows=self.rows,
            recipients=self._ready,
            skipped=dict(self._skipped.most_common()),
            segments=self._segments,
            encodings=dict(self._encodings),
            preview=self._preview,
            shortest=self._shortest[1] if self._shortest else None,
            longest=self._longest[1] if self._longest else None,
            problems=self._problems,
            problem_count=self._problem_count,
            examples=self._examples,
            empty_fields=dict(self._empty.most_common()),
            has_text=self._preparation.template is not None,
        )

    def _is_empty_field(self, table: pa.Table) -> pa.ChunkedArray:
        """Where the text uses an empty cell; what is said of the phone column is how its number was read."""
        other = pc.not_equal(table["column"], self._preparation.recipients.phone_column)
        return pc.fill_null(other, False)

    def _keep_extremes(self, ready: pa.Table) -> None:
        if self._preparation.template is None or not ready.num_rows:
            return
        lengths = pc.utf8_length(ready["text"])
        least, most = pc.min_max(lengths).as_py().values()
        if self._shortest is None or least < self._shortest[0]:
            self._shortest = least, _preview(_row_at(ready, pc.index(lengths, least).as_py()))
        if self._longest is None or most > self._longest[0]:
            self._longest = most, _preview(_row_at(ready, pc.index(lengths, most).as_py()))

    def _add_problems(self, chunk: Chunk) -> None:
        table = chunk.table
        wrong = pc.or_(pc.is_valid(table["skip_reason"]), self._is_empty_field(table))
        places = pc.indices_nonzero(wrong).to_pylist()
        self._problem_count += len(places)
        for place in places:
            is_listed = self._most_problems is None or len(self._problems) < self._most_problems
            reason = table["skip_reason"][place].as_py() or EMPTY_FIELD
            examples = self._examples.setdefault(reason, [])
            if not is_listed and len(examples) >= EXAMPLES:
                continue
            problem = _problem(chunk, place, reason)
            if is_listed:
                self._problems.append(problem)
            if len(examples) < EXAMPLES:
                examples.append(problem)


def _preparation(campaign: Campaign, recipients: RecipientFile | NumberList) -> Preparation:
    columns = recipients.columns
    where = campaign.recipients.where
    return Preparation(
        recipients=recipients,
        template=None
        if campaign.message is None
        else compile_template(
            campaign.message, columns, where=campaign.places.get("message", ""), source=recipients.name
        ),
        where=None
        if where is None
        else compile_filter(where, columns, where=campaign.places.get("recipients.where", ""), source=recipients.name),
        on_empty=campaign.on_empty,
    )


def _status(campaign: Campaign, preparation: Preparation, preflight: Preflight) -> CampaignStatus:
    skipped = preflight.rows - preflight.recipients
    return CampaignStatus(
        id=None,
        name=campaign.default_name,
        state=None,
        reason="",
        counts=dict.fromkeys(COUNT_KEYS, 0) | {"rows": preflight.rows, MessageState.SKIPPED: skipped},
        reasons={MessageState.SKIPPED: preflight.skipped},
        sender=campaign.sender or "",
        source=preparation.recipients.name,
        source_sha256=preparation.recipients.sha256,
        columns=preparation.recipients.columns,
    )


def _facts(campaign: Campaign, preparation: Preparation) -> ReportFacts:
    recipients = preparation.recipients
    return ReportFacts(
        region=recipients.region,
        phone_column=recipients.phone_column,
        header_row=recipients.header_row,
        purpose=campaign.purpose,
    )


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(values.drop_null()).to_pylist()}


def _row_at(table: pa.Table, place: int) -> dict[str, object]:
    row: dict[str, object] = table.slice(place, 1).to_pylist()[0]
    return row


def _preview(line: Mapping[str, object]) -> Preview:
    text, encoding, segments = line["text"], line["encoding"], line["segments"]
    number = _number(line["number"])
    if number is None:
        raise InputError(f"Row {line['row']} is to be sent but has no number.")
    return Preview(
        row=int(str(line["row"])),
        to=number,
        text=None if text is None else str(text),
        segments=0 if segments is None else int(str(segments)),
        encoding=None if encoding is None else str(encoding),
    )


def _problem(chunk: Chunk, place: int, reason: str) -> Problem:
    line = _row_at(chunk.table, place)
    column = None if line["column"] is None else str(line["column"])
    names = chunk.cells.column_names
    value = str(chunk.cells.column(names.index(column))[place].as_py()) if column in names else str(line["phone"])
    return Problem(
        row=int(str(line["row"])), column=column, value=value, reason=reason, detail=str(line["detail"] or "")
    )


def _number(digits: object) -> Msisdn | None:
    return None if digits is None else Msisdn(f"+{digits}")
