"""Read text files (.csv .tsv .txt) row by row as a spreadsheet program would, in bounded memory."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import pandas as pd
import pyarrow as pa

from campaigns.errors import InputError
from campaigns.model import CHUNK_ROWS
from campaigns.recipients.encodings import decide_encoding
from campaigns.recipients.grid import HEAD_ROWS, Block
from campaigns.recipients.layout import Layout

DELIMITERS: Final = ("\t", ";", ",", "|")  # in this order where two fit equally well
NO_DELIMITER: Final = "\x1f"  # what pandas gets for a file of one column: a sign that nobody types
SAMPLE_LINES: Final = 200
MOST_CELLS: Final = 1_000_000  #: in one block; a wide table comes in blocks of fewer rows
SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # Excel obeys it and hides it
NUMBER_ALONE: Final = re.compile(r"[+(]?\d[\d ()./+\xa0-]{5,}")


@dataclass(frozen=True, slots=True)
class TextGrid:
    """A text file, with what was found out about it."""

    path: Path
    encoding: str
    delimiter: str | None
    width: int
    raw_width: int  #: cells of the widest row with its empty ones at the end
    height: int
    doubt: InputError | None = None
    sheet: None = None

    def head(self) -> list[list[str]]:
        block = next(self._read(HEAD_ROWS), None)
        return [] if block is None else [list(row) for row in zip(*map(pa.Array.to_pylist, block.columns), strict=True)]

    def blocks(self) -> Iterator[Block]:
        return self._read(min(CHUNK_ROWS, MOST_CELLS // max(self.raw_width, 1) + 1))

    def _read(self, rows: int) -> Iterator[Block]:
        first_row = 1
        with _open(self.path, self.encoding) as file:
            try:
                for frame in _frames(file, self.delimiter or NO_DELIMITER, self.raw_width, rows):
                    yield Block(first_row, [pa.array(frame[place], pa.string()) for place in range(self.width)])
                    first_row += len(frame)
            except (pd.errors.ParserError, UnicodeDecodeError) as error:
                raise InputError(
                    f"{self.path.name} changed while it was read.", fix="Give the command again."
                ) from error


def open_text(path: Path, layout: Layout) -> Sequence[TextGrid]:
    """The one table of a text file; the whole file is read once to find its encoding and its widest row."""
    if layout.sheet is not None:
        raise InputError(f"{path.name} is a text file and has no sheets.", fix="Leave --sheet out.")
    encoding = decide_encoding(path, layout.encoding)
    delimiter = _find_delimiter(path, encoding)
    with _open(path, encoding) as file:
        width, raw_width, height = _measure(file, delimiter or NO_DELIMITER, path.name)
    return [TextGrid(path, encoding, delimiter, width, raw_width, height)]


@contextmanager
def _open(path: Path, encoding: str) -> Iterator[TextIO]:
    """The file from its first visible row on, its line ends as they are."""
    codec = "utf-8-sig" if encoding == "UTF-8" else encoding
    with path.open(encoding=codec, newline="") as file:
        if _separator(file.readline()) is None:
            file.seek(0)
        yield file


def _separator(line: str) -> str | None:
    found = SEPARATOR_LINE.fullmatch(line.rstrip("\r\n"))
    return found[1] if found else None


def _frames(file: TextIO, delimiter: str, width: int, rows: int) -> Iterator[pd.DataFrame]:
    """The rows as pandas reads them, all as text; no word such as NA is taken for an empty cell."""
    if width == 0:
        return iter(())
    return iter(
        pd.read_csv(
            file,
            sep=delimiter,
            header=None,
            names=list(range(width)),  # as many as the widest row has: with fewer, pandas shifts or cuts
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
            chunksize=rows,
            low_memory=False,  # else a column may come in pieces, which are no Arrow array
        )
    )


def _find_delimiter(path: Path, encoding: str) -> str | None:
    """The sign between the cells: the one that cuts most of the first rows into equally many; None for one column."""
    with path.open(encoding="utf-8-sig" if encoding == "UTF-8" else encoding, newline="") as file:
        lines = list(islice(file, SAMPLE_LINES))
    if lines and (declared := _separator(lines[0])):
        return declared
    scores = {delimiter: _evenness(lines, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])  # the first of equals
    return best if scores[best] else None


def _evenness(lines: list[str], delimiter: str) -> int:
    """How many rows have the commonest number of cells; 0 where the sign looks like part of the text."""
    rows = [row for row in _rows(lines, delimiter) if row and row.strip(f"{delimiter} \r\n")]
    first = next((place for place, row in enumerate(rows) if delimiter in row), len(rows))
    if any(NUMBER_ALONE.fullmatch(row.strip()) for row in rows[:first]):
        return 0  # a list of numbers, some of them with a remark
    widths = Counter(row.count(delimiter) + 1 for row in rows[first:])
    alone = widths.pop(1, 0)
    return max(widths.values(), default=0) if sum(widths.values()) >= alone else 0


def _measure(file: TextIO, delimiter: str, name: str) -> tuple[int, int, int]:
    """Cells of the widest row, without and with its empty ones at the end, and the number of rows."""
    width = raw_width = number = 0
    for number, row in enumerate(_rows(_without_nul(file, name), delimiter), start=1):
        if row is None:
            raise InputError(
                "A quotation mark is never closed, so all rows after it would be one cell.",
                where=f"{name}, row {number}",
                fix='Close it there; inside a quoted cell write "" for a quotation mark.',
            )
        raw_width = max(raw_width, row.count(delimiter) + 1)
        width = max(width, row.rstrip(f"{delimiter}\r\n").count(delimiter) + 1)
    return width, raw_width, number


def _without_nul(file: TextIO, name: str) -> Iterator[str]:
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise InputError(
                f"{name} holds NUL bytes, which no table has.",
                where=f"{name}, line {number}",
                fix="It may be damaged or no text: save the list anew as .csv (UTF-8) or .xlsx.",
            )
        yield line


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[str | None]:
    """Each row in one piece, "x" standing for every quoted cell; None at the end where one is never closed.

    A quotation mark counts only at the beginning of a cell, as for pandas and Excel: 5" is an ordinary text.
    """
    sign = re.escape(delimiter)
    opening = re.compile(rf'(?<![^{sign}])"')
    quoted = re.compile(rf'(?<![^{sign}])"[^"]*(?:""[^"]*)*"(?!")')
    closing = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')
    row: str | None = None  # what is read of a row that has a line end in a quoted cell
    for line in lines:
        rest = line
        if row is not None:
            if (end := closing.match(line)) is None:
                continue
            rest = f"{row}x{line[end.end() :]}"
        bare = quoted.sub("x", rest) if '"' in rest else rest
        if open_cell := opening.search(bare):
            row = bare[: open_cell.start()]
            continue
        yield bare
        row = None
    if row is not None:
        yield None
