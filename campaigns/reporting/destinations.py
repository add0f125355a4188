"""Where a report goes: checked before the first row, written beside its place, and moved there when whole."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from campaigns.errors import InputError

_OPEN_MARKS: Final = ("~${}", ".~lock.{}#")  #: what Excel and LibreOffice put beside a file that they have open


_LEFTOVER_S: Final = 3600  #: age at which a file that is being written surely no longer is


@dataclass(frozen=True, slots=True)
class Destination:
    """One report: `path` as the user gave it, `place` behind links, `part` the file beside it that is being written."""

    path: Path
    place: Path
    part: Path

    def move(self) -> None:
        """Put the whole file into its place; InputError where that is locked."""
        try:
            self.part.replace(self.place)
        except OSError as error:
            raise unwritable(self.path, error) from error


def check_destinations(paths: Sequence[Path], formats: Sequence[str]) -> list[Destination]:
    """Every report's destination, its folder made; InputError for the first one that cannot be written."""
    destinations = [_destination(path, formats) for path in paths]
    places: set[Path] = set()
    for destination in destinations:
        if destination.place in places:
            raise InputError(
                f"{destination.path} is given twice as a report.",
                fix=f"Give one of them another name: {other_name(destination.path)}",
            )
        places.add(destination.place)
    for destination in destinations:
        _check_place(destination)
    return destinations


def unwritable(path: Path, error: OSError) -> InputError:
    """What a failed write is told as: the file, the system's own words, another name."""
    if isinstance(error, PermissionError):
        return InputError(
            f"{path} is open in another program, or locked.", fix=f"Close it, or give another name: {other_name(path)}"
        )
    return _no_place(path, error)


def other_name(path: Path) -> Path:
    """The first of name-2, name-3 ... that is free."""
    number = 2
    while (other := path.with_stem(f"{path.stem}-{number}")).exists():
        number += 1
    return other


def _destination(path: Path, formats: Sequence[str]) -> Destination:
    if path.suffix.lower() not in formats:
        listed = f"{', '.join(formats[:-1])} or {formats[-1]}"
        raise InputError(f'"{path}" names no format of a report.', fix=f"End the name in {listed}.")
    try:
        place = path.resolve()
    except (OSError, RuntimeError) as error:  # a circle of links is a RuntimeError before Python 3.13
        raise InputError(f"{path} leads nowhere: its links form a circle.", fix=f"Give {other_name(path)}.") from error
    except ValueError as error:
        raise InputError(f"{path} is no name of a file: it holds a NUL character.", fix="Leave it out.") from error
    return Destination(path, place, place.with_name(f".{secrets.token_hex(8)}.part"))


def _check_place(destination: Destination) -> None:
    path, place = destination.path, destination.place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The folder {path.parent} cannot be made: {error.strerror}.", fix=f"Give another place: {path.name}"
        ) from error
    try:
        exists = place.exists()
        destination.part.touch()  # the only sure way to learn whether the folder can be written to
        _remove_leftovers(destination.part)
        destination.part.unlink()
    except OSError as error:
        raise _no_place(path, error) from error
    if place.is_symlink() or (exists and not place.is_file()):  # still a link: it leads in a circle
        raise InputError(
            f"{path} is no file that a report could replace.", fix=f"Give another name: {other_name(path)}"
        )
    marks = (place.with_name(mark.format(place.name)) for mark in _OPEN_MARKS)
    if any(mark.exists() for mark in marks) or (exists and not os.access(place, os.W_OK)):
        raise unwritable(path, PermissionError())


def _remove_leftovers(part: Path) -> None:
    """Remove what reports that were killed left beside this new file: it holds people's numbers, and nobody sees it."""
    oldest = part.stat().st_mtime - _LEFTOVER_S
    for leftover in part.parent.glob(f".{'[0-9a-f]' * 16}.part"):
        with suppress(OSError):  # another report does the same
            if leftover.stat().st_mtime < oldest:
                leftover.unlink()


def _no_place(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written: {error.strerror or error}.", fix=f"Give another place: {path.name}")
