"""Where a command speaks: results on stdout, what is said on the way on stderr, each at its own width and colour."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final, Literal, TextIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from campaigns.wording import mask

Color = Literal["auto", "always", "never"]
Label = Literal["error", "where", "fix", "note", "next"]

PLAIN_WIDTH: Final = 80  #: without a terminal
MAX_WIDTH: Final = 100
UNFOLDED: Final = 1_000_000  #: wider than any text
MAX_WORDS: Final = 20  #: the widest that a column of words is, before the last column
MIN_WIDTH: Final = 20  #: below this nothing can be laid out; the terminal folds
MIN_LAST_COLUMN: Final = 8  #: a last column that has less room than this, or than its longest word, goes

_LABEL_STYLES: Final = {"error": "red", "where": "dim", "fix": "dim", "note": "yellow", "next": "dim"}
_CONTROLS: Final = {code: "\ufffd" for code in (*range(32), 127, *range(128, 160)) if chr(code) not in "\n\t"}


@dataclass(frozen=True, slots=True)
class Stream:
    """One of the two streams, with its width in columns and whether it takes colour."""

    file: TextIO
    width: int
    colour: bool = False
    terminal: bool = False
    by_the_way: bool = False  #: nobody waits for it: where it cannot be written (a full disk), the work goes on

    def lines(self, what: RenderableType) -> list[Text]:
        """A table or page of rich's, laid out for this stream, without blanks at the line ends."""
        console = self._console(StringIO())
        lines = []
        for segments in console.render_lines(what, pad=False):
            line = Text()
            for segment in segments:
                line.append(segment.text, segment.style)
            line.rstrip()
            lines.append(line)
        return lines

    def write(self, lines: Iterable[str | Text]) -> None:
        """Write these lines. Control characters of foreign data (a cell with an escape code) become visible."""
        buffer = StringIO()
        console = self._console(buffer)
        for line in lines:
            console.print(_visible(line), soft_wrap=True)
        self.write_raw(buffer.getvalue())

    def write_raw(self, text: str) -> None:
        """Write text as it stands (JSON). A reader that went away ends the output, never the work."""
        try:
            self.file.write(text)
            self.file.flush()
        except OSError as error:
            if not (self.by_the_way or isinstance(error, BrokenPipeError)):
                raise
            silence(self.file)

    def say(self, label: Label, text: str) -> None:
        """Write a text behind one of the five labels."""
        self.write(gutter(label, text, self.width))

    def say_error(self, what: str, where: str, fix: str) -> None:
        """Write what happened, where, and how to mend it."""
        self.say("error", what)
        if where:
            self.say("where", where)
        if fix:
            self.say("fix", fix)

    @contextmanager
    def redrawn(self) -> Iterator[Callable[[Iterable[Text]], None]]:
        """What draws lines on a terminal over those that it drew before; the last ones stay."""
        from rich.live import Live  # only few commands draw

        console = self._console(self.file, terminal=True)
        with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
            yield lambda lines: live.update(Group(*map(_visible, lines)), refresh=True)

    def _console(self, file: TextIO, *, terminal: bool = False) -> Console:
        return Console(
            file=file,
            width=self.width,
            color_system="standard" if self.colour else None,
            no_color=not self.colour,
            force_terminal=terminal or self.colour,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )


@dataclass(frozen=True, slots=True)
class Screen:
    """Both streams, and whether phone numbers are shown whole."""

    out: Stream
    err: Stream
    show_numbers: bool = False

    def show(self, *lines: str | Text) -> None:
        """Print lines of a result that fit as they are."""
        self.out.write(lines)

    def show_folded(self, text: str, *, hang: int = 0) -> None:
        """Print a paragraph of a result; further lines begin `hang` columns in."""
        self.out.write(hanging(text[:hang], text[hang:], self.out.width))

    def show_json(self, value: Any, *, indent: int | None = 2) -> None:
        """Print one JSON value: whole numbers, no colour; letters that the terminal lacks are escaped.

        Without `indent` it is one line.
        """
        ascii_only = "utf" not in (getattr(self.out.file, "encoding", None) or "utf-8").lower()
        self.out.write_raw(json.dumps(value, indent=indent, ensure_ascii=ascii_only) + "\n")

    def tell(self, text: str) -> None:
        """Say a sentence on the way, on stderr."""
        self.err.write(fold(text, self.err.width))

    def say(self, label: Label, text: str) -> None:
        """Say something about the program itself, on stderr behind one of the five labels; a text may have lines."""
        self.err.say(label, text)

    def number(self, text: str) -> str:
        """A phone number as it may be shown here."""
        return text if self.show_numbers else mask(text)


