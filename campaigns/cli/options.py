"""Options that several commands share: every key of a campaign file, and how one is given on the command line."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from campaigns.cli.group import Option
from campaigns.errors import CampaignsError, InputError

if TYPE_CHECKING:
    from campaigns.campaign import Campaign

F = TypeVar("F", bound=Callable[..., Any])
Keys = Mapping[str, Any]
"""What was said for each key of a campaign; None where nothing was."""


def option(*names: str, section: str, **attributes: Any) -> Callable[[F], F]:
    """An option in a section of the help page."""
    return click.option(*names, cls=Option, section=section, **attributes)


RECIPIENTS: Final = (
    option("--region", section="Recipients", metavar="CODE", help="Country of national numbers  [default: SE]"),
    option("--phone-column", section="Recipients", metavar="NAME", help="Column with the numbers  [default: found]"),
    option(
        "--sheet", section="Recipients", metavar="NAME", help="Sheet of a workbook  [default: the one with numbers]"
    ),
    option("--encoding", section="Recipients", metavar="NAME", help="Encoding of a text file  [default: found]"),
    option("--where", section="Recipients", metavar="TEST", help='Only rows that pass, such as: ort == "Lund"'),
    option(
        "--skip-hidden",
        section="Recipients",
        is_flag=True,
        default=None,
        help="Leave out the rows that a workbook hides",
    ),
    option("--allow-landline", section="Recipients", is_flag=True, default=None, help="Take every valid number"),
)
MESSAGE: Final = (
    option("--message", section="Message", metavar="TEXT", help="Text, with {{ fields }} from the columns"),
    option("--message-file", section="Message", metavar="PATH", help="The same, from a file"),
    option("--from", "from_", section="Message", metavar="SENDER", help="Name or number that people see"),
    option(
        "--on-empty",
        section="Message",
        type=click.Choice(["send", "skip"]),
        metavar="WHAT",
        help="send or skip a row with an empty field  [default: send]",
    ),
    option(
        "--purpose",
        section="Message",
        type=click.Choice(["service", "marketing"]),
        metavar="PURPOSE",
        help="service or marketing  [default: service]",
    ),
)
PROVIDER: Final = option(
    "--provider", section="Delivery", metavar="NAME", help="Account to use  [default: the one that is set up]"
)
RATE: Final = option("--rate", section="Delivery", metavar="RATE", help="At most, such as 50/s or 600/min")
DELIVERY: Final = (
    PROVIDER,
    RATE,
    option(
        "--concurrency",
        section="Delivery",
        type=click.IntRange(min=1),
        metavar="N",
        help="Requests at once at most  [default: 128]",
    ),
)
NOT_WITHIN: Final = option(
    "--not-within",
    section="Safety",
    metavar="TIME",
    help="Skip whom any campaign reached so lately, such as 24h; only send knows",
)
MAX_FAILURES: Final = option(
    "--max-failures",
    section="Safety",
    type=click.IntRange(min=0),
    metavar="N",
    help="Pause after so many failures in a row  [default: 25]",
)
YES: Final = option("--yes", section="Safety", is_flag=True, help="Do not ask; needed without a terminal")
METRICS_PORT: Final = option(
    "--metrics-port",
    section="Output",
    type=click.IntRange(0, 65_535),
    metavar="N",
    help="Show metrics for Prometheus at this port of 127.0.0.1",
)
NAME: Final = option("--name", section="Output", metavar="NAME", help="Name of the campaign  [default: the file's]")
REPORT: Final = option(
    "--report",
    "reports",
    section="Output",
    metavar="PATH",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Also write a report here; may be repeated",
)
JSON: Final = option("--json", "as_json", section="Output", is_flag=True, help="Print it as JSON")


def options(*decorators: Callable[[F], F] | tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """Several options as one decorator, in the order in which the help page shows them."""
    flat = [one for each in decorators for one in (each if isinstance(each, tuple) else (each,))]

    def decorate(command: F) -> F:
        for one in reversed(flat):
            command = one(command)
        return command

    return decorate


def load_campaign(source: str | Path, keys: Keys) -> "Campaign":
    """The campaign of a file, with the options that were given in place of its keys."""
    from campaigns.campaign import Campaign

    given = {key: value for key, value in keys.items() if value is not None}
    with _in_options(given):
        return Campaign.load(source, **given)


def campaign_without_file(keys: Keys) -> "Campaign":
    """The campaign of `text`, whose numbers were typed."""
    from campaigns.campaign import Campaign, RecipientsSource
    from campaigns.model import Rate

    region = "SE" if keys["region"] is None else keys["region"]
    rate = None if keys["rate"] is None else Rate.parse(keys["rate"])
    with _in_options(keys):
        return Campaign(
            recipients=RecipientsSource(  # no file of that name is read
                Path("text"), region=region, allow_landline=bool(keys["allow_landline"])
            ),
            message=keys["message"],
            sender=keys["from_"],
            provider=keys["provider"],
            rate=rate,
        )


def as_typed(arguments: Sequence[str], keys: Keys) -> list[str]:
    """The arguments and the options that were given, word by word, as they may be typed again."""
    words = [*arguments]
    for key, value in keys.items():
        if value is not None:
            words += [_option(key)] if value is True else [_option(key), str(value)]
    return words


def with_option(words: Sequence[str], fix: str) -> list[str] | None:
    """The words of a command with the option that an advice names in place of its old value; None where it is none."""
    try:
        given = shlex.split(fix) if fix.startswith("--") else []
    except ValueError:  # it quotes a cell with half a pair of quotation marks
        return None
    if not 1 <= len(given) <= 2:  # a sentence, or "--region NO or --region DK"
        return None
    kept = [*words]
    if len(given) == 2 and given[0] in kept:
        place = kept.index(given[0])
        del kept[place : place + 2]
    return [*kept, *given]


@contextmanager
def _in_options(given: Keys) -> Iterator[None]:
    """Where a key was given as an option, an error says how to write the option: `name = "x"` as `--name "x"`."""

    def mended(error: CampaignsError) -> CampaignsError:
        fix = error.fix
        if not error.where:
            fix = re.sub(r"\b([a-z_]+) = ", lambda key: f"{_option(key[1])} " if key[1] in given else key[0], fix)
        return InputError(error.what, where=error.where, fix=fix, also=[mended(one) for one in error.also])

    try:
        yield
    except InputError as error:
        raise mended(error) from error


def _option(key: str) -> str:
    return f"--{key.rstrip('_').replace('_', '-')}"
