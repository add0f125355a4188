"""Reading a recipient file in a test: the rows as plain values."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from campaigns.model import CHUNK_SCHEMA, Chunk
from campaigns.recipients import Layout, open_recipients


@dataclass(frozen=True)
class Table:
    describe: str
    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    cells: list[list[str]]

    @property
    def numbering(self) -> list[int]:
        return [row["row"] for row in self.rows]

    @property
    def reasons(self) -> list[str | None]:
        return [row["skip_reason"] for row in self.rows]


@pytest.fixture
def read() -> Callable[..., Table]:
    """Open a file under a layout and read all its chunks, twice, which must give the same."""

    def read_twice(path: Path, **layout: str) -> Table:
        file = open_recipients(path, Layout(**layout))
        first, second = list(file.chunks()), list(file.chunks())
        assert first == second
        return Table(file.describe(), file.columns, rows_of(first), cells_of(first))

    return read_twice


@pytest.fixture
def read_text(tmp_path: Path, read: Callable[..., Table]) -> Callable[..., Table]:
    """The same for a text that becomes a file first."""

    def write_and_read(text: str, name: str = "lista.csv", **layout: str) -> Table:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return read(path, **layout)

    return write_and_read


def rows_of(chunks: list[Chunk]) -> list[dict[str, Any]]:
    assert all(chunk.table.schema == CHUNK_SCHEMA for chunk in chunks)
    return [row for chunk in chunks for row in chunk.table.to_pylist()]


def cells_of(chunks: list[Chunk]) -> list[list[str]]:
    return [list(row.values()) for chunk in chunks for row in chunk.cells.to_pylist()]
