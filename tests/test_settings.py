"""Accounts come from the environment, the settings file and the keyring, in this order; secrets never show."""

import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked

from campaigns.errors import SettingsError
from campaigns.model import Rate
from campaigns.settings import Account, Secret, Settings, check_url, store_secret, stored_secret
from tests.memory_keyring import MemoryKeyring, as_system_keyring

WriteSettings = Callable[[str], Path]

INSTALLED = ("soluno", "exempel")


@pytest.fixture
def write(tmp_path: Path) -> WriteSettings:
    """Writes settings.toml and gives its folder."""

    def write(toml: str) -> Path:
        (tmp_path / "settings.toml").write_text(toml, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def keyring() -> Iterator[MemoryKeyring]:
    """The system keyring, empty."""
    with as_system_keyring(backend := MemoryKeyring()):
        yield backend


def error_of(folder: Path, environ: dict[str, str] | None = None, name: str | None = None) -> SettingsError:
    """What loading the settings, or asking for the account, raises."""
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ or {}, folder, INSTALLED).account(name)
    return caught.value


# --- What is read ------------------------------------------------------------------------------------------


def test_an_account_of_the_settings_file_has_its_values_and_secrets(write: WriteSettings) -> None:
    folder = write('[accounts.shop]\ntype = "soluno"\nusername = "anna"\npassword = "x"\nfrom = "Shop"\nrate = "5/s"')
    account = Settings.load({}, folder, INSTALLED).account()
    assert (account.name, account.type, account.sender, account.rate) == ("shop", "soluno", "Shop", Rate(5))
    assert account.values["username"] == "anna"
    assert account.secrets["password"].reveal() == "x"
    assert account.places["password"] == "settings.toml, line 4"


def test_the_environment_wins_over_the_settings_file(write: WriteSettings) -> None:
    folder = write('database = "file.db"\n[accounts.soluno]\nusername = "file"\nfrom = "File"')
    environ = {"CAMPAIGNS_SOLUNO_USERNAME": "environment", "CAMPAIGNS_DATABASE": "environment.db"}
    settings = Settings.load(environ, folder, INSTALLED)
    account = settings.account("soluno")
    assert (account.values["username"], account.values["from"]) == ("environment", "File")
    assert account.places["username"] == "CAMPAIGNS_SOLUNO_USERNAME"
    assert settings.database == "environment.db"


def test_the_database_may_stand_in_the_settings_file(write: WriteSettings) -> None:
    assert Settings.load({}, write('database = "file.db"')).database == "file.db"


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, {"sandbox"}),
        ({"CAMPAIGNS_DATABASE": "x", "CAMPAIGNS_TEST_POSTGRES": "y", "PATH": "/bin"}, {"sandbox"}),
        ({"CAMPAIGNS_SOLUNO_USERNAME": "x"}, {"sandbox", "soluno"}),
        ({"CAMPAIGNS_SOLUNO_USERNAME": ""}, {"sandbox"}),
        ({"CAMPAIGNS_SANDBOX_URL": "http://127.0.0.1:1"}, {"sandbox"}),
        ({"CAMPAIGNS_MY_SHOP_TYPE": "soluno", "CAMPAIGNS_MY_SHOP_PASSWORD": "x"}, {"sandbox", "my-shop"}),
        ({"CAMPAIGNS_SOLUNO_UK_TYPE": "soluno", "CAMPAIGNS_SOLUNO_UK_URL": "https://x"}, {"sandbox", "soluno-uk"}),
    ],
)
def test_an_account_is_made_by_a_known_name_or_by_its_type(
    tmp_path: Path, environ: dict[str, str], names: set[str]
) -> None:
    assert set(Settings.load(environ, tmp_path, INSTALLED).accounts) == names


def test_a_variable_belongs_to_the_account_with_the_longest_name(write: WriteSettings) -> None:
    folder = write('[accounts.soluno_uk]\ntype = "soluno"')
    environ = {"CAMPAIGNS_SOLUNO_UK_USERNAME": "uk", "CAMPAIGNS_SOLUNO_USERNAME": "se"}
    accounts = Settings.load(environ, folder, INSTALLED).accounts
    assert {name: account.values["username"] for name, account in accounts.items() if name != "sandbox"} == {
        "soluno_uk": "uk",
        "soluno": "se",
    }


def test_the_settings_file_of_the_user_is_read_unless_told(clean_environment: Path) -> None:
    folder = clean_environment / "config" / "campaigns"
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text('[accounts.soluno]\nusername = "anna"', encoding="utf-8")
    settings = Settings.load()
    if sys.platform == "linux":  # elsewhere the user's folder is not moved by this variable
        assert settings.account().values["username"] == "anna"
    assert "soluno" in settings.installed


