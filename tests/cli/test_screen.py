"""How a command speaks: streams, gutter, tables, width and colour."""

import io
import re

import pytest

from campaigns.cli.screen import Column, Screen, Stream, gutter, hanging, stream_for, table

ROWS = [("2,204", "Anna Lindberg", "no answer within 30 s"), ("7", "Bo", "connection reset after the request left")]
COLUMNS = (Column("Row", figures=True), Column("Name"), Column("What happened"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_stream(width: int = 80, colour: bool = False) -> Stream:
    return Stream(io.StringIO(), width, colour)


def written(stream: Stream) -> str:
    assert isinstance(stream.file, io.StringIO)
    return stream.file.getvalue()


def test_a_label_is_six_wide_and_all_lines_of_its_text_stand_behind_it() -> None:
    lines = gutter("fix", "--smart writes - instead: 12,528 segments\nand more", 30)
    assert [line.plain for line in lines] == [
        "  fix: --smart writes -",
        "       instead: 12,528",
        "       segments",
        "       and more",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 100])
def test_no_line_is_wider_than_the_screen_even_where_a_word_is(width: int) -> None:
    stream = a_stream(width)
    path = "reports/" + "en-mycket-lång-mapp/" * 8
    stream.write([*gutter("error", f"{path} is open in another program.", width), *table(COLUMNS, ROWS, stream)])
    assert max(len(line) for line in written(stream).splitlines()) <= width


def test_a_letter_of_double_width_counts_as_two() -> None:
    assert [line.plain for line in hanging("  ", "漢字漢字", 6)] == ["  漢字", "  漢字"]


def test_figures_stand_right_and_the_last_column_ends_without_blanks() -> None:
    stream = a_stream()
    stream.write(table(COLUMNS, ROWS, stream))
    assert written(stream).splitlines() == [
        "  Row  Name           What happened",
        "2,204  Anna Lindberg  no answer within 30 s",
        "    7  Bo             connection reset after the request left",
    ]


def test_on_a_narrow_screen_the_last_column_folds_and_then_goes() -> None:
    folded, gone = a_stream(36), a_stream(25)
    folded.write(table(COLUMNS, ROWS, folded))
    gone.write(table(COLUMNS, ROWS, gone))
    assert "no answer\n" in written(folded)
    assert "What" not in written(gone)
    assert "2,204" in written(gone)


@pytest.mark.parametrize(("width", "shown"), [(20, True), (19, False)])
def test_a_word_of_the_last_column_is_never_cut_in_two(width: int, shown: bool) -> None:
    stream = a_stream(width)
    stream.write(table((Column("Campaign"), Column("Sent")), [("vinter", "2026-08-13")], stream))
    assert written(stream).splitlines()[1] == ("vinter    2026-08-13" if shown else "vinter")


def test_a_long_name_folds_so_that_the_figures_and_the_state_stay() -> None:
    stream = a_stream(40)
    columns = (Column("Id", figures=True), Column("Name"), Column("State"), Column("Sent"))
    stream.write(table(columns, [("7", "en mycket lång rubrik på en lista", "done", "-")], stream))
    assert written(stream).splitlines()[1:] == [" 7  en mycket lång        done   -", "    rubrik på en lista"]


def test_what_is_said_by_the_way_may_fail_and_a_result_may_not() -> None:
    with pytest.raises(OSError, match="no space"):
        Stream(FullDisk(), 80).write_raw("figures")
    Stream(FullDisk(), 80, by_the_way=True).write_raw("10:00:00 sending")


class FullDisk(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError("no space")


def test_figures_never_go_where_they_do_not_fit_the_rows_are_stacked() -> None:
    stream = a_stream(20)
    columns = (Column("Name"), *(Column(word, figures=True) for word in ("Messages", "Delivered", "Failed")))
    stream.write(table(columns, [("vinter", "11,916", "10,941", "321")], stream))
    assert [line.split() for line in written(stream).splitlines()] == [
        ["Name", "vinter"],
        ["Messages", "11,916"],
        ["Delivered", "10,941"],
        ["Failed", "321"],
    ]


def test_an_escape_code_in_a_cell_becomes_visible_and_does_nothing() -> None:
    stream = a_stream()
    stream.write(["Anna\x1b[31m\x9b"])
    assert written(stream) == "Anna\ufffd[31m\ufffd\n"


def test_colour_only_repeats_what_the_words_say() -> None:
    plain, coloured = a_stream(), a_stream(colour=True)
    for stream in (plain, coloured):
        stream.write(gutter("error", "The text is empty.", 80))
    assert "\x1b[" in written(coloured)
    assert re.sub(r"\x1b\[[0-9;]*m", "", written(coloured)) == written(plain)


@pytest.mark.parametrize(
    ("color", "environ", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_follows_the_option_then_the_environment_then_the_terminal(
    color: str, environ: dict[str, str], terminal: bool, expected: bool
) -> None:
    file = Terminal() if terminal else io.StringIO()
    assert stream_for(file, color, environ).colour is expected


def test_without_a_terminal_a_screen_is_80_wide() -> None:
    assert stream_for(io.StringIO(), "auto", {"COLUMNS": "300"}).width == 80


def test_numbers_are_masked_unless_they_are_asked_for() -> None:
    stream = a_stream()
    assert Screen(stream, stream).number("+46701740605") == "+46*******05"
    assert Screen(stream, stream, show_numbers=True).number("+46701740605") == "+46701740605"


def test_json_holds_swedish_letters_as_they_are_and_escapes_them_where_the_terminal_lacks_them() -> None:
    raw = io.BytesIO()
    latin = io.TextIOWrapper(raw, encoding="ascii")
    utf = a_stream()
    Screen(utf, utf).show_json({"namn": "Åsa"})
    Screen(Stream(latin, 80), utf).show_json({"namn": "Åsa"})
    assert written(utf) == '{\n  "namn": "Åsa"\n}\n'
    assert rb"\u00c5sa" in raw.getvalue()
