"""What is wrong with a text or a condition, in words for whoever wrote it."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from jinja2 import TemplateSyntaxError, nodes

from campaigns.errors import InputError
from campaigns.messages.fields import field_names, identifier, nearest_field
from campaigns.spelling import nearest
from campaigns.wording import some_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands and what it is about, for the sentences of its errors."""

    subject: str  #: "text" or "condition"
    text: str
    columns: Sequence[str]
    where: str  #: such as "lista.toml, line 9"; "" where it has no place
    source: str  #: the recipient file's name

    def line(self, number: int) -> str:
        """The place of one of the text's own lines."""
        if "\n" not in self.text.strip():
            return self.where
        return f"{self.where}, line {number} of the text" if self.where else f"line {number} of the text"


@contextmanager
def in_words(place: Place) -> Iterator[None]:
    """Turn what Jinja or Python has against a text into an InputError."""
    try:
        yield
    except TemplateSyntaxError as error:
        raise _unreadable(place, error) from error
    except (RecursionError, SyntaxError, ValueError) as error:  # brackets by the hundred, a number of 5,000 digits
        raise _unreadable(place, TemplateSyntaxError("it is too long or too deeply nested", 1)) from error


def unknown_field(place: Place, name: str, line: int) -> InputError:
    """The error for a field that is no column."""
    names = list(field_names(place.columns).values())
    near = _header_in_braces(place, name) or nearest_field(name, names)
    shown = _in_braces(place, name)
    if not names:
        return InputError(
            f"The {place.subject} uses {shown}, but {place.source} has no columns.",
            where=place.line(line),
            fix=f"Write the {place.subject} without fields.",
        )
    advice = [f"Write {_in_braces(place, near)}."] if near else []
    if not near and place.subject == "condition":
        advice = [f'Put a value into quotes: "{name}".']
    return InputError(
        f"The {place.subject} uses {shown}, but {place.source} has no such column.",
        where=place.line(line),
        fix=" ".join([*advice, f"Columns: {some_of(names)}"]),
    )


def unknown_header(place: Place, header: str, line: int) -> InputError:
    """The error for `row["..."]` with a header that the file does not have."""
    near = nearest_field(header, place.columns)
    advice = [f"Write {_in_braces(place, _row_of(near))}."] if near else []
    return InputError(
        f"The {place.subject} uses {_in_braces(place, _row_of(header))}, but {place.source} has no such column.",
        where=place.line(line),
        fix=" ".join([*advice, f"Columns: {some_of(place.columns)}"]),
    )


def unknown_function(place: Place, kind: str, name: str, known: Collection[str], line: int) -> InputError:
    """The error for a filter (`| uper`) or a test (`is emty`) that does not exist."""
    near = nearest(name, known)
    fix = f"Write {near}." if near else f"Take it out, or use one such as {_USUAL[kind]}."
    return InputError(
        f'The {place.subject} uses the {kind} "{name}", which does not exist.', where=place.line(line), fix=fix
    )


def other_braces(place: Place, words: Iterable[nodes.TemplateData]) -> Iterator[InputError]:
    """An error for each {column}, [column] and the like among the words: it would be sent as it stands."""
    names = set(field_names(place.columns).values())
    for node in words:
        for found in _OTHER_BRACES.finditer(node.data):
            if (name := identifier(found["inner"].strip())) in names:
                line = node.lineno + node.data.count("\n", 0, found.start())
                what = f"The {place.subject} has {found[0]}, which would be sent as it stands."
                yield InputError(what, where=place.line(line), fix=f"Write {_in_braces(place, name)}.")


def _unreadable(place: Place, error: TemplateSyntaxError) -> InputError:
    """The error for what Jinja cannot read."""
    message = error.message or ""
    wrong, fix = next(
        (found.expand(wrong), found.expand(fix))
        for pattern, wrong, fix in _SYNTAX
        if (found := re.search(pattern, message))
    )
    meant = _header_in_braces(place)
    if meant:
        fix = f"Write {{{{ {meant} }}}}."
    elif place.subject == "condition" and "{" in fix:
        fix = 'Write it such as: city == "Lund" and age | int > 17'
    return InputError(f"The {place.subject} cannot be read: {wrong}.", where=place.line(error.lineno), fix=fix)


