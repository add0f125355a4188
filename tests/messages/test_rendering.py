"""Rendering: what each row's text is, why a row has none, and that columns and single rows agree."""

from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.messages import compile_filter, compile_template, keep, render
from campaigns.model import Chunk

TOO_LONG = "the text needs more than 255 segments, the most that one message can have"
NO_TEXT = "the text would show a list or a function, which is no text"
CELLS = {"Förnamn": ["Anna", "", " "], "Smeknamn": ["", "", "Kim"], "Antal (st)": ["2", "0", "x"]}
OnEmpty = Literal["send", "skip"]


def rendered(chunk: Chunk, text: str, on_empty: OnEmpty = "send") -> list[dict[str, Any]]:
    template = compile_template(text, chunk.cells.column_names)
    rows: list[dict[str, Any]] = next(iter(render([chunk], template, on_empty=on_empty))).table.to_pylist()
    return rows


def texts(chunk: Chunk, text: str) -> list[str | None]:
    return [row["text"] for row in rendered(chunk, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hej {{ förnamn }}!", ["Hej Anna!", "Hej !", "Hej  !"]),
        ("Hej {{ förnamn | default('du') }}!", ["Hej Anna!", "Hej du!", "Hej du!"]),
        ('Hej {{ förnamn | d("du") }}!', ["Hej Anna!", "Hej du!", "Hej du!"]),
        ("Hej {{ förnamn | upper | default('du') }}!", ["Hej ANNA!", "Hej du!", "Hej du!"]),
        ("Hej {{ fo\u0308rnamn }}!", ["Hej Anna!", "Hej !", "Hej  !"]),  # typed where "ö" is two characters
        ('{{ row["Antal (st)"] }} st', ["2 st", "0 st", "x st"]),
        ('{{ row["Antal (st)"] | int + 1 }} st', ["3 st", "1 st", "1 st"]),
        ("{{ row[('Smek', 'namn') | join] }}.", [".", ".", "Kim."]),
        ("{% if smeknamn %}{{ smeknamn }}{% else %}du{% endif %}", ["du", "du", "Kim"]),
        ("{{ 'Hej ' if förnamn }}du", ["Hej du", "du", "Hej du"]),
        ("{% for n in range(3) %}{{ n }}{% endfor %}", ["012"] * 3),
        ("Samma till alla", ["Samma till alla"] * 3),
        ("Rad 1\n\nRad 3\n", ["Rad 1\n\nRad 3"] * 3),
        ("Rad 1\nRad 2\n\n", ["Rad 1\nRad 2\n"] * 3),
        (" <b>&</b> ", [" <b>&</b> "] * 3),
        ("{{ '%5.1f%%1000' | format(antal_st | int) }}", ["  2.0%1000", "  0.0%1000", "  0.0%1000"]),
        ("{{ '%s-%03d' % (antal_st, 7) }} {{ 7 % 4 }}", ["2-007 3", "0-007 3", "x-007 3"]),
        ("{% if förnamn %}{% set smeknamn = förnamn %}{% endif %}{{ smeknamn }}.", ["Anna.", ".", " ."]),
    ],
)
def test_a_text_is_rendered_for_each_row(a_chunk: Any, text: str, expected: list[str]) -> None:
    assert texts(a_chunk(CELLS), text) == expected


@pytest.mark.parametrize("text", ["{{ kod }}", "{{ kod | trim }}"])
@pytest.mark.parametrize("cell", ["{{7*7}}", "{% if x %}", "{#", "<b>", "=1+1", "å€😀", "{{ kod }}"])
def test_a_cell_arrives_as_it_was_typed(a_chunk: Any, text: str, cell: str) -> None:
    assert texts(a_chunk({"Kod": [cell]}), text) == [cell]


def test_a_column_named_row_or_range_is_a_field_like_others(a_chunk: Any) -> None:
    chunk = a_chunk({"row": ["1"], "range": ["2"]})
    assert texts(chunk, "{{ row_2 }} {{ row['row'] }} {{ range }} {{ range | trim }}") == ["1 1 2 2"]


def test_a_header_that_was_typed_in_two_characters_is_found_in_row(a_chunk: Any) -> None:
    assert texts(a_chunk({"Fo\u0308r (n)": ["Anna"]}), 'Hej {{ row["För (n)"] | trim }}') == ["Hej Anna"]


