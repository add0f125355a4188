"""A file that somebody named: find it, or say the nearest name, and read it as UTF-8."""

from pathlib import Path

from campaigns.errors import InputError
from campaigns.spelling import nearest


def existing_file(
    written: Path, *, folder: Path = Path(), where: str = "", fix: str = "Give {path}.", otherwise: str = ""
) -> Path:
    """The path of the file that was written down, a relative one seen from `folder`; an InputError where none is there.

    The error speaks of the path as it was written. Its `fix` is said with the nearest existing name as {path},
    `otherwise` where no name is near.
    """
    path = folder / written
    try:
        exists, is_folder = path.exists(), path.is_dir()
    except (OSError, ValueError) as error:  # a folder that is not ours to enter, a name that no file can have
        raise InputError(f"{written} cannot be read: {_reason(error)}.", where=where) from error
    if exists and not is_folder:
        return path
    near = nearest(path.name, _names_in(path.parent))
    raise InputError(
        f"{written} is a folder, not a file." if is_folder else f"{written} does not exist.",
        where=where,
        fix=fix.replace("{path}", (written.parent / near).as_posix()) if near else otherwise,
    )


def read_text(path: Path, *, where: str = "") -> str:
    """The text of a UTF-8 file without a byte order mark, its line ends as "\\n"; an InputError where it is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {_reason(error)}.", where=where) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path} is not UTF-8, so its letters cannot be told.",
            where=f"{path.name}, line {line}",
            fix="Save it again with the encoding UTF-8.",
        ) from error
    return text.replace("\r\n", "\n")


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "no file can have this name"


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir() if path.is_file())
    except (OSError, ValueError):  # no such folder, or not ours to read: then there is no name to suggest
        return []
