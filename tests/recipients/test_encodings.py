"""Letters are read as they were written, or the user is asked; never changed in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from campaigns.errors import InputError
from campaigns.recipients import Layout, open_recipients
from campaigns.recipients.encodings import BLOCK_BYTES

LIST = "Förnamn;Mobil\nÅsa Ängström;070-174 06 05\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    def write_bytes(content: bytes) -> Path:
        path = tmp_path / "lista.csv"
        path.write_bytes(content)
        return path

    return write_bytes


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"), ("utf-32", "UTF-32"), ("cp1252", "Windows-1252"), ("iso-8859-1", "Windows-1252"),
    ],
)  # fmt: skip
def test_swedish_letters_survive(write: Callable, read: Callable, codec: str, found: str) -> None:
    table = read(write(LIST.encode(codec)))
    assert (table.columns, table.cells) == (("Förnamn", "Mobil"), [["Åsa Ängström", "070-174 06 05"]])
    assert found in table.describe


@pytest.mark.parametrize("codec", ["cp1252", "iso-8859-15", "mac-roman", "cp850", "utf-8", "utf-16", "utf-16-le"])
def test_a_named_encoding_is_used(write: Callable, read: Callable, codec: str) -> None:
    assert read(write(LIST.encode(codec)), encoding=codec).cells == [["Åsa Ängström", "070-174 06 05"]]


@pytest.mark.parametrize(
    ("text", "codec", "advice"),
    [
        (LIST, "mac-roman", '--encoding Mac-Roman if "Åsa" is right'),
        (LIST, "cp850", '--encoding CP850 if "Förnamn" is right'),
        ("Imię;Mobil\nŁukasz Małysz;070-174 06 05\n", "cp1250", '--encoding cp1250 if "Łukasz" is right'),
        ("Имя;Mobil\nИван Петров;070-174 06 05\n", "cp1251", '--encoding cp1251 if "Имя" is right'),
        ("Namn;Mobil\nŠimon;070-174 06 05\n", "cp1252", '--encoding Windows-1252 if "Šimon" is right'),
    ],
)
def test_what_may_be_read_in_two_ways_is_asked_with_a_word_to_judge_by(
    write: Callable, text: str, codec: str, advice: str
) -> None:
    with pytest.raises(InputError) as caught:
        open_recipients(write(text.encode(codec)), Layout())
    assert caught.value.what == "lista.csv is not UTF-8, and its encoding cannot be told for sure."
    assert advice in caught.value.fix


def test_a_rare_letter_among_ours_is_still_windows_1252(write: Callable, read: Callable) -> None:
    assert read(write(f"{LIST}Šimon;070-174 06 06\n".encode("cp1252"))).cells[1][0] == "Šimon"


@pytest.mark.parametrize("note", ["5 st à 20 kr", "20 °C", "§ 4", "Zoë’s “kod”…", "½ m²", "20 €", "Åsas–Bos", "Café®"])
def test_signs_and_letters_of_daily_use_are_read_as_windows_1252(write: Callable, read: Callable, note: str) -> None:
    assert read(write(f"Mobil;Not\n070-174 06 05;{note}\n".encode("cp1252"))).cells[0][1] == note


@pytest.mark.parametrize("rows", [1, BLOCK_BYTES // 20])
def test_utf8_with_a_broken_byte_anywhere_is_refused_with_its_line(write: Callable, rows: int) -> None:
    content = LIST.encode() + b"Bo;070-174 06 05 xx\n" * rows + "Örjan;070\n".encode("cp1252")
    with pytest.raises(InputError) as caught:
        open_recipients(write(content), Layout())
    assert caught.value.what.startswith("lista.csv is UTF-8 in part only")
    assert caught.value.where == f"lista.csv, line {rows + 3}"


@pytest.mark.parametrize(
    ("codec", "given", "what"),
    [
        ("cp1252", "utf-8", "lista.csv does not fit the encoding UTF-8."),
        ("utf-8", "ascii", "lista.csv does not fit the encoding ascii."),
        ("utf-8", "utf-16", "lista.csv does not fit the encoding UTF-16."),
        ("utf-8", "cp1252", "lista.csv is UTF-8, so Windows-1252 would change its letters."),
        ("utf-8", "latin-1", "lista.csv is UTF-8, so ISO-8859-1 would change its letters."),
        ("utf-8", "utf9", '"utf9" is no encoding.'),
        ("utf-8", "hex", '"hex" is no encoding.'),
        ("utf-8", "undefined", '"undefined" is no encoding.'),
        ("utf-8", "", '"" is no encoding.'),
        ("utf-16", "utf-8", "lista.csv does not fit the encoding UTF-8."),
    ],
)
def test_a_wrong_encoding_is_refused(write: Callable, codec: str, given: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        open_recipients(write(LIST.encode(codec)), Layout(encoding=given))
    assert caught.value.what == what
    assert caught.value.fix


def test_plain_ascii_is_not_read_as_utf_16_by_request(write: Callable) -> None:
    with pytest.raises(InputError, match="UTF-8, so utf-16-le would change its letters"):
        open_recipients(write(b"Namn;Mobil\nBo;070-174 06 05\n"), Layout(encoding="utf-16-le"))


@pytest.mark.parametrize(("given", "half"), [("unicode_escape", r"\ud83d"), ("utf-7", "+2D0-")])
def test_an_encoding_that_makes_half_a_character_is_refused(write: Callable, given: str, half: str) -> None:
    with pytest.raises(InputError, match="does not fit the encoding"):
        open_recipients(write(f"Namn;Mobil\n{half};070-174 06 05\n".encode()), Layout(encoding=given))