def test_sandbox_is_built_in_and_gets_its_address_later(tmp_path: Path) -> None:
    account = Settings.load({}, tmp_path, INSTALLED).account("sandbox")
    assert (account.type, account.secrets["password"].reveal()) == ("soluno", "sandbox")
    assert "url" not in account.values
    assert account.with_url("http://127.0.0.1:9").values["url"] == "http://127.0.0.1:9"


# --- Which account is meant --------------------------------------------------------------------------------


def test_without_a_name_the_one_account_that_is_set_up_is_meant(tmp_path: Path) -> None:
    settings = Settings.load({"CAMPAIGNS_SOLUNO_USERNAME": "x"}, tmp_path, INSTALLED)
    assert settings.account().name == "soluno"


def test_without_any_account_the_error_says_how_to_set_one_up_or_try_the_sandbox(tmp_path: Path) -> None:
    error = error_of(tmp_path)
    assert error.what == "No account is set up."
    assert "campaigns providers login soluno" in error.fix
    assert "--provider sandbox" in error.fix


def test_of_several_accounts_one_must_be_named(tmp_path: Path) -> None:
    error = error_of(tmp_path, {"CAMPAIGNS_SOLUNO_USERNAME": "x", "CAMPAIGNS_EXEMPEL_USERNAME": "x"})
    assert error.what == "Several accounts are set up: exempel, soluno."
    assert error.fix == "--provider exempel or --provider soluno"


def test_an_unknown_account_is_an_error_with_the_nearest_name(tmp_path: Path) -> None:
    assert error_of(tmp_path, name="solnuo").fix == 'Write "soluno".'
    assert error_of(tmp_path, name="xyz").fix.startswith("Accounts: exempel, sandbox, soluno.")


def test_a_provider_that_is_installed_but_not_set_up_is_an_account_that_lacks_everything(tmp_path: Path) -> None:
    account = Settings.load({}, tmp_path, INSTALLED).account("soluno")
    assert (account.type, account.values, account.secrets) == ("soluno", {}, {})


# --- What is wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "what", "line", "fix"),
    [
        ('datbase = "x"', '"datbase" is no setting of the settings file.', 1, 'Write "database".'),
        ('[account.soluno]\nurl = "x"', '"account" is no setting of the settings file.', 1, 'Write "accounts".'),
        ('password = "x"', '"password" stands at the top, but belongs under [accounts.soluno].', 1,
         "Write it below a line [accounts.soluno]."),
        ("[accounts.soluno]\npassword = 123456", '"password" under [accounts.soluno] is a number, '
         "but must be a text in quotes.", 2, 'Write password = "..."'),
        ('[accounts]\nsoluno = "x"', '"soluno" under [accounts] is a text, but must be a table.', 2,
         "Write [accounts.soluno] in a line."),
        ('\n[accounts."My shop"]\nurl = "x"', '"My shop" cannot be the name of an account.', 2,
         "Use small letters, digits, - and _."),
    ],
)  # fmt: skip
def test_a_wrong_key_of_the_settings_file_is_named_with_its_line(
    write: WriteSettings, toml: str, what: str, line: int, fix: str
) -> None:
    error = error_of(write(toml))
    assert (error.what, error.where, error.fix) == (what, f"settings.toml, line {line}", fix)


def test_all_wrong_keys_of_the_settings_file_are_said_at_once(write: WriteSettings) -> None:
    error = error_of(write('datbase = "x"\naccount = 1\n[accounts.soluno]\npassword = 1'))
    assert len(error.also) == 2
    assert isinstance(error, SettingsError)


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [("RATE", "fast", '"fast" is no rate.'), ("FROM", "Lindbergs Konditori", '"Lindbergs Konditori" is no sender')],
)
def test_a_rate_or_sender_that_is_none_is_said_when_it_is_asked_for(
    tmp_path: Path, variable: str, value: str, what: str
) -> None:
    account = Settings.load({f"CAMPAIGNS_SOLUNO_{variable}": value}, tmp_path, INSTALLED).account()
    with pytest.raises(SettingsError, match=what) as caught:
        assert (account.rate, account.sender) is None
    assert caught.value.where == f"CAMPAIGNS_SOLUNO_{variable}"


