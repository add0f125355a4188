"""Check keys and values against a pydantic model, and put into words what is wrong with each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from campaigns.errors import InputError
from campaigns.spelling import nearest

MOST_AT_ONCE: Final = 10  #: wrong keys said of one file

Model = TypeVar("Model", bound=BaseModel)
Given = TypeVar("Given")
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the keys of one kind of file are spoken of."""

    noun: str  #: "a campaign": what an unknown key is no setting of
    examples: Mapping[str, Mapping[str, str]]  #: by table ("" is the top), then key: the key as one may write it


def check_keys(model: type[Model], values: Mapping[str, Any], shape: Shape, places: Mapping[str, str]) -> Model:
    """The values as the model reads them; one InputError with all that is wrong, each at its place in the file."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_in_words(wrong, shape, places) for wrong in error.errors(include_url=False)]
        raise together(problems) from error


def reads(read: Callable[[Given], Read]) -> Callable[[Given], Read]:
    """Make a pydantic validator of a function that raises an InputError for a value that cannot be used."""

    def validate(value: Given) -> Read:
        try:
            return read(value)
        except InputError as error:
            raise PydanticCustomError("in_words", "see the context", {"error": error}) from error

    return validate


def read_text_value(text: str) -> str:
    """The text, unless it holds a NUL, which neither files' names nor databases can hold."""
    if "\0" in text:
        raise InputError("A value holds a NUL character.", fix="Take \\u0000 out.")
    return text


Text = Annotated[str, StringConstraints(min_length=1), AfterValidator(reads(read_text_value))]
"""A text that is not empty."""


@contextmanager
def collected(problems: list[InputError]) -> Iterator[None]:
    """Keep an InputError, and those found with it, instead of raising it."""
    try:
        yield
    except InputError as error:
        problems += [error, *(also for also in error.also if isinstance(also, InputError))]


def together(problems: Sequence[InputError]) -> InputError:
    """One error that holds the first ten of these."""
    first, *rest = problems[:MOST_AT_ONCE]
    return InputError(first.what, where=first.where, fix=first.fix, also=rest)


# --- One wrong key in words ----------------------------------------------------------------------


def _in_words(wrong: ErrorDetails, shape: Shape, places: Mapping[str, str]) -> InputError:
    names = [
        part for part in wrong["loc"] if isinstance(part, str) and part != "[key]"
    ]  # a number: the place in a list
    table, key = ".".join(names[:-1]), names[-1]
    kind = wrong["type"]
    if kind == "in_words":
        error: InputError = wrong["ctx"]["error"]
        what, fix = error.what, error.fix
    elif kind == "extra_forbidden":
        what, fix = _unknown_key(table, key, shape)
    elif kind == "missing":
        what, fix = f'"{key}" is missing{_under(table)}.', f"Write {_example(table, key, shape)}"
    elif kind == "string_too_short":
        what, fix = f'"{key}" is empty.', f"Write {_example(table, key, shape)}, or leave it out."
    elif kind == "literal_error" and isinstance(wrong["input"], str):
        what, fix = f'"{key}" cannot be "{wrong["input"]}".', f"Write {_choices(wrong)}."
    else:
        what = f'"{key}"{_under(table)} is {_type_in_words(wrong["input"])}, but must be {_wanted(kind)}.'
        fix = f"Write [{'.'.join(names)}] in a line." if kind == "dict_type" else f"Write {_example(table, key, shape)}"
    place = table if kind == "missing" else ".".join(names)  # what an option replaced has none
    return InputError(what, where=places.get(place, ""), fix=fix)


def _unknown_key(table: str, key: str, shape: Shape) -> tuple[str, str]:
    others = {name: keys for name, keys in shape.examples.items() if name != table}
    for name, keys in others.items():
        if key in keys:
            return f'"{key}" stands {_at(table)}, but belongs {_at(name)}.', f"Write it {_beside(name, table)}."
    what = f'"{key}" is no setting of {shape.noun}.'
    own = shape.examples.get(table, {})
    if near := nearest(key, own):
        return what, f'Write "{near}".'
    for name, keys in others.items():
        if near := nearest(key, keys):
            return what, f'Write "{near}", {_at(name)}.'
    return what, f"Settings{_under(table)}: {', '.join(own)}"


def _at(table: str) -> str:
    return f"under [{table}]" if table else "at the top"


def _under(table: str) -> str:
    return f" under [{table}]" if table else ""


def _beside(table: str, wrong_table: str) -> str:
    return f"below a line [{table}]" if table else f"above the line [{wrong_table}]"


def _example(table: str, key: str, shape: Shape) -> str:
    return shape.examples.get(table, {}).get(key, f'{key} = "..."')


def _choices(wrong: ErrorDetails) -> str:
    choices = wrong["ctx"]["expected"].replace("'", '"')
    near = nearest(wrong["input"], choices.replace('"', "").split(" or "))
    return f'"{near}"' if near else choices


_WANTED: Final = {
    "string_type": "a text in quotes",
    "literal_error": "a text in quotes",
    "dataclass_exact_type": "a text in quotes",  # a rate, which is written as a text
    "time_delta_type": "a text in quotes",
    "int_type": "a whole number",
    "list_type": "a list of texts",
    "dict_type": "a table",
    "model_type": "a table or a text in quotes",
}


def _wanted(kind: str) -> str:
    return _WANTED[kind]


_TYPES: Final = (  # the first that fits: True is an int, too
    (bool, "true or false"),
    (int | float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "a table"),
    (date | time, "a date or time"),
)


def _type_in_words(value: object) -> str:
    return next((words for kind, words in _TYPES if isinstance(value, kind)), f"a {type(value).__name__}")
