"""Letters are read as they were written, or the user is asked; never changed in silence."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from campaigns.errors import InputError
from campaigns.recipients import Layout, open_recipients
from campaigns.recipients.encodings import BLOCK_BYTES, decide_encoding

LIST = "Förnamn;Mobil\nÅsa Ängström;070-174 06 05\n"
NAMES: Final = {
    "Swedish": """
        Åsa Örjan Ängla Märta Håkan Björn Göran Åke Sören Jörgen Pär Mårten Källström Öberg Åkesson Sjögren
        Söderström Lövgren Bäckström Ek-Åström Malmö Göteborg Örebro Växjö Ålesund René Öström Näslund
        Mårtensson ÅSA BJÖRN MÄRTA HÅKAN åsa örjan ängla
    """,
    "Norwegian": """
        Øystein Bjørn Kåre Pål Jørgen Sølvi Ærø Åse Søren Håvard Bjørg Tørris Skjærvø Gjøvik Tromsø Ålesund
        Bodø Håkon Snåsa Øyvind Nærøy Træen Bråten Næss Ødegård Sæther ØYSTEIN KÅRE øystein kåre Rørvik
    """,
    "Danish": """
        Søren Jørgen Bjørn Lærke Æbeltoft Åbo Øster Mørk Nørgaard Kjær Skovgård Ærø Øresund Århus Rønne
        Sønderborg Bølle Hjørring Ølgod Bækgaard Pædersen Købmand Strøm Håndværk Mønsted Sørensen Jørgensen
        Rasmussén Østergaard Tårnby
    """,
    "Finnish": """
        Mäkinen Hämäläinen Jääskeläinen Väinö Päivi Töölö Yrjö Sääski Äänekoski Öhman Häkkinen Räikkönen
        Järvinen Mäkelä Leppänen Lehtimäki Niemelä Tähtinen Pöyry Särkkä Köpman Åbo Sjöblom Österbotten
        Hyvärinen Lämsä Kärkkäinen Myllymäki Tiilikäinen Aarnio-Väänänen
    """,
    "German": """
        Müller Jürgen Strauß Weiß Schröder Böhm Günther Köln München Düsseldorf Übelhör Öttl Ärmel Fröhlich
        Groß Käßmann Bäcker Kühn Schäfer Löwe Sträßle Wüst Hübner Jäger Koß Straße Görlitz Lübeck Würzburg
        GRÜN MÜLLER SCHRÖDER
    """,
    "French": """
        François Hélène André René Zoë Noël Anaïs Loïc Benoît Jérôme Chloé Gaëlle Françoise Théo Léa Raphaël
        Élodie Étienne Mélanie Cécile Aurélie Rhône Château Crémieux Lefèvre Bézier Forêt Guérin Besançon
        Çelik Maïté Côté Lœtitia
    """,
    "Spanish": """
        José María García Muñoz Peña Íñigo Raúl Ramón Díaz López Rodríguez Martínez Núñez Sánchez Óscar
        Ángel Álvaro Inés Jesús Andrés Fernández Pérez Gómez Iñaki Begoña Málaga Cádiz Córdoba Ibáñez Zúñiga
    """,
    "Icelandic": """
        Guðrún Þór Sigurður Björk Jón Ásgeir Óðinn Úlfur Ísak Æsa Ýmir Kristín Þórunn Guðmundsson
        Jóhannsdóttir Hreiðar Svanhvít Sólveig Ragnheiður Hafþór Ægir Örn Steinþór Reykjavík Ísafjörður
        Friðrik Hallgrímur Magnús Ólafur Þóra
    """,
    "Czech": """
        Dvořák Jiří Novotný Černý Procházka Růžička Šimon Žižka Tomáš Lukáš Zdeněk Hájek Král Čapek Beneš
        Kučera Veselý Říha Němec Pokorný Doležal Bartoš Sýkora Štěpánek Fišer Vlček Hošek Ševčík Řezníček
        Břečka
    """,
    "Polish": """
        Łukasz Małysz Wałęsa Zieliński Gdańsk Łódź Żółw Ścibor Kraków Wiśniewski Wójcik Dąbrowski Kozłowski
        Jabłoński Woźniak Kaczyńska Będzin Źródło Świątek Michał Paweł Błaszczyk Grażyna Elżbieta Bożena
        Rafał Jóźwiak Stępień Sikorska-Żak Krzyżewski
    """,
}
WESTERN = ("Swedish", "Norwegian", "Danish", "Finnish", "German", "French", "Spanish", "Icelandic")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes], Path]:
    def write_bytes(content: bytes) -> Path:
        path = tmp_path / "lista.csv"
        path.write_bytes(content)
        return path

    return write_bytes


def encodable(names: list[str], codec: str) -> list[str]:
    return [name for name in names if name == name.encode(codec, "ignore").decode(codec)]


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"),
        ("utf-16-be", "UTF-16-BE"), ("utf-32", "UTF-32"), ("cp1252", "Windows-1252"), ("iso-8859-1", "Windows-1252"),
        ("mac-roman", "Mac-Roman"),
    ],
)  # fmt: skip
def test_swedish_letters_survive(write: Callable, read: Callable, codec: str, found: str) -> None:
    table = read(write(LIST.encode(codec)))
    assert (table.columns, table.cells) == (("Förnamn", "Mobil"), [["Åsa Ängström", "070-174 06 05"]])
    assert found in table.describe


@pytest.mark.parametrize("codec", ["cp1252", "iso-8859-15", "mac-roman", "cp850", "utf-8", "utf-16", "utf-16-le"])
def test_a_named_encoding_is_used(write: Callable, read: Callable, codec: str) -> None:
    assert read(write(LIST.encode(codec)), encoding=codec).cells == [["Åsa Ängström", "070-174 06 05"]]


@pytest.mark.parametrize("language", WESTERN)
@pytest.mark.parametrize("codec", ["cp1252", "mac-roman", "utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_list_of_names_is_read_as_it_was_written(write: Callable, language: str, codec: str) -> None:
    names = encodable(NAMES[language].split(), codec)
    path = write("\r\n".join(["Namn;Mobil", *(f"{name};070-174 06 05" for name in names)]).encode(codec))
    file = open_recipients(path, Layout())
    assert file.doubt is None
    assert [name for chunk in file.chunks() for name in chunk.cells["Namn"].to_pylist()] == names


@pytest.mark.parametrize(("codec", "most_doubts"), [("cp1252", 20), ("mac-roman", 40)])
def test_a_single_name_in_a_file_is_seldom_doubted_and_never_changed_in_silence(
    write: Callable, codec: str, most_doubts: int
) -> None:
    names = [name for name in encodable(" ".join(NAMES.values()).split(), codec) if not name.isascii()]
    assert len(names) >= 200
    doubts = 0
    for name in names:
        content = f"Namn;Mobil\n{name};070-174 06 05\n".encode(codec)
        encoding, doubt = decide_encoding(write(content), None)
        doubts += doubt is not None
        assert doubt or content.decode(encoding) == content.decode(codec), name
    assert doubts <= most_doubts


@pytest.mark.parametrize("language", ["Polish", "Czech"])
@pytest.mark.parametrize("codec", ["cp1250", "iso-8859-2"])
def test_a_list_from_central_europe_is_read_rightly_but_never_without_a_doubt(
    write: Callable, language: str, codec: str
) -> None:
    content = "\n".join(["Namn", *NAMES[language].split()]).encode(codec)
    encoding, doubt = decide_encoding(write(content), None)
    assert content.decode(encoding) == content.decode(codec)
    assert doubt
    assert f"--encoding {encoding} if" in doubt.fix


@pytest.mark.parametrize("name", ["Karin Šmid", "100 \x80", "àéèùç", "Œuvre"])
@pytest.mark.parametrize("codec", ["cp1252", "mac-roman"])
def test_a_rare_letter_alone_in_a_list_is_read_right_or_doubted(write: Callable, name: str, codec: str) -> None:
    content = f"Namn;Mobil\nAnna;070-174 06 05\n{name.replace(chr(0x80), '€')};070-174 06 06\n".encode(codec, "ignore")
    encoding, doubt = decide_encoding(write(content), None)
    assert doubt or content.decode(encoding) == content.decode(codec)
    assert doubt is None or codec != "cp1252" or "--encoding Windows-1252 if" in doubt.fix


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r", "cp1253", "iso-8859-7", "mac-latin2", "cp437"])
def test_what_is_in_another_script_or_code_page_is_never_read_without_a_doubt(write: Callable, codec: str) -> None:
    text = "Имя Иван Петров Наталья Сергей Дмитрий Екатерина Όνομα Γιώργος Παπαδόπουλος Jiří Dvořák Łukasz Förnamn Åsa"
    content = "\n".join(encodable(text.split(), codec)).encode(codec)
    assert decide_encoding(write(content), None)[1] is not None


@pytest.mark.parametrize(
    ("text", "codec", "encoding", "advice"),
    [
        (LIST, "cp850", "CP850", '--encoding CP850 if "Förnamn" is right, --encoding Mac-Roman if "Fîrnamn" is right'),
        ("Imię;Mobil\nŁukasz;070-174 06 05\n", "cp1250", "cp1250", '--encoding cp1250 if "Imię" is right'),
        ("Имя;Mobil\nИван Петров;070-174 06 05\n", "cp1251", "cp1251", '--encoding cp1251 if "Имя" is right'),
        (
            "Namn;Mobil\nAleš;070-174 06 05\n", "cp1252", "Windows-1252",
            '--encoding Windows-1252 if "Aleš" is right, --encoding Mac-Roman if "Aleö" is right',
        ),
    ],
)  # fmt: skip
def test_what_may_be_read_in_two_ways_is_doubted_with_a_word_to_judge_by(
    write: Callable, text: str, codec: str, encoding: str, advice: str
) -> None:
    file = open_recipients(write(text.encode(codec)), Layout())
    assert file.encoding == encoding
    assert file.doubt
    assert file.doubt.what == "lista.csv is not UTF-8, and its encoding cannot be told for sure."
    assert file.doubt.where.startswith("lista.csv, line ")
    assert advice in file.doubt.fix


def test_a_named_encoding_is_not_doubted(write: Callable) -> None:
    content = "Namn;Mobil\nAleš;070-174 06 05\n".encode("cp1252")
    assert open_recipients(write(content), Layout(encoding="cp1252")).doubt is None


@pytest.mark.parametrize("rows", [1, BLOCK_BYTES // 20])
def test_a_word_in_another_encoding_at_the_end_of_a_list_is_doubted_with_its_line(write: Callable, rows: int) -> None:
    content = LIST.encode("cp1252") + b"Bo;070-174 06 05 xx\n" * rows + "Märta;070\n".encode("mac-roman")
    name, doubt = decide_encoding(write(content), None)
    assert name == "Windows-1252"
    assert doubt
    assert doubt.where == f"lista.csv, line {rows + 3}"
    assert doubt.fix.startswith('--encoding Mac-Roman if "Märta" is right')


@pytest.mark.parametrize("shift", range(-3, 3))
def test_a_word_across_the_blocks_that_are_read_is_one_word(write: Callable, shift: int) -> None:
    start = LIST.encode("mac-roman")
    content = start + b"x" * (BLOCK_BYTES - len(start) - 2 + shift) + "\nMärta;070".encode("mac-roman")
    assert decide_encoding(write(content), None) == ("Mac-Roman", None)


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
