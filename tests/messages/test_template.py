"""Templates: what is refused before anything is sent, and in which words."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.errors import InputError
from campaigns.messages import compile_filter, compile_template, render

COLUMNS = ["Förnamn", "Mobil", "Stad", "Kod", "Förnamn (kort)"]
LISTED = "Columns: förnamn, mobil, stad, kod, förnamn_kort"


def refused(text: str, columns: list[str] = COLUMNS, where: str = "lista.toml, line 9") -> InputError:
    with pytest.raises(InputError) as caught:
        compile_template(text, columns, where=where, source="lista.csv")
    return caught.value


def test_an_unknown_field_is_refused_with_the_nearest_column() -> None:
    error = refused("Hej {{ fornamn }}!")
    assert error.what == "The text uses {{ fornamn }}, but lista.csv has no such column."
    assert error.where == "lista.toml, line 9"
    assert error.fix == f"Write {{{{ förnamn }}}}. {LISTED}"


def test_all_unknown_fields_of_a_text_are_said_at_once() -> None:
    error = refused("{{ fornamn }} {{ fornamn }} {{ stadd }} {{ row['Kodd'] }}")
    assert [each.what.split(",")[0] for each in (error, *error.also)] == [
        "The text uses {{ fornamn }}",
        "The text uses {{ stadd }}",
        'The text uses {{ row["Kodd"] }}',
    ]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("{{ Förnamn (kort) }}", f"Write {{{{ förnamn_kort }}}}. {LISTED}"),
        ("{{ xyzzy }}", LISTED),
        ("{{ xyzzy | default('x') }}", LISTED),  # a default is for empty cells, not for columns that are not there
        ("{% if stadd %}x{% endif %}", f"Write {{{{ stad }}}}. {LISTED}"),
        ("{{ row['Stadt'] }}", 'Write {{ row["Stad"] }}. Columns: Förnamn, Mobil, Stad, Kod, Förnamn (kort)'),
        ("{{ row.stad }}", 'Write {{ row["Stad"] }}. Columns: Förnamn, Mobil, Stad, Kod, Förnamn (kort)'),
        ("{{ self }}", LISTED),
        ("{{ cycler }}", LISTED),
    ],
)
def test_what_is_no_column_is_refused_with_a_way_out(text: str, fix: str) -> None:
    assert refused(text).fix == fix


@pytest.mark.parametrize(
    "braces", ["{Förnamn}", "{ förnamn }", "[förnamn]", "<<Förnamn>>", "<förnamn>", "«Förnamn»", "%förnamn%"]
)
def test_a_column_in_other_braces_would_be_sent_as_it_stands(braces: str) -> None:
    error = refused(f"Hej!\nHej {braces}, du får 20 % av [allt] och 30 % av {{det}}.")
    assert error.what == f"The text has {braces}, which would be sent as it stands."
    assert (error.where, error.fix) == ("lista.toml, line 9, line 2 of the text", "Write {{ förnamn }}.")
    assert not error.also


def test_percentages_around_a_word_are_no_braces() -> None:
    assert compile_template("Spara 20% kod 30%, 20 % stad 30 %.", COLUMNS).pieces


def test_braces_that_are_meant_are_sent(a_chunk: Any) -> None:
    template = compile_template('Hej {{ "{Kod}" }}!', COLUMNS)
    cells = {name: ["x"] for name in COLUMNS}
    assert [chunk.table["text"].to_pylist() for chunk in render([a_chunk(cells)], template, on_empty="send")] == [
        ["Hej {Kod}!"]
    ]


def test_a_list_without_columns_takes_a_text_without_fields() -> None:
    assert refused("Hej {{ namn }}", columns=[]).fix == "Write the text without fields."


def test_a_long_list_of_columns_is_cut() -> None:
    assert refused("{{ x }}", columns=[f"Kolumn {n}" for n in range(30)]).fix.endswith("kolumn_19 and 10 more")


@pytest.mark.parametrize(
    ("text", "wrong", "fix"),
    [
        ("Hej {{ kod", "a {{ or {% is never closed", "Close it with }} or %}."),
        ("Hej {{ kod }", "a {{ is never closed", "Close it with }}."),
        ("{{ Förnamn kort }}", "two names stand side by side", "Write {{ förnamn_kort }}."),
        ("{{ min kod }}", "two names stand side by side", "Write one field in each {{ }}."),
        ("{% if kod %}x", "{% if %} is never closed", "Add {% endif %}."),
        ("x{% endif %}", "{% endif %} has no {% if %} before it", "Take it out, or write {% if ... %}."),
        ("{% else %}", "{% else %} has no {% if %} before it", "Write {% if ... %} before it."),
        (
            "{% if kod %}{% for x in kod %}{% endif %}",
            "{% endif %} stands where {% for %} is still open",
            "Write {% endfor %} before it.",
        ),
        ("{% if kod = 1 %}{% endif %}", '"=" does not compare', "Write == to compare."),
        ("{{ }}", "a name is missing", "Write a field there."),
        ("{{ kod and }}", "a name is missing", "Write a field there."),
        ("{{ kod | }}", "a name is missing", "Write {{ kod }}."),
        ("{{ kod. }}{{ kod }}", "a name is missing", "Write {{ kod }}."),
        ("{{ kod | default(”x”) }}", "” is no quotation mark here", "Write a straight one: \" or '."),
        ("{{ kod | default('x }}", "a quotation mark is never closed", "Close it."),
        ("{{ kod | default( }}", "a ( is never closed", "Close it with )."),
        ("{{ kod! }}", '"!" means nothing between {{ and }}', "Write {{ kod }}."),
        ("{{ kod | upper! }}", '"!" means nothing between {{ and }}', "Take it out."),
        (
            "{# hej",
            "{# begins a comment that is never closed",
            "Close it with #}, or write { # for the characters.",
        ),
        ("{% raw %}x", "{% raw %} is never closed", "Add {% endraw %}."),
        ("{% include 'x' %}", "a message cannot use {% include %}", "Use {% if %}, {% for %} or {% set %}."),
        ("{% macro m() %}{% endmacro %}", "a message cannot use {% macro %}", "Use {% if %}, {% for %} or {% set %}."),
        (
            "{% autoescape true %}{% endautoescape %}",
            "a message cannot use {% autoescape %}",
            "Use {% if %}, {% for %} or {% set %}.",
        ),
        ("{% foo %}", "a message cannot use {% foo %}", "Use {% if %}, {% for %} or {% set %}."),
        (
            "{% for a in kod %}{% for b in kod %}x{% endfor %}{% endfor %}",
            "it has a loop inside a loop",
            "Write one loop after the other.",
        ),
        ("{% for a in kod recursive %}{% endfor %}", "it has a loop inside a loop", "Write one loop after the other."),
        ("{{ " + "(" * 900, "it is too long or too deeply nested", "Mend it, or write the text without {{ and {%."),
        (
            "{{ " + "9" * 5000 + " }}",
            "it is too long or too deeply nested",
            "Mend it, or write the text without {{ and {%.",
        ),
    ],
)
def test_a_mistake_is_named_in_plain_words(text: str, wrong: str, fix: str) -> None:
    error = refused(text)
    assert error.what == f"The text cannot be read: {wrong}."
    assert error.fix == fix


@pytest.mark.parametrize(
    ("where", "expected"),
    [("text.txt", "text.txt, line 2 of the text"), ("", "line 2 of the text")],
)
def test_a_mistake_in_a_longer_text_says_its_line(where: str, expected: str) -> None:
    assert refused("Hej\n{{ fornamn }}", where=where).where == expected
    assert refused("Hej\n{{ kod kod }}", where=where).where == expected


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        ("{{ kod | uper }}", 'The text uses the filter "uper", which does not exist.', "Write upper."),
        (
            "{% if kod %}{{ kod | xyzzy }}{% endif %}",
            'The text uses the filter "xyzzy", which does not exist.',
            "Take it out, or use one such as default, upper, title, trim, replace, int or round.",
        ),
        (
            "{{ [kod, stad] | random }}",
            'The text uses the filter "random", which does not exist.',
            "Take it out, or use one such as default, upper, title, trim, replace, int or round.",
        ),
        ("{{ kod is evn }}", 'The text uses the test "evn", which does not exist.', "Write even."),
    ],
)
def test_an_unknown_filter_or_test_is_refused(text: str, what: str, fix: str) -> None:
    error = refused(text)
    assert (error.what, error.fix) == (what, fix)


@pytest.mark.parametrize(
    ("text", "what"),
    [(" \n", "The text is empty."), ("Hej \udcff", "The text holds bytes that are no letters.")],
)
def test_a_text_that_cannot_be_sent_to_anyone_is_refused(text: str, what: str) -> None:
    assert refused(text).what == what


@pytest.mark.parametrize(
    ("expression", "what", "fix"),
    [
        (
            "stad == Lund",
            "The condition uses Lund, but lista.csv has no such column.",
            f'Put a value into quotes: "Lund". {LISTED}',
        ),
        (
            "stadd == 'Lund'",
            "The condition uses stadd, but lista.csv has no such column.",
            f"Write stad. {LISTED}",
        ),
        ("stad = 'Lund'", 'The condition cannot be read: "=" does not compare.', "Write == to compare."),
        (
            "stad 'Lund'",
            "The condition cannot be read: two names stand side by side.",
            'Write it such as: city == "Lund" and age | int > 17',
        ),
        ("stad }} {{ kod", "The condition cannot be read: }} stands where it cannot.", "Take it out."),
        ("", "The condition is empty.", "Write a condition, or leave it out."),
    ],
)
def test_a_condition_is_refused_in_the_same_way(expression: str, what: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        compile_filter(expression, COLUMNS, source="lista.csv")
    assert (caught.value.what, caught.value.fix) == (what, fix)


fragments = st.lists(
    st.sampled_from(["{{", "}}", "{%", "%}", "{#", " ", "kod", "stad", "if", "endif", "for", "in", "(", ")", "|", "'"])
    | st.sampled_from(["default", ".", "[", "]", "row", "==", "set", "=", "1", "-", "\n", "é", "\\ud83d", "raw", "*"])
    | st.text(max_size=3),
    max_size=14,
).map("".join)


@settings(deadline=None)
@given(fragments)
def test_any_condition_is_either_taken_or_refused_in_words(expression: str) -> None:
    with suppress(InputError):
        compile_filter(expression, COLUMNS)


@settings(deadline=None)
@given(fragments)
def test_any_text_is_refused_in_words_or_gives_each_row_a_text_or_a_reason(a_chunk: Any, text: str) -> None:
    with suppress(InputError):
        template = compile_template(text, ["Stad", "Kod"])
        chunk = a_chunk({"Stad": ["", "Lund"], "Kod": ["{{", "7"]})
        for row in next(iter(render([chunk], template, on_empty="send"))).table.to_pylist():
            assert (row["text"] is None) == (row["skip_reason"] == "render_error")
