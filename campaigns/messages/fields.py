"""The names that columns go by in a text: `{{ first_name }}` for the header "First name"."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

RESERVED: Final = frozenset({"row", "loop", "self", "not", "true", "false", "none"})
"""Names with a meaning of their own in a text; a column that bears one gets _2 as if the name were taken."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of a list as a text may call them: by name, or by the exact header in `row["..."]`."""

    by_name: Mapping[str, str]  #: name -> header
    by_header: Mapping[str, str]  #: composed header -> header

    @classmethod
    def of(cls, columns: Sequence[str]) -> Self:
        """The fields of a list with these headers."""
        names = {name: header for header, name in field_names(columns).items()}
        return cls(names, {composed(header): header for header in columns})


def field_names(columns: Sequence[str]) -> dict[str, str]:
    """Each header with its name: lower case, what cannot stand in a name as `_`, clashes as name_2, name_3."""
    names: dict[str, str] = {}
    taken = set(RESERVED)
    for place, header in enumerate(columns, start=1):
        names[header] = _free_name(identifier(header) or f"column_{place}", taken)
        taken.add(names[header])
    return names


def identifier(header: str) -> str:
    """The name that a header wishes for; "" where none of its characters can stand in one."""
    name = composed(composed(header).lower())
    if not name.isidentifier():
        name = _APOSTROPHES.sub("", name)
        name = "".join(character if f"_{character}".isidentifier() else "_" for character in name)
        name = re.sub("_+", "_", name).strip("_")
    return f"_{name}" if name and not name.isidentifier() else name


def composed(text: str) -> str:
    """The text in Unicode's form NFC: an "å" that was typed or exported as "a" and a ring is the same letter."""
    return unicodedata.normalize("NFC", text)


def nearest_field(name: str, names: Collection[str]) -> str | None:
    """The one of `names` that `name` most likely means, accents and signs aside; None where none is near."""
    by_folded = {_folded(each): each for each in reversed(list(names))}
    found = difflib.get_close_matches(_folded(name), by_folded, n=1)
    return by_folded[found[0]] if found else None


_APOSTROPHES: Final = re.compile("['’´`]")


def _free_name(name: str, taken: Collection[str]) -> str:
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower())
    return "".join(letter for letter in letters if letter.isalnum())
