"""Plan a campaign: every row into the ledger, in the state `planning`, until the yes makes it ready."""

import getpass
import logging
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, Self

import pyarrow.compute as pc
from sqlalchemy import Connection

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock, to_ms
from campaigns.errors import InputError, SettingsError
from campaigns.ledger import Ledger
from campaigns.ledger.campaigns import (
    NewCampaign,
    add_campaign,
    find_status,
    free_name,
    make_ready,
    planning_lease,
    remove_dead_plans,
    remove_plan,
)
from campaigns.ledger.leases import Owner, is_held, keep_alive
from campaigns.ledger.repeats import wait_for_other_plans
from campaigns.ledger.rows import add_messages, add_rows
from campaigns.model import CampaignId, CampaignKind, CampaignStatus, Chunk, Rate, SkipReason
from campaigns.preflight import Preparation, prepare, prepare_numbers
from campaigns.providers.base import capabilities_of
from campaigns.reached import skip_reached
from campaigns.repeats import content_hash, content_of, find_repeated, sent_lately
from campaigns.settings import Account
from campaigns.tally import Preflight, Tally
from campaigns.wording import count, mask, plural

log = logging.getLogger(__name__)

CHUNKS_AT_ONCE: Final = 5  #: whose messages are added together: the index by number is then written a fifth as often


@dataclass(kw_only=True)
class Plan:
    """A campaign in the ledger that waits for the yes: nobody sees it, and nothing of it can be sent.

    Left (`with`) without `make_ready`, it is taken back; so is one whose process was killed, by the next command.
    """

    id: CampaignId
    name: str
    kind: CampaignKind
    renamed_from: str | None  #: the name that was taken, so that this one got a number
    command: str  #: what makes the same plan again
    preflight: Preflight
    account: Account
    sender: str
    rate: Rate
    concurrency: int
    limit: int | None  #: only so many are to go now; the rest is for `resume`
    ledger: Ledger
    clock: Clock
    _owner: Owner
    _content_hash: str
    _open: ExitStack = field(repr=False)
    _is_ready: bool = False

    @property
    def ready(self) -> int:
        """How many messages are to go now."""
        return self.preflight.recipients if self.limit is None else min(self.limit, self.preflight.recipients)

    def sent_lately(self) -> InputError | None:
        """That the same text went to the same people within 7 days; None where it did not, or the numbers were typed.

        They are the same whatever their file is called, however it is sorted, and whoever the messages are from.
        """
        with self.ledger.read() as connection:
            return self._sent_lately(connection)

    def make_ready(self, *, again: bool = False) -> None:
        """The yes: from here on the campaign may be sent, by whoever sends for its account.

        Where the same was sent lately the plan is taken back and `sent_lately` raised, unless that is meant (`again`).
        """
        with self.ledger.write() as connection:
            wait_for_other_plans(connection)
            refusal = None if again else self._sent_lately(connection)
            self._is_ready = refusal is None and make_ready(connection, self.id, self._owner, self._content_hash)
        if refusal is not None:
            self.discard()
            raise refusal
        self._open.close()
        if not self._is_ready:
            raise InputError(
                f"The plan of {self.name} was taken for dead and removed by another command; nothing was sent.",
                fix="Give the same command again.",
            )
        log.info("campaign ready", extra={"campaign": self.id})

    def discard(self) -> None:
        """The no: take the plan back. Does nothing to a campaign that was made ready."""
        if self._is_ready:
            return
        with self.ledger.write() as connection:
            remove_plan(connection, self.id)
        self._open.close()

    def _sent_lately(self, connection: Connection) -> InputError | None:
        now = self.clock.now()
        same = find_repeated(connection, self._content_hash, now)
        if same is None or self.kind is CampaignKind.TEXT:
            return None
        renamed = shlex.join(["--name", self.name]) + " " if self.renamed_from else ""
        return sent_lately(same, self.preflight.recipients, f"{self.command} {renamed}--again", now)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()


def plan(
    campaign: Campaign,
    *,
    ledger: Ledger,
    account: Account,
    limit: int | None = None,
    clock: Clock = SYSTEM_CLOCK,
    preparation: Preparation | None = None,
    on_rows: Callable[[int, int], None] | None = None,
    command: str = "",
) -> Plan:
    """Put every row of the campaign into the ledger and say what would be sent; `send` is the yes.

    `limit` lets only the first messages go, the rest is for `resume`. `preparation` spares a second look at the file.
    `command` is what errors tell people to give again, with an option more; without it the shortest that does.
    Raises InputError where nothing can be sent and SettingsError where the account cannot be used; nothing is left in
    the ledger then.
    """
    ready = preparation or prepare_to_send(campaign)
    command = command or shlex.join(["campaigns", "send", str(campaign.file or campaign.recipients.file)])
    return _plan(campaign, ready, CampaignKind.FILE, ledger, account, limit, clock, on_rows, command)


