"""Click commands in our manner: loaded when they are run, help in sections, errors in words."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

import click
from click.types import OptionHelpExtra

from campaigns.cli.errors import from_system, from_usage, say_error
from campaigns.cli.session import Session
from campaigns.errors import CampaignsError, ExitStatus, InputError

log = logging.getLogger(__name__)


LOG_JSON: Final = "--log-json"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that is not loaded yet: what the list of commands says of it, and where it is."""

    section: str
    help: str
    place: str  #: "module:attribute"


class Option(click.Option):
    """An option that stands in a section of the help page."""

    def __init__(self, *names: Any, section: str = "Options", **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)  # "[x>=1]" reads like code; a wrong number is told its range
        return extra


class Command(click.Command):
    """A command whose help page has its options in sections, and which takes the options of every command."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += _everywhere()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx  # click forgets it where an option lacks its value
            raise

    def invoke(self, ctx: click.Context) -> Any:
        with ctx.ensure_object(Session).logs():
            return super().invoke(ctx)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _show_this_page(super().get_help_option(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_sections(self, ctx, formatter)


class Group(click.Group):
    """A group that loads a command when it is called, from a table."""

    command_class = Command

    def __init__(self, *args: Any, entries: Mapping[str, Entry] | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.entries = entries or {}
        if not self.entries:  # the root lists these options itself
            self.params += _everywhere()

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.entries, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.entries:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.entries[cmd_name].place.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = get_close_matches(name, self.list_commands(ctx), 1)
            suggestion = f"{ctx.command_path} {near[0]}. " if near else ""
            raise InputError(
                f'{ctx.command_path} has no command "{name}".',
                fix=f"{suggestion}All commands: {ctx.command_path} --help",
            )
        return super().resolve_command(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        return _show_this_page(super().get_help_option(ctx))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        _write_sections(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not self.entries:
            super().format_commands(ctx, formatter)
        widest = max((len(name) for name in self.entries), default=0)
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            rows = [(f"{n:<{widest}}", entry.help) for n, entry in self.entries.items() if entry.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


class Program(Group):
    """The root: runs a command, and turns what went wrong into words on stderr and an exit code."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own
        formatter.write_paragraph()
        formatter.write_text(self.epilog or "")

    def main(  # type: ignore[override]  # click's own has overloads for its modes; ours always ends the process
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        extra.pop("standalone_mode", None)
        session = extra.pop("obj", None) or Session()
        _never_fail_on_a_stream()
        with _sigterm_as_ctrl_c():
            status = self._run(session, args, prog_name or "campaigns", **extra)
        sys.exit(status)

    def _run(self, session: Session, args: Sequence[str] | None, prog_name: str, **extra: Any) -> int:
        width = session.screen.out.width
        try:
            returned = super().main(args, prog_name, standalone_mode=False, obj=session, terminal_width=width, **extra)
        except click.Abort:  # Ctrl-C
            return ExitStatus.INTERRUPTED
        except click.ClickException as error:
            session.log_json |= LOG_JSON in (sys.argv if args is None else args)  # which click may not have come to
            return _say_error(from_usage(error), session)
        except CampaignsError as error:
            return _say_error(error, session)
        except OSError as error:
            return _say_error(from_system(error), session)
        except Exception as error:
            if not session.log_json:
                raise
            with session.logs():
                log.critical("%s: a fault of the program", type(error).__name__, exc_info=True)
            return ExitStatus.PROBLEMS
        return returned if isinstance(returned, int) else ExitStatus.DONE


def _say_error(error: CampaignsError, session: Session) -> ExitStatus:
    with session.logs():
        return say_error(error, session.screen)


def _everywhere() -> list[click.Parameter]:
    """The options that may stand before or after a command; hidden here, the first page shows them."""
    return shared_options(hidden=True)


def shared_options(*, hidden: bool) -> list[click.Parameter]:
    """Those that every command takes: what is said goes to the session, last word wins."""
    return [
        Option(
            ["--database"],
            metavar="URL",
            help="Ledger to use  [env: CAMPAIGNS_DATABASE]",
            hidden=hidden,
            expose_value=False,
            is_eager=True,
            callback=_remember("database"),
        ),
        Option(
            ["--show-numbers"],
            is_flag=True,
            default=None,
            help="Show phone numbers whole",
            hidden=hidden,
            expose_value=False,
            is_eager=True,
            callback=_remember("show_numbers"),
        ),
        Option(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            help="Colour on the screen  [default: auto]",
            hidden=hidden,
            expose_value=False,
            is_eager=True,
            callback=_remember("color"),
        ),
        Option(
            ["--log-level"],
            type=click.Choice(["debug", "info", "warning"]),
            help="What to log on stderr, at least  [default: warning; info with --log-json]",
            hidden=hidden,
            expose_value=False,
            is_eager=True,
            callback=_remember("log_level"),
        ),
        Option(
            [LOG_JSON],
            is_flag=True,
            default=None,
            help="Write all that goes to stderr as JSON lines",
            hidden=hidden,
            expose_value=False,
            is_eager=True,
            callback=_remember("log_json"),
        ),
        Option(
            ["--log-numbers"],
            is_flag=True,
            default=None,
            help="Log phone numbers whole",
            hidden=hidden,
            expose_value=False,
            is_eager=True,
            callback=_remember("log_numbers"),
        ),
    ]


def _remember(attribute: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def remember(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
        if value is not None:
            setattr(ctx.find_object(Session), attribute, value)

    return remember


def _show_this_page(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = "Show this page"
    return option


def _write_sections(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    records: dict[str, list[tuple[str, str]]] = {}
    for param in command.get_params(ctx):
        record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
        if record is not None:
            records.setdefault(getattr(param, "section", ""), []).append(record)
    last = records.pop("", [])  # --help and --version, which click makes
    section = list(records)[-1] if records else "Options"
    records[section] = [*records.get(section, []), *last]
    room = min(formatter.width // 2 - 4, 30)  # what needs more has its text below it
    widest = min(max(len(first) for rows in records.values() for first, _ in rows), room)
    for name, rows in records.items():
        with formatter.section(name):
            formatter.write_dl([(f"{first:<{widest}}", text) for first, text in rows], col_max=room)


def _never_fail_on_a_stream() -> None:
    """A closed stream is an empty one; a terminal that is not UTF-8 shows "?" for what it lacks, and goes on."""
    nowhere = Path(os.devnull)
    sys.stdin = sys.stdin or nowhere.open()  # open as long as the process, like the ones that they stand for
    sys.stdout = sys.stdout or nowhere.open("w")
    sys.stderr = sys.stderr or nowhere.open("w")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a test's own stream may have none
        if reconfigure is not None:
            reconfigure(errors="replace")


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
