"""Cut a text into the SMS parts that it is billed as (3GPP TS 23.038 and 23.040)."""

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
    units = sum(_widths(text, encoding))
    return Measure(encoding, parts, units, _ALONE[encoding] if parts <= 1 else parts * _JOINED[encoding])


def count_segments(text: str) -> int:
    """Count the parts of `text` in the smallest alphabet that holds all of it; the empty text has none.

    One part holds 160 GSM-7 or 70 UCS-2 units, a joined one 153 or 67; a euro sign or brace takes two GSM-7 units.
    """
    return len(split(text))


def split(text: str) -> list[str]:
    """Cut `text` into its parts as a handset gets them: an escape pair or a surrogate pair is never split."""
    encoding = _encoding(text)
    widths = _widths(text, encoding)
    if sum(widths) <= _ALONE[encoding]:
        return [text] if text else []
    parts, start, used = [], 0, 0
    for place, width in enumerate(widths):
        if used + width > _JOINED[encoding]:
            parts.append(text[start:place])
            start, used = place, 0
        used += width
    return [*parts, text[start:]]


def measure_column(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The encodings and the segments of a column of texts; null where the text is null.

    The same answers as `measure`, by columns: only a text whose length alone does not settle it is walked.
    """
    wide = pc.match_substring_regex(texts, _NOT_GSM7_PATTERN)
    encodings = pc.if_else(wide, Encoding.UCS2.value, Encoding.GSM7.value)
    pairs = pc.if_else(
        wide, pc.count_substring_regex(texts, _ASTRAL_PATTERN), pc.count_substring_regex(texts, _EXTENSION_PATTERN)
    )
    units = pc.add(pc.utf8_length(texts), pairs)
    part = pc.if_else(wide, _JOINED[Encoding.UCS2], _JOINED[Encoding.GSM7])
    alone = pc.less_equal(units, pc.if_else(wide, _ALONE[Encoding.UCS2], _ALONE[Encoding.GSM7]))
    fewest = pc.if_else(alone, pc.min_element_wise(units, 1, skip_nulls=False), _divide_up(units, part))
    # A pair that would be split leaves one unit of its part unused, so a full part holds at least one less.
    most = _divide_up(units, pc.subtract(part, 1))
    open_ = pc.and_(pc.invert(alone), pc.and_(pc.greater(pairs, 0), pc.not_equal(fewest, most)))
    walked = [count_segments(text) for text in texts.filter(open_).to_pylist()]
    segments = pc.replace_with_mask(fewest.cast(pa.int32()), pc.fill_null(open_, False), pa.array(walked, pa.int32()))
    return encodings, segments


def _encoding(text: str) -> Encoding:
    return Encoding.GSM7 if _GSM7.issuperset(text) else Encoding.UCS2


def _widths(text: str, encoding: Encoding) -> list[int]:
    if encoding is Encoding.GSM7:
        return [2 if character in _EXTENSION else 1 for character in text]
    return [2 if character > "\uffff" else 1 for character in text]


def _divide_up(units: pa.Array, size: pa.Array) -> pa.Array:
    return pc.divide(pc.add(units, pc.subtract(size, 1)), size)


def _one_of(characters: frozenset[str]) -> str:
    return "".join(f"\\x{{{ord(character):x}}}" for character in sorted(characters))


_NOT_GSM7_PATTERN: Final = f"[^{_one_of(_GSM7)}]"
_EXTENSION_PATTERN: Final = f"[{_one_of(_EXTENSION)}]"
_ASTRAL_PATTERN: Final = r"[\x{10000}-\x{10ffff}]"
