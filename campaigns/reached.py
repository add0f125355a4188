"""Leave out whom any campaign reached lately (`not_within`)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.clock import from_ms
from campaigns.ledger import Ledger
from campaigns.ledger.reach import find_reached
from campaigns.model import Chunk, SkipReason

_OF_A_MESSAGE: Final = ("column", "text", "encoding", "segments", "empty_field")


def skip_reached(chunks: Iterable[Chunk], ledger: Ledger, since_ms: int) -> Iterator[Chunk]:
    """The same Chunks; rows whose number was reached since then are skipped, and say by which campaign and when."""
    for chunk in chunks:
        ready = chunk.table["number"].filter(pc.is_null(chunk.table["skip_reason"]))
        with ledger.read() as connection:  # in order: neighbours lie on one page of the index
            numbers, names, moments = find_reached(connection, sorted(ready.to_pylist()), since_ms)
        yield _marked(chunk, numbers, list(map(_in_words, names, moments))) if numbers else chunk


def _marked(chunk: Chunk, numbers: Sequence[int], sentences: Sequence[str]) -> Chunk:
    table = chunk.table
    ready = pc.if_else(pc.is_null(table["skip_reason"]), table["number"], None)
    place = pc.index_in(ready, value_set=pa.array(numbers, pa.int64()))
    told = {"skip_reason": SkipReason.RECENTLY_REACHED.value, "detail": pc.take(pa.array(sentences), place)}
    told |= dict.fromkeys(_OF_A_MESSAGE)  # none will go
    reached = pc.is_valid(place)
    return chunk.with_columns(**{name: pc.if_else(reached, value, table[name]) for name, value in told.items()})


def _in_words(campaign: str, moment_ms: int) -> str:
    return f'reached by "{campaign}" on {_minute(moment_ms // 60_000)}'


@lru_cache
def _minute(minutes: int) -> str:
    """In local time; of a million messages many left in the same minute."""
    return f"{from_ms(minutes * 60_000).astimezone():%Y-%m-%d %H:%M}"
