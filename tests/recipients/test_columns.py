"""The phone column is found by name or by content, or the question is put to the user."""

from collections.abc import Callable

import pytest

from campaigns.errors import InputError

A, B = "070-174 06 05", "070-174 06 06"
MOBILE = ["Mobil", "MOBILNUMMER", "Mobil nr.", "mobil-nr", "Mobiltelefon", "Mobile phone", "Cell", "Handy-Nummer",
          "Matkapuhelin", "Kännykkä", "GSM", "Mobil 1", "Mobiltlf.", "\u00a0mobil\n nummer ", "Téléphone portable",
          "Móvil", "Telemóvel", "Cellulare", "Mobiel", "Telefon komórkowy"]  # fmt: skip
PHONE = [
    "Telefon",
    "Tel.",
    "Telefonnr",
    "Phone",
    "phone_number",
    "Puhelin",
    "Tlf",
    "Tlf nr",
    "Rufnummer",
    "Téléphone",
    "Teléfono",
    "Telefoon",
]


@pytest.mark.parametrize("name", MOBILE + PHONE)
def test_a_column_with_a_phone_name_holds_the_numbers(read_text: Callable, name: str) -> None:
    table = read_text(f'Namn;"{name}";Fax\nÅsa;{A};{B}\n')
    assert [row["phone"] for row in table.rows] == [A]


@pytest.mark.parametrize("name", MOBILE)
def test_a_mobile_name_beats_a_phone_name(read_text: Callable, name: str) -> None:
    table = read_text(f'Telefon;"{name}"\n{A};{B}\n')
    assert [row["phone"] for row in table.rows] == [B]


@pytest.mark.parametrize("name", ["Nummer", "Nr", "Till", "Number"])
def test_a_plain_name_counts_only_where_the_cells_are_numbers(read_text: Callable, name: str) -> None:
    assert read_text(f"{name};Kontakt\n1001;{A}\n").rows[0]["phone"] == A
    assert read_text(f"{name};Kontakt\n{A};Bo\n").rows[0]["phone"] == A


def test_without_a_name_the_column_of_mostly_mobile_numbers_is_taken(read_text: Callable) -> None:
    table = read_text(f"Namn;Kundnr;Kontakt\nÅsa;701740611;{A}\nBo;701740612;{B}\nEva;701740613;saknas\n")
    assert [row["phone"] for row in table.rows] == [A, B, "saknas"]


def test_bare_digits_are_taken_where_no_column_is_written_as_numbers(read_text: Callable) -> None:
    assert read_text("Namn;Kontakt\nÅsa;701740605\n").rows[0]["number"] == 46701740605


@pytest.mark.parametrize(
    ("text", "what", "fix"),
    [
        (
            f"Namn,Mobil,Mobil 2\nÅsa,{A},{B}\n",
            'Two columns hold mobile numbers: "Mobil" and "Mobil 2".',
            '--phone-column "Mobil" or --phone-column "Mobil 2"',
        ),
        (
            f"Mobil,Mobil,Mobil\n{A},{B},{B}\n",
            'Three columns hold mobile numbers: "Mobil", "Mobil 2" and "Mobil 3".',
            '--phone-column "Mobil", --phone-column "Mobil 2" or --phone-column "Mobil 3"',
        ),
        (
            f"Telefon,Phone\n{A},{B}\n",
            'Two columns hold phone numbers: "Telefon" and "Phone".',
            '--phone-column "Telefon" or --phone-column "Phone"',
        ),
        (
            f"Köpare,Säljare\n{A},{B}\n",
            'Two columns hold mobile numbers: "Köpare" and "Säljare".',
            '--phone-column "Köpare" or --phone-column "Säljare"',
        ),
        (
            "Namn,Stad\nÅsa,Lund\n",
            "No column of lista.csv holds phone numbers.",
            "--phone-column NAME. Columns: Namn, Stad",
        ),
    ],
)
def test_what_cannot_be_told_is_asked(read_text: Callable, text: str, what: str, fix: str) -> None:
    with pytest.raises(InputError) as caught:
        read_text(text)
    assert (caught.value.what, caught.value.where, caught.value.fix) == (what, "lista.csv, row 1", fix)


