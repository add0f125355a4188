"""Read a text with fields, or a condition over them, and refuse before anything is sent what cannot work."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import jinja2
from jinja2 import TemplateSyntaxError, meta, nodes

from campaigns.errors import InputError
from campaigns.messages import mistakes
from campaigns.messages.fields import Fields, composed
from campaigns.messages.language import TextEnvironment, refuse_unbounded
from campaigns.messages.mistakes import Place
from campaigns.messages.uses import Cell, Hole, holes, plain_pieces, row_headers, row_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that is ready to be rendered for each row."""

    text: str
    names: Mapping[str, str]  #: header -> name, of the columns that the text uses by name
    row: Sequence[str]  #: headers of the columns that it asks `row` for
    holes: Sequence[Hole]  #: what leaves a hole in the text where it is empty
    pieces: Sequence[str | Cell] | None  #: the whole text, where it is no more than words and plain fields
    compiled: jinja2.Template


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition over the fields, as a template that says "1" for a row to keep and nothing for the others."""

    test: Template


def compile_template(text: str, columns: Sequence[str], *, where: str = "", source: str = "the list") -> Template:
    """Read `text` for a list with these headers; a mistake or an unknown field is an InputError.

    `where` is the place of the text and `source` the name of the list, both for the sentences of the errors.
    """
    place = Place("text", _usable(text, "text", where), columns, where, source)
    with mistakes.in_words(place):
        environment = TextEnvironment(Fields.of(columns).by_name)
        return _template(place, environment, environment.parse(place.text))


def compile_filter(expression: str, columns: Sequence[str], *, where: str = "", source: str = "the list") -> Filter:
    """Read a condition such as `city == "Lund"`; a mistake or an unknown field is an InputError."""
    place = Place("condition", _usable(expression, "condition", where), columns, where, source)
    with mistakes.in_words(place):
        environment = TextEnvironment(Fields.of(columns).by_name)
        return Filter(_template(place, environment, _as_if(environment, f"{{{{ {place.text} }}}}")))


def _usable(text: str, subject: str, where: str) -> str:
    if not text.strip():
        raise InputError(f"The {subject} is empty.", where=where, fix=f"Write a {subject}, or leave it out.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The {subject} holds bytes that are no letters.", where=where, fix="Give it as UTF-8."
        ) from error
    return composed(text)


def _as_if(environment: TextEnvironment, source: str) -> nodes.Template:
    """The condition of `{{ condition }}` as `{% if condition %}1{% endif %}`."""
    match environment.parse(source).body:
        case [nodes.Output(nodes=[test])] if not isinstance(test, nodes.TemplateData):
            answer = nodes.Output([nodes.TemplateData("1")], lineno=1)
            tree = nodes.Template([nodes.If(test, [answer], [], [], lineno=1)], lineno=1)
            tree.set_environment(environment)
            return tree
    raise TemplateSyntaxError("unexpected '}}'", 1)


def _template(place: Place, environment: TextEnvironment, tree: nodes.Template) -> Template:
    fields = Fields.of(place.columns)
    refuse_unbounded(tree)
    unknown = list(_unknown_functions(place, environment, tree)) or _unknown_columns(place, tree, fields)
    unknown += mistakes.other_braces(place, tree.find_all(nodes.TemplateData))
    if unknown:
        first = unknown[0]
        raise InputError(first.what, where=first.where, fix=first.fix, also=unknown[1:])
    loaded = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
    return Template(
        text=place.text,
        names={header: name for name, header in fields.by_name.items() if name in loaded},
        row=row_headers(tree, fields),
        holes=list(dict.fromkeys(holes(tree, fields))),
        pieces=plain_pieces(tree, fields),
        compiled=environment.from_string(tree),
    )


def _unknown_functions(place: Place, environment: TextEnvironment, tree: nodes.Template) -> Iterator[InputError]:
    for node in tree.find_all(nodes.Filter):
        if node.name not in environment.filters:
            yield mistakes.unknown_function(place, "filter", node.name, environment.filters, node.lineno)
    for test in tree.find_all(nodes.Test):
        if test.name not in environment.tests:
            yield mistakes.unknown_function(place, "test", test.name, environment.tests, test.lineno)


def _unknown_columns(place: Place, tree: nodes.Template, fields: Fields) -> list[InputError]:
    """One error for each field and header that the list does not have, in the order of the text."""
    unknown = (meta.find_undeclared_variables(tree) | {"self"}) - {"row", *fields.by_name}
    errors: dict[str, InputError] = {}
    for node in tree.find_all((nodes.Name, nodes.Getitem, nodes.Getattr)):
        key = row_key(node)
        if isinstance(node, nodes.Name) and node.name in unknown:
            errors.setdefault(node.name, mistakes.unknown_field(place, node.name, node.lineno))
        elif key is not None and key not in fields.by_header:
            errors.setdefault(f"row {key}", mistakes.unknown_header(place, key, node.lineno))
    return list(errors.values())