# --- Addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://api.soluno.se",
        "https://sms.example.com:8443/base",
        "http://127.0.0.1:8080",
        "http://127.8.9.1",
        "http://localhost:1/x",
        "http://LOCALHOST",
        "http://[::1]:8080",
    ],
)
def test_https_anywhere_and_plain_http_on_loopback_are_allowed(url: str) -> None:
    check_url(Account(name="soluno", type="soluno", values={"url": url}), "url")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://api.soluno.se", "is plain http"),
        ("http://10.0.0.1", "is plain http"),
        ("http://0.0.0.0", "is plain http"),
        ("http://localhost.example.com", "is plain http"),
        ("http://127.0.0.1.example.com", "is plain http"),
        ("http://2130706433", "is plain http"),
        ("http://[2001:db8::1]", "is plain http"),
        ("https://anna:hemligt@example.com", "holds a user name or password"),
        ("https://example.com/x?k=1", "can only end in a path"),
        ("https://example.com/#top", "can only end in a path"),
        ("http://127.0.0.1@example.com", "holds a user name or password"),
        ("ftp://example.com", "is no web address"),
        ("api.soluno.se", "is no web address"),
        ("https://", "is no web address"),
        ("https://example.com:port", "is no web address"),
        ("https://[::1", "is no web address"),
        ("http://127.0.0.1\n.example.com", "is no web address"),
        ("https://example.com/a b", "is no web address"),
        ("", "is no web address"),
    ],
)
def test_any_other_address_is_refused_without_showing_it(url: str, why: str) -> None:
    account = Account(name="soluno", type="soluno", values={"url": url}, places={"url": "CAMPAIGNS_SOLUNO_URL"})
    with pytest.raises(SettingsError, match=why) as caught:
        check_url(account, "url")
    assert caught.value.where == "CAMPAIGNS_SOLUNO_URL"
    assert "hemligt" not in f"{caught.value} {caught.value.fix}"


# --- Secrets -----------------------------------------------------------------------------------------------


def test_a_secret_shows_nowhere(write: WriteSettings) -> None:
    settings = Settings.load({"CAMPAIGNS_SOLUNO_API_KEY": "hemligt"}, write('database = "postgresql://a:hemligt@b/c"'))
    account = settings.account()
    texts = [repr(settings), str(settings), repr(account), f"{account.secrets['api_key']}", f"{Secret('hemligt')!r:>9}"]
    try:
        raise SettingsError(f"{account}")
    except SettingsError as error:
        texts += traceback.format_exception(error)
    assert "hemligt" not in "".join(texts)


def test_what_is_stored_in_the_keyring_is_found_there(keyring: MemoryKeyring) -> None:
    store_secret("soluno", "password", "hemligt")
    assert keyring.kept == {("campaigns", "soluno/password"): "hemligt"}
    assert stored_secret("soluno", "password") == Secret("hemligt")
    assert stored_secret("other", "password") is None


def test_a_locked_keyring_holds_nothing_and_refuses_to_store_in_words(keyring: MemoryKeyring) -> None:
    keyring.failure = KeyringLocked("locked")
    assert stored_secret("soluno", "password") is None
    with pytest.raises(SettingsError, match="The system keyring did not store it") as caught:
        store_secret("soluno", "password", "hemligt")
    assert "CAMPAIGNS_SOLUNO_PASSWORD" in caught.value.fix


def test_a_keyring_that_fails_in_its_own_way_is_as_good_as_none(keyring: MemoryKeyring) -> None:
    keyring.failure = RuntimeError("the bus is down")
    assert stored_secret("soluno", "password") is None
    with pytest.raises(SettingsError, match="The system keyring did not store it"):
        store_secret("soluno", "password", "hemligt")


def test_a_keyring_that_keeps_nothing_is_found_out() -> None:
    from keyring.backends.null import Keyring

    nothing = Keyring()  # type: ignore[no-untyped-call]  # keyring has no types
    with as_system_keyring(nothing), pytest.raises(SettingsError, match="The system keyring did not keep it"):
        store_secret("soluno", "password", "hemligt")


def test_a_machine_without_a_keyring_is_told_of_the_variable() -> None:
    from keyring.backends.fail import Keyring

    with as_system_keyring(Keyring()):  # type: ignore[no-untyped-call]  # keyring has no types
        assert stored_secret("soluno", "password") is None
        with pytest.raises(SettingsError, match="This machine has no system keyring") as caught:
            store_secret("soluno", "password", "hemligt")
    assert caught.value.fix == "Set CAMPAIGNS_SOLUNO_PASSWORD instead."


def test_without_the_extra_the_keyring_is_absent_quietly_and_storing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # as if it were not installed
    assert stored_secret("soluno", "password") is None
    with pytest.raises(SettingsError, match="keyring is not installed") as caught:
        store_secret("soluno", "password", "hemligt")
    assert "pip install 'campaigns[keyring]'" in caught.value.fix
