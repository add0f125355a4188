"""Read a TOML file, and know in which line each of its keys stands."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from campaigns.errors import InputError
from campaigns.input_file import read_text

_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a TOML file says, as tomllib reads it, and the place of each key for error messages."""

    values: dict[str, Any]
    places: Mapping[str, str]  #: "recipients.file" -> "lista.toml, line 9"


def read_toml(path: Path) -> TomlFile:
    """Read the file; an InputError with line and column where it is no TOML."""
    text = read_text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, str(error)) from error
    lines = _lines_of_keys(text)
    places = {".".join(key): f"{path.name}, line {line}" for key, line in _every_key(values, lines)}
    return TomlFile(values, places)


# --- Where the keys stand ----------------------------------------------------------------------

_TOKEN: Final = re.compile(
    r"""
    (?P<blank> [ \t\r]+ | \#[^\n]* )
    | (?P<end> \n )
    | (?P<long> \"{3} (?:\\.|[^\\])*? \"{3,5} | '{3} .*? '{3,5} )
    | (?P<quoted> "(?:\\.|[^"\\])*" | '[^']*' )
    | (?P<bare> [A-Za-z0-9_-]+ )
    | (?P<sign> . )
    """,
    re.VERBOSE | re.DOTALL,
)


def _lines_of_keys(text: str) -> dict[_Key, int]:
    """The line of each table header and each key in front of a "=" that begins a line. `text` is valid TOML."""
    lines: dict[_Key, int] = {}
    table: _Key = ()
    number = 1
    for statement in _statements(text):
        key = _key_at_start(statement)
        if key and statement[0][1] == "[":
            table = key
        for length in range(1, len(key) + 1):  # a dotted key makes the tables on its way, too
            whole = key[:length] if key is table else table + key[:length]
            lines.setdefault(whole, number)
        number += sum(piece.count("\n") for _, piece in statement)
    return lines


def _statements(text: str) -> Iterator[list[tuple[str, str]]]:
    """Cut TOML into its statements, each a list of (kind, piece) with the line end: an array may span lines."""
    statement: list[tuple[str, str]] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        kind, piece = str(match.lastgroup), match[0]
        if kind != "blank":
            statement.append((kind, piece))
        if kind == "sign":
            depth += (piece in "[{") - (piece in "]}")
        if kind == "end" and depth == 0:
            yield statement
            statement = []
    yield statement


def _key_at_start(statement: list[tuple[str, str]]) -> _Key:
    """The key of `a.b = ...`, or of the header `[a.b]` or `[[a.b]]`."""
    parts = []
    for kind, piece in statement:
        if kind == "sign" and piece in "=]":
            break
        if kind in ("bare", "quoted"):
            parts.append(piece if kind == "bare" else next(iter(tomllib.loads(f"{piece} = 0"))))
    return tuple(parts)


def _every_key(values: Mapping[str, Any], lines: Mapping[_Key, int], above: _Key = ()) -> Iterator[tuple[_Key, int]]:
    """Each key of `values` with its line; one inside an inline table has the line of that table."""
    for name, value in values.items():
        key = (*above, name)
        yield key, lines.get(key) or lines[next(key[:end] for end in range(len(key), 0, -1) if key[:end] in lines)]
        if isinstance(value, dict):
            yield from _every_key(value, lines, key)


# --- What is wrong with it ----------------------------------------------------------------------

_IN_PLAIN_WORDS: Final = (  # tomllib's message begins with, what it means, how to mend; the first that fits
    ("Invalid value", "a value is missing or has no quotes", 'Put a text between straight quotes: from = "Butiken"'),
    ("Expected '='", 'a "=" is missing after the key', 'Write a key, "=" and its value, such as: from = "Butiken"'),
    (
        "Illegal character '\\n'",
        "a quote is not closed in its line",
        'Close it, or use """ for a text of several lines.',
    ),
    ("Unterminated string", "a quote is not closed", 'Close it with " or, for several lines, with """.'),
    ("Expected \"'''\"", "a quote is not closed", "Close it with '''."),
    ("Cannot", "the same key or table stands here a second time", "Keep one of the two."),
    ("Unclosed array", "a list is not closed", 'Close it with ]: reports = ["a.csv", "b.html"]'),
    ("Expected ']'", "a table header is not closed", "Write it as [recipients], alone in its line."),
    (
        "Expected newline",
        "something stands after the value",
        "Put each key in a line of its own, a text between quotes.",
    ),
    ("Unescaped '\\'", "a backslash stands in a text", "Write it twice (\\\\), or put the text between single quotes."),
    (
        "Invalid hex value",
        "a backslash stands in a text",
        "Write it twice (\\\\), or put the text between single quotes.",
    ),
    ("Illegal character", "a character stands here that cannot be seen", "Delete it and type the line again."),
    ("", "this is no key with a value", 'Write a key, "=" and its value, such as: from = "Butiken"'),
)
_PLACE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")


def _syntax_error(path: Path, text: str, message: str) -> InputError:
    at = _PLACE.search(message)
    last = text.rstrip().split("\n")
    line, column = (int(at[1]), int(at[2])) if at else (len(last), len(last[-1]) + 1)
    words, fix = next((words, fix) for start, words, fix in _IN_PLAIN_WORDS if message.startswith(start))
    return InputError(
        f"{path.name} cannot be read as TOML: {words}.",
        where=f"{path.name}, line {line}, column {column}",
        fix=fix,
    )
