"""A workbook that would take all memory, or that is none, is refused before it can; odd but honest ones are read."""

import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from campaigns.errors import InputError
from campaigns.recipients import Layout, open_recipients
from campaigns.recipients.xlsx import UNUSUAL, Survey, _look

CASES = Path(__file__).parent / "cases"
A = "070-174 06 05"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATION = f'<Relationship Id="{{}}" Type="{TYPE}/{{}}" Target="{{}}"/>'
RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
BOOK = (
    f'<workbook xmlns="{MAIN}" xmlns:r="{TYPE}"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
PEOPLE = (
    '<row r="1"><c r="A1" t="str"><v>Mobil</v></c></row>'
    f'<row r="2"><c r="A2" t="str"><v>{A}</v></c></row>'
)  # fmt: skip
FAR = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
ODS_PEOPLE = "".join(
    f'<table:table-row><table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
    "</table:table-row>"
    for text in ("Mobil", A)
)


def xlsx(path: Path, rows: str, before: str = "", after: str = "", texts: str = "", doctype: str = "") -> Path:
    sheet = f'{doctype}<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData>{after}</worksheet>'
    parts = RELATION.format("rId1", "worksheet", "worksheets/sheet1.xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", RELATIONS.format(RELATION.format("rId1", "officeDocument", "xl/workbook.xml")))
        archive.writestr("xl/workbook.xml", BOOK)
        if texts:
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')
            parts += RELATION.format("rId2", "sharedStrings", "sharedStrings.xml")
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format(parts))
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def ods(path: Path, rows: str, manifest: str = "<manifest/>", kind: str = "spreadsheet") -> Path:
    spaces = " ".join(f'xmlns:{name}="{OASIS}:{name}:1.0"' for name in ("office", "table", "text"))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="A">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        list(open_recipients(path, Layout()).chunks())
    assert caught.value.fix
    return caught.value.what


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (PEOPLE + FAR, "has cells as far out as row 1,048,576, column 16,384."),
        (PEOPLE + FAR.replace('"', "'"), "has cells as far out as row 1,048,576, column 16,384."),
        (
            "".join(f"<row><c><v>{row}</v></c></row>" for row in range(60)) + FAR,
            "has cells as far out as row 1,048,576, column 16,384.",
        ),
        (
            PEOPLE + FAR.replace("XFD", "A").replace("1048576", "99999999"),
            "has cells as far out as row 99,999,999, column 1.",
        ),
        (PEOPLE + '<row r="3"><c r="XFE3"><v>1</v></c></row>', "has 16,385 columns, more than 16,384."),
        (PEOPLE + '<row r="3"><c r="ZZZZZ3"><v>1</v></c></row>', "has 12,356,630 columns, more than 16,384."),
        (PEOPLE + '<row r="x"><c r="A3" t="e"><v>1</v></c></row>', "is no workbook, or is damaged or cut short."),
    ],
)  # fmt: skip
def test_cells_far_out_are_refused_before_room_is_made_for_them(tmp_path: Path, rows: str, what: str) -> None:
    assert refusal(xlsx(tmp_path / "lista.xlsx", rows)) == f"lista.xlsx {what}"


@pytest.mark.parametrize(
    "tail",
    [
        '<row r="1048576" s="1"><c r="XFD1048576" s="1"/></row>',
        '<row r="99999"><c r="A99999" t="str"><v> </v></c></row>',
        '<row r="3"><c r="XFD3"/></row>',
    ],
)  # fmt: skip
def test_empty_cells_far_out_are_ignored(tmp_path: Path, tail: str) -> None:
    path = xlsx(tmp_path / "lista.xlsx", PEOPLE + tail, before='<dimension ref="A1:XFD1048576"/>')
    (chunk,) = open_recipients(path, Layout()).chunks()
    assert chunk.cells.to_pylist() == [{"Mobil": A}]


@pytest.mark.parametrize(
    ("repeats", "what"),
    [
        ('table:number-rows-repeated="1048574"|table:number-columns-repeated="16384"', "row 1,048,576, column 16,384."),
        ('table:number-rows-repeated="4000000000"|', "row 4,000,000,002, column 1."),
    ],
)
def test_an_ods_that_repeats_a_cell_over_the_whole_sheet_is_refused(tmp_path: Path, repeats: str, what: str) -> None:
    rows, columns = repeats.split("|")
    cell = (
        f'<table:table-cell office:value-type="float" office:value="1" {columns}><text:p>1</text:p></table:table-cell>'
    )
    path = ods(tmp_path / "lista.ods", f"{ODS_PEOPLE}<table:table-row {rows}>{cell}</table:table-row>")
    assert refusal(path) == f"lista.ods has cells as far out as {what}"


