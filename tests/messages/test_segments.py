"""Segments: the alphabet, the boundaries, and that columns, single texts and a naive model agree."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.messages.segments import Measure, count_segments, measure, measure_column, split
from campaigns.model import Encoding

BASIC = (  # 3GPP TS 23.038, 6.2.1, row by row of eight
    "@£$¥èéùì òÇ\nØø\rÅå Δ_ΦΓΛΩΠΨ ΣΘΞÆæßÉ".replace(" ", "")
    + " !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
UCS2, GSM7 = Encoding.UCS2, Encoding.GSM7

runs = st.lists(  # long texts of few characters: what matters happens near multiples of 153 and 67
    st.tuples(st.sampled_from(["a", "å", "€", "{", "\n", "\r\n", "é", "ë", "字", "😀", "\f"]), st.integers(1, 170)),
    max_size=6,
).map(lambda pairs: "".join(character * times for character, times in pairs))
texts = st.one_of(runs, st.text(max_size=80), st.text(alphabet=BASIC + EXTENSION, max_size=500))


def units_of(text: str) -> list[str]:
    """Each unit of a text; the second unit of a pair is "+"."""
    if set(text) <= set(BASIC + EXTENSION):
        return [unit for character in text for unit in ([character, "+"] if character in EXTENSION else [character])]
    return [unit for character in text for unit in [character, *"+" * (len(character.encode("utf-16-le")) // 2 - 1)]]


def naive_count(text: str) -> int:
    """Cut the units at each capacity, one earlier where the cut would fall into a pair."""
    units = units_of(text)
    alone, joined = (160, 153) if set(text) <= set(BASIC + EXTENSION) else (70, 67)
    if len(units) <= alone:
        return 1 if units else 0
    parts = 0
    while units:
        cut = joined - 1 if len(units) > joined and units[joined] == "+" else joined
        units, parts = units[cut:], parts + 1
    return parts


def columnar(texts: list[str | None]) -> list[tuple[str | None, int | None]]:
    encodings, segments = measure_column(pa.array(texts, pa.string()))
    return list(zip(encodings.to_pylist(), segments.to_pylist(), strict=True))


def test_the_alphabet_has_127_characters_of_one_unit_and_10_of_two() -> None:
    assert {measure(character).units for character in BASIC} == {1}
    assert {measure(character).units for character in EXTENSION} == {2}
    assert len(set(BASIC)) == 127
    gsm7 = {chr(code) for code in range(0xD800) if measure(chr(code)).encoding is GSM7}
    assert gsm7 == set(BASIC + EXTENSION)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Measure(GSM7, 0, 0, 160)),
        ("Hej Åsa!", Measure(GSM7, 1, 8, 160)),
        ("ç", Measure(UCS2, 1, 1, 70)),
        ("a" * 160, Measure(GSM7, 1, 160, 160)),
        ("a" * 161, Measure(GSM7, 2, 161, 306)),
        ("a" * 306, Measure(GSM7, 2, 306, 306)),
        ("a" * 307, Measure(GSM7, 3, 307, 459)),
        ("€" * 80, Measure(GSM7, 1, 160, 160)),
        ("€" * 81, Measure(GSM7, 2, 162, 306)),
        ("ë" * 70, Measure(UCS2, 1, 70, 70)),
        ("ë" * 71, Measure(UCS2, 2, 71, 134)),
        ("😀" * 35, Measure(UCS2, 1, 70, 70)),
        ("😀" * 36, Measure(UCS2, 2, 72, 134)),
        ("rad 1\r\nrad 2", Measure(GSM7, 1, 12, 160)),
        ("a" * 152 + "€" + "a" * 152, Measure(GSM7, 3, 306, 459)),  # 306 units, yet the pair would be split
        ("ë" * 66 + "😀" + "ë" * 66, Measure(UCS2, 3, 134, 201)),
    ],
)
def test_a_text_is_measured_by_the_standard(text: str, expected: Measure) -> None:
    assert measure(text) == expected


def test_an_escape_pair_moves_whole_to_the_next_part() -> None:
    assert split("a" * 152 + "€" + "a" * 10) == ["a" * 152, "€" + "a" * 10]


def test_a_surrogate_pair_moves_whole_to_the_next_part() -> None:
    assert split("ë" * 66 + "😀" + "ë" * 10) == ["ë" * 66, "😀" + "ë" * 10]


@settings(deadline=None)
@given(texts)
def test_the_parts_join_to_the_text_and_none_is_over_its_capacity(text: str) -> None:
    parts = split(text)
    assert "".join(parts) == text
    joined = 153 if measure(text).encoding is GSM7 else 67
    widest = (160 if joined == 153 else 70) if len(parts) == 1 else joined
    # A part's own alphabet may be the smaller one, so it is measured as a piece of the whole.
    wide = measure(text).encoding is UCS2
    sizes = [len(part.encode("utf-16-le")) // 2 if wide else len(units_of(part)) for part in parts]
    assert all(0 < size <= widest for size in sizes)


@settings(deadline=None)
@given(texts)
def test_the_count_of_one_text_is_that_of_the_naive_model(text: str) -> None:
    assert count_segments(text) == naive_count(text)


@settings(deadline=None)
@given(st.lists(texts, max_size=8))
def test_the_columns_say_what_each_text_alone_says(texts: list[str]) -> None:
    assert columnar(list(texts)) == [(measure(text).encoding.value, count_segments(text)) for text in texts]


@settings(deadline=None)
@given(st.lists(st.tuples(runs, runs), min_size=1, max_size=6), st.tuples(runs, runs, runs), st.data())
def test_columns_of_which_the_words_are_known_say_the_same(
    rows: list[tuple[str, str]], words: tuple[str, str, str], data: st.DataObject
) -> None:
    texts = [data.draw(st.sampled_from([None, words[0] + a + words[1] + b + words[2]])) for a, b in rows]
    cells = pa.array([a + b for a, b in rows])
    encodings, segments = measure_column(pa.array(texts, pa.string()), cells, "".join(words))
    expected = [(None, None) if text is None else (measure(text).encoding.value, naive_count(text)) for text in texts]
    assert list(zip(encodings.to_pylist(), segments.to_pylist(), strict=True)) == expected


@pytest.mark.parametrize("character", ["€", "😀"])
def test_a_pair_is_weighed_at_every_place_around_a_boundary(character: str) -> None:
    letter = "a" if character == "€" else "ë"
    texts = [letter * before + character * pairs + letter * after
             for before in (0, 65, 66, 132, 133, 151, 152, 304, 305)
             for pairs in (1, 2, 3, 40)
             for after in (*range(64, 72), *range(150, 156), *range(301, 310))]  # fmt: skip
    assert columnar(list(texts)) == [(measure(text).encoding.value, naive_count(text)) for text in texts]


def test_a_row_without_a_text_has_no_encoding_and_no_segments() -> None:
    assert columnar([None, "Hej", None, "😀" * 36]) == [(None, None), ("GSM-7", 1), (None, None), ("UCS-2", 2)]
