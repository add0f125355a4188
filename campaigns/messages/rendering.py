"""Make the text of each row, column by column where the text is plain, and leave out what a condition says."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
from jinja2.exceptions import SecurityError, UndefinedError

from campaigns.messages.fields import composed
from campaigns.messages.language import NoText, TextTooLong
from campaigns.messages.segments import MOST_PARTS, measure_column
from campaigns.messages.template import Filter, Template
from campaigns.messages.uses import Cell
from campaigns.model import CHUNK_SCHEMA, Chunk, SkipReason

LEFT_OUT: Final = "left out by --where"
EMPTY: Final = "the text is empty"
TOO_LONG: Final = f"the text needs more than {MOST_PARTS} segments, the most that one message can have"
_FAILURES: Final = (  # the first that fits; none of them quotes a cell
    (TextTooLong, TOO_LONG),
    (NoText, "the {subject} would show a list or a function, which is no text"),
    (SecurityError, "the {subject} reaches for something that it may not use"),
    (UndefinedError, "the {subject} asks for a part of a cell that is not there"),
    (ZeroDivisionError, "the {subject} divides by zero"),
    (OverflowError, "the {subject} calculates or counts too far"),
    (UnicodeError, "the {subject} holds half a character"),
    ((TypeError, ValueError), "the {subject} calculates with a cell, which is text until | int or | float reads it"),
    (Exception, "the {subject} fails for this row"),
)


def render(chunks: Iterable[Chunk], template: Template, *, on_empty: Literal["send", "skip"]) -> Iterator[Chunk]:
    """Fill text, encoding and segments of the rows that may be sent.

    A row whose text cannot be made, or is empty, becomes `render_error`. One with an empty field that has no default
    stays as it is and says so in `detail` (on_empty "send"), or becomes `empty_field` ("skip").
    """
    for chunk in chunks:
        ready = _ready(chunk)
        cells = _cells(chunk, ready, template)
        texts, errors = _texts(template, cells, ready.true_count)
        encodings, segments = measure_column(texts)
        errors = pc.coalesce(errors, _unfit(texts, segments))
        failed = _reason(errors, SkipReason.RENDER_ERROR)
        column, hole = _holes(template, cells, ready.true_count)
        if on_empty == "skip":
            reason, detail = pc.coalesce(_reason(hole, SkipReason.EMPTY_FIELD), failed), pc.coalesce(hole, errors)
        else:
            reason, detail = failed, pc.coalesce(errors, hole)
            column = pc.if_else(pc.is_null(errors), column, None)
        sent = pc.is_null(reason)
        yield _written(
            chunk, ready,
            skip_reason=reason, detail=detail, column=column, text=pc.if_else(sent, texts, None),
            encoding=pc.if_else(sent, encodings, None), segments=pc.if_else(sent, segments, None),
            empty_field=pc.if_else(sent, column, None),
        )  # fmt: skip


def keep(chunks: Iterable[Chunk], condition: Filter) -> Iterator[Chunk]:
    """Skip the rows for which the condition is false as `filtered`, and those for which it fails as `render_error`."""
    for chunk in chunks:
        ready = _ready(chunk)
        cells = _cells(chunk, ready, condition.test)
        answers, errors = _one_by_one(condition.test, cells, ready.true_count, subject="condition")
        left_out = pc.if_else(pc.equal(answers, ""), LEFT_OUT, None)
        yield _written(
            chunk,
            ready,
            skip_reason=pc.coalesce(_reason(errors, SkipReason.RENDER_ERROR), _reason(left_out, SkipReason.FILTERED)),
            detail=pc.coalesce(errors, left_out),
            column=pa.nulls(ready.true_count, pa.string()),
        )


def _ready(chunk: Chunk) -> pa.BooleanArray:
    return _whole(pc.is_null(chunk.table["skip_reason"]))


def _cells(chunk: Chunk, ready: pa.BooleanArray, template: Template) -> Mapping[str, pa.Array]:
    """The cells that the template needs, of the rows that may be sent."""
    headers = chunk.cells.column_names if template.whole_row else template.names
    return {header: _whole(chunk.cells[header]).filter(ready) for header in headers}


def _texts(template: Template, cells: Mapping[str, pa.Array], count: int) -> tuple[pa.Array, pa.Array]:
    """The texts, null where a row has none, and beside them why."""
    if template.pieces is None:
        return _one_by_one(template, cells, count, subject="text")
    parts = [_filled(piece, cells) if isinstance(piece, Cell) else pa.scalar(piece) for piece in template.pieces]
    # The column of nothing gives the texts their number where the template has no field at all.
    texts = pc.binary_join_element_wise(*parts, pa.repeat("", count), "")
    return texts.cast(pa.string()), pa.nulls(count, pa.string())


def _filled(piece: Cell, cells: Mapping[str, pa.Array]) -> pa.Array:
    values = cells[piece.header]
    return values if piece.default is None else pc.if_else(_blank(values), piece.default, values)


def _one_by_one(
    template: Template, cells: Mapping[str, pa.Array], count: int, *, subject: str
) -> tuple[pa.Array, pa.Array]:
    texts: list[str | None] = []
    errors: list[str | None] = []
    for context in _contexts(template, cells, count):
        text, error = _text(template, context, subject)
        texts.append(text)
        errors.append(error)
    return pa.array(texts, pa.string()), pa.array(errors, pa.string())


def _contexts(template: Template, cells: Mapping[str, pa.Array], count: int) -> Iterator[dict[str, Any]]:
    """What each row calls its cells: by name, and by the exact header in `row`."""
    values = {header: column.to_pylist() for header, column in cells.items()}
    headers = [composed(header) for header in values]
    named = [(name, values[header]) for header, name in template.names.items()]
    for place in range(count):
        context: dict[str, Any] = {name: column[place] for name, column in named}
        if template.whole_row:
            context["row"] = {header: column[place] for header, column in zip(headers, values.values(), strict=True)}
        yield context


def _text(template: Template, context: Mapping[str, Any], subject: str) -> tuple[str | None, str | None]:
    try:
        text = template.compiled.render(context)
        text.encode()  # an escape such as "\ud83d" makes half a character, which no column can hold
    except Exception as error:  # whatever one row does to a text, the others go on
        sentence = next(sentence for kind, sentence in _FAILURES if isinstance(error, kind))
        return None, sentence.format(subject=subject)
    return text, None


def _unfit(texts: pa.Array, segments: pa.Array) -> pa.Array:
    too_long = pc.if_else(pc.greater(segments, MOST_PARTS), TOO_LONG, None)
    return pc.coalesce(pc.if_else(_blank(texts), EMPTY, None), too_long)


def _holes(template: Template, cells: Mapping[str, pa.Array], count: int) -> tuple[pa.Array, pa.Array]:
    """The first column that leaves a hole in each row's text, and the sentence about it; null where none does."""
    column, detail = pa.nulls(count, pa.string()), pa.nulls(count, pa.string())
    for hole in reversed(template.holes):
        empty = _blank(cells[hole[0]])
        for header in hole[1:]:
            empty = pc.and_(empty, _blank(cells[header]))
        names = " and ".join(f'"{header}"' for header in hole)
        column = pc.if_else(empty, hole[0], column)
        detail = pc.if_else(empty, f"{names} {'is' if len(hole) == 1 else 'are'} empty", detail)
    return column, detail


def _blank(texts: pa.Array) -> pa.BooleanArray:
    return pc.equal(pc.utf8_trim_whitespace(texts), "")


def _reason(sentences: pa.Array, reason: SkipReason) -> pa.Array:
    return pc.if_else(pc.is_valid(sentences), reason.value, None)


def _written(chunk: Chunk, ready: pa.BooleanArray, *, detail: pa.Array, column: pa.Array, **others: pa.Array) -> Chunk:
    """The chunk with these values in its ready rows; where nothing new is said, what was said before stays."""
    said = pc.is_valid(detail)
    detail = pc.if_else(said, detail, _whole(chunk.table["detail"]).filter(ready))
    column = pc.if_else(said, column, _whole(chunk.table["column"]).filter(ready))
    values = {"detail": detail, "column": column, **others}
    return chunk.with_columns(
        **{
            name: pc.replace_with_mask(_whole(chunk.table[name]), ready, each.cast(CHUNK_SCHEMA.field(name).type))
            for name, each in values.items()
        }
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks()
