"""The cleaned list: everybody who can be sent to with an E.164 number, and apart from them the rows to mend."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.errors import InputError
from campaigns.model import Chunk
from campaigns.reporting.destinations import Destination, check_destinations, unwritable
from campaigns.reporting.table import neutralise

REFUSED_COLUMNS: Final = ("row", "reason", "detail")  #: in front of a refused row's own cells
CLEANED_FORMATS: Final = (".csv", ".xlsx")

_UNLIKE_A_WORD: Final = r"^[^\pL\pN]"  # what `neutralise` may have to look at
_TO_QUOTE: Final = r'[",;|\t\r\n]'  # also signs that a reader might take for what separates the cells
_BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a cleaned list holds, and where it is."""

    paths: Sequence[Path]  #: one workbook, or two text files: recipients, refused rows
    recipients: int
    refused: int
    altered: Mapping[str, int]  #: by column: cells (and headers) that the format could not take as they were


class CleanedList:
    """A cleaned list while it is being written; made by `open_cleaned`."""

    def __init__(self, destinations: Sequence[Destination], writer: "_Writer", phone_column: str) -> None:
        self._destinations = destinations
        self._writer = writer
        self._phone_column = phone_column
        self._figures = [0, 0]

    def add(self, chunk: Chunk) -> None:
        """Write the rows of one Chunk, each into one of the two tables."""
        may_go = pc.is_null(chunk.table["skip_reason"])
        parts = (_recipients(chunk, may_go, self._phone_column), _refused(chunk, pc.invert(may_go)))
        for place, columns in enumerate(parts):
            self._figures[place] += len(columns[-1])
            with _told(self._destinations[place % len(self._destinations)]):
                self._writer.add(place, columns)

    def finish(self) -> Cleaned:
        """Complete the files and move each into its place."""
        with _told(self._destinations[0]):
            self._writer.finish()
        for destination in self._destinations:
            destination.move()
        recipients, refused = self._figures
        altered = {column: count for column, count in self._writer.altered.items() if column != self._phone_column}
        paths = [destination.path for destination in self._destinations]
        return Cleaned(paths=paths, recipients=recipients, refused=refused, altered=altered)


def cleaned_paths(path: Path) -> list[Path]:
    """The files that a cleaned list at `path` is written to; InputError where the ending names no format of one."""
    if path.suffix.lower() not in CLEANED_FORMATS:
        raise InputError(
            f'"{path}" names no format of a cleaned list.', fix=f"End the name in {' or '.join(CLEANED_FORMATS)}."
        )
    return [path, path.with_stem(f"{path.stem}-refused")] if path.suffix.lower() == ".csv" else [path]


@contextmanager
def open_cleaned(path: Path, columns: Sequence[str], phone_column: str) -> Iterator[CleanedList]:
    """Open a cleaned list at `path`, for a file with these columns; left without `finish`, nothing stays behind."""
    destinations = check_destinations(cleaned_paths(path), CLEANED_FORMATS)
    headers = (list(columns), [*REFUSED_COLUMNS, *_apart(columns)])
    with ExitStack() as stack:
        for destination in destinations:
            stack.callback(destination.part.unlink, missing_ok=True)
        with _told(destinations[0]):
            writer = _open(path, [destination.part for destination in destinations], headers, phone_column)
        stack.callback(_close, writer)
        yield CleanedList(destinations, writer, phone_column)


class _Writer(Protocol):
    """One format. `place` is 0 for recipients and 1 for refused rows; all columns but `row` hold text."""

    altered: Counter[str]

    def add(self, place: int, columns: Sequence[pa.Array]) -> None: ...

    def finish(self) -> None: ...

    def close(self) -> None: ...


class _TextFiles:
    """Two files in the dialect of our reports."""

    def __init__(self, parts: Sequence[Path], headers: Sequence[Sequence[str]]) -> None:
        self.altered: Counter[str] = Counter()
        self._headers = headers
        self._files: list[BinaryIO] = []
        for part, names in zip(parts, headers, strict=True):
            self._files.append(part.open("wb"))
            self._files[-1].write(_BYTE_ORDER_MARK.encode())
            self._write(self._files[-1], [self._harmless(name, pa.array([name])) for name in names])

    def add(self, place: int, columns: Sequence[pa.Array]) -> None:
        named = zip(self._headers[place], columns, strict=True)
        self._write(self._files[place], [self._harmless(name, column.cast(pa.string())) for name, column in named])

    def finish(self) -> None:
        for file in self._files:
            file.close()

    close = finish

    def _write(self, file: BinaryIO, columns: Sequence[pa.Array]) -> None:
        lines = pc.binary_join_element_wise(*map(_quoted, columns), ",").to_pylist()
        file.write("".join(f"{line}\r\n" for line in lines).encode())

    def _harmless(self, name: str, column: pa.Array) -> pa.Array:
        """The column with what looks like a formula made text. A sign and digits, as in a phone number, may stay."""
        doubtful = pc.match_substring_regex(column, _UNLIKE_A_WORD)
        if not pc.any(doubtful).as_py():
            return column
        before = column.filter(doubtful).to_pylist()
        after = [neutralise(text) for text in before]
        if changed := sum(old != new for old, new in zip(before, after, strict=True)):
            self.altered[name] += changed
        return pc.replace_with_mask(column, doubtful, pa.array(after, pa.string()))


def _open(
    path: Path, parts: Sequence[Path], headers: tuple[Sequence[str], Sequence[str]], phone_column: str
) -> _Writer:
    if path.suffix.lower() == ".csv":
        return _TextFiles(parts, headers)
    from campaigns.reporting.cleaned_workbook import CleanedWorkbook  # openpyxl takes a while to load

    return CleanedWorkbook(parts[0], headers, phone_column)


def _recipients(chunk: Chunk, may_go: pa.ChunkedArray, phone_column: str) -> list[pa.Array]:
    numbers = pc.cast(chunk.table["number"].filter(may_go), pa.string()).combine_chunks()
    e164 = pc.binary_join_element_wise(pa.scalar("+"), numbers, "")
    cells = chunk.cells.filter(may_go)
    return [e164 if name == phone_column else cells[name].combine_chunks() for name in cells.column_names]


def _refused(chunk: Chunk, refused: pa.ChunkedArray) -> list[pa.Array]:
    ours = chunk.table.filter(refused)
    details = pc.fill_null(ours["detail"], "")
    columns = [ours["row"], ours["skip_reason"], details, *chunk.cells.filter(refused).columns]
    return [column.combine_chunks() for column in columns]


def _apart(columns: Sequence[str]) -> list[str]:
    """The file's own columns behind ours; one that bears a name of ours gets `file.` before it, as in a report."""
    taken = [*REFUSED_COLUMNS]
    for column in columns:
        name = column
        while name in taken or (name != column and name in columns):
            name = f"file.{name}"
        taken.append(name)
    return taken[len(REFUSED_COLUMNS) :]


def _quoted(column: pa.Array) -> pa.Array:
    """In quotation marks where a cell holds a sign that means something to the format, or to a reader that guesses."""
    special = pc.match_substring_regex(column, _TO_QUOTE)
    if not pc.any(special).as_py():
        return column
    doubled = pc.replace_substring(column.filter(special), '"', '""')
    return pc.replace_with_mask(column, special, pc.binary_join_element_wise('"', doubled, '"', ""))


@contextmanager
def _told(destination: Destination) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(destination.path, error) from error


def _close(writer: _Writer) -> None:
    with suppress(OSError):  # a full disk was told already, or the file is thrown away
        writer.close()
