"""Say once, for the whole column, why many of its numbers cannot be used, and the option that mends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.model import Chunk, SkipReason
from campaigns.recipients.reading import NumberList, RecipientFile
from campaigns.recipients.regions import likely_regions, mobile_count

MOST: Final = 0.5  #: the share of rows from which on a reason is one of the column, not of its rows
UNREADABLE: Final = (SkipReason.INVALID, SkipReason.TOO_SHORT, SkipReason.TOO_LONG, SkipReason.NOT_MOBILE)
NOT_ASKED: Final = (SkipReason.HIDDEN, SkipReason.FILTERED)
QUICKLY_READ: Final = 100_000  #: rows that are read once more though few of them have the fault
HEAD: Final = 50  #: rows by which other columns are judged


@dataclass(frozen=True, slots=True)
class Advice:
    """What is wrong with a column as a whole, and how to mend it."""

    note: str  #: one sentence
    fix: str  #: what to add to the command where it begins with "--", else a sentence


def advise(recipients: RecipientFile | NumberList, rows: int, skipped: Mapping[str, int]) -> Sequence[Advice]:
    """What to say of the column of numbers after a check that counted `rows` and those `skipped`, by reason.

    Nothing where no reason stands out; only where one does, the rows are read once more.
    """
    asked = rows - sum(skipped.get(reason, 0) for reason in NOT_ASKED)
    column = _Column(recipients, asked, skipped)
    findings = (column.lost_digits(), column.most_unreadable() or column.most_missing() or column.most_several())
    return [advice for advice in findings if advice is not None]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of numbers, and how many rows of it cannot be used."""

    recipients: RecipientFile | NumberList
    rows: int
    skipped: Mapping[str, int]

    def count(self, *reasons: SkipReason) -> int:
        return sum(self.skipped.get(reason, 0) for reason in reasons)

    def is_most(self, count: int) -> bool:
        return count > 1 and count >= MOST * self.rows

    def name(self, word: str) -> str:
        """The column in words: ` in "Mobil"`; numbers that were typed have none."""
        return f' {word} "{self.recipients.phone_column}"' if self.recipients.phone_column else ""

    def lost_digits(self) -> Advice | None:
        """Cells that a spreadsheet program cut to 4.67E+10."""
        lost = self.count(SkipReason.DIGITS_LOST)
        if lost < 2:
            return None
        note = f"{lost:,} numbers{self.name('in')} lost their digits in Excel (4.67E+10)."
        if self.rows <= QUICKLY_READ or self.is_most(lost):
            rows = [row for chunk in self.recipients.chunks() for row in _rows_of(chunk, SkipReason.DIGITS_LOST)]
            if len(rows) == lost == rows[-1] - rows[0] + 1:
                note = f"Rows {rows[0]:,} to {rows[-1]:,}{self.name('of')} all lost their digits in Excel (4.67E+10)."
        return Advice(note, f"Format the column as Text in Excel and paste these {lost:,} rows again.")

    def most_unreadable(self) -> Advice | None:
        """Numbers of another region, land lines, or no numbers at all."""
        count = self.count(*UNREADABLE)
        if not self.is_most(count):
            return None
        land_lines = self.count(SkipReason.NOT_MOBILE)
        region = self.recipients.region
        what = "are no mobile numbers" if land_lines else "are no numbers"
        note = f"{count:,} of {self.rows:,} numbers{self.name('in')} {what} in region {region}"
        if (better := self.better_column()) is not None:
            return Advice(f'{note}, but "{better}" holds mobile numbers.', f'--phone-column "{better}"')
        phones = pa.concat_arrays([_phones_of(chunk, UNREADABLE) for chunk in self.recipients.chunks()])
        are_land_lines = self.is_most(land_lines) and not self.recipients.allow_landline
        with_zero = are_land_lines and pc.sum(pc.starts_with(phones, "0")).as_py() >= MOST * len(phones)
        likely = likely_regions(phones, region, nearby=with_zero)
        if likely and self.is_most(found := mobile_count(phones, likely[0])):
            fix = " or ".join(f"--region {each}" for each in likely)
            if with_zero:
                fix += f", or --allow-landline if they are land lines in region {region}"
            return Advice(f"{note}, but {found:,} of these are mobile numbers in region {likely[0]}.", fix)
        if are_land_lines:
            note = f"{land_lines:,} of {self.rows:,} numbers{self.name('in')} are land lines or the like"
            return Advice(f"{note}, which seldom get texts.", "--allow-landline")
        return None

    def most_missing(self) -> Advice | None:
        """Empty cells, where another column has numbers."""
        count = self.count(SkipReason.MISSING)
        if not self.is_most(count) or (better := self.better_column()) is None:
            return None
        note = f'{count:,} of {self.rows:,} cells{self.name("of")} are empty, but "{better}" holds mobile numbers.'
        return Advice(note, f'--phone-column "{better}"')

    def most_several(self) -> Advice | None:
        """Cells that hold more than one number."""
        count = self.count(SkipReason.SEVERAL_NUMBERS)
        if not self.is_most(count):
            return None
        note = f"{count:,} of {self.rows:,} cells{self.name('of')} hold more than one number."
        return Advice(note, "Put each number into a row or a column of its own.")

    def better_column(self) -> str | None:
        """Another column that mostly holds mobile numbers; None where there is none."""
        chunk = next(iter(self.recipients.chunks()))
        head = chunk.cells.slice(0, HEAD)
        for name in head.column_names:
            cells = head[name].combine_chunks()
            cells = cells.filter(pc.greater_equal(pc.count_substring_regex(cells, "[0-9]"), 7))
            if name != self.recipients.phone_column and mobile_count(cells, self.recipients.region) >= MOST * len(head):
                return str(name)
        return None


def _rows_of(chunk: Chunk, reason: SkipReason) -> Sequence[int]:
    rows: Sequence[int] = chunk.table.filter(pc.equal(chunk.table["skip_reason"], reason.value))["row"].to_pylist()
    return rows


def _phones_of(chunk: Chunk, reasons: Sequence[SkipReason]) -> pa.Array:
    is_one = pc.is_in(chunk.table["skip_reason"], pa.array([reason.value for reason in reasons]))
    return chunk.table.filter(is_one)["phone"].combine_chunks()
