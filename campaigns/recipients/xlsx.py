"""What the XML of an .xlsx or .xlsm tells beyond its values: read only where a quick look says that there is more."""

import posixpath
import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.recipients.archive import Archive, damaged
from campaigns.recipients.number_formats import BUILT_IN, DateParts, date_parts, number_format
from campaigns.recipients.shared_texts import check_shared_texts
from campaigns.recipients.sheet_notes import MOST_CELLS, MOST_COLUMNS, Format, Notes, check_extent, local, parse_xml

OVERLAP: Final = 600  #: bytes kept of the piece before, so that no tag is missed between two
UNUSUAL: Final = (  # one quick search for all that `_look` looks for, and for little else
    r'r="(?:[A-Za-z]*[0-9]{7}|[A-Za-z]{2,}[0-9])|hidden="[1t]|ht="0|t="e"|:c>|<c(?:[/>\t\n\f\r\v]| [^r]| r[^=]| r=[^"])'
)
HIDDEN: Final = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\s(?:hidden="(?:1|true)"|ht="0(?:\.0*)?")""")
ODD: Final = re.compile(rb'<c(?! r="[A-Za-z]+[0-9]+")[\s/>]')  # a cell written as no spreadsheet program does
TALL: Final = re.compile(rb'r="[A-Za-z]*(?:[2-9][0-9]{6}|1[1-9][0-9]{5}|[0-9]{8})')
ROWS: Final = 1_100_000  #: more than a sheet has where TALL finds nothing
FAR: Final = re.compile(rb'r="([A-Za-z]{2,})[0-9]')
ROW: Final = re.compile(rb'r="[A-Za-z]+([0-9]+)"')
DIGITS: Final = "0123456789"


@dataclass(slots=True)
class Survey:
    """What a quick look at the bytes of a part says."""

    has_errors: bool = False
    needs_xml: bool = False  #: rows are hidden in it, or it is written in an odd way
    styles: set[str] = field(default_factory=set)  #: those of its cells that show values in their own way
    texts: int = 0  #: cells that refer to the shared texts
    longest: int = 0  #: bytes from the end of one shared text to the end of the next
    width: int = 26  #: as many as have one letter, or more


@dataclass(frozen=True, slots=True)
class Xlsx:
    """A workbook that was looked at, every part of it."""

    archive: Archive
    sheets: Mapping[str, str]  #: the part of each sheet, by its name
    formats: Mapping[str, Format]  #: by the number of the style: those that show values in their own way
    surveys: Mapping[str, Survey]

    def notes(self, sheet: str) -> Notes:
        """What there is to know of a sheet before its values are read; an InputError where they would not fit."""
        part = self.sheets.get(sheet, "")
        survey = self.surveys.get(part, Survey())
        formats = {style: self.formats[style] for style in survey.styles}
        ways = {shown for shown in formats.values() if isinstance(shown, DateParts)}
        dates = ways.pop() if len(ways) == 1 else None
        if dates is not None:
            formats = {style: shown for style, shown in formats.items() if shown != dates}
        if survey.has_errors or survey.needs_xml or self._is_vast(part, survey):
            notes = self._read(part, formats, survey)
        else:
            notes = _read_styles(self.archive.read(part), formats) or self._read(part, formats, survey)
        notes.dates = dates
        return notes

    def _is_vast(self, part: str, survey: Survey) -> bool:
        """Whether so many cells lie between the first and the last that it must be known exactly."""
        if survey.width > MOST_COLUMNS or survey.width * ROWS <= MOST_CELLS:
            return survey.width > MOST_COLUMNS
        height = max(int(row) for piece in self.archive.read(part) for row in {*ROW.findall(piece), b"0"})
        return survey.width * height > MOST_CELLS

    def _read(self, part: str, formats: Mapping[str, Format], survey: Survey) -> Notes:
        try:
            notes = _read_sheet(self.archive.read(part), formats, has_errors=survey.has_errors or survey.needs_xml)
        except ValueError as error:
            raise damaged(self.archive.path) from error
        check_extent(self.archive.path, notes)
        return notes


def look_into(archive: Archive) -> Xlsx:
    """Unpack every part once, to know that it is what it says; an InputError where it is not."""
    try:
        formats, sheets = _formats(archive), _sheet_parts(archive)
        parts = {*sheets.values()} & {*archive.parts}
        surveys = {part: _survey(archive, part, formats if part in parts else None) for part in archive.parts}
        longest, uses = (max(each.longest for each in surveys.values()), sum(each.texts for each in surveys.values()))
        check_shared_texts(archive, parts, longest, uses)
    except ValueError as error:
        raise damaged(archive.path) from error
    return Xlsx(archive, sheets, formats, surveys)


def relations(archive: Archive, part: str) -> dict[str, str]:
    """The parts that a workbook refers to, by the names that it has for them."""
    targets: dict[str, str] = {}

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        if local(name) == "Relationship":
            path = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", "").replace("\\", "/")))
            targets[attributes.get("Id", "")] = path.lstrip("/").lower()

    if part in archive.parts:
        try:
            parse_xml(archive.read(part), on_start)
        except ValueError as error:
            raise damaged(archive.path) from error
    return targets


def _formats(archive: Archive) -> dict[str, Format]:
    """The styles of cells whose values are not shown as they are stored, by their numbers."""
    own: dict[str, str] = {}
    styles: list[str] = []
    within = ""

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal within
        name = local(name)
        if name in ("numFmts", "cellXfs", "cellStyleXfs", "dxfs"):
            within = name
        elif name == "numFmt" and within == "numFmts":
            own[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif name == "xf" and within == "cellXfs":
            styles.append(attributes.get("numFmtId", "0"))

    if "xl/styles.xml" in archive.parts:
        parse_xml(archive.read("xl/styles.xml"), on_start)
    built_in = {str(number): code for number, code in BUILT_IN.items()}
    codes = (own.get(style, built_in.get(style, "General")) for style in styles)
    shown = {str(style): date_parts(code) or number_format(code) for style, code in enumerate(codes)}
    return {style: each for style, each in shown.items() if each is not None}


def _survey(archive: Archive, part: str, formats: Mapping[str, Format] | None) -> Survey:
    """A look at any part; with `formats`, at one that is a sheet."""
    survey, before, run = Survey(), b"", 0
    shares = part.endswith("sharedstrings.xml")
    styles = _style_search(formats or ())
    for piece in archive.read(part):
        text = before + piece
        if b"<!DOCTYPE" in text and part.endswith((".xml", ".rels")):
            raise damaged(archive.path)
        if shares:
            first, *others = piece.split(b"</si>")
            survey.longest = max(survey.longest, run + len(first), *map(len, others))
            run = len(others[-1]) if others else run + len(first)
        elif formats is not None:
            survey.styles.update(style.decode() for style in set(styles.findall(text)))
            survey.texts += text.count(b't="s"')
            if pc.match_substring_regex(pa.array([text]), UNUSUAL)[0].as_py():
                _look(text, survey)
        before = text[-OVERLAP:]
    if formats and "0" in formats:
        survey.styles.add("0")  # also that of cells which name none
    return survey


def _style_search(styles: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(rb' s="(%s)"' % ("|".join(styles) or "x").encode())


def _look(text: bytes, survey: Survey) -> None:
    survey.has_errors = survey.has_errors or b't="e"' in text
    survey.needs_xml = (
        survey.needs_xml or HIDDEN.search(text) is not None or TALL.search(text) is not None or _is_odd(text)
    )
    if far := set(FAR.findall(text)):
        survey.width = max(survey.width, *(_place(letters.decode().upper()) + 1 for letters in far))


def _is_odd(text: bytes) -> bool:
    """Whether cells have a prefix or no reference, so that only an XML parser can follow."""
    return b":c>" in text or ODD.search(text, 0, text.rfind(b">") + 1) is not None  # the last tag may be cut


def _sheet_parts(archive: Archive) -> dict[str, str]:
    targets = relations(archive, "xl/_rels/workbook.xml.rels")
    sheets: dict[str, str] = {}

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        if local(name) == "sheet":
            relation = next((text for key, text in attributes.items() if local(key) == "id" and ":" in key), "")
            sheets[attributes.get("name", "")] = targets.get(relation, "")

    if "xl/workbook.xml" in archive.parts:
        parse_xml(archive.read("xl/workbook.xml"), on_start)
    return sheets


def _read_styles(pieces: Iterable[bytes], formats: Mapping[str, Format]) -> Notes | None:
    """The cells in these styles, found without an XML parser; None where that is not sure to find all."""
    if not formats:
        return Notes()
    if "0" in formats:
        return None
    style = _style_search(formats)
    cell = re.compile(rb'<c r="([A-Z]+)([0-9]+)"(?: t="[a-zA-Z]+")?' + style.pattern)
    rows: dict[tuple[bytes, bytes], array[int]] = {}
    rest = b""
    for piece in pieces:
        text = rest + piece
        end = text.rfind(b">") + 1
        found = cell.findall(text, 0, end)
        if len(found) != len(style.findall(text, 0, end)):
            return None
        for letters, row, number in found:
            rows.setdefault((letters, number), array("l")).append(int(row))
        rest = text[end:]
    notes = Notes()
    for (letters, number), marked in rows.items():
        notes.add_format(marked, _place(letters.decode()), formats[number.decode()])
    return notes


def _read_sheet(pieces: Iterable[bytes], formats: Mapping[str, Format], *, has_errors: bool) -> Notes:
    notes = Notes()
    row = place = 0
    is_error = is_value = False

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal row, place, is_error, is_value
        name = local(name)
        is_value = name == "v"
        if name == "c":
            reference = attributes.get("r")
            if reference is None:
                place += 1
            else:
                letters = reference.rstrip(DIGITS)
                row, place = int(reference[len(letters) :]), _place(letters.upper())
            shown = formats.get(attributes.get("s", "0"))
            if shown is not None:
                notes.add_format((row,), place, shown)
            is_error = attributes.get("t") == "e"
        elif is_value or name == "is":
            notes.height, notes.width = max(notes.height, row), max(notes.width, place + 1)
        elif name == "row":
            row = int(attributes["r"]) if "r" in attributes else row + 1
            place = -1
            if attributes.get("hidden") in ("1", "true") or float(attributes.get("ht", "15")) == 0:
                notes.hidden.append(row)

    def on_text(text: str) -> None:
        if is_error and is_value:
            notes.errors.append((row, place, text))

    parse_xml(pieces, on_start, on_text=on_text if has_errors else None)
    return notes


@lru_cache(maxsize=20_000)
def _place(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - 64
    return place - 1
