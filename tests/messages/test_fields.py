"""Fields: what name a header gets in a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.messages import compile_template, field_names
from campaigns.messages.fields import nearest_field


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Förnamn", "förnamn"),
        ("First name", "first_name"),
        ("E-post", "e_post"),
        ("Förnamn (kort)", "förnamn_kort"),
        ("Customer's name", "customers_name"),
        ("Pris/st", "pris_st"),
        ("Namn - kort", "namn_kort"),
        ("2024", "_2024"),
        ("2:a namn", "_2_a_namn"),
        ("_id", "_id"),
        ("ÅÄÖ", "åäö"),
        ("Fo\u0308rnamn", "förnamn"),  # "ö" as a Mac may write it
        ("%", "column_1"),
        ("row", "row_2"),
        ("None", "none_2"),
    ],
)
def test_a_header_becomes_a_name(header: str, name: str) -> None:
    assert field_names([header]) == {header: name}


def test_a_header_whose_name_is_taken_gets_a_number() -> None:
    assert list(field_names(["Namn", "namn", "NAMN", "namn_2"]).values()) == ["namn", "namn_2", "namn_3", "namn_2_2"]


@settings(deadline=None)
@given(st.lists(st.text(max_size=12), unique=True, max_size=5))
def test_no_two_columns_share_a_name(headers: list[str]) -> None:
    names = field_names(headers)
    assert list(names) == headers
    assert len(set(names.values())) == len(headers)


@settings(deadline=None)
@given(st.text(max_size=12))
def test_each_name_can_stand_in_a_text_and_gives_its_cell(header: str) -> None:
    name = field_names([header])[header]
    for text in ("{{ %s }}", "{{ %s | upper }}", "{%% if %s %%}{{ %s }}{%% endif %%}"):
        template = compile_template(text % ((name,) * text.count("%s")), [header])
        assert template.compiled.render({name: "X"}) == "X"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("fornamn", "förnamn"), ("Förnamn", "förnamn"), ("firstname", "first_name"), ("kodd", "kod"), ("xyzzy", None)],
)
def test_the_nearest_name_is_found_whatever_its_accents(written: str, meant: str | None) -> None:
    assert nearest_field(written, ["kod", "first_name", "förnamn"]) == meant
