"""Decide the encoding of a text file by all of its letters; say so where it cannot be told for sure."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from pathlib import Path
from typing import Final

import charset_normalizer

from campaigns.errors import InputError
from campaigns.recipients.letters import readability, reads_badly

BLOCK_BYTES: Final = 1 << 20
MARKS: Final = (  # byte order marks; UTF-32 first, for its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
NAMES: Final = {  # Python's name -> the one that people know; Python knows both
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
    "iso8859-1": "ISO-8859-1",
    "iso8859-15": "ISO-8859-15",
    "mac-roman": "Mac-Roman",
}
CANDIDATES: Final = {  # what a list may be written in, with how far it is ahead of the others before any word is read
    "Windows-1252": 1.0,  # ISO-8859-1 text is a part of it
    "Mac-Roman": 0.0,
    "cp1250": -0.25,  # Central Europe
    "ISO-8859-2": -0.5,
    "CP850": -1.0,  # DOS
}
FOUND: Final = ("Windows-1252", "Mac-Roman")  #: may be taken for sure; the others are only proposed
MARGIN: Final = 1.0  #: by so much the best reading must be ahead of the next
MOST_BAD: Final = 0.1  #: the share of words that may read badly in every encoding
MOST_CONTROLS: Final = 0.04  #: the share of control characters from which on a file is no text
MOST_CONTEXTS: Final = 20_000  #: different ones, after which no other is looked for
STATISTICS_WORDS: Final = 2_000
MOST_OPTIONS: Final = 3

#: keeps letters and all beyond ASCII, makes a digit 0 and all else a space: few words are left that differ
WORDS_ONLY: Final = bytes(
    byte if byte >= 0x80 or chr(byte).isalpha() else 0x30 if chr(byte).isdigit() else 0x20 for byte in range(256)
)
ASCII: Final = bytes(range(0x20, 0x7F))
CONTEXT: Final = re.compile(rb"[A-Za-z0-9]?[\x80-\xff]+[A-Za-z0-9]?")
CONTROLS: Final = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the words of a file read in one encoding."""

    encoding: str
    texts: Sequence[str]
    value: float  #: the higher, the better they read
    bad: Sequence[bool]  #: which of them have a letter or sign that no language has there


def decide_encoding(path: Path, given: str | None) -> tuple[str, InputError | None]:
    """The name of an encoding in which the whole file can be read, `given` or found, and why that may be wrong."""
    if given is not None:
        return _check_given(path, given), None
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if sure := _by_mark(start) or _utf16_without_mark(start):
        if (place := _misfit(path, sure)) is not None:
            raise _does_not_fit(path, sure, place)
        return sure, None
    if len(CONTROLS.findall(start)) > max(32, MOST_CONTROLS * len(start)):
        raise InputError(f"{path.name} is no text, so no table.", fix="Save the list as .csv (UTF-8) or .xlsx.")
    return ("UTF-8", None) if _misfit(path, "UTF-8") is None else _decide_single_byte(path)


def _check_given(path: Path, given: str) -> str:
    try:
        "".encode(given)  # refuses what is for no text, such as hex
        codecs.getincrementaldecoder(given)
    except (LookupError, UnicodeError, ValueError) as error:
        raise InputError(f'"{given}" is no encoding.', fix="Write utf-8 or cp1252, or leave it to be found.") from error
    name = NAMES.get(codecs.lookup(given).name, given)
    if (place := _misfit(path, name)) is not None:
        raise _does_not_fit(path, name, place)
    if _would_garble_utf8(path, name):
        raise InputError(
            f"{path.name} is UTF-8, so {name} would change its letters.",
            fix="Leave --encoding out, or write --encoding utf-8.",
        )
    return name


def _misfit(path: Path, encoding: str) -> int | None:
    """Where in the file the first byte is that is not of the encoding; None where the whole file fits."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    for block in _blocks(path):
        try:
            text = decoder.decode(block, final=not block)
            if encoding != "UTF-8":
                text.encode()  # some encodings can write half a character ("\\ud83d"), which no text has
        except UnicodeError as error:  # a plain one where UTF-16 lacks its byte order mark
            if not isinstance(error, UnicodeDecodeError):
                return read
            return read + error.start - (len(error.object) - len(block))  # it may begin in the block before
        read += len(block)
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of the file; the last block is empty."""
    with path.open("rb") as file:
        block = b"-"
        while block:
            block = file.read(BLOCK_BYTES)
            yield block


def _does_not_fit(path: Path, encoding: str, place: int) -> InputError:
    return InputError(
        f"{path.name} does not fit the encoding {encoding}.",
        where=f"{path.name}, line {_line(path, place)}",
        fix="Save it anew as UTF-8, or name the right one: --encoding NAME",
    )


def _line(path: Path, place: int) -> int:
    """The line of the byte at `place`."""
    line_feeds = returns = 0
    for block in _blocks(path):
        line_feeds += block.count(b"\n", 0, max(place, 0))
        returns += block.count(b"\r", 0, max(place, 0))
        place -= len(block)
    return 1 + (line_feeds or returns)


def _would_garble_utf8(path: Path, name: str) -> bool:
    """Whether the file is surely UTF-8 and would read otherwise in the named encoding."""
    if name == "UTF-8" or _misfit(path, "UTF-8") is not None:
        return False
    is_ascii = all(block.isascii() and b"\0" not in block for block in _blocks(path))
    return "a".encode(name) != b"a" if is_ascii else not any(b"\0" in block for block in _blocks(path))


def _by_mark(start: bytes) -> str | None:
    return next((name for mark, name in MARKS if start.startswith(mark)), None)


