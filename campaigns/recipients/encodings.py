"""Decide the encoding of a text file; where a guess could turn letters into others, ask instead of guessing."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import charset_normalizer

from campaigns.errors import InputError

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
ALTERNATIVES: Final = ("Mac-Roman", "CP850")  # what Excel's "CSV (Macintosh)" and "CSV (MS-DOS)" wrote

WORD: Final = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
MOST_WORDS: Final = 20_000  # distinct ones that are looked at
LETTER: Final = "A-Za-zÀ-ÖØ-öø-ÿŠšŽžŒœŸ"
PLAUSIBLE: Final = re.compile(  # a run of letters with the punctuation that may stand before, in and after it
    rf"[“”„»«’‘´–—•°§±©\xa0¿¡]*(?:[{LETTER}]+(?:[’´–—·\xa0\xad]+[{LETTER}]+)*)?[“”„»«’‘´–—…•·€£§°®™©²½¼¾±×\xa0\xad]*"
)
OURS: Final = frozenset("åäöÅÄÖæøÆØéÉüÜßà")
DOUBTFUL: Final = frozenset("ŠšŽžŒœŸ")  # in a Mac's or DOS's file these bytes are å, ä, ö and their like


def decide_encoding(path: Path, given: str | None) -> str:
    """The name of an encoding in which the whole file can be read, `given` or found."""
    if given is not None:
        return _check_given(path, given)
    with path.open("rb") as file:
        start = file.read(4096)
    if sure := _by_mark(start) or _utf16_without_mark(start):
        if line := _line_of_misfit(path, sure):
            raise _misfit(path, sure, line)
        return sure
    line = _line_of_misfit(path, "UTF-8")
    return "UTF-8" if line is None else _decide_single_byte(path, line)


def _check_given(path: Path, given: str) -> str:
    try:
        "".encode(given)  # refuses what is for no text, such as hex
        codecs.getincrementaldecoder(given)
    except (LookupError, UnicodeError) as error:
        raise InputError(f'"{given}" is no encoding.', fix="Write utf-8 or cp1252, or leave it to be found.") from error
    name = NAMES.get(codecs.lookup(given).name, given)
    if line := _line_of_misfit(path, name):
        raise _misfit(path, name, line)
    if _would_garble_utf8(path, name):
        raise InputError(
            f"{path.name} is UTF-8, so {name} would change its letters.",
            fix="Leave --encoding out, or write --encoding utf-8.",
        )
    return name


def _line_of_misfit(path: Path, encoding: str) -> int | None:
    """The line of the first byte that is not of the encoding; None where the whole file fits."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    for block in _blocks(path):
        try:
            decoder.decode(block).encode()  # some encodings can write half a character ("\\ud83d"), which no text has
        except UnicodeError as error:  # a plain one where UTF-16 lacks its byte order mark
            read = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
            return lines + _line_ends(read)
        lines += _line_ends(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return lines
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def _line_ends(block: bytes) -> int:
    return block.count(b"\n") or block.count(b"\r")


def _misfit(path: Path, encoding: str, line: int) -> InputError:
    return InputError(
        f"{path.name} does not fit the encoding {encoding}.",
        where=f"{path.name}, line {line}",
        fix="Save it anew as UTF-8, or name the right one: --encoding NAME",
    )


def _would_garble_utf8(path: Path, name: str) -> bool:
    """Whether the file is surely UTF-8 and would read otherwise in the named encoding."""
    if name == "UTF-8" or _line_of_misfit(path, "UTF-8"):
        return False
    is_ascii = all(block.isascii() and b"\0" not in block for block in _blocks(path))
    return "a".encode(name) != b"a" if is_ascii else not any(b"\0" in block for block in _blocks(path))


def _by_mark(start: bytes) -> str | None:
    return next((name for mark, name in MARKS if start.startswith(mark)), None)


def _utf16_without_mark(start: bytes) -> str | None:
    """UTF-16 of mostly Latin letters shows by its NULs: nearly every second byte, all on one side."""
    even, odd, half = start[::2].count(0), start[1::2].count(0), len(start) // 2
    if half and odd > half * 0.6 and not even:
        return "UTF-16-LE"
    return "UTF-16-BE" if half and even > half * 0.6 and not odd else None


def _decide_single_byte(path: Path, line: int) -> str:
    """Windows-1252 (of which ISO-8859-1 text is a part) where every word reads well in it and in nothing else."""
    words = _words_beyond_ascii(path)
    if any(_reads_as([word], "utf-8") for word in words):
        raise InputError(
            f"{path.name} is UTF-8 in part only: it is damaged, or put together from two files.",
            where=f"{path.name}, line {line}",
            fix="Open it where it was made and save it anew as UTF-8.",
        )
    readings = [name for name in ("Windows-1252", *ALTERNATIVES) if _reads_well(words, name)]
    if readings[:1] == ["Windows-1252"] and (len(readings) == 1 or not _doubtful(words)):
        return "Windows-1252"
    raise _undecided(path, words, readings, line)


def _words_beyond_ascii(path: Path) -> list[bytes]:
    """The distinct words of the file, up to a number, that hold other than ASCII letters."""
    words: dict[bytes, None] = {}
    for block in _blocks(path):
        words.update(dict.fromkeys(WORD.findall(block)))
        if len(words) > MOST_WORDS:
            break
    return list(words)


def _reads_as(words: list[bytes], encoding: str) -> list[str] | None:
    try:
        return [word.decode(encoding) for word in words]
    except UnicodeDecodeError:
        return None


def _reads_well(words: list[bytes], encoding: str) -> bool:
    """Whether all words decode to letters with sound punctuation, and few letters are foreign to our languages.

    Cyrillic or Greek bytes read as Windows-1252 are letters too, but hardly an ASCII letter stands among them.
    """
    texts = _reads_as(words, encoding)
    if texts is None or not all(PLAUSIBLE.fullmatch(text) for text in texts):
        return False
    letters = [letter for text in texts for letter in text if letter.isalpha()]
    foreign = sum(not letter.isascii() and letter not in OURS for letter in letters)
    return foreign <= sum(letter.isascii() for letter in letters)


def _doubtful(words: list[bytes]) -> bool:
    """Whether the words hold, read as Windows-1252, letters that are rarer than the same bytes read otherwise."""
    letters = set("".join(_reads_as(words, "Windows-1252") or ()))
    return not DOUBTFUL.isdisjoint(letters)


def _undecided(path: Path, words: list[bytes], readings: list[str], line: int) -> InputError:
    """The encodings that it may be, each with how a word of the file would read."""
    best = charset_normalizer.from_bytes(b" ".join(words[:500])).best()
    names = dict.fromkeys([*readings, *([best.encoding] if best and not readings else [])])
    word = next((word for word in words if not _reads_well([word], "Windows-1252")), words[0])
    options = [f'--encoding {name} if "{word.decode(name, "replace")}" is right' for name in names]
    return InputError(
        f"{path.name} is not UTF-8, and its encoding cannot be told for sure.",
        where=f"{path.name}, line {line}",
        fix=", ".join(options) or "Save it anew as UTF-8, or name the right one: --encoding NAME",
    )