def prepare_to_send(campaign: Campaign) -> Preparation:
    """Look at the campaign's file and read its text; InputError where either leaves a doubt of what would be sent."""
    return _without_doubt(prepare(campaign))


def plan_text(
    numbers: Sequence[str], campaign: Campaign, *, ledger: Ledger, account: Account, clock: Clock = SYSTEM_CLOCK
) -> Plan:
    """Plan one text to a few numbers, with no file; it is a campaign all the same."""
    preparation = _without_doubt(prepare_numbers(numbers, campaign))
    return _plan(campaign, preparation, CampaignKind.TEXT, ledger, account, None, clock, None, "")


def effective_rate(account: Account, wanted: Rate | None) -> Rate:
    """The rate to send at: an account's own rate is a ceiling; without one the wanted or the provider's default."""
    capabilities = capabilities_of(account)
    if account.rate is None:
        return wanted or capabilities.default_rate
    return account.rate if wanted is None else min(account.rate, wanted, key=lambda rate: rate.per_second)


def _without_doubt(preparation: Preparation) -> Preparation:
    if preparation.template is None:
        raise InputError(
            "There is no text to send.", fix='--message "Hej {{ förnamn }}!", or message in a campaign file.'
        )
    if preparation.recipients.doubt is not None:
        raise preparation.recipients.doubt
    return preparation


def _plan(
    campaign: Campaign,
    preparation: Preparation,
    kind: CampaignKind,
    ledger: Ledger,
    account: Account,
    limit: int | None,
    clock: Clock,
    on_rows: Callable[[int, int], None] | None,
    command: str,
) -> Plan:
    new = _new_campaign(campaign, preparation, kind, account, clock)
    rate = effective_rate(account, campaign.rate)
    owner = Owner.here()
    with ExitStack() as undo:
        campaign_id, name = _add(ledger, campaign, kind, new, owner, clock)
        undo.callback(_remove, ledger, campaign_id)
        undo.enter_context(keep_alive(ledger, planning_lease(campaign_id), owner, clock))
        chunks = preparation.chunks()
        if campaign.not_within is not None:
            chunks = skip_reached(chunks, ledger, to_ms(clock.now() - campaign.not_within))
        preflight, content = _add_rows(ledger, campaign_id, preparation, chunks, owner, limit, clock, on_rows)
        if not preflight.recipients:
            raise _nobody(campaign, kind, preflight)
        figures = {"rows": preflight.rows, "recipients": preflight.recipients}
        log.info("campaign planned", extra={"campaign": campaign_id, "account": account.name, **figures})
        return Plan(
            id=campaign_id,
            name=name,
            kind=kind,
            renamed_from=None if campaign.given_name or name == campaign.default_name else campaign.default_name,
            command=command,
            preflight=preflight,
            account=account,
            sender=new.sender,
            rate=rate,
            concurrency=campaign.concurrency,
            limit=limit,
            ledger=ledger,
            clock=clock,
            _owner=owner,
            _content_hash=content,
            _open=undo.pop_all(),
        )


def _new_campaign(
    campaign: Campaign, preparation: Preparation, kind: CampaignKind, account: Account, clock: Clock
) -> NewCampaign:
    recipients = preparation.recipients
    return NewCampaign(
        kind=kind,
        purpose=campaign.purpose,
        account=account.name,
        sender=_sender(campaign, account),
        source_name=recipients.name if recipients.sheet is None else f'{recipients.name}, sheet "{recipients.sheet}"',
        source_sha256=recipients.sha256,
        columns=recipients.columns,
        settings=campaign.settings()
        | {
            "source": str(campaign.recipients.file.resolve()),
            "found": _found(preparation),
        },
        created_ms=clock.now_ms(),
        created_by=_user(),
    )