def test_encoding_and_segments_stand_beside_the_text(a_chunk: Any) -> None:
    rows = rendered(a_chunk({"Namn": ["Anna", "Zoë", "é" * 160]}), "{{ namn }}")
    assert [(row["encoding"], row["segments"]) for row in rows] == [("GSM-7", 1), ("UCS-2", 1), ("GSM-7", 1)]


@pytest.mark.parametrize("text", ["Hej {{ namn }}", "Hej {{ namn | trim }}"])
def test_a_skipped_row_stays_as_it_is(a_chunk: Any, text: str) -> None:
    chunk = a_chunk({"Namn": ["Anna", "", "Eva"]}, ["invalid", "duplicate", None])
    rows = rendered(chunk, text, "skip")
    assert rows[:2] == chunk.table.to_pylist()[:2]
    assert rows[2]["text"] == "Hej Eva"


def test_what_the_number_s_reader_said_of_a_row_stays_unless_there_is_more_to_say(a_chunk: Any) -> None:
    chunk = a_chunk({"Namn": ["Anna", "", "Eva"]}).with_columns(
        detail=pa.array(["read as +47"] * 3), column=pa.array(["Mobil"] * 3)
    )
    rows = rendered(chunk, "Hej {{ namn }}")
    assert [(row["detail"], row["column"]) for row in rows] == [
        ("read as +47", "Mobil"),
        ('"Namn" is empty', "Namn"),
        ("read as +47", "Mobil"),
    ]
    kept = next(iter(keep([chunk], compile_filter("namn != 'Eva'", ["Namn"])))).table.to_pylist()
    assert [(row["detail"], row["column"]) for row in kept[1:]] == [
        ("read as +47", "Mobil"),
        ("left out by --where", None),
    ]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("{{ kod }}", "the text is empty"),
        ("{{ kod | trim }}\n", "the text is empty"),
        ("{{ 1 / (kod | int) }}", "the text divides by zero"),
        ("{{ kod.upper }}", NO_TEXT),
        ("{{ range }}", NO_TEXT),
        ("{{ kod.split('x') }}", NO_TEXT),
        ("{{ none }}", NO_TEXT),
        ("{{ kod.längd }}", "the text asks for a part of a cell that is not there"),
        ("{{ row[kod ~ 'dd'] }}", "the text asks for a part of a cell that is not there"),
        ("{{ kod.__class__.__mro__ }}", "the text reaches for something that it may not use"),
        ("{{ row.clear() }}", "the text reaches for something that it may not use"),
        (
            "{{ kod + 1 }}",
            "the text calculates with a cell, which is text until | int or | float reads it",
        ),
        ("{{ 'x' * 999999999999 }}", TOO_LONG),
        ("{{ 'x' * 39015 }}{{ 'x' }}", TOO_LONG),
        ("{{ 'ë' * 20000 }}", TOO_LONG),
        ("x" * 39016, TOO_LONG),
        ("{% for n in range(99999) %}x{% endfor %}", TOO_LONG),
        ("{% for n in range(999999999) %}{% endfor %}", "the text calculates or counts too far"),
        ("{{ 9 ** 9 ** 9 }}", "the text calculates or counts too far"),
        ("{{ '%1000000000s' | format(kod) }}", TOO_LONG),
        ("{{ '%-1000000000s' % kod }}", TOO_LONG),
        ("{{ '%.*f' | format(1000000000, 1.5) }}", TOO_LONG),
        ("{{ '{:1000000000}'.format(kod) }}", "the text reaches for something that it may not use"),
        ("{{ kod.ljust(1000000000) }}", "the text reaches for something that it may not use"),
        (r"{{ '\ud83d' }}", "the text holds half a character"),
        (r"{{ kod | default('\ud83d') }}", "the text holds half a character"),
    ],
)
def test_a_text_that_cannot_be_made_skips_its_row_in_one_sentence(a_chunk: Any, text: str, detail: str) -> None:
    (row,) = rendered(a_chunk({"Kod": [""]}), text)
    assert (row["skip_reason"], row["detail"], row["column"]) == ("render_error", detail, None)
    assert (row["text"], row["encoding"], row["segments"]) == (None, None, None)