def _utf16_without_mark(start: bytes) -> str | None:
    """UTF-16 shows by the NULs of its digits, delimiters and Latin letters: many, and all on one side."""
    even, odd, half = start[::2].count(0), start[1::2].count(0), len(start) // 2
    if half and odd > half * 0.2 and not even:
        return "UTF-16-LE"
    return "UTF-16-BE" if half and even > half * 0.2 and not odd else None


def _decide_single_byte(path: Path) -> tuple[str, InputError | None]:
    """The encoding in which the words beyond ASCII read best."""
    words = list(_telling_words(path))
    _check_not_half_utf8(path, words)
    readings = sorted((_read(words, name) for name in CANDIDATES), key=lambda reading: -reading.value)
    best = readings[0]
    rivals = [reading for reading in readings if reading.texts != best.texts]
    misread = [place for place, is_bad in enumerate(best.bad) if is_bad and not all(each.bad[place] for each in rivals)]
    is_ahead = not rivals or best.value - rivals[0].value >= MARGIN
    is_alone = not any(_reads_as_well(reading, best) for reading in rivals if reading.encoding in FOUND)
    few_bad = sum(best.bad) <= MOST_BAD * len(words)
    is_sure = best.encoding in FOUND and is_ahead and is_alone and few_bad and not misread
    if 2 * sum(best.bad) > len(words):
        rivals, best = [best, *rivals], _by_statistics(path, words) or best
    if (place := _misfit(path, best.encoding)) is not None:
        raise _does_not_fit(path, best.encoding, place)
    return best.encoding, None if is_sure else _doubt(path, words, best, rivals, misread)


def _reads_as_well(rival: Reading, best: Reading) -> bool:
    """Whether nothing in a rival reads badly, though a word of it is another one.

    A sign alone, such as the euro behind a price, is no reason to doubt the commonest encoding.
    """
    least = 2 if best.encoding == FOUND[0] else 1
    texts = zip(rival.texts, best.texts, strict=True)
    return not any(rival.bad) and any(text != other and len(other) >= least for text, other in texts)


def _telling_words(path: Path) -> Iterator[bytes]:
    """Words of the file that show a byte beyond ASCII between neighbours not seen before."""
    seen: set[bytes] = set()
    rest = b""
    for block in _blocks(path):
        text = rest + block.translate(WORDS_ONLY)
        end = text.rfind(b" ") + 1 if block else len(text)
        rest = text[end:] if len(text) - end < BLOCK_BYTES else b""
        for word in dict.fromkeys(filterfalse(bytes.isascii, text[:end].split())):
            around = CONTEXT.findall(word)
            if not seen.issuperset(around):
                seen.update(around)
                yield word
            if len(seen) > MOST_CONTEXTS:
                return


def _check_not_half_utf8(path: Path, words: Sequence[bytes]) -> None:
    for word in words:
        try:
            is_utf8 = not reads_badly(word.decode("utf-8"))
        except UnicodeDecodeError:
            continue
        if is_utf8 and all(reads_badly(word.decode(name, "replace")) for name in FOUND):
            place = _misfit(path, "UTF-8")
            raise InputError(
                f"{path.name} is UTF-8 in part only: it is damaged, or put together from two files.",
                where=f"{path.name}, line {_line(path, place or 0)}",
                fix="Open it where it was made and save it anew as UTF-8.",
            )


def _read(words: Sequence[bytes], encoding: str) -> Reading:
    texts = [word.decode(encoding, "replace") for word in words]
    value = CANDIDATES.get(encoding, 0.0) + sum(map(readability, texts))
    return Reading(encoding, texts, value, [reads_badly(text) for text in texts])


def _by_statistics(path: Path, words: Sequence[bytes]) -> Reading | None:
    """What charset-normalizer takes the words for: an encoding of another script."""
    found = charset_normalizer.from_bytes(b" ".join(words[:STATISTICS_WORDS])).best()
    if found is None or _misfit(path, found.encoding) is not None:
        return None
    if ASCII.decode(found.encoding, "replace") != ASCII.decode():  # EBCDIC and its like make another text of it all
        return None
    return _read(words, NAMES.get(found.encoding, found.encoding))


def _doubt(
    path: Path, words: Sequence[bytes], best: Reading, rivals: Sequence[Reading], misread: Sequence[int]
) -> InputError:
    """The encodings that it may be, each with how a word of the file would read."""
    differing = (place for place, text in enumerate(best.texts) if any(text != each.texts[place] for each in rivals))
    shown = sorted(misread or differing, key=lambda place: "0" in best.texts[place])  # each 0 may be another digit
    place = shown[0] if shown else 0
    by_word = sorted(rivals, key=lambda reading: -readability(reading.texts[place]))
    options = {reading.texts[place]: reading.encoding for reading in reversed([best, *by_word])}
    sound = [text for text in reversed(options) if not reads_badly(text)] or [best.texts[place]]
    usual = [text for text in options if options[text] == FOUND[0] and "\ufffd" not in text]
    sound = list(dict.fromkeys([*sound[:MOST_OPTIONS], *usual]))
    return InputError(
        f"{path.name} is not UTF-8, and its encoding cannot be told for sure.",
        where=f"{path.name}, line {_line(path, _find(path, words[place]))}",
        fix=", ".join(f'--encoding {options[text]} if "{text}" is right' for text in sound),
    )


def _find(path: Path, word: bytes) -> int:
    """Where in the file the word stands first."""
    read, rest = 0, b""
    for block in _blocks(path):
        text = rest + block.translate(WORDS_ONLY)
        if (place := text.find(word)) >= 0:
            return read - len(rest) + place
        read += len(block)
        rest = text[-len(word) :]
    return 0
