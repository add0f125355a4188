"""Name the rows of a text file that have fewer or more cells than its header has."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.model import Remark
from campaigns.recipients.grid import Block, CellRemark
from campaigns.wording import plural


@dataclass(frozen=True, slots=True)
class Expected:
    """How many cells a row should have: what lies between is as good as a row of the header's own length."""

    least: int  #: up to the header's last name
    most: int  #: with the empty cells that the header ends in
    model: str  #: "the header has" or "most rows have"


def with_ragged(blocks: Iterable[Block], header_row: int, delimiter: str | None) -> Iterator[Block]:
    """The blocks with a remark on each row that is too short, or has text beyond the header's last cell.

    Where there is no header (0), the rows of the first block are the measure. Blank rows and titles get a remark too.
    """
    expected: Expected | None = None
    for block in blocks:
        if block.lengths is None or delimiter is None:
            yield block
            continue
        if expected is None and header_row < block.first_row + len(block):
            expected = _expected(block, block.lengths, header_row)
        remarks = _ragged(block, block.lengths, expected, delimiter) if expected else []
        yield replace(block, remarks=[*block.remarks, *remarks]) if remarks else block


def _expected(block: Block, lengths: pa.Array, header_row: int) -> Expected | None:
    if header_row == 0:
        commonest = pc.mode(lengths.filter(block.filled()))
        usual = commonest[0]["mode"].as_py() if len(commonest) else 0
        return Expected(usual, usual, "most rows have") if usual else None
    place = header_row - block.first_row
    named = [number for number, column in enumerate(block.columns, start=1) if column[place].as_py()]
    return Expected(max(named, default=0), lengths[place].as_py(), "the header has")


def _ragged(block: Block, lengths: pa.Array, expected: Expected, delimiter: str) -> list[CellRemark]:
    last = pa.repeat(0, len(block))  # the place of a row's last text, if beyond the header
    for place in range(expected.most, len(block.columns)):
        last = pc.max_element_wise(last, pc.if_else(pc.not_equal(block.columns[place], ""), place + 1, 0))
    places = pc.indices_nonzero(pc.or_(pc.less(lengths, expected.least), pc.greater(last, 0)))
    if not len(places):
        return []
    rows = zip(*(column.take(places).to_pylist() for column in block.columns), strict=True)
    numbers = (column.to_pylist() for column in (places, lengths.take(places), last.take(places)))
    return [
        _remark(block.first_row + place, length, end, cells, expected, delimiter)
        for place, length, end, cells in zip(*numbers, rows, strict=True)
    ]


def _remark(row: int, length: int, end: int, cells: tuple[str, ...], expected: Expected, delimiter: str) -> CellRemark:
    """`end` is 0 for a row that is too short, whose value is all of it; that of a long one is what it has too much."""
    value = delimiter.join(cells[expected.most : end] if end else cells[:length])
    return CellRemark(row, None, value, Remark.RAGGED, _detail(length, end, expected))


@lru_cache  # few differ, and a file may have very many ragged rows
def _detail(length: int, end: int, expected: Expected) -> str:
    if end:
        return f"{plural(end - expected.most, 'cell')} more than {expected.model}"
    return f"{plural(length, 'cell')} where {expected.model} {expected.least}"
