"""What a provider is: the contract, what it can do, and how one is opened.

A newcomer adds a provider by one file and an entry point in the group `campaigns.providers` (a class that satisfies
`Provider` and is made by `cls(account, http, clock)`), in this package or in any other.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Flag, StrEnum, auto
from functools import partial
from importlib.metadata import entry_points
from typing import ClassVar, Final, Protocol, TypeGuard

import aiohttp

from campaigns.clock import Clock
from campaigns.errors import SettingsError
from campaigns.model import DeliveryReport, Message, Rate, Submission
from campaigns.settings import SANDBOX, Account, Secret, Settings, check_url, stored_secret, variable
from campaigns.spelling import nearest
from campaigns.wording import plural


class BatchTexts(StrEnum):
    """What the messages of one request may differ in."""

    SAME = "same"  #: one text, many numbers
    PER_RECIPIENT = "per_recipient"


class Counts(StrEnum):
    """The unit in which a provider counts its rate."""

    REQUESTS = "requests"
    MESSAGES = "messages"
    SEGMENTS = "segments"


class DuplicateGuard(Flag):
    """What a provider offers against sending an unknown message twice; it may offer both."""

    NONE = 0
    LOOKUP = auto()  #: it can be asked what became of a reference, and surely knows each that it has taken
    KEY = auto()  #: a reference that it has taken is answered as the first time, and nothing is sent again


class Reports(StrEnum):
    """How delivery reports come."""

    WEBHOOK = "webhook"
    POLL = "poll"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one configured provider can do: delivery plans with it, the contract suite tests it, the docs show it."""

    batch_size: int = 1  #: the most messages of one request
    batch_texts: BatchTexts = BatchTexts.SAME
    counts: Counts = Counts.REQUESTS
    default_rate: Rate  #: in units of `counts`
    schedule_horizon: timedelta | None = None  #: how far ahead it can hold a message; None: not at all
    cancel: bool = False
    validity: bool = False  #: whether it can be told how long the network may try
    duplicate_guard: DuplicateGuard = DuplicateGuard.NONE
    reports: frozenset[Reports] = frozenset()
    inbound: bool = False
    senders: frozenset[str] = frozenset({"alphanumeric", "short_code", "number"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One setting of a provider's accounts: CAMPAIGNS_<NAME>_<FIELD>, or a key under [accounts.<name>]."""

    name: str  #: lower case, such as "username"
    help: str
    secret: bool = False
    required: bool = False


TIMEOUT_S: Final = 30.0  #: the longest that a provider waits for the answer to a request, unless it is told otherwise

COMMON_FIELDS: Final = (  # every account has these, whatever its provider
    Field(name="type", help="The provider; not needed where the account bears the provider's name"),
    Field(name="from", help="Name or number that people see, unless a campaign says otherwise"),
    Field(name="rate", help="At most, such as 50/s or 600/min, over all campaigns of the account"),
)


class Provider(Protocol):
    """One service that carries messages, opened for one account. Only errors of `ProviderError` may leave it.

    Making one only keeps what it is given; the first request is that of `check` or `submit`.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    capabilities: Capabilities

    def __init__(self, account: Account, http: aiohttp.ClientSession, clock: Clock) -> None: ...

    @classmethod
    def capabilities_of(cls, account: Account) -> Capabilities:
        """What an account can do, as its `capabilities` say it once it is open."""

    async def check(self) -> str:
        """Log in, and say in one line for people what was found."""

    async def submit(self, batch: Sequence[Message]) -> Sequence[Submission]:
        """Send at most `capabilities.batch_size` messages, no number twice; one Submission each, matched by number.

        It is one request, since the pace was asked once: a batch that is refused as a whole is a BatchRefused.
        """


class LookupProvider(Provider, Protocol):
    """A provider whose capabilities declare LOOKUP."""

    async def find(self, references: Sequence[str]) -> Sequence[DeliveryReport]:
        """What became of at most `capabilities.batch_size` references; one that was never taken is left out.

        What is left out may be sent again, so that an answer which is not whole must be an error.
        """


class CancelProvider(Provider, Protocol):
    """A provider whose capabilities declare `cancel`."""

    async def cancel(self, provider_id: str) -> bool:
        """Take back a message that has not left yet; False where it has, or where there is none of that id."""


def can_be_asked(provider: Provider) -> TypeGuard[LookupProvider]:
    """Whether the provider can say what became of a reference."""
    return DuplicateGuard.LOOKUP in provider.capabilities.duplicate_guard


def provider_types() -> dict[str, type[Provider]]:
    """Every installed provider by its name."""
    return {point.name: point.load() for point in entry_points(group="campaigns.providers")}


def provider_type(account: Account, types: Mapping[str, type[Provider]] | None = None) -> type[Provider]:
    """The provider of an account, with the account's settings checked against its fields.

    Raises SettingsError for a type that is not installed, an unknown or missing setting, a plain http address, a rate
    or sender that is none. `types` are the installed providers unless given.
    """
    kind = _installed(account, types)
    _complete(account, kind)
    return kind


def capabilities_of(account: Account) -> Capabilities:
    """What an account can do, without opening it; SettingsError where it cannot be used."""
    kind, usable = _usable(account)
    return kind.capabilities_of(usable)


def guard_of(account: Account) -> DuplicateGuard:
    """What an account offers against sending twice, also where it has no address now, as the sandbox between commands.

    Raises SettingsError where it cannot be used for another reason.
    """
    kind = _installed(account, None)
    return kind.capabilities_of(_complete(account, kind)).duplicate_guard


def secret_fields(account: Account, types: Mapping[str, type[Provider]] | None = None) -> tuple[Field, ...]:
    """The settings that the system keyring may hold for an account, whether they are set or not."""
    return tuple(setting for setting in _installed(account, types).fields if setting.secret)


@asynccontextmanager
async def open_account(account: Account, http: aiohttp.ClientSession, clock: Clock) -> AsyncIterator[Provider]:
    """The account's provider, ready to submit; a missing setting is a SettingsError before any request."""
    kind, usable = _usable(account)
    yield kind(usable, http, clock)


# --- What `campaigns providers` shows ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityWords:
    """What an account can do, in words; the field names are the headers of the provider table."""

    batch: str  #: messages of one request
    rate: str  #: unless set, with its unit
    schedule: str
    cancel: str
    validity: str
    duplicate_guard: str
    reports: str
    inbound: str
    senders: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOverview:
    """One line of `campaigns providers`."""

    name: str
    type: str
    can: CapabilityWords | None  #: None: its provider is not installed
    problem: SettingsError | None  #: why it cannot be used yet; None: it is set up


async def list_accounts(
    settings: Settings, clock: Clock, types: Mapping[str, type[Provider]] | None = None
) -> list[AccountOverview]:
    """Every account, and every installed provider that no account bears the name of; sends nothing."""
    installed = provider_types() if types is None else types
    names = sorted({*settings.accounts, *installed})
    async with aiohttp.ClientSession() as http:
        return [_overview(settings.account(name), http, clock, installed) for name in names]


def in_words(capabilities: Capabilities) -> CapabilityWords:
    """What a provider can do, in words for people."""
    horizon, texts = capabilities.schedule_horizon, capabilities.batch_texts
    return CapabilityWords(
        batch="1" if capabilities.batch_size == 1 else f"up to {capabilities.batch_size}, {_BATCH_TEXTS[texts]}",
        rate=f"{capabilities.default_rate}, in {capabilities.counts}",
        schedule="no" if horizon is None else f"up to {plural(horizon.days, 'day')} ahead",
        cancel=_yes_or_no(capabilities.cancel),
        validity=_yes_or_no(capabilities.validity),
        duplicate_guard=" and ".join(_DUPLICATE_GUARDS[guard] for guard in capabilities.duplicate_guard) or "no",
        reports=", ".join(sorted(capabilities.reports)) or "no",
        inbound=_yes_or_no(capabilities.inbound),
        senders=", ".join(sorted(kind.replace("_", " ") for kind in capabilities.senders)),
    )


_BATCH_TEXTS: Final = {BatchTexts.SAME: "all with one text", BatchTexts.PER_RECIPIENT: "each with its own text"}
_DUPLICATE_GUARDS: Final = {
    DuplicateGuard.LOOKUP: "look-up of a message",
    DuplicateGuard.KEY: "idempotency key",
}


def _yes_or_no(can: bool) -> str:
    return "yes" if can else "no"


def _overview(
    account: Account, http: aiohttp.ClientSession, clock: Clock, types: Mapping[str, type[Provider]]
) -> AccountOverview:
    try:
        kind = _installed(account, types)
    except SettingsError as error:
        return AccountOverview(name=account.name, type=account.type, can=None, problem=error)
    known = _with_fields(account, kind)
    stand_ins = {setting.name: "" for setting in kind.fields if setting.required and not setting.secret}
    provider = kind(replace(known, values=stand_ins | dict(known.values)), http, clock)
    return AccountOverview(
        name=account.name,
        type=account.type,
        can=in_words(provider.capabilities),
        problem=_together(_problems(known, kind)),
    )


# --- An account and the fields of its provider -------------------------------------------------------------------


def _installed(account: Account, types: Mapping[str, type[Provider]] | None) -> type[Provider]:
    installed = provider_types() if types is None else types
    if account.type in installed:
        return installed[account.type]
    if "type" not in account.values and account.type == account.name:
        raise SettingsError(
            f"{account.name} has no type, and no provider is called so.",
            fix=f"{account.how_to_set('type', secret=False)} Installed: {', '.join(sorted(installed))}",
        )
    near = nearest(account.type, installed)
    raise SettingsError(
        f'{account.name} is of type "{account.type}", but no such provider is installed.',
        where=account.places.get("type", ""),
        fix=f'Write "{near}".' if near else f"Installed: {', '.join(sorted(installed))}",
    )


def _usable(account: Account) -> tuple[type[Provider], Account]:
    kind = _installed(account, None)
    complete = _complete(account, kind)
    if account.name == SANDBOX and "url" not in complete.values:  # else pretend messages would go to the real service
        raise SettingsError(
            "The sandbox has no address, so it cannot be used.",
            fix=f"Start one with campaigns sandbox, and set {variable(SANDBOX, 'url')} to its address.",
        )
    return kind, complete


def _complete(account: Account, kind: type[Provider]) -> Account:
    """The account as its provider expects it, or a SettingsError with all that is missing and wrong."""
    complete = _with_fields(account, kind)
    if error := _together(_problems(complete, kind)):
        raise error
    return complete


def _with_fields(account: Account, kind: type[Provider]) -> Account:
    """Each setting where its provider expects it; a secret that is set nowhere else comes from the keyring."""
    plain = {setting.name for setting in (*kind.fields, *COMMON_FIELDS) if not setting.secret}
    secret = {setting.name for setting in kind.fields if setting.secret}
    secrets = {name: Secret(value) for name, value in account.values.items() if name not in plain}
    secrets |= {name: value for name, value in account.secrets.items() if name not in plain}
    stored = {name: stored_secret(account.name, name) for name in secret - secrets.keys()}
    secrets |= {name: value for name, value in stored.items() if value}
    values = {name: value for name, value in account.values.items() if name in plain}
    values |= {name: value.reveal() for name, value in account.secrets.items() if name in plain}
    return replace(account, values=values, secrets=secrets)


def _problems(account: Account, kind: type[Provider]) -> Iterator[SettingsError]:
    known = [setting.name for setting in (*kind.fields, *COMMON_FIELDS)]
    given = {**account.values, **account.secrets}
    for name in given:
        if name not in known:
            yield _unknown(account, name, known)
    for setting in kind.fields:
        if setting.required and not given.get(setting.name):
            yield SettingsError(
                f"{account.name} has no {setting.name.replace('_', ' ')}, so it cannot be used.",
                fix=account.how_to_set(setting.name, secret=setting.secret)
                + ("" if setting.secret else f" Then: campaigns providers check {account.name}"),
            )
    urls = (partial(check_url, account, name) for name in account.values if name.endswith("url"))
    checks: tuple[Callable[[], object], ...] = (*urls, lambda: account.sender, lambda: account.rate)
    for check in checks:
        try:
            check()
        except SettingsError as error:
            yield error


def _unknown(account: Account, name: str, known: Sequence[str]) -> SettingsError:
    """An unknown setting, spoken of as it was set: a variable or a key of the settings file."""
    place = account.places.get(name, "")
    as_set = partial(variable, account.name) if place == variable(account.name, name) else str
    near = nearest(name, known)
    return SettingsError(
        f'"{as_set(name)}" is no setting of {account.type}.',
        where=place if as_set is str else "",
        fix=f'Write "{as_set(near)}".' if near else f"Settings: {', '.join(map(as_set, known))}",
    )


def _together(problems: Iterable[SettingsError]) -> SettingsError | None:
    found = list(problems)
    return SettingsError(found[0].what, where=found[0].where, fix=found[0].fix, also=found[1:]) if found else None
