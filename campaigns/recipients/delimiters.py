"""Find the sign between the cells of a text file: Excel's sep= line names it, else the first lines show it."""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from campaigns.recipients.parsing import MOST_COLUMNS, NO_DELIMITER, Dialect

DELIMITERS: Final = ("\t", ";", ",", "|")  # in this order where two fit equally well
SAMPLE_BYTES: Final = 1 << 18
SAMPLE_LINES: Final = 200
SEPARATOR_LINE: Final = re.compile(r'"?sep=([\t -/:-@\[-`{-~])"?', re.IGNORECASE)  # a sign of ASCII, as Excel obeys it
LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
DECIMAL: Final = re.compile(r"\s*[+-]?(?:[\d \xa0]*\d,0+|\d{1,6},\d+)\s*")  # 46701740605,0 but not 0701740605,12
NUMBER_ALONE: Final = re.compile(r"[+(]?\d[\d ()./+\xa0-]{5,}")


def find_dialect(path: Path, encoding: str) -> Dialect:
    """How the file is cut into cells, by its first lines."""
    lines = _first_lines(path, encoding)
    declared = SEPARATOR_LINE.fullmatch(lines[0].rstrip("\r\n")) if lines else None
    if declared and declared[1] != '"':
        return _with_usual(Dialect(encoding, declared[1], True, 1), lines[1:])
    scores = {delimiter: _evenness(lines, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])  # the first of equals
    return _with_usual(Dialect(encoding, best if scores[best] else None, False, 1), lines)


def _first_lines(path: Path, encoding: str) -> list[str]:
    with path.open("rb") as file:
        start = file.read(SAMPLE_BYTES)
    text = codecs.getincrementaldecoder(encoding)().decode(start).removeprefix("\ufeff")
    lines = list(islice((line[0] for line in LINE.finditer(text)), SAMPLE_LINES))
    is_cut = len(start) == SAMPLE_BYTES and 1 < len(lines) < SAMPLE_LINES
    return lines[:-1] if is_cut else lines


def _with_usual(dialect: Dialect, lines: list[str]) -> Dialect:
    counts = Counter(len(row) for row in _rows(lines, dialect.delimiter or NO_DELIMITER) if any(row))
    return replace(dialect, usual=min(counts.most_common(1)[0][0], MOST_COLUMNS) if counts else 1)


def _evenness(lines: list[str], delimiter: str) -> int:
    """How many rows have the commonest number of cells; 0 where the sign looks like part of the text."""
    rows = [row for row in _rows(lines, delimiter) if any(cell.strip() for cell in row)]
    first = next((place for place, row in enumerate(rows) if len(row) > 1), len(rows))
    if any(NUMBER_ALONE.fullmatch(row[0].strip()) for row in rows[:first]):
        return 0  # a list of numbers, some of them with a remark
    if all(len(row) == 1 or DECIMAL.fullmatch(delimiter.join(row)) for row in rows):
        return 0  # one column of numbers with a decimal comma
    widths = Counter(len(row) for row in rows[first:])
    alone = widths.pop(1, 0)
    return max(widths.values(), default=0) if sum(widths.values()) >= alone else 0


def _rows(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error:  # a cell longer than that module takes: what stands before it must do
        return