def test_an_ods_that_repeats_an_error_without_end_is_refused(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="0"><text:p>Err:508</text:p></table:table-cell>'
    rows = f'<table:table-row table:number-rows-repeated="1040000">{cell * 2}</table:table-row>'
    assert refusal(ods(tmp_path / "lista.ods", ODS_PEOPLE + rows)) == "lista.ods repeats a cell millions of times."


def test_the_empty_tail_of_an_ods_is_ignored(tmp_path: Path, read: Callable) -> None:
    tail = (
        '<table:table-row table:number-rows-repeated="4000000" table:visibility="collapse">'
        '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    assert read(ods(tmp_path / "lista.ods", ODS_PEOPLE + tail)).cells == [[A]]


def test_a_workbook_that_says_it_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "lista.xlsx", PEOPLE, after=" " * (40 * 2**20))
    assert refusal(path) == "lista.xlsx would unpack to 40 MB, which no list of recipients does."


@pytest.mark.parametrize("said", [10, 5000, 0])
def test_a_workbook_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path, said: int) -> None:
    path = xlsx(tmp_path / "lista.xlsx", PEOPLE, after=" " * (2 * 2**20))
    data = bytearray(path.read_bytes())
    entry = data.rfind(b"PK\x01\x02")  # of the last part, the sheet
    (local,) = struct.unpack_from("<I", data, entry + 42)
    for place in (entry + 24, local + 22):
        struct.pack_into("<I", data, place, said)
    path.write_bytes(data)
    assert refusal(path) == "lista.xlsx is no workbook, or is damaged or cut short."


def test_a_long_text_that_few_bytes_repeat_is_refused(tmp_path: Path) -> None:
    texts = f"<si><t>Mobil</t></si><si><t>{A}</t></si><si><t>{'x' * 1_000_000}</t></si>"
    rows = "".join(f'<row r="{row}"><c r="A{row}" t="s"><v>{min(row - 1, 2)}</v></c></row>' for row in range(1, 1500))
    path = xlsx(tmp_path / "lista.xlsx", rows, texts=texts)
    assert refusal(path) == "lista.xlsx repeats a long text so often that it would not fit into memory."


def test_a_long_text_that_is_hardly_used_is_no_trap(tmp_path: Path, read: Callable) -> None:
    texts = f"<si><t>Mobil</t></si><si><t>{A}</t></si><si><t>{'x' * 1_000_000}</t></si>"
    rows = "".join(f'<row><c t="s"><v>{min(row, 1)}</v></c></row>' for row in range(1199))
    assert len(read(xlsx(tmp_path / "lista.xlsx", rows, texts=texts)).cells) == 1198


def test_a_cell_over_1_mb_is_refused_with_its_row(tmp_path: Path) -> None:
    rows = f'{PEOPLE}<row r="3"><c r="A3" t="str"><v>{"x" * (2**20 + 1)}</v></c></row>'
    with pytest.raises(InputError) as caught:
        open_recipients(xlsx(tmp_path / "lista.xlsx", rows), Layout())
    assert (caught.value.what, caught.value.where) == ("lista.xlsx has a cell of over 1 MB.", 'sheet "A", row 3')


def test_entities_are_refused(tmp_path: Path) -> None:
    doctype = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    path = xlsx(tmp_path / "lista.xlsx", PEOPLE.replace("Mobil", "&b;"), doctype=doctype)
    assert refusal(path) == "lista.xlsx is no workbook, or is damaged or cut short."


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("word/document.xml", "a Word document"), ("ppt/presentation.xml", "a PowerPoint presentation"),
        ("META-INF/MANIFEST.MF", "a Java program"),
        ("Index/Document.iwa", "a file of Apple's Numbers, Pages or Keynote"),
    ],
)  # fmt: skip
def test_an_archive_of_another_kind_says_what_it_is(tmp_path: Path, part: str, kind: str) -> None:
    path = tmp_path / "lista.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(part, "x")
    assert refusal(path) == f"lista.xlsx is {kind}, not a table."


def test_a_text_document_is_no_spreadsheet(tmp_path: Path) -> None:
    path = ods(tmp_path / "lista.ods", ODS_PEOPLE, kind="text")
    assert refusal(path) == "lista.ods is a text document, not a table."


def test_an_ods_under_a_password_says_so(tmp_path: Path) -> None:
    path = ods(tmp_path / "lista.ods", ODS_PEOPLE, manifest="<manifest><encryption-data/></manifest>")
    assert refusal(path) == "lista.ods is locked with a password."


