"""Keep one row for each number: the first wins, later ones name it."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from campaigns.model import Chunk, SkipReason

Integers = npt.NDArray[np.int64]

_LARGEST_RUN: Final = 1_000_000  #: numbers; merging two runs takes three times their memory for a moment
_TEXT_COLUMNS: Final = ("text", "encoding", "segments", "empty_field")


def mark_duplicates(chunks: Iterable[Chunk], phone_column: str = "") -> Iterator[Chunk]:
    """The same chunks; a row that may be sent and repeats a number is skipped as `duplicate`."""
    first_rows = _FirstRows()
    for chunk in chunks:
        yield _marked(chunk, first_rows, phone_column)


class _FirstRows:
    """The row in which each number comes first, in sorted runs that are merged as they grow: 16 bytes a number."""

    def __init__(self) -> None:
        self._runs: list[Integers] = []  # two lines each: numbers in order, and the row of each

    def of(self, numbers: Integers, rows: Integers) -> Integers:
        """The first row of each of `numbers`, which stand in `rows`; they are remembered."""
        unique, place, which = np.unique(numbers, return_index=True, return_inverse=True)
        firsts, new = rows[place], np.ones(len(unique), np.bool_)
        for run_numbers, run_rows in self._runs:
            place = np.searchsorted(run_numbers, unique)
            place[place == len(run_numbers)] = 0
            known = run_numbers[place] == unique
            firsts[known] = run_rows[place[known]]
            new &= ~known
        if new.any():
            self._add(np.stack([unique[new], firsts[new]]))
        return firsts[which]

    def _add(self, run: Integers) -> None:
        self._runs.append(run)
        while len(self._runs) > 1 and _are_to_merge(*self._runs[-2:]):
            both = np.concatenate(self._runs[-2:], axis=1)
            self._runs[-2:] = [both.take(np.argsort(both[0], kind="stable"), axis=1)]


def _are_to_merge(older: Integers, newer: Integers) -> bool:
    """Whether two runs are alike in size, so that each number is moved only a few times in all."""
    before, after = older.shape[1], newer.shape[1]
    return bool(before <= 2 * after and before + after <= _LARGEST_RUN)


def _marked(chunk: Chunk, first_rows: _FirstRows, phone_column: str) -> Chunk:
    table = chunk.table
    counts = pc.and_(pc.is_null(table["skip_reason"]), pc.is_valid(table["number"]))
    numbers, rows = (table[name].filter(counts).to_numpy() for name in ("number", "row"))
    firsts = first_rows.of(numbers, rows)
    is_later = firsts != rows
    if not is_later.any():
        return chunk
    repeats = counts.to_numpy().copy()
    repeats[repeats] = is_later
    sentences = pc.binary_join_element_wise("same number as row ", pa.array(firsts[is_later]).cast(pa.string()), "")
    told = {"skip_reason": SkipReason.DUPLICATE.value, "column": phone_column or None}
    told |= dict.fromkeys(_TEXT_COLUMNS)  # no message will go
    return chunk.with_columns(
        detail=pc.replace_with_mask(table["detail"], repeats, sentences),
        **{name: pc.if_else(repeats, value, table[name]) for name, value in told.items()},
    )
