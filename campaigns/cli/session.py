"""What one run of the command line knows before any command begins: the options that every command takes."""

import logging
import os
import shlex
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from getpass import getpass
from typing import TYPE_CHECKING

from campaigns.cli.logs import Level, LogStream, logging_to
from campaigns.cli.screen import UNFOLDED, Color, Screen, stream_for
from campaigns.errors import InputError

if TYPE_CHECKING:  # a command imports what it needs when it runs: see campaigns.cli
    from pathlib import Path

    from campaigns.ledger import Ledger
    from campaigns.settings import Settings


@dataclass(slots=True)
class Session:
    """The environment, and what the options of every command said, before or after the command."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    database: str | None = None
    show_numbers: bool = False
    color: Color = "auto"
    log_json: bool = False  #: stderr is a log, a JSON object a line
    log_level: Level | None = None
    log_numbers: bool = False

    @property
    def screen(self) -> Screen:
        """The two streams as they are now; the width follows the terminal."""
        out = stream_for(sys.stdout, self.color, self.environ)
        if self.log_json:
            return Screen(out, LogStream(sys.stderr, UNFOLDED, by_the_way=True), self.show_numbers)
        err = stream_for(sys.stderr, self.color, self.environ, by_the_way=True)
        return Screen(out, err, self.show_numbers)

    @property
    def can_ask(self) -> bool:
        """Whether somebody is there to answer."""
        return not self.log_json and sys.stdin.isatty() and sys.stderr.isatty()

    def logs(self) -> AbstractContextManager[None]:
        """Let what is logged appear on stderr, in the manner that the options said."""
        err = self.screen.err
        return logging_to(err, self._level, as_json=self.log_json, numbers=self.log_numbers)

    def logs_from(self, level: int) -> bool:
        """Whether lines of this level are logged."""
        return level >= self._level

    @property
    def _level(self) -> int:
        level = self.log_level or ("info" if self.log_json else "warning")
        return logging.getLevelNamesMapping()[level.upper()]

    def command(self, *words: str) -> str:
        """A command as one may type it next, on the same ledger."""
        ledger = ["--database", self.database] if self.database else []
        return shlex.join(["campaigns", *words, *ledger])

    def settings(self) -> "Settings":
        """The accounts, from environment and settings file."""
        from campaigns.settings import Settings

        return Settings.load(self.environ)

    def ledger(self, *, must_exist: bool = False) -> "Ledger":
        """The ledger to use."""
        from campaigns.ledger import open_ledger

        return open_ledger(self.ledger_place(), must_exist=must_exist)

    def ledger_place(self) -> "str | Path | None":
        """Where it lies; the option wins over the environment, that over the settings file, None is the usual place."""
        return self.database or self.settings().database

    def ask(self, question: str) -> bool:
        """Ask on stderr; anything but yes is no."""
        sys.stderr.write(f"{question} [y/N]: ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):  # the end of the input, by Ctrl-D
            sys.stderr.write("\n")
        return answer.strip().lower() in ("y", "yes")

    def ask_secret(self, prompt: str) -> str:
        """Ask without showing what is typed; without a terminal the first line of stdin is taken."""
        secret = getpass(prompt, sys.stderr) if self.can_ask else sys.stdin.readline().rstrip("\r\n")
        if not secret:
            raise InputError("Nothing was given, so nothing was stored.", fix="Type it, or pass it on stdin.")
        return secret