def test_a_part_packed_in_a_way_that_no_spreadsheet_program_uses_is_damage(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "lista.xlsx", PEOPLE)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("xl/more.xml", "<a/>")
    assert refusal(path) == "lista.xlsx is no workbook, or is damaged or cut short."


def test_prefixed_xml_and_cells_without_references_are_read(tmp_path: Path, read: Callable) -> None:
    rows = f"<row><c t='str'><v>Mobil</v></c></row><row hidden='1'><c t='str'><v>{A}</v></c></row>"
    prefixed = rows.replace("</", "</x:").replace("<row", "<x:row").replace("<c", "<x:c").replace("<v", "<x:v")
    for sheet in (rows, prefixed):
        path = tmp_path / "lista.xlsx"
        with zipfile.ZipFile(xlsx(path, "")) as archive, warnings.catch_warnings():
            parts = {name: archive.read(name) for name in archive.namelist()}
        parts["xl/worksheets/sheet1.xml"] = (
            f'<worksheet xmlns="{MAIN}" xmlns:x="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>'.encode()
        )
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        assert read(path).cells == [[A]]
        problems = [problem for chunk in open_recipients(path, Layout()).chunks() for problem in chunk.problems]
        assert [problem.row for problem in problems] == [2]


def test_a_thousand_sheets_are_looked_through(tmp_path: Path, read: Callable) -> None:
    book = openpyxl.Workbook()
    for number in range(300):
        book.create_sheet(f"Blad {number}")
    book["Blad 200"].append(["Mobil"])
    book["Blad 200"].append([A])
    book.save(tmp_path / "lista.xlsx")
    assert read(tmp_path / "lista.xlsx").describe.startswith('lista.xlsx: sheet "Blad 200"')


def test_an_xls_over_which_calamine_would_end_the_process_is_refused(tmp_path: Path) -> None:
    data = bytearray((CASES / "shown.xls").read_bytes())
    extent = data.index(struct.pack("<HH", 0x200, 14)) + 4  # the record that says how far the cells reach
    struct.pack_into("<2I2H", data, extent, 0, 2**32 - 1, 0, 2**16 - 1)
    path = tmp_path / "lista.xls"
    path.write_bytes(data)
    assert refusal(path) == "lista.xls is no workbook, or is damaged or cut short."


def test_a_panic_writes_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = (CASES / "shown.xls").read_bytes()
    path = tmp_path / "lista.xls"
    for end in (5720, 7000):
        path.write_bytes(data[:end])
        assert refusal(path) == "lista.xls is no workbook, or is damaged or cut short."
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("number", "shown_as"), [(46701740605, "[h]:mm"), (-5e12, "[h]:mm"), (1e300, "[h]:mm")])
def test_a_number_that_is_too_large_for_the_time_it_is_shown_as_is_refused_with_its_row(
    tmp_path: Path, number: float, shown_as: str
) -> None:
    book = openpyxl.Workbook()
    for row in (["Namn", "Mobil"], ["Åsa", A], ["Bo", number]):
        book.active.append(row)
    book.active["B3"].number_format = shown_as
    book.save(tmp_path / "lista.xlsx")
    with pytest.raises(InputError) as caught:
        list(open_recipients(tmp_path / "lista.xlsx", Layout()).chunks())
    assert "too large" in caught.value.what
    assert caught.value.where == 'sheet "Sheet", row 3'


@pytest.mark.parametrize(
    "sign",
    [
        '<row r="1" hidden="1">', '<row hidden="true" r="1">', '<x:row r="1" hidden="1">', '<row r="1" ht="0">',
        '<row r="1" ht="0.00">', '<c r="A1" t="e">', '<c r="AA1">', '<c r="xfd1">', '<row r="9999999">',
        '<c r="A1100000">', "<x:c><x:v>1</x:v></x:c>", "<c>", "<c/>", '<c\n r="A1">', '<c\tr="A1">', '<c\vr="A1">',
        '<c s="1" r="A1">', '<c ref="A1">', "<c r='A1'>",
    ],
)  # fmt: skip
def test_the_quick_search_misses_nothing_that_the_closer_ones_find(sign: str) -> None:
    found = Survey()
    _look(sign.encode(), found)
    assert found != Survey()
    assert pc.match_substring_regex(pa.array([sign.encode()]), UNUSUAL)[0].as_py()


def test_the_quick_search_passes_over_what_spreadsheet_programs_write() -> None:
    sheet = b'<cols><col/></cols><row r="999999" ht="15" hidden="0"><c r="Z999999" s="1"><v>46701740605</v></c></row>'
    assert not pc.match_substring_regex(pa.array([sheet]), UNUSUAL)[0].as_py()
