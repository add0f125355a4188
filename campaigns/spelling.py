"""Find the word that somebody most likely meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`, upper and lower case alike; None where none is like it."""
    spelt = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), list(spelt), n=1)
    return spelt[found[0]] if found else None
