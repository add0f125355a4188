"""Judge how well a word reads: whether its letters and signs stand where Western European languages have them."""

import unicodedata
from typing import Final

BAD: Final = -6.0  #: no language has it there

COMMON: Final = frozenset("åäöÅÄÖæøÆØéÉüÜßà")  # in the languages of most lists
WESTERN: Final = frozenset("áâãçèêëíîïñóòôõúùûýðþ")
CENTRAL: Final = frozenset("ąćęłńśźżčďěňřťůľĺŕőűăşţđ")
RARE: Final = frozenset("ìšžÿ")
ASCII_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
VOWELS: Final = frozenset("aeiouyæøœ")
AFTER_VOWELS: Final = frozenset("ëïéíúÿ")  # of these one beside a vowel is common: Noël, Anaïs, Léa, María, Raúl
BEFORE: Final = frozenset("“„«‘‚‹¿¡")
BEHIND: Final = frozenset("”»’›…™®©")
EXPONENTS: Final = frozenset("°²³ºª")
LONE: Final = frozenset("€£§°½¼¾±–—…•·®©™«»“”")  #: signs that stand by themselves
ELISIONS: Final = frozenset({"l", "d", "o", "m", "n", "s", "t", "c", "j", "qu", "dell", "dall", "all", "un", "sant"})
CONTRACTIONS: Final = frozenset({"s", "t", "re", "ll", "ve", "d", "m"})


def readability(word: str) -> float:
    """How well a word of letters, digits and signs reads: its letters beyond ASCII add up, BAD for one out of place."""
    return sum(_place_value(word, place) for place, sign in enumerate(word) if not sign.isascii())


def reads_badly(word: str) -> bool:
    """Whether a letter or sign beyond ASCII stands where no language has it."""
    return any(_place_value(word, place) <= BAD for place, sign in enumerate(word) if not sign.isascii())


def _place_value(word: str, place: int) -> float:
    before, sign, after = word[place - 1 : place], word[place], word[place + 1 : place + 2]
    if sign in "\xa0\xad":
        return 1.0
    if not before and not after:
        return _value_alone(sign)
    if not sign.isalpha() or sign in EXPONENTS:
        return 1.0 if _sign_fits(word, place, before, sign, after) else BAD
    if before.isdigit() or after.isdigit() or not _case_fits(before, sign, after) or _in_foreign_run(word, place):
        return BAD
    small_start = 0.5 if sign.islower() and not before else 0.0  # names begin with a capital
    return _letter_value(sign, after) - _strain(before, sign.lower(), after) - small_start


def _letter_value(letter: str, after: str) -> float:
    lower = letter.lower()
    if lower == "œ":
        return 2.0 if after in tuple("uitUIT") else 0.0
    worth = ((COMMON, 3.0), (WESTERN | CENTRAL, 2.0), (RARE, 1.0))
    return next((value for letters, value in worth if letter in letters or lower in letters), BAD)


def _value_alone(sign: str) -> float:
    if sign.isalpha() and sign not in EXPONENTS:
        return 1.0 if sign in COMMON else BAD if _letter_value(sign, "") == BAD else 0.5
    return 1.5 if sign in LONE else -1.0 if sign.isprintable() and sign != "\ufffd" else BAD


def _sign_fits(word: str, place: int, before: str, sign: str, after: str) -> bool:
    if sign in "’´":
        return not after or _apostrophe_fits(word[:place], word[place + 1 :])
    if sign in BEFORE:
        return not before and (sign not in "¿¡" or after.isupper() or not after.isascii())
    if sign in BEHIND:
        return not after or after in BEHIND or (sign == "©" and after.isdigit())
    if sign in "–—":
        return after.isupper() or before.isdigit() or not (before and after)
    if sign in EXPONENTS:
        return before.isdigit() or after in ("C", "F") or (before in ("m", "n", "N") and not after)
    if sign == "·":
        return before.lower() == after.lower() == "l"
    return not before.isalpha() and not after.isalpha() and sign.isprintable() and sign != "\ufffd"


def _apostrophe_fits(before: str, after: str) -> bool:
    """O’Brien, l’amie, Zoë’s; but not Garc’a, which is García read wrongly."""
    if before.lower() in ELISIONS:
        return after[:1].isupper() or _is_vowel(after[:1].lower())
    return not before or after.lower() in CONTRACTIONS or after[:1].isupper()


def _case_fits(before: str, sign: str, after: str) -> bool:
    if sign.isupper():
        return not before.islower() and not (before.isupper() and after.islower())
    return sign == "ß" or not (before.isupper() and after.isupper())


def _in_foreign_run(word: str, place: int) -> bool:
    """Whether three letters beyond ASCII follow one another, as in Cyrillic and Greek read wrongly; but ÅÄÖ may."""
    runs = (word[start : start + 3] for start in range(max(place - 2, 0), place + 1))
    return any(len(run) == 3 and run.isalpha() and not (set(run) & ASCII_LETTERS) and set(run) - COMMON for run in runs)


def _strain(before: str, lower: str, after: str) -> float:
    """What it costs that a vowel stands beside a vowel, a consonant beside none, ñ before no vowel."""
    beside = [_is_vowel(letter.lower()) for letter in (before, after) if letter.isalpha()]
    if not beside or lower in AFTER_VOWELS or (lower == "ø" and after.lower() == "y"):
        return 0.0
    if lower == "ñ":
        return 0.0 if after and beside[-1] else 1.5
    if _is_vowel(lower):
        return 1.5 if any(beside) and before.lower() != lower != after.lower() else 0.0
    return 0.0 if any(beside) or lower == "ß" else 1.5


def _is_vowel(lower: str) -> bool:
    return bool(lower) and unicodedata.normalize("NFD", lower)[0] in VOWELS
