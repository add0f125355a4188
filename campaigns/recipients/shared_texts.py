"""Refuse an .xlsx in which a few bytes stand for texts that would take all memory."""

from collections.abc import Iterable, Mapping
from typing import Final

from campaigns.recipients.archive import Archive, too_large
from campaigns.recipients.sheet_notes import local, parse_xml

MOST_TEXT: Final = 2**30  #: bytes of all cells together


def check_shared_texts(archive: Archive, sheets: Iterable[str], longest: int, uses: int) -> None:
    """Refuse cells that refer to long texts so often that they would not fit into memory.

    `longest` is the most bytes that a text may have, `uses` the most cells that refer to one: mostly this is enough.
    """
    if longest * uses <= MOST_TEXT:
        return
    lengths = _shared_lengths(archive)
    total = 0
    for part in sheets:
        for index in _shared_uses(archive.read(part)):
            total += lengths[index] if index < len(lengths) else 0
            if total > MOST_TEXT:
                raise too_large(archive.path, "repeats a long text so often that it would not fit into memory")


def _shared_lengths(archive: Archive) -> list[int]:
    lengths: list[int] = []

    def on_start(name: str, _attributes: Mapping[str, str]) -> None:
        if local(name) == "si":
            lengths.append(0)

    def on_text(text: str) -> None:
        if lengths:
            lengths[-1] += len(text)

    part = next(name for name in archive.parts if name.endswith("sharedstrings.xml"))
    parse_xml(archive.read(part), on_start, on_text=on_text)
    return lengths


def _shared_uses(pieces: Iterable[bytes]) -> list[int]:
    uses: list[int] = []
    is_shared = is_value = False

    def on_start(name: str, attributes: Mapping[str, str]) -> None:
        nonlocal is_shared, is_value
        name = local(name)
        if name == "c":
            is_shared = attributes.get("t") == "s"
        is_value = name == "v"

    def on_text(text: str) -> None:
        if is_shared and is_value and text.strip().isdecimal():
            uses.append(int(text))

    parse_xml(pieces, on_start, on_text=on_text)
    return uses
