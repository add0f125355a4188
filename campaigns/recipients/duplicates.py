"""Keep one row for each number: the first wins, later ones name it."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from campaigns.model import CHUNK_SCHEMA, Chunk, SkipReason


def mark_duplicates(chunks: Iterable[Chunk], phone_column: str = "") -> Iterator[Chunk]:
    """The same chunks; a row that may be sent and repeats a number is skipped as `duplicate`."""
    first_rows: dict[int, int] = {}  # number -> the row that has it first
    for chunk in chunks:
        yield _marked(chunk, first_rows, phone_column)


def _marked(chunk: Chunk, first_rows: dict[int, int], phone_column: str) -> Chunk:
    names = ("row", "number", "skip_reason", "detail", "column", "text", "encoding", "segments")
    fields = {name: chunk.table[name].to_pylist() for name in names}
    found = False
    for place, (row, number, reason) in enumerate(
        zip(fields["row"], fields["number"], fields["skip_reason"], strict=True)
    ):
        if reason is not None or (first := first_rows.setdefault(number, row)) == row:
            continue
        found = True
        fields["skip_reason"][place] = SkipReason.DUPLICATE.value
        fields["detail"][place] = f"same number as row {first}"
        fields["column"][place] = phone_column or None
        for name in ("text", "encoding", "segments"):  # no message will go
            fields[name][place] = None
    if not found:
        return chunk
    return chunk.with_columns(
        **{
            name: pa.array(fields[name], CHUNK_SCHEMA.field(name).type)
            for name in names
            if name not in ("row", "number")
        }
    )
