"""`campaigns sandbox`: a pretend service on this machine, which can be told to misbehave."""

from typing import Any

import click

from campaigns.cli.group import Command
from campaigns.cli.options import option

SHARE = click.FloatRange(0, 1)


@click.command(cls=Command)
@option("--port", section="Where", type=click.IntRange(1, 65535), metavar="N", help="Port  [default: a free one]")
@option(
    "--latency",
    "latency_s",
    section="Misbehaviour",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    default=0.0,
    help="Time that each answer takes",
)
@option(
    "--throttle-first",
    section="Misbehaviour",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    help="Answer the first N requests with 429",
)
@option(
    "--throttle",
    "throttle_share",
    section="Misbehaviour",
    type=SHARE,
    metavar="SHARE",
    default=0.0,
    help="Answer this share of requests with 429, such as 0.05",
)
@option(
    "--retry-after",
    "retry_after_s",
    section="Misbehaviour",
    type=click.IntRange(min=0),
    metavar="SECONDS",
    default=1,
    help="What a 429 asks to wait  [default: 1]",
)
@option(
    "--fail-before",
    section="Misbehaviour",
    type=SHARE,
    metavar="SHARE",
    default=0.0,
    help="Answer this share with 500, nothing taken",
)
@option(
    "--fail-after",
    section="Misbehaviour",
    type=SHARE,
    metavar="SHARE",
    default=0.0,
    help="Answer this share with 500, although taken",
)
@option(
    "--refuse",
    section="Misbehaviour",
    is_flag=True,
    help="Refuse numbers that end in 90 to 99, each for a reason of its own",
)
@option(
    "--seed", section="Misbehaviour", type=int, metavar="N", default=1, help="The same N, the same faults  [default: 1]"
)
def sandbox(port: int | None, refuse: bool, **misbehaviour: Any) -> None:
    """A pretend service on this machine. Nothing leaves it; any user name and password log in.

    It speaks the Text API and /v1/messages on 127.0.0.1 until it is stopped, and takes every number unless it is told
    otherwise.

    \b
    Examples:
      campaigns sandbox --port 8080
      campaigns sandbox --latency 0.2 --throttle 0.05 --refuse
    """
    from campaigns.web.carrier import REFUSALS
    from campaigns.web.sandbox import Misbehaviour, run_sandbox

    run_sandbox(port, Misbehaviour(refusals=REFUSALS if refuse else {}, **misbehaviour))
