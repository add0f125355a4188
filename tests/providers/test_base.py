"""An account is checked against its provider's fields before anything is sent, and shown in words."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import aiohttp
import pytest

from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import SettingsError
from campaigns.model import Message, Rate, Submission
from campaigns.providers.base import (
    BatchTexts,
    Capabilities,
    Counts,
    DuplicateGuard,
    Field,
    Provider,
    Reports,
    capabilities_of,
    in_words,
    list_accounts,
    open_account,
    provider_type,
    secret_fields,
)
from campaigns.settings import Account, Secret, Settings
from tests.memory_keyring import MemoryKeyring, as_system_keyring


class Exempel:
    """A provider that carries nothing, with a field of each kind."""

    name: ClassVar[str] = "exempel"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(name="project", help="Which project", required=True),
        Field(name="api_key", help="Key", secret=True, required=True),
        Field(name="url", help="Address"),
    )

    def __init__(self, account: Account, http: aiohttp.ClientSession, clock: Clock) -> None:
        self.project = account.values["project"]
        self.capabilities = self.capabilities_of(account)

    @classmethod
    def capabilities_of(cls, account: Account) -> Capabilities:
        return Capabilities(default_rate=Rate(7))

    async def check(self) -> str:
        return self.project

    async def submit(self, batch: Sequence[Message]) -> Sequence[Submission]:
        return [Submission(number=message.number, accepted=True) for message in batch]


TYPES: Mapping[str, type[Provider]] = {"exempel": Exempel}


@pytest.fixture(autouse=True)
def keyring() -> Iterator[MemoryKeyring]:
    """The system keyring, empty."""
    with as_system_keyring(backend := MemoryKeyring()):
        yield backend


def account_with(environ: dict[str, str], folder: Path, name: str = "exempel") -> Account:
    """The account that these variables make; the names are without CAMPAIGNS_EXEMPEL_."""
    named = {f"CAMPAIGNS_EXEMPEL_{field}": value for field, value in environ.items()}
    return Settings.load(named, folder, TYPES).account(name)


def errors_of(account: Account) -> list[tuple[str, str, str]]:
    """What, where and how to mend, of all errors of this account."""
    with pytest.raises(SettingsError) as caught:
        provider_type(account, TYPES)
    return [(error.what, error.where, error.fix) for error in (caught.value, *caught.value.also)]


WHOLE = {"PROJECT": "p", "API_KEY": "hemligt"}


def test_an_account_with_all_it_needs_has_the_provider_of_its_type(tmp_path: Path) -> None:
    assert provider_type(account_with(WHOLE, tmp_path), TYPES) is Exempel


def test_what_is_missing_is_said_with_the_variable_and_the_command(tmp_path: Path) -> None:
    assert errors_of(account_with({}, tmp_path)) == [
        (
            "exempel has no project, so it cannot be used.",
            "",
            f"Set CAMPAIGNS_EXEMPEL_PROJECT, or project under [accounts.exempel] in {tmp_path / 'settings.toml'}. "
            "Then: campaigns providers check exempel",
        ),
        (
            "exempel has no api key, so it cannot be used.",
            "",
            "campaigns providers login exempel, or set CAMPAIGNS_EXEMPEL_API_KEY.",
        ),
    ]


def test_a_secret_that_only_the_keyring_has_is_enough(tmp_path: Path, keyring: MemoryKeyring) -> None:
    keyring.kept["campaigns", "exempel/api_key"] = "hemligt"
    assert provider_type(account_with({"PROJECT": "p"}, tmp_path), TYPES) is Exempel


def test_the_keyring_is_asked_only_for_what_is_not_set_elsewhere(tmp_path: Path, keyring: MemoryKeyring) -> None:
    provider_type(account_with(WHOLE, tmp_path), TYPES)
    assert keyring.asked == []


@pytest.mark.parametrize(
    ("extra", "what", "where", "fix"),
    [
        ({"APIKEY": "x"}, '"CAMPAIGNS_EXEMPEL_APIKEY" is no setting of exempel.', "",
         'Write "CAMPAIGNS_EXEMPEL_API_KEY".'),
        ({"URL": "http://example.com/sms"},
         "The url of exempel is plain http, which would show the password on its way to example.com.",
         "CAMPAIGNS_EXEMPEL_URL", "Write https://example.com/sms"),
        ({"RATE": "fast"}, '"fast" is no rate.', "CAMPAIGNS_EXEMPEL_RATE", "Write 50/s, 600/min or 3600/h."),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_an_error_before_any_request(
    tmp_path: Path, extra: dict[str, str], what: str, where: str, fix: str
) -> None:
    assert errors_of(account_with(WHOLE | extra, tmp_path)) == [(what, where, fix)]


def test_an_unknown_key_of_the_settings_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('[accounts.exempel]\nproject = "p"\napi_kye = "x"', encoding="utf-8")
    unknown, missing = errors_of(account_with({}, tmp_path))
    assert unknown == ('"api_kye" is no setting of exempel.', "settings.toml, line 3", 'Write "api_key".')
    assert missing[0] == "exempel has no api key, so it cannot be used."


@pytest.mark.parametrize(
    ("type_", "what", "fix"),
    [
        ("exemple", 'shop is of type "exemple", but no such provider is installed.', 'Write "exempel".'),
        ("other", 'shop is of type "other", but no such provider is installed.', "Installed: exempel"),
    ],
)
def test_an_unknown_type_is_an_error_with_the_nearest(tmp_path: Path, type_: str, what: str, fix: str) -> None:
    account = Settings.load({"CAMPAIGNS_SHOP_TYPE": type_}, tmp_path, TYPES).account("shop")
    assert errors_of(account) == [(what, "CAMPAIGNS_SHOP_TYPE", fix)]


def test_an_account_that_bears_no_providers_name_needs_a_type(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[accounts.shop]", encoding="utf-8")
    ((what, _, fix),) = errors_of(account_with({}, tmp_path, "shop"))
    assert what == "shop has no type, and no provider is called so."
    assert fix.startswith("Set CAMPAIGNS_SHOP_TYPE, or type under [accounts.shop]")


def test_what_login_asks_for_is_known_before_it_is_set(tmp_path: Path) -> None:
    assert [field.name for field in secret_fields(account_with({}, tmp_path), TYPES)] == ["api_key"]


async def test_an_account_is_opened_as_its_provider() -> None:
    account = Account(
        name="shop",
        type="soluno",
        values={"username": "anna", "password": "hemligt"},  # a secret in the wrong place is kept secret all the same
        secrets={"url": Secret("https://example.com")},
    )
    async with aiohttp.ClientSession() as http, open_account(account, http, SYSTEM_CLOCK) as provider:
        assert provider.name == "soluno"


async def test_the_sandbox_without_an_address_never_reaches_the_real_service(tmp_path: Path) -> None:
    account = Settings.load({}, tmp_path).account("sandbox")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(SettingsError, match="The sandbox has no address"):
            async with open_account(account, http, SYSTEM_CLOCK):
                pass
        async with open_account(account.with_url("http://127.0.0.1:9"), http, SYSTEM_CLOCK) as provider:
            assert provider.name == "soluno"


async def test_the_overview_names_accounts_and_providers_and_what_each_lacks(tmp_path: Path) -> None:
    environ = {"CAMPAIGNS_SHOP_TYPE": "exempel", "CAMPAIGNS_SHOP_PROJECT": "p", "CAMPAIGNS_SHOP_API_KEY": "x"}
    lines = await list_accounts(Settings.load(environ, tmp_path, TYPES), SYSTEM_CLOCK, TYPES)
    problems = {line.name: line.problem and line.problem.what for line in lines}
    assert problems == {
        "exempel": "exempel has no project, so it cannot be used.",
        "sandbox": 'sandbox is of type "soluno", but no such provider is installed.',
        "shop": None,
    }
    assert {line.name: line.can and line.can.rate for line in lines} == {
        "exempel": "7/s, in requests",
        "sandbox": None,
        "shop": "7/s, in requests",
    }


async def test_the_sandbox_counts_as_set_up(tmp_path: Path) -> None:
    lines = await list_accounts(Settings.load({}, tmp_path), SYSTEM_CLOCK)
    assert [line.problem for line in lines if line.name == "sandbox"] == [None]


def test_what_an_account_can_do_is_known_without_opening_it_once_it_is_set_up(tmp_path: Path) -> None:
    settings = Settings.load({}, tmp_path)
    sandbox = settings.account("sandbox")
    assert capabilities_of(sandbox.with_url("http://127.0.0.1:9")).batch_size > 1
    with pytest.raises(SettingsError, match="has no address"):
        capabilities_of(sandbox)
    with pytest.raises(SettingsError, match="soluno has no username"):
        capabilities_of(settings.account("soluno"))


def test_capabilities_are_told_in_words() -> None:
    words = in_words(
        Capabilities(
            batch_size=500,
            batch_texts=BatchTexts.PER_RECIPIENT,
            counts=Counts.SEGMENTS,
            default_rate=Rate(0.5),
            schedule_horizon=timedelta(days=7),
            cancel=True,
            duplicate_guard=DuplicateGuard.KEY | DuplicateGuard.LOOKUP,
            reports=frozenset({Reports.WEBHOOK, Reports.POLL}),
            senders=frozenset({"number", "short_code"}),
        )
    )
    assert (words.batch, words.rate, words.schedule) == (
        "up to 500, each with its own text",
        "30/min, in segments",
        "up to 7 days ahead",
    )
    assert (words.cancel, words.validity, words.inbound) == ("yes", "no", "no")
    assert (words.duplicate_guard, words.reports, words.senders) == (
        "look-up of a message and idempotency key",
        "poll, webhook",
        "number, short code",
    )
