"""Cut a text into the SMS parts that it is billed as (3GPP TS 23.038 and 23.040)."""

import re
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.model import Encoding

MOST_PARTS: Final = 255  #: the header of a joined message counts its parts in one byte
LONGEST_TEXT: Final = MOST_PARTS * 153  #: in characters; nothing longer fits one message in any alphabet

_BASIC: Final = frozenset(  # 23.038, 6.2.1; the escape character itself is left out: it has no form of its own
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")  # 23.038, 6.2.1.1: an escape before each, so two units
_GSM7: Final = _BASIC | _EXTENSION
_ALONE: Final = {Encoding.GSM7: 160, Encoding.UCS2: 70}  #: units in a part that stands alone
_JOINED: Final = {Encoding.GSM7: 153, Encoding.UCS2: 67}  #: and in one of several, which carries a header


@dataclass(frozen=True, slots=True)
class Measure:
    """How long a text is as SMS: "110 of 160" is `units` of `capacity`."""

    encoding: Encoding
    segments: int
    units: int  #: GSM-7 septets or UTF-16 units
    capacity: int  #: units that this number of segments can hold


def measure(text: str) -> Measure:
    """Measure `text` in the smallest alphabet that holds all of it."""
    encoding = _encoding(text)
    parts = len(split(text))
    units = len(_units(text, encoding))
    return Measure(encoding, parts, units, _ALONE[encoding] if parts <= 1 else parts * _JOINED[encoding])


def count_segments(text: str) -> int:
    """Count the parts of `text` in the smallest alphabet that holds all of it; the empty text has none.

    One part holds 160 GSM-7 or 70 UCS-2 units, a joined one 153 or 67; a euro sign or brace takes two GSM-7 units.
    """
    return len(split(text))


def split(text: str) -> list[str]:
    """Cut `text` into its parts as a handset gets them: an escape pair or a surrogate pair is never split."""
    encoding = _encoding(text)
    units = _units(text, encoding)
    if len(units) <= _ALONE[encoding]:
        return [text] if text else []
    parts, start = [], 0
    while start < len(units):
        end = start + _JOINED[encoding]
        end -= units[end - 1 : end] == _FIRST_HALF
        parts.append(units[start:end].replace(_FIRST_HALF, ""))
        start = end
    return parts


def measure_column(texts: pa.Array, cells: pa.Array | None = None, words: str = "") -> tuple[pa.Array, pa.Array]:
    """The encodings and the segments of a column of texts; null where the text is null.

    The same answers as `measure`, by columns. Where each text is the same `words` around its row of `cells`, only the
    cells are looked through: most hold nothing but letters of one GSM-7 unit, and then the words decide.
    """
    fixed = measure(words)
    wide = pa.repeat(fixed.encoding is Encoding.UCS2, len(texts))
    pairs = pa.repeat(fixed.units - len(words), len(texts))
    odd = pc.fill_null(pc.match_substring_regex(texts if cells is None else cells, _NOT_BASIC_PATTERN), False)
    if odd.true_count:
        odd_wide, odd_pairs = _looked_through(texts.filter(odd))
        wide, pairs = pc.replace_with_mask(wide, odd, odd_wide), pc.replace_with_mask(pairs, odd, odd_pairs)
    encodings = pc.if_else(wide, Encoding.UCS2.value, Encoding.GSM7.value)
    return pc.if_else(pc.is_valid(texts), encodings, None), _segments(texts, wide, pairs)


def _encoding(text: str) -> Encoding:
    return Encoding.UCS2 if _NOT_GSM7.search(text) else Encoding.GSM7


def _units(text: str, encoding: Encoding) -> str:
    """The text with one character for each of its units."""
    return _PAIR[encoding].sub(rf"{_FIRST_HALF}\g<0>", text)


def _looked_through(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Which texts are UCS-2, and how many characters of two units each has."""
    wide = pc.match_substring_regex(texts, _NOT_GSM7_PATTERN)
    astral, extended = (pc.count_substring_regex(texts, pattern) for pattern in (_ASTRAL_PATTERN, _EXTENSION_PATTERN))
    return wide, pc.if_else(wide, astral, extended).cast(pa.int64())


def _segments(texts: pa.Array, wide: pa.Array, pairs: pa.Array) -> pa.Array:
    units = pc.add(pc.utf8_length(texts), pairs)
    part = pc.if_else(wide, _JOINED[Encoding.UCS2], _JOINED[Encoding.GSM7])
    alone = pc.less_equal(units, pc.if_else(wide, _ALONE[Encoding.UCS2], _ALONE[Encoding.GSM7]))
    fewest = pc.if_else(alone, pc.min_element_wise(units, 1, skip_nulls=False), _divide_up(units, part))
    if not pc.any(pc.and_(pc.invert(alone), pc.greater(pairs, 0))).as_py():
        return fewest.cast(pa.int32())
    # A part ends one unit early rather than inside a pair: as often as there are pairs, and never in the last part.
    early = pc.min_element_wise(pairs, pc.subtract(_divide_up(units, pc.subtract(part, 1)), 1), skip_nulls=False)
    most = _divide_up(pc.add(units, early), part)
    open_ = pc.fill_null(pc.and_(pc.invert(alone), pc.not_equal(fewest, most)), False)
    walked = [count_segments(text) for text in texts.filter(open_).to_pylist()]
    return pc.replace_with_mask(fewest, open_, pa.array(walked, pa.int64())).cast(pa.int32())


def _divide_up(units: pa.Array, size: pa.Array) -> pa.Array:
    return pc.divide(pc.add(units, pc.subtract(size, 1)), size)


def _one_of(characters: frozenset[str]) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in sorted(characters))


_NOT_BASIC_PATTERN: Final = f"[^{_one_of(_BASIC)}]"
_NOT_GSM7_PATTERN: Final = f"[^{_one_of(_GSM7)}]"
_EXTENSION_PATTERN: Final = f"[{_one_of(_EXTENSION)}]"
_ASTRAL_PATTERN: Final = r"[\x{10000}-\x{10ffff}]"
_NOT_GSM7: Final = re.compile(f"[^{re.escape(''.join(_GSM7))}]")
_PAIR: Final = {  # a character of two units
    Encoding.GSM7: re.compile(f"[{re.escape(''.join(_EXTENSION))}]"),
    Encoding.UCS2: re.compile("[\U00010000-\U0010ffff]"),
}
_FIRST_HALF: Final = "\ud800"  #: written before such a character to count it twice; no text holds half a character