def test_one_row_that_fails_leaves_the_others_alone(a_chunk: Any) -> None:
    rows = rendered(a_chunk(CELLS), "{{ 10 // (antal_st | int) }}")
    assert [(row["skip_reason"], row["text"]) for row in rows] == [
        (None, "5"),
        ("render_error", None),
        ("render_error", None),
    ]


@pytest.mark.parametrize(
    ("text", "empty"),
    [  # for each row the column that `detail` speaks of
        ("{{ förnamn }}.", [None, "Förnamn", "Förnamn"]),
        ("{{ förnamn | upper }}.", [None, "Förnamn", "Förnamn"]),
        ("{{ row['Förnamn'] }}.", [None, "Förnamn", "Förnamn"]),
        ("{{ row.Förnamn }}.", [None, "Förnamn", "Förnamn"]),
        ("{{ smeknamn }} {{ förnamn }}.", ["Smeknamn", "Smeknamn", "Förnamn"]),
        ("{{ förnamn | default('du') }}.", [None] * 3),
        ("{{ förnamn | default(default_value='du') }}.", [None] * 3),
        ("{{ förnamn | trim | default('du') }}.", [None] * 3),
        ("{{ förnamn or 'du' }}.", [None] * 3),
        ("{{ smeknamn | default(förnamn) }}.", [None, "Smeknamn", None]),
        ("{{ smeknamn or förnamn }}.", [None, "Smeknamn", None]),
        ("{{ smeknamn or förnamn or 'du' }}.", [None] * 3),
        ("{% if förnamn %}{{ förnamn }}{% endif %}.", [None] * 3),
        ("{% if förnamn == 'x' %}x{% elif smeknamn %}{{ smeknamn }}{% endif %}.", [None] * 3),
        ("{% if förnamn %}{{ smeknamn }}{% endif %}.", ["Smeknamn", "Smeknamn", None]),
        ("{{ förnamn if förnamn else 'du' }}.", [None] * 3),
    ],
)
def test_an_empty_field_without_a_default_is_seen(a_chunk: Any, text: str, empty: list[str | None]) -> None:
    sent, skipped = rendered(a_chunk(CELLS), text), rendered(a_chunk(CELLS), text, "skip")
    assert [row["column"] for row in sent] == empty
    assert [row["column"] for row in skipped] == empty
    assert {row["skip_reason"] for row in sent} == {None}
    assert [row["skip_reason"] for row in skipped] == [column and "empty_field" for column in empty]
    assert [row["text"] is None for row in skipped] == [column is not None for column in empty]
    assert [row["detail"] for row in sent] == [row["detail"] for row in skipped]


def test_an_empty_field_is_named_in_the_detail(a_chunk: Any) -> None:
    details = [row["detail"] for row in rendered(a_chunk(CELLS), "{{ förnamn }}{{ antal_st }}")]
    assert details == [None, '"Förnamn" is empty', '"Förnamn" is empty']
    assert rendered(a_chunk(CELLS), "{{ smeknamn or förnamn }}.")[1]["detail"] == '"Smeknamn" and "Förnamn" are empty'


@pytest.mark.parametrize("on_empty", ["send", "skip"])
def test_an_empty_field_comes_before_the_error_that_it_makes_only_where_it_skips(
    a_chunk: Any, on_empty: OnEmpty
) -> None:
    (row,) = rendered(a_chunk({"Kod": [""]}), "{{ kod }}", on_empty)
    expected = {"send": ("render_error", "the text is empty"), "skip": ("empty_field", '"Kod" is empty')}
    assert (row["skip_reason"], row["detail"]) == expected[on_empty]


def test_a_list_without_columns_gets_the_same_text_for_each_row(a_chunk: Any) -> None:
    assert texts(a_chunk({}, ["invalid", None, None]), "Hej") == [None, "Hej", "Hej"]
    assert texts(a_chunk({}, ["invalid", None, None]), "{{ 'Hej' | upper }}") == [None, "HEJ", "HEJ"]