def _visible(line: str | Text) -> Text:
    """The line with control characters shown as such."""
    text = Text(line) if isinstance(line, str) else line
    text.plain = text.plain.translate(_CONTROLS)
    return text


def stream_for(file: TextIO, color: Color, environ: Mapping[str, str], *, by_the_way: bool = False) -> Stream:
    """The stream of an open file: the width of its terminal, and the colour that option and environment allow."""
    terminal = file.isatty()
    colour = _takes_colour(terminal, color, environ)
    return Stream(file, _width(file) if terminal else PLAIN_WIDTH, colour, terminal, by_the_way)


def gutter(label: Label, text: str, width: int) -> list[Text]:
    """A labelled text: the label six wide, and all lines of the text behind it.

    A command to be copied is not folded: a line break within a quoted text would be sent with it.
    """
    head = Text(f"{label + ':':>6} ", style=_LABEL_STYLES[label])
    return hanging(head, text, UNFOLDED if label == "next" else width)


def hanging(head: str | Text, text: str | Text, width: int) -> list[Text]:
    """`text` behind `head`, folded so that all of its lines begin where the head ends."""
    first = Text(head) if isinstance(head, str) else head
    indent = first.cell_len
    lines = fold(text, width - indent)
    return [Text.assemble(first if place == 0 else " " * indent, line) for place, line in enumerate(lines)]


def fold(text: str | Text, width: int) -> list[Text]:
    """The lines of `text`, none wider than `width`; cut between words, and inside one only where it fills a line."""
    whole = Text(text) if isinstance(text, str) else text
    folded = whole.wrap(Console(width=max(width, 1), file=StringIO()), max(width, 1), overflow="fold")
    for line in folded:
        line.rstrip()
    return list(folded)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; figures stand right, and are never folded or left out."""

    header: str
    figures: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], stream: Stream) -> list[Text]:
    """Rows that are compared. Where they are too wide the last words fold, then go; in the end rows are stacked."""
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    shown = list(range(len(columns)))
    while True:
        room = stream.width - sum(_natural(columns, cells, place) + 2 for place in shown[:-1])
        needed = _natural(columns, cells, shown[-1])
        if needed <= room or _can_fold(columns, cells, shown[-1], room):
            return stream.lines(_rich_table(columns, cells, shown, min(room, needed)))
        words = [place for place in shown[1:] if not columns[place].figures]
        if not words:
            return _stacked(columns, cells, stream.width)
        shown.remove(words[-1])


def _rich_table(columns: Sequence[Column], cells: list[list[Text]], shown: list[int], last_width: int) -> Table:
    laid_out = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", collapse_padding=True)
    for place in shown:
        column, last = columns[place], place == shown[-1]
        width = last_width if last else _natural(columns, cells, place)
        justify: Literal["right", "left"] = "right" if column.figures else "left"
        laid_out.add_column(column.header, width=width, justify=justify, overflow="fold")
    for row in cells:
        laid_out.add_row(*(row[place] for place in shown))
    return laid_out


def _stacked(columns: Sequence[Column], cells: list[list[Text]], width: int) -> list[Text]:
    """One block for each row, so that no figure is lost on a very narrow screen."""
    indent = max(len(column.header) for column in columns) + 2
    lines: list[Text] = []
    for row in cells:
        if lines:
            lines.append(Text())
        for column, cell in zip(columns, row, strict=True):
            lines += hanging(Text(f"{column.header:<{indent}}", style="dim"), cell, width)
    return lines


def _natural(columns: Sequence[Column], cells: list[list[Text]], place: int) -> int:
    """The width that a column needs; one of words before the last folds what is longer than a usual name."""
    natural = max(len(columns[place].header), *(row[place].cell_len for row in cells), 1)
    return natural if columns[place].figures or place == len(columns) - 1 else min(natural, MAX_WORDS)


def _can_fold(columns: Sequence[Column], cells: list[list[Text]], place: int, room: int) -> bool:
    """Whether a column of words may be folded to this width; a date or a reason is never cut in two."""
    words = [word for row in cells for word in row[place].plain.split()]
    longest = max([MIN_LAST_COLUMN, len(columns[place].header), *map(cell_len, words)])
    return not columns[place].figures and longest <= room


def _width(file: TextIO) -> int:
    try:
        columns = os.get_terminal_size(file.fileno()).columns
    except (OSError, ValueError):
        return PLAIN_WIDTH
    return max(MIN_WIDTH, min(columns or PLAIN_WIDTH, MAX_WIDTH))


def _takes_colour(terminal: bool, color: Color, environ: Mapping[str, str]) -> bool:
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return terminal and environ.get("TERM") != "dumb"


def silence(file: TextIO) -> None:
    """Send the rest of a closed pipe nowhere, so that neither this write nor the flush at the end fails."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, file.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # no file behind it: a test's own stream
        return
