"""Turn a panic of Rust code into an exception that writes nothing to the terminal by itself."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

STDERR: Final = 2  #: the file descriptor that a panic is written to, whatever Python's sys.stderr is
_ONE_AT_A_TIME: Final = Lock()


class Panic(Exception):
    """Rust code gave up."""


@contextmanager
def quiet_panics() -> Iterator[None]:
    """What others write to the terminal meanwhile comes out afterwards; the account of a panic does not."""
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as held:
        terminal = _redirect(held.fileno())
        try:
            yield
        except BaseException as error:
            # The class of a panic cannot be imported, and is no Exception.
            if type(error).__module__ != "pyo3_runtime":
                raise
            held.truncate(0)
            raise Panic from error
        finally:
            if terminal is not None:
                os.dup2(terminal, STDERR)
                os.close(terminal)
                held.seek(0)
                os.write(STDERR, held.read())


def _redirect(target: int) -> int | None:
    """Send what is written to the terminal elsewhere; where it went before, None where there is no terminal."""
    try:
        sys.stderr and sys.stderr.flush()
        terminal = os.dup(STDERR)
    except OSError:
        return None
    os.dup2(target, STDERR)
    return terminal
