"""Which columns a text uses, and where an empty cell would leave a hole in it; read from Jinja's syntax tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from campaigns.messages.fields import Fields, composed
from campaigns.messages.language import DEFAULT_FILTERS

Hole = tuple[str, ...]
"""Headers of columns; where the cells of all of them are empty, the text has a hole."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The place in a text where a row's cell of this column goes, or `default` where the cell is empty."""

    header: str
    default: str | None = None


def plain_pieces(tree: nodes.Template, fields: Fields) -> Sequence[str | Cell] | None:
    """The text as words and plain fields, where it is no more than that; None where rows are rendered one by one."""
    match tree.body:
        case [nodes.Output(nodes=parts)]:
            pieces = [_piece(part, fields) for part in parts]
            return [piece for piece in pieces if piece is not None] if None not in pieces else None
    return None


def holes(node: nodes.Node, fields: Fields, guarded: frozenset[str] = frozenset()) -> Iterator[Hole]:
    """Each use of a column that is neither covered by a default nor asked about in an `if` around it.

    A fallback is looked at in turn: `{{ nickname | default(name) }}` has a hole where both are empty.
    """
    header = used_column(node, fields)
    if header is not None:
        if header not in guarded:
            yield (header,)
        return
    match node:
        case nodes.Filter(name=name, node=nodes.Node() as target) if name in DEFAULT_FILTERS:
            fallbacks = [*node.args[:1], *(each.value for each in node.kwargs if each.key == "default_value")]
            yield from _fallback_holes(target, fallbacks, fields, guarded)
        case nodes.Or(left=target, right=fallback):
            yield from _fallback_holes(target, [fallback], fields, guarded)
        case nodes.If(test=test) | nodes.CondExpr(test=test):
            guarded |= _columns_in(test, fields)
            for child in node.iter_child_nodes(exclude=("test",)):
                yield from holes(child, fields, guarded)
        case _:
            for child in node.iter_child_nodes():
                yield from holes(child, fields, guarded)


def used_column(node: nodes.Node, fields: Fields) -> str | None:
    """The header that this very node stands for, be it a name or `row["..."]`."""
    if isinstance(node, nodes.Name) and node.ctx == "load":
        return fields.by_name.get(node.name)
    key = row_key(node)
    return None if key is None else fields.by_header.get(key)


def row_headers(tree: nodes.Template, fields: Fields) -> Sequence[str]:
    """The columns that a text asks `row` for: all of them where it does so by more than their headers."""
    keys = [key for node in tree.find_all((nodes.Getitem, nodes.Getattr)) if (key := row_key(node)) is not None]
    times = sum(node.name == "row" and node.ctx == "load" for node in tree.find_all(nodes.Name))
    return [fields.by_header[key] for key in dict.fromkeys(keys if times == len(keys) else fields.by_header)]


def row_key(node: nodes.Node) -> str | None:
    """The constant key with which this node asks for a cell of `row`."""
    match node:
        case nodes.Getitem(node=nodes.Name(name="row"), arg=nodes.Const(value=str() as key)):
            return composed(key)
        case nodes.Getattr(node=nodes.Name(name="row"), attr=key) if not hasattr(dict, key):
            return composed(key)
    return None


def _piece(part: nodes.Node, fields: Fields) -> str | Cell | None:
    match part:
        case nodes.TemplateData(data=words):
            return str(words)
        case nodes.Filter(
            name=name,
            node=nodes.Node() as cell,
            args=[nodes.Const(value=str() as default)],
            kwargs=[],
            dyn_args=None,
            dyn_kwargs=None,
        ) if name in DEFAULT_FILTERS and default.isprintable():  # which half a character ("\ud83d") is not
            header = used_column(cell, fields)
            return None if header is None else Cell(header, default)
    header = used_column(part, fields)
    return None if header is None else Cell(header)


def _fallback_holes(
    target: nodes.Node, fallbacks: Sequence[nodes.Node], fields: Fields, guarded: frozenset[str]
) -> Iterator[Hole]:
    before = tuple(sorted(_columns_in(target, fields) - guarded))
    for fallback in fallbacks:
        for hole in holes(fallback, fields, guarded):
            yield (*before, *hole)


def _columns_in(node: nodes.Node, fields: Fields) -> frozenset[str]:
    found = (used_column(each, fields) for each in (node, *node.find_all(nodes.Expr)))
    return frozenset(header for header in found if header is not None)
