"""Try an .xls in a process of its own: over some damaged ones calamine runs out of memory, which ends the process."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from campaigns.recipients.archive import damaged

MOST_SECONDS: Final = 120.0
TRIAL: Final = """
import sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
except (ImportError, OSError, ValueError):
    pass
try:
    from python_calamine import CalamineWorkbook
    with open(sys.argv[1], "rb") as file:
        book = CalamineWorkbook.from_filelike(file)
    for name in book.sheet_names:
        book.get_sheet_by_name(name)
except BaseException:
    pass
"""  # what can be told is told by the one who asked: only a process that dies is of interest


def check_survives(path: Path) -> None:
    """Raise an InputError where reading the workbook would end the process."""
    command = [sys.executable, "-P", "-c", TRIAL, str(path)]
    try:
        # The command is ours but for the path, which is an argument of its own.
        ended = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=MOST_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise damaged(path) from error
    if ended.returncode != 0:
        raise damaged(path)