def test_chunks_are_rendered_one_after_the_other(a_chunk: Any) -> None:
    chunks = [a_chunk({"Namn": ["Anna"]}), a_chunk({"Namn": ["x"]}, ["invalid"]), a_chunk({"Namn": ["Eva", "Åke"]})]
    done = list(render(chunks, compile_template("{{ namn }}", ["Namn"]), on_empty="send"))
    assert [row["text"] for chunk in done for row in chunk.table.to_pylist()] == ["Anna", None, "Eva", "Åke"]


cells = st.text(alphabet="aå {€\u00a0\u2003\x1c\t\n😀ë\u200b", max_size=6)
pieces = st.sampled_from(
    ["Hej ", "{{ a }}", "{{ b }}", "{{ row['A'] }}", "{{ b | default('du') }}", "{{ a | d('') }}", "\n", "€ { ", "😀"]
)
plain_texts = st.lists(pieces, min_size=1, max_size=6).map("".join).filter(str.strip)


programmes = st.sampled_from(
    [
        "Hej ",
        "{{ a | upper }}",
        "{{ row['B'] | trim }}",
        "{{ row.B }}",
        "{{ row | length }}{{ row.get('A') }}",
        "{{ 1 // (a | length) }}",
        "{% if a %}{% set b = a %}{% endif %}{{ b }}",
        "{% set x = b ~ 'x' %}{{ x }}",
        "{% for c in a %}{{ c }}{% set a = c %}{% endfor %}{{ a }}",
    ]
)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), plain_texts, st.sampled_from(["send", "skip"]))
def test_columns_give_what_single_rows_give(
    a_chunk: Any, rows: list[tuple[str, str]], text: str, on_empty: OnEmpty
) -> None:
    chunk = a_chunk({"A": [a for a, _ in rows], "B": [b for _, b in rows]})
    template = compile_template(text, ["A", "B"])
    assert template.pieces is not None
    by_columns = next(iter(render([chunk], template, on_empty=on_empty)))
    one_by_one = next(iter(render([chunk], replace(template, pieces=None), on_empty=on_empty)))
    assert by_columns.table.equals(one_by_one.table)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells, st.booleans()), min_size=1, max_size=8), st.data())
def test_rows_made_together_give_what_jinja_gives_for_each_alone(
    a_chunk: Any, rows: list[tuple[str, str, bool]], data: st.DataObject
) -> None:
    text = data.draw(st.lists(programmes, min_size=1, max_size=4).map("".join))
    chunk = a_chunk(
        {"A": [a for a, _, _ in rows], "B": [b for _, b, _ in rows]}, ["invalid" if r else None for _, _, r in rows]
    )
    template = compile_template(text, ["A", "B"])
    for (a, b, skipped), row in zip(rows, rendered(chunk, text), strict=True):
        alone = None
        with suppress(Exception):
            alone = template.compiled.render({"a": a, "b": b, "row": {"A": a, "B": b}})
        assert row["text"] == (alone if alone and alone.strip() and not skipped else None)


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("förnamn", [True, False, True]),
        ("förnamn == 'Anna'", [True, False, False]),
        ('row["Antal (st)"] == "0"', [False, True, False]),
        ("antal_st | int > 0", [True, False, False]),
        ("förnamn in ['Anna', ''] and not smeknamn", [True, True, False]),
        ("förnamn.startswith('A') or smeknamn == '}}'", [True, False, False]),
    ],
)
def test_a_condition_leaves_out_the_other_rows(a_chunk: Any, expression: str, kept: list[bool]) -> None:
    chunk = a_chunk(CELLS)
    rows = next(iter(keep([chunk], compile_filter(expression, chunk.cells.column_names)))).table.to_pylist()
    assert [row["skip_reason"] for row in rows] == [None if each else "filtered" for each in kept]
    assert [row["detail"] for row in rows] == [None if each else "left out by --where" for each in kept]


def test_a_condition_that_fails_for_a_row_skips_it_with_the_reason(a_chunk: Any) -> None:
    chunk = a_chunk({"Antal": ["2", "0", "1"]}, [None, None, "invalid"])
    rows = next(iter(keep([chunk], compile_filter("1 / (antal | int) < 1", ["Antal"])))).table.to_pylist()
    assert [(row["skip_reason"], row["detail"]) for row in rows] == [
        (None, None),
        ("render_error", "the condition divides by zero"),
        ("invalid", None),
    ]