@pytest.mark.parametrize(
    ("land", "mobile"),
    [
        ("Hemtelefon", "Mobil"), ("Telefon hem", "Telefon mobil"), ("Tel arbete", "Mobil"), ("Work phone", "Cell"),
        ("Telefon", "Mobil privat"), ("Phone", "Phone 2"), ("Telefon", "Telefonnummer"),
        ("Hemtelefon", "Telefonnummer"), ("Mobil", "Mobil 2"), ("Home phone", "Other"),
        ("Puhelin", "Puhelin (matkapuhelin)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_first", [True, False])
def test_a_mobile_column_beside_a_land_line_one_is_taken(
    read_text: Callable, land: str, mobile: str, is_first: bool
) -> None:
    rows = [(f"08-123 45 6{n}", f"070-174 06 0{n}") for n in range(5, 10)]
    lines = [(land, mobile), *rows] if is_first else [(mobile, land), *((b, a) for a, b in rows)]
    table = read_text("".join(f"{a};{b}\n" for a, b in lines))
    assert [row["phone"] for row in table.rows] == [mobile for _, mobile in rows]


def test_a_word_in_a_name_is_not_enough_where_the_cells_are_no_numbers(read_text: Callable) -> None:
    assert read_text(f"SMS samtycke;Telefon\nja;{A}\nnej;{B}\n").rows[0]["phone"] == A


def test_of_two_mobile_columns_an_empty_one_is_no_candidate(read_text: Callable) -> None:
    assert read_text(f"Mobil,Mobil 2\n{A},\n").rows[0]["phone"] == A


@pytest.mark.parametrize("asked", ["Säljare", "säljare", " SÄLJARE "])
def test_the_column_asked_for_is_taken(read_text: Callable, asked: str) -> None:
    assert read_text(f"Mobil,Säljare\n{A},{B}\n", phone_column=asked).rows[0]["phone"] == B


def test_a_column_is_asked_for_by_place_where_there_is_no_header(read_text: Callable) -> None:
    assert read_text(f"{A},{B}\n", phone_column="column 2").rows[0]["phone"] == B


def test_a_column_that_is_not_there_is_an_error_with_the_nearest(read_text: Callable) -> None:
    with pytest.raises(InputError) as caught:
        read_text(f"Namn,Mobil\nÅsa,{A}\n", phone_column="Mobl")
    assert caught.value.what == 'lista.csv has no column "Mobl".'
    assert caught.value.fix == 'Write "Mobil". Columns: Namn, Mobil'


def test_titles_above_the_header_count_as_rows_and_are_no_recipients(read_text: Callable) -> None:
    table = read_text(f"Kunder\n\nNamn;Mobil\nÅsa;{A}\n")
    assert (table.columns, table.numbering) == (("Namn", "Mobil"), [4])


def test_a_row_that_says_sms_in_a_cell_is_no_header(read_text: Callable) -> None:
    table = read_text(f"Namn;Kontakt;Kanal\nÅsa;saknas;sms\nBo;{A};sms\n")
    assert (table.columns, table.numbering) == (("Namn", "Kontakt", "Kanal"), [2, 3])


def test_a_title_with_a_number_to_call_is_no_recipient(read_text: Callable) -> None:
    table = read_text(f"Kunder. Frågor? Ring {B}\n\nNamn;Mobil\nÅsa;{A}\n")
    assert (table.columns, table.numbering) == (("Namn", "Mobil"), [4])


def test_a_lone_title_above_an_unnamed_header_is_passed_over(read_text: Callable) -> None:
    table = read_text(f"Kunder\nNamn;Kontakt\nEva;\nÅsa;{A}\n")
    assert (table.columns, table.numbering) == (("Namn", "Kontakt"), [3, 4])


def test_a_column_may_have_a_name_without_letters(read_text: Callable) -> None:
    assert read_text(f"Namn;;#\nÅsa;{A};{B}\n", phone_column="#").rows[0]["phone"] == B


@pytest.mark.parametrize(
    "first",
    [
        A,
        "070-174 06",
        "4.67E+10",
        "+46701740605",
        "08-123 456 78",
        "tel:+46701740605",
        "\u200b070\u2009174",
        "Bo 0701740605",
    ],
)
def test_a_first_row_with_a_number_good_or_bad_is_a_recipient(read_text: Callable, first: str) -> None:
    table = read_text(f"Åsa;{first}\nBo;{B}\n")
    assert (table.columns, table.numbering) == (("column 1", "column 2"), [1, 2])


def test_a_single_column_is_a_list_of_numbers_from_row_1(read_text: Callable) -> None:
    table = read_text(f"070-174 06\n{A}\n", name="nummer.txt")
    assert (table.numbering, table.reasons) == ([1, 2], ["invalid", None])
    assert read_text("Åsa 070-174 06 05\nBo 070-174 06 06\n").numbering == [1, 2]


def test_headers_are_made_unique_and_empty_ones_named(read_text: Callable) -> None:
    table = read_text(f"Namn;Mobil;;Namn;Namn 2;Namn\nÅsa;{A};a;b;c;d\n")
    assert table.columns == ("Namn", "Mobil", "column 3", "Namn 2", "Namn 2 2", "Namn 3")


def test_a_column_of_dates_never_holds_the_numbers(read_text: Callable) -> None:
    table = read_text("Navn;Kontakt;Dato\nBo;20123456;2026-12-24\n", region="DK")  # +45 20261224 would be a number
    assert [row["phone"] for row in table.rows] == ["20123456"]


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("Nom,Contact\nAnne,06 12 34 56 78\nLuc,06 98 76 54 32\n", "--region FR, or --phone-column NAME."),
        ("Nombre;Numero\nAna;612 345 678\nLuis;698 765 432\n", "--region FR, or --region ES, or --phone-column NAME."),
        ("Namn;Poäng\nÅsa;17\nBo;18\n", "--phone-column NAME."),
    ],
)
def test_a_column_of_another_region_is_told_of(read_text: Callable, text: str, fix: str) -> None:
    with pytest.raises(InputError, match="holds phone numbers") as caught:
        read_text(text)
    assert str(caught.value.fix).startswith(fix)


def test_a_text_file_hides_no_rows(read_text: Callable) -> None:
    with pytest.raises(InputError, match="hides no rows"):
        read_text(f"Namn;Mobil\nÅsa;{A}\n", skip_hidden=True)


def test_other_regions_are_looked_for_in_few_columns(read_text: Callable) -> None:
    header, row = (";".join(map(str, range(start, start + 16_000))) for start in (0, 1_000_000))
    with pytest.raises(InputError, match="holds phone numbers") as caught:  # in all of them it would take an hour
        read_text(f"k;{header}\n1;{row}\n")
    assert str(caught.value.fix).endswith("column 20 and 15,981 more")
