"""Make the text of each row, column by column where the text is plain, and leave out what a condition says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context

from campaigns.messages.fields import composed
from campaigns.messages.language import NoText, TextTooLong
from campaigns.messages.segments import MOST_PARTS, measure_column
from campaigns.messages.template import Filter, Template
from campaigns.messages.uses import Cell
from campaigns.model import Chunk, SkipReason

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
        ready, cells = _ready(chunk), _cells(chunk, template)
        texts, encodings, segments, errors = _texts(template, cells, ready)
        failed = _reason(errors, SkipReason.RENDER_ERROR)
        column, hole = _holes(template, cells, ready)
        if on_empty == "skip":
            reason, detail = pc.coalesce(_reason(hole, SkipReason.EMPTY_FIELD), failed), pc.coalesce(hole, errors)
        else:
            reason, detail = failed, pc.coalesce(errors, hole)
            column = pc.if_else(pc.is_null(errors), column, None)
        made = {"text": texts, "encoding": encodings, "segments": segments, "empty_field": column}
        if reason.null_count < len(reason):
            sent = pc.is_null(reason)
            made = {name: pc.if_else(sent, values, None) for name, values in made.items()}
        yield _said(chunk, reason, detail, column).with_columns(**made)


def keep(chunks: Iterable[Chunk], condition: Filter) -> Iterator[Chunk]:
    """Skip the rows for which the condition is false as `filtered`, and those for which it fails as `render_error`."""
    for chunk in chunks:
        cells, ready = _cells(chunk, condition.test), _ready(chunk)
        kinds, answers, errors = _by_kind(condition.test, cells, ready, subject="condition")
        left_out = pc.if_else(pc.equal(answers, ""), LEFT_OUT, None).take(kinds)
        errors = errors.take(kinds)
        reason = pc.coalesce(_reason(errors, SkipReason.RENDER_ERROR), _reason(left_out, SkipReason.FILTERED))
        yield _said(chunk, reason, pc.coalesce(errors, left_out), pa.nulls(len(chunk), pa.string()))


def _ready(chunk: Chunk) -> pa.BooleanArray:
    return pc.is_null(chunk.table["skip_reason"].combine_chunks())


def _cells(chunk: Chunk, template: Template) -> Mapping[str, pa.Array]:
    """The cells that the template needs."""
    return {header: chunk.cells[header].combine_chunks() for header in dict.fromkeys([*template.names, *template.row])}


def _texts(template: Template, cells: Mapping[str, pa.Array], ready: pa.BooleanArray) -> tuple[pa.Array, ...]:
    """Text, encoding and segments of the ready rows, null where a row has none, and beside them why."""
    if template.pieces is None:
        kinds, texts, errors = _by_kind(template, cells, ready, subject="text")
        texts, encodings, segments, errors = (column.take(kinds) for column in (texts, *measure_column(texts), errors))
    else:
        parts = [_filled(piece, cells) if isinstance(piece, Cell) else piece for piece in template.pieces]
        # Joined to nothing, a row that is not ready has no text, and a text without fields is repeated for each row.
        texts = _joined([*parts, pc.if_else(ready, "", None)])
        filled = _joined([pa.repeat("", len(ready)), *(part for part in parts if not isinstance(part, str))])
        encodings, segments = measure_column(texts, filled, "".join(part for part in parts if isinstance(part, str)))
        errors = pa.nulls(len(ready), pa.string())
    return texts, encodings, segments, _with_unfit(errors, texts, segments)


def _filled(piece: Cell, cells: Mapping[str, pa.Array]) -> pa.Array:
    values = cells[piece.header]
    return values if piece.default is None else pc.if_else(_blank(values), piece.default, values)


def _joined(parts: Iterable[pa.Array | str]) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _by_kind(
    template: Template, cells: Mapping[str, pa.Array], ready: pa.BooleanArray, *, subject: str
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """The kind of each ready row, and the text of each kind or why it has none: rows with like cells are of one."""
    kinds, examples = _kinds(cells, ready)
    some = {header: column.take(examples).to_pylist() for header, column in cells.items()}
    made = [_text(template, context, subject) for context in _contexts(template, some, len(examples))]
    return kinds, pa.array([text for text, _ in made], pa.string()), pa.array([why for _, why in made], pa.string())


def _kinds(cells: Mapping[str, pa.Array], ready: pa.BooleanArray) -> tuple[pa.Array, pa.Array]:
    """For each ready row a number, the same for those that are alike in all cells; and a row that has each number."""
    kinds = pc.if_else(ready, 0, None).dictionary_encode()
    for column in cells.values():
        values = column.dictionary_encode()
        pair = pc.add(pc.multiply(kinds.indices, pa.scalar(len(values.dictionary))), values.indices)
        kinds = pair.dictionary_encode()
    examples = np.empty(len(kinds.dictionary), np.int64)
    examples[kinds.indices.drop_null().to_numpy()] = np.flatnonzero(ready)
    return kinds.indices, pa.array(examples)


def _contexts(template: Template, cells: Mapping[str, Sequence[str]], count: int) -> Iterator[Context]:
    """One context that is given each row's cells in turn: by name, and by the exact header in `row`.

    Jinja takes longer to make a context than to render a text.
    """
    names, headers = list(template.names.values()), [composed(header) for header in template.row]
    named = [cells[header] for header in template.names]
    in_row = [cells[header] for header in template.row]
    fields: dict[str, Any] = dict(template.compiled.globals)
    context = template.compiled.new_context(fields, shared=True)
    for place in range(count):
        fields.update(zip(names, [column[place] for column in named], strict=True))
        if headers:
            fields["row"] = dict(zip(headers, [column[place] for column in in_row], strict=True))
        yield context
        context.vars.clear()  # what {% set %} left


def _text(template: Template, context: Context, subject: str) -> tuple[str | None, str | None]:
    try:
        text = template.compiled.environment.concat(template.compiled.root_render_func(context))
        text.encode()  # an escape such as "\ud83d" makes half a character, which no column can hold
    except Exception as error:  # whatever one row does to a text, the others go on
        sentence = next(sentence for kind, sentence in _FAILURES if isinstance(error, kind))
        return None, sentence.format(subject=subject)
    return text, None


def _with_unfit(errors: pa.Array, texts: pa.Array, segments: pa.Array) -> pa.Array:
    for unfit, sentence in ((_blank(texts), EMPTY), (pc.greater(segments, MOST_PARTS), TOO_LONG)):
        if unfit.true_count:
            errors = pc.coalesce(errors, pc.if_else(unfit, sentence, None))
    return errors


def _holes(template: Template, cells: Mapping[str, pa.Array], ready: pa.BooleanArray) -> tuple[pa.Array, pa.Array]:
    """The first column that leaves a hole in each ready row's text, and the sentence about it; null where none does."""
    column, detail = pa.nulls(len(ready), pa.string()), pa.nulls(len(ready), pa.string())
    for hole in reversed(template.holes):
        empty = ready
        for header in hole:
            empty = pc.and_(empty, _blank(cells[header]))
        if empty.true_count:
            names = " and ".join(f'"{header}"' for header in hole)
            column = pc.if_else(empty, hole[0], column)
            detail = pc.if_else(empty, f"{names} {'is' if len(hole) == 1 else 'are'} empty", detail)
    return column, detail


def _blank(texts: pa.Array) -> pa.BooleanArray:
    return pc.or_(pc.equal(texts, ""), pc.utf8_is_space(texts))


def _reason(sentences: pa.Array, reason: SkipReason) -> pa.Array:
    return pc.if_else(pc.is_valid(sentences), reason.value, None)


def _said(chunk: Chunk, reason: pa.Array, detail: pa.Array, column: pa.Array) -> Chunk:
    """The chunk with this said of its rows; where nothing new is said, what was said before stays."""
    if detail.null_count == len(detail):
        return chunk
    table = chunk.table
    return chunk.with_columns(
        skip_reason=pc.coalesce(table["skip_reason"], reason),
        detail=pc.coalesce(detail, table["detail"]),
        column=pc.if_else(pc.is_valid(detail), column, table["column"]),
    )