def _nobody(campaign: Campaign, kind: CampaignKind, preflight: Preflight) -> InputError:
    """No row can be sent: why, and how to see more."""
    if kind is CampaignKind.TEXT:
        problems = [problem for examples in preflight.examples.values() for problem in examples]
        each = "; ".join(f'"{mask(problem.value)}": {problem.detail}' for problem in problems)
        return InputError(f"None of the numbers can be sent to: {each}.", fix="Correct the number, or give --region.")
    source = campaign.file or campaign.recipients.file
    look = shlex.join(["campaigns", "check", str(source)])
    if preflight.advice:
        advice = preflight.advice[0]
        fix = f"{look} {advice.fix}" if advice.fix.startswith("--") else advice.fix
        return InputError(f"None of the {plural(preflight.rows, 'row')} can be sent. {advice.note}", fix=fix)
    fix = f"See them: {look}"
    if SkipReason.RECENTLY_REACHED in preflight.skipped:  # of which check knows nothing
        fix = "Wait until they may be reached again, or give a shorter --not-within."
    counts = ", ".join(f"{reason} {count(figure)}" for reason, figure in preflight.skipped.items())
    return InputError(
        f"None of the {plural(preflight.rows, 'row')} can be sent: {counts}.",
        where=str(source),
        fix=fix,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may run as a user that has no name
        return ""


def _add(
    ledger: Ledger, campaign: Campaign, kind: CampaignKind, new: NewCampaign, owner: Owner, clock: Clock
) -> tuple[CampaignId, str]:
    wanted = campaign.given_name or ("text" if kind is CampaignKind.TEXT else campaign.default_name)
    with ledger.write() as connection:
        remove_dead_plans(connection, clock.now_ms())
        while True:
            free = free_name(connection, wanted)
            if campaign.given_name and free != wanted:
                raise _name_taken(wanted, find_status(connection, wanted), free)
            campaign_id = add_campaign(connection, free, new, owner)
            if campaign_id is not None:  # else, on PostgreSQL, another was quicker
                return campaign_id, free


def _name_taken(name: str, taken: CampaignStatus | None, free: str) -> InputError:
    if taken is None:
        return InputError(
            f'Another command is planning a campaign "{name}" just now.', fix=f"Give another name: --name {free}"
        )
    left = taken.counts["planned"] + taken.counts["sending"]
    messages = taken.counts["rows"] - taken.counts["skipped"]
    if left:
        return InputError(
            f'There is a campaign "{taken.name}" already: {left:,} of {messages:,} are not sent.',
            fix=f"campaigns resume {taken.name}, or give another name: --name {free}",
        )
    return InputError(
        f'There is a campaign "{taken.name}" already, of {messages:,} messages.',
        fix=f"Give another name: --name {free}",
    )


def _add_rows(
    ledger: Ledger,
    campaign_id: CampaignId,
    preparation: Preparation,
    chunks: Iterator[Chunk],
    owner: Owner,
    limit: int | None,
    clock: Clock,
    on_rows: Callable[[int, int], None] | None,
) -> tuple[Preflight, str]:
    tally = Tally(preparation.recipients, has_text=preparation.template is not None)
    content = 0
    for chunk in _stored(chunks, ledger, campaign_id, owner, limit, clock):
        tally.add(chunk)
        content += content_of(chunk)
        if on_rows is not None:
            on_rows(tally.rows, preparation.recipients.height)
    return tally.result(), content_hash(content)


def _stored(
    chunks: Iterator[Chunk], ledger: Ledger, campaign_id: CampaignId, owner: Owner, limit: int | None, clock: Clock
) -> Iterator[Chunk]:
    """Each Chunk once its rows are in the ledger; the messages of some Chunks follow at once."""
    planned, after = 0, -1
    while True:
        chunk = None
        for chunk in islice(chunks, CHUNKS_AT_ONCE):
            with _as_planner(ledger, campaign_id, owner) as connection:
                add_rows(connection, campaign_id, chunk)
            yield chunk
        if chunk is None:
            return
        left = None if limit is None else max(0, limit - planned)
        with _as_planner(ledger, campaign_id, owner) as connection:
            planned += add_messages(connection, campaign_id, after, clock.now_ms(), left)
        after = pc.max(chunk.table["row"]).as_py() or after


@contextmanager
def _as_planner(ledger: Ledger, campaign_id: CampaignId, owner: Owner) -> Iterator[Connection]:
    with ledger.write() as connection:
        if not is_held(connection, planning_lease(campaign_id), owner):
            raise InputError("The plan was taken for dead and removed by another command.", fix="Give it again.")
        yield connection


def _remove(ledger: Ledger, campaign_id: CampaignId) -> None:
    with ledger.write() as connection:
        remove_plan(connection, campaign_id)


def _found(preparation: Preparation) -> dict[str, object]:
    """What was decided about the file, for the head of the reports."""
    names = ("region", "phone_column", "header_row")
    return {name: getattr(preparation.recipients, name) for name in names}


def _sender(campaign: Campaign, account: Account) -> str:
    sender = campaign.sender or account.sender
    if sender is None:
        how = account.how_to_set("from", secret=False)
        raise SettingsError(
            "It is not said who the messages are from.", fix=f"--from NAME, or {how[0].lower()}{how[1:]}"
        )
    return sender
