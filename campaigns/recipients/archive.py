"""Read the archive that a workbook is, and refuse what unpacks to more than it says, or to more than is sensible."""

import errno
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from campaigns.errors import InputError

MOST_BYTES: Final = 2**30  #: that all parts of a workbook may unpack to together
SURE_BYTES: Final = 32 * 2**20  #: a part up to this size may be packed as densely as it likes
DENSEST: Final = 200  #: times that a larger part may grow; even rows that are all alike grow less than 100 times
PIECE_BYTES: Final = 2**20
STRANGERS: Final[Mapping[str, str]] = {  # parts that tell of another kind of archive
    "word/document.xml": "a Word document",
    "ppt/presentation.xml": "a PowerPoint presentation",
    "index/document.iwa": "a file of Apple's Numbers, Pages or Keynote",
    "androidmanifest.xml": "an Android app",
    "meta-inf/manifest.mf": "a Java program",
}
DOCUMENTS: Final[Mapping[bytes, str]] = {  # by what the part "mimetype" says
    b"application/vnd.oasis.opendocument.text": "a text document",
    b"application/vnd.oasis.opendocument.presentation": "a presentation",
    b"application/vnd.oasis.opendocument.graphics": "a drawing",
    b"application/epub+zip": "a book (EPUB)",
}
DAMAGE: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Archive:
    """An open workbook."""

    path: Path
    zip: zipfile.ZipFile
    parts: Mapping[str, zipfile.ZipInfo]  #: by their names in lower case

    def read(self, name: str) -> Iterator[bytes]:
        """A part, piece by piece; an InputError where it does not hold what the archive's list says."""
        info = self.parts.get(name.lower())
        if info is None:
            return
        open_ended = copy(info)  # else zipfile would stop at the stated size, and calamine would not
        open_ended.file_size = info.file_size + 1
        length = 0
        with _damage_told(self.path), self.zip.open(open_ended) as part:
            while piece := part.read(PIECE_BYTES):
                length += len(piece)
                yield piece
        if length != info.file_size:
            raise damaged(self.path)

    def check_parts(self) -> None:
        """Unpack every part once: what the list says of it must be true before anything else unpacks it."""
        for part in self.parts:
            for _ in self.read(part):
                pass


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The archive of a workbook; an InputError where it is that of something else, or a trap."""
    with path.open("rb") as file:  # not by zipfile, which keeps it open as long as any part is
        with _damage_told(path):
            opened = zipfile.ZipFile(file)
        infos = opened.infolist()
        _check_sizes(path, infos)
        archive = Archive(path, opened, {info.filename.lower(): info for info in infos})
        if any(info.flag_bits & 1 for info in infos) or _is_encrypted(archive):
            raise locked(path)
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
            raise damaged(path)
        if kind := _stranger(archive):
            raise InputError(f"{path.name} is {kind}, not a table.", fix="Save the list as .xlsx and give that file.")
        yield archive


def damaged(path: Path) -> InputError:
    """What is said of a workbook that cannot be read."""
    fix = "Open it in Excel and save it anew, or copy it here once more."
    return InputError(f"{path.name} is no workbook, or is damaged or cut short.", fix=fix)


def locked(path: Path) -> InputError:
    """What is said of a workbook that nobody can read without its password."""
    fix = "In Excel: File, Info, Protect Workbook, Encrypt; clear it and save."
    return InputError(f"{path.name} is locked with a password.", fix=fix)


def too_large(path: Path, what: str) -> InputError:
    """What is said of a workbook that would take more memory than any list of recipients needs."""
    return InputError(f"{path.name} {what}.", fix="Copy the list into a new workbook, or save it as .csv.")


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise damaged(path) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place before the file's beginning
            raise damaged(path) from error
        raise


def _check_sizes(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    total = sum(info.file_size for info in infos)
    densest = any(
        info.file_size > SURE_BYTES and info.file_size > DENSEST * max(info.compress_size, 1) for info in infos
    )
    if total > MOST_BYTES or densest:
        raise too_large(path, f"would unpack to {total / 2**20:,.0f} MB, which no list of recipients does")


def _is_encrypted(archive: Archive) -> bool:
    """Whether an .ods is under a password: all of it in one part, or each part by itself."""
    manifest = b"".join(archive.read("META-INF/manifest.xml"))
    return "encrypted-package" in archive.parts or b"encryption-data" in manifest


def _stranger(archive: Archive) -> str | None:
    if kind := next((STRANGERS[name] for name in archive.parts if name in STRANGERS), None):
        return kind if "xl/workbook.xml" not in archive.parts else None
    info = archive.parts.get("mimetype")
    if info is None or info.file_size > 100:
        return None
    return DOCUMENTS.get(b"".join(archive.read("mimetype")).strip())
