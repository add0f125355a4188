"""Count rows as they pass, on the way to a check's answer or into the ledger, and keep the few that are shown."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import Chunk, Encoding, Msisdn, Problem, Remark
from campaigns.recipients import Advice, NumberList, RecipientFile, advise
from campaigns.reporting import Cleaned

PREVIEWS: Final = 3
EXAMPLES: Final = 3  #: of each reason
_HOLE: Final = Remark.EMPTY_FIELD.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One message as its recipient will see it; `text` and `encoding` are None where the campaign has no text yet."""

    row: int
    to: Msisdn
    text: str | None
    segments: int
    encoding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What was decided about the file; fields as those of a RecipientFile."""

    file: str
    sheet: str | None
    encoding: str | None
    delimiter: str | None
    header_row: int
    phone_column: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a check found."""

    source: str  #: what was decided about the file, in one line for people
    rows: int
    recipients: int  #: rows that may be sent
    skipped: Mapping[str, int]  #: by reason, the commonest first; only reasons that occur
    remarks: Mapping[str, int]  #: the same for what is said of rows that are sent all the same
    segments: int
    encodings: Mapping[str, int]  #: messages by encoding; both are always there
    preview: Sequence[Preview]  #: the first rows that may be sent
    shortest: Preview | None
    longest: Preview | None
    problems: Sequence[Problem]
    problem_count: int
    examples: Mapping[str, Sequence[Problem]]  #: the first of each reason and remark
    empty_fields: Mapping[str, int]  #: by column: rows that may be sent though the text uses this empty cell
    has_text: bool
    decided: Source
    doubt: InputError | None  #: why nothing should be sent before the user has said how the file is to be read
    advice: Sequence[Advice]  #: what is wrong with the column of numbers as a whole
    cleaned: Cleaned | None = None  #: the cleaned list, where one was written


class Tally:
    """Counts Chunks as they pass, and keeps the few rows that are shown."""

    def __init__(self, recipients: RecipientFile | NumberList, *, has_text: bool, problems: int | None = 0) -> None:
        self.rows = 0
        self._recipients = recipients
        self._has_text = has_text
        self._most_problems = problems
        self._ready = 0
        self._segments = 0
        self._skipped: Counter[str] = Counter()
        self._remarks: Counter[str] = Counter()
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
        self.rows += table.num_rows
        self._ready += table["skip_reason"].null_count
        self._segments += pc.sum(table["segments"]).as_py() or 0
        self._skipped.update(_counts(table["skip_reason"]))
        self._encodings.update(_counts(table["encoding"]))
        self._empty.update(_counts(table["empty_field"]))
        if missing := PREVIEWS - len(self._preview):
            ready = pc.indices_nonzero(pc.is_null(table["skip_reason"]))
            self._preview += [_preview(line) for line in table.take(ready[:missing]).to_pylist()]
        self._keep_extremes(table)
        self._add_problems(chunk)

    def result(self) -> Preflight:
        """All that was counted."""
        return Preflight(
            source=self._recipients.describe(),
            rows=self.rows,
            recipients=self._ready,
            skipped=dict(self._skipped.most_common()),
            remarks=dict(self._remarks.most_common()),
            segments=self._segments,
            encodings=dict(self._encodings),
            preview=self._preview,
            shortest=self._shortest[1] if self._shortest else None,
            longest=self._longest[1] if self._longest else None,
            problems=sorted(self._problems, key=attrgetter("row")),
            problem_count=self._problem_count,
            examples=self._examples,
            empty_fields=dict(self._empty.most_common()),
            has_text=self._has_text,
            decided=_source(self._recipients),
            doubt=self._recipients.doubt,
            advice=advise(self._recipients, self.rows, self._skipped),
        )

    def _keep_extremes(self, table: pa.Table) -> None:
        lengths = pc.utf8_length(table["text"])
        least, most = pc.min_max(lengths).as_py().values()
        if least is None:  # no row has a text
            return
        if self._shortest is None or least < self._shortest[0]:
            self._shortest = least, _preview(_row_at(table, pc.index(lengths, least).as_py()))
        if self._longest is None or most > self._longest[0]:
            self._longest = most, _preview(_row_at(table, pc.index(lengths, most).as_py()))

    def _add_problems(self, chunk: Chunk) -> None:
        """The skipped rows and the empty fields of a Chunk, and what its reader remarked, by row."""
        empty = chunk.table["empty_field"]
        self._remarks.update(problem.reason for problem in chunk.problems)
        if holes := len(empty) - empty.null_count:
            self._remarks[_HOLE] += holes
        reasons = pc.coalesce(chunk.table["skip_reason"], pc.if_else(pc.is_valid(empty), _HOLE, None))
        self._problem_count += len(reasons) - reasons.null_count + len(chunk.problems)
        found = _problems(chunk, reasons, self._wanted(reasons))
        for problem in sorted([*found, *chunk.problems], key=attrgetter("row")):
            self._keep(problem)

    def _wanted(self, reasons: pa.ChunkedArray) -> list[int]:
        """The places of the rows that are still to be listed, and of those that can be examples of their reason."""
        room = None if self._most_problems is None else self._most_problems - len(self._problems)
        wanted = set(pc.indices_nonzero(pc.is_valid(reasons))[:room].to_pylist())
        for reason in reasons.unique().drop_null().to_pylist():
            if missing := EXAMPLES - len(self._examples.get(reason, ())):
                wanted.update(pc.indices_nonzero(pc.equal(reasons, reason))[:missing].to_pylist())
        return sorted(wanted)

    def _keep(self, problem: Problem) -> None:
        if self._most_problems is None or len(self._problems) < self._most_problems:
            self._problems.append(problem)
        examples = self._examples.setdefault(problem.reason, [])
        if len(examples) < EXAMPLES:
            examples.append(problem)


def _source(recipients: RecipientFile | NumberList) -> Source:
    names = [field.name for field in fields(Source) if field.name != "file"]
    return Source(file=recipients.name, **{name: getattr(recipients, name) for name in names})


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


def _problems(chunk: Chunk, reasons: pa.ChunkedArray, places: Sequence[int]) -> Iterator[Problem]:
    """What these rows of the Chunk are skipped for, or lack."""
    some = pa.array(places, pa.int64())
    row, phone, column, detail = (
        chunk.table[name].take(some).to_pylist() for name in ("row", "phone", "column", "detail")
    )
    named = {name: chunk.cells[name].take(some).to_pylist() for name in {*column} & {*chunk.cells.column_names}}
    for place, reason in enumerate(reasons.take(some).to_pylist()):
        yield Problem(
            row=row[place],
            column=column[place],
            value=named.get(column[place], phone)[place],
            reason=reason,
            detail=detail[place] or "",
        )


def _number(digits: object) -> Msisdn | None:
    return None if digits is None else Msisdn(f"+{digits}")
