"""What the tests of the messages share: a Chunk made from columns."""

from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pytest

from campaigns.model import CHUNK_SCHEMA, Chunk

MakeChunk = Callable[..., Chunk]


@pytest.fixture(scope="session")
def a_chunk() -> MakeChunk:
    """Make a Chunk of these cells; `reasons` are the rows' skip reasons, none unless given."""

    def make(cells: Mapping[str, Sequence[str]], reasons: Sequence[str | None] | None = None) -> Chunk:
        size = len(reasons) if reasons else len(next(iter(cells.values())))
        values = {
            "row": pa.array(range(2, size + 2), pa.int64()),
            "phone": pa.array(["0701740605"] * size),
            "skip_reason": pa.array(reasons or [None] * size, pa.string()),
        }
        table = [values.get(field.name, pa.nulls(size, field.type)) for field in CHUNK_SCHEMA]
        columns = {header: pa.array(column, pa.string()) for header, column in cells.items()}
        return Chunk(pa.table(table, schema=CHUNK_SCHEMA), pa.table(columns))

    return make