def _header_in_braces(place: Place, part: str = "") -> str | None:
    """The field that is meant where someone wrote the header itself, such as {{ First name }}; `part` stands in it."""
    names = set(field_names(place.columns).values())
    for inner in re.findall(r"\{\{(.*?)\}\}", place.text):
        meant = identifier(inner.strip())
        if part in inner and meant in names and meant != inner.strip():
            return meant
    return None


def _in_braces(place: Place, expression: str) -> str:
    return f"{{{{ {expression} }}}}" if place.subject == "text" else expression


def _row_of(header: str) -> str:
    quote = "'" if '"' in header else '"'
    return f"row[{quote}{header}{quote}]"


#: no space behind %, for "20 % kod 30 %" is one of prices
_OTHER_BRACES: Final = re.compile(r"(?:\{|\[|<{1,2}|«|%(?! ))(?P<inner>[^{}\[\]<>«»%\n]{1,60})(?:\}|\]|>{1,2}|»|%)")

_USUAL: Final = {"filter": "default, upper, title, trim, replace, int or round", "test": "defined, in, even or number"}

_SYNTAX: Final = (  # what Jinja says, what is wrong, how to mend it; the first that fits
    (r"unexpected char '([“”„‘’«»])'", r"\1 is no quotation mark here", "Write a straight one: \" or '."),
    (r"unexpected char '([\"'])'|unexpected char \"'\"", "a quotation mark is never closed", "Close it."),
    (r"unexpected char '(.*)'", r'"\1" means nothing between {{ and }}', "Take it out."),
    (r"unexpected '\}', expected '\)'", "a ( is never closed", "Close it with )."),
    (r"end of template, expected '\)'", "a ( is never closed", "Close it with )."),
    (r"unexpected '\}'", "a {{ is never closed", "Close it with }}."),
    (r"end of template, expected", "a {{ or {% is never closed", "Close it with }} or %}."),
    (r"expected token 'end of .*got '='", '"=" does not compare', "Write == to compare."),
    (r"expected token 'in'", "{% for %} does not say over what it goes", "Write {% for item in ... %}."),
    (r"expected token 'end of .*got", "two names stand side by side", "Write one field in each {{ }}."),
    (
        r"unexpected 'end of|Expected an expression|expected token 'name'|name or number",
        "a name is missing",
        "Write a field there.",
    ),
    (
        r"unknown tag '(\w+)'.*closed is '(\w+)'",
        r"{% \1 %} stands where {% \2 %} is still open",
        r"Write {% end\2 %} before it.",
    ),
    (r"unknown tag 'end(\w+)'", r"{% end\1 %} has no {% \1 %} before it", r"Take it out, or write {% \1 ... %}."),
    (r"unknown tag '(else|elif)'", r"{% \1 %} has no {% if %} before it", "Write {% if ... %} before it."),
    (r"unknown tag '(\w+)'", r"a message cannot use {% \1 %}", "Use {% if %}, {% for %} or {% set %}."),
    (r"closed is '(\w+)'", r"{% \1 %} is never closed", r"Add {% end\1 %}."),
    (
        r"end of comment",
        "{# begins a comment that is never closed",
        "Close it with #}, or write { # for the characters.",
    ),
    (r"end of raw", "{% raw %} is never closed", "Add {% endraw %}."),
    (r"loop inside a loop", "it has a loop inside a loop", "Write one loop after the other."),
    (r"unexpected '(.*)'", r"\1 stands where it cannot", "Take it out."),
    (r"(?s)^(.*?)\.?$", r"\1", "Mend it, or write the text without {{ and {%."),
)
