"""Settings from the environment and the user's settings file: accounts, secrets, the ledger's place.

Read once by the command line (or the caller) and handed down as values; nothing else reads the environment.
The environment (CAMPAIGNS_<NAME>_<FIELD>) wins over the settings file, the file over the system keyring.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Final, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

from platformdirs import user_config_path
from pydantic import AfterValidator, BaseModel, ConfigDict

from campaigns.errors import InputError, SettingsError
from campaigns.model import Rate
from campaigns.senders import read_sender
from campaigns.spelling import nearest
from campaigns.toml_file import read_toml
from campaigns.toml_keys import Shape, Text, check_keys, reads

SETTINGS_FILE: Final = "settings.toml"
SANDBOX: Final = "sandbox"  #: the built-in account, of type soluno; it has no URL until a sandbox runs
SANDBOX_TYPE: Final = "soluno"
FIRST_PROVIDER: Final = "soluno"  #: the one that is spoken of to whom has set up none
_SANDBOX_FIELDS: Final = (("username", "sandbox"), ("password", "sandbox"), ("from", "Sandbox"))  # any are taken
PLAIN_FIELDS: Final = ("type", "url", "token_url", "username", "from", "rate")
"""Fields that hold no secret. All else is kept as a Secret until the provider says what it is."""

KEYRING_SERVICE: Final = "campaigns"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """A value that never shows itself: not in a log, a traceback or a report."""

    _value: str

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One configured provider: its name, the provider's type and what was set for it, by field ("url", "username")."""

    name: str
    type: str
    values: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where each field was set, for errors: "CAMPAIGNS_SOLUNO_URL" or "settings.toml, line 4"."""
    settings_file: str = field(default=SETTINGS_FILE, compare=False, repr=False)  #: where the user may set more

    @property
    def sender(self) -> str | None:
        """Who its messages are from unless a campaign says otherwise; a SettingsError where it cannot be a sender."""
        return self._read("from", read_sender)

    @property
    def rate(self) -> Rate | None:
        """The most it may send over all its campaigns; a SettingsError where the setting is no rate."""
        return self._read("rate", Rate.parse)

    def with_url(self, url: str) -> Self:
        """The same account at another address."""
        return replace(self, values={**self.values, "url": url})

    def how_to_set(self, field_name: str, *, secret: bool) -> str:
        """What to type so that the account has this setting."""
        if secret:
            return f"campaigns providers login {self.name}, or set {variable(self.name, field_name)}."
        in_file = f"{field_name} under [accounts.{self.name}] in {self.settings_file}"
        return f"Set {variable(self.name, field_name)}, or {in_file}."

    def _read(self, field_name: str, read: Callable[[str], Value]) -> Value | None:
        if field_name not in self.values:
            return None
        try:
            return read(self.values[field_name])
        except InputError as error:
            raise SettingsError(error.what, where=self.places.get(field_name, ""), fix=error.fix) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that was set for this user: the accounts by name (`sandbox` is always among them) and the ledger's place."""

    accounts: Mapping[str, Account]
    database: str | None = field(default=None, repr=False)  #: a path or URL, which may hold a password; None: not set
    installed: tuple[str, ...] = ()  #: the names of the installed providers
    file: Path = Path(SETTINGS_FILE)  #: the user's settings file, whether it exists or not

    @classmethod
    def load(
        cls,
        environ: Mapping[str, str] | None = None,
        folder: Path | None = None,
        installed: Iterable[str] | None = None,
    ) -> Self:
        """Read the environment, and settings.toml in `folder`; what is None is the process's, user's and system's own.

        Raises SettingsError for a settings file that cannot be read or used, naming all its wrong keys. What a
        provider needs is checked when an account is used, so that one wrong account does not stop the others.
        """
        environ = os.environ if environ is None else environ
        names = sorted(entry_points(group="campaigns.providers").names if installed is None else installed)
        file = (user_config_path("campaigns") if folder is None else folder) / SETTINGS_FILE
        keys, places = _read_settings_file(file)
        return cls(
            accounts=_accounts(environ, keys, places, names, file),
            database=environ.get("CAMPAIGNS_DATABASE") or keys.database,
            installed=tuple(names),
            file=file,
        )

    def account(self, name: str | None = None) -> Account:
        """The account of this name; without a name the only one that is set up, for which `sandbox` does not count.

        Raises SettingsError where there is none or no single one.
        """
        if name is None:
            return self._only_account()
        if name in self.accounts:
            return self.accounts[name]
        if name in self.installed:  # it lacks all its settings, and whoever opens it says which
            return Account(name=name, type=name, settings_file=str(self.file))
        known = sorted({*self.accounts, *self.installed})
        near = nearest(name, known)
        raise SettingsError(
            f'There is no account "{name}".',
            fix=f'Write "{near}".' if near else f"Accounts: {', '.join(known)}. All about them: campaigns providers",
        )

    def _only_account(self) -> Account:
        names = sorted(name for name in self.accounts if name != SANDBOX)
        if len(names) == 1:
            return self.accounts[names[0]]
        if names:
            raise SettingsError(
                f"Several accounts are set up: {', '.join(names)}.",
                fix=" or ".join(f"--provider {name}" for name in names),
            )
        raise SettingsError(
            "No account is set up.",
            fix=f"Set {variable(FIRST_PROVIDER, 'username')}, then: campaigns providers login {FIRST_PROVIDER}. "
            f"Or try it on this machine: --provider {SANDBOX}",
        )


def sandbox_account() -> Account:
    """The built-in account as it is, whatever the user set for it."""
    return _account(SANDBOX, [_Setting(*setting, "") for setting in _SANDBOX_FIELDS], SETTINGS_FILE)


def variable(account: str, field_name: str) -> str:
    """The environment variable of an account's setting: CAMPAIGNS_SOLUNO_URL."""
    return f"CAMPAIGNS_{account}_{field_name}".upper().replace("-", "_")


def check_url(account: Account, field_name: str) -> None:
    """Refuse an address that would show a password to the network, or that is none, with a SettingsError.

    https anywhere, plain http on loopback only (127.0.0.0/8, ::1, localhost), and no user or password inside.
    """
    url, where = account.values[field_name], account.places.get(field_name, "")
    what, fix = f"The {field_name} of {account.name}", "Write an address such as https://api.soluno.se"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:  # a port that is no number, a bracket that is not closed
        raise SettingsError(f"{what} is no web address.", where=where, fix=fix) from error
    if not host or not url.isprintable() or " " in url or parts.scheme not in ("https", "http"):
        raise SettingsError(f"{what} is no web address.", where=where, fix=fix)
    if "@" in parts.netloc:
        raise SettingsError(f"{what} holds a user name or password.", where=where, fix=fix)
    if field_name == "url" and (parts.query or parts.fragment):  # the API's own path is put behind it
        raise SettingsError(f"{what} holds a ? or #, and it can only end in a path.", where=where, fix=fix)
    if parts.scheme == "http" and not _is_loopback(host):
        raise SettingsError(
            f"{what} is plain http, which would show the password on its way to {host}.",
            where=where,
            fix=f"Write https://{parts.netloc}{parts.path}",
        )


def stored_secret(account: str, field_name: str) -> Secret | None:
    """What the system keyring holds for this field; None where it holds nothing or there is no keyring."""
    try:
        import keyring  # an extra, and slow to import: only when a secret is missing elsewhere

        value = keyring.get_password(KEYRING_SERVICE, f"{account}/{field_name}")
    except Exception:  # absent, locked or broken, each backend in its own way: the missing setting is then said as such
        return None
    return Secret(value) if value else None


def store_secret(account: str, field_name: str, value: str) -> None:
    """Put a secret into the system keyring; SettingsError where there is none or it refuses."""
    otherwise = f"Set {variable(account, field_name)} instead"
    try:
        import keyring
        from keyring.errors import NoKeyringError
    except ImportError as error:
        raise SettingsError(
            "The system keyring cannot be used: the package keyring is not installed.",
            fix=f"pip install 'campaigns[keyring]'. {otherwise}.",
        ) from error
    try:
        keyring.set_password(KEYRING_SERVICE, f"{account}/{field_name}", value)
    except NoKeyringError as error:
        raise SettingsError("This machine has no system keyring that can be used.", fix=f"{otherwise}.") from error
    except Exception as error:  # each backend fails in its own way, some with errors of the system's bus
        raise SettingsError("The system keyring did not store it.", fix=f"Unlock it. {otherwise}.") from error
    kept = stored_secret(account, field_name)
    if kept is None or kept.reveal() != value:  # a backend may take a secret and keep nothing
        raise SettingsError("The system keyring did not keep it.", fix=f"{otherwise}.")


# --- From the two sources to accounts ----------------------------------------------------------------------


def _read_account_name(name: str) -> str:
    if not re.fullmatch("[a-z0-9][a-z0-9_-]*", name):
        raise InputError(f'"{name}" cannot be the name of an account.', fix="Use small letters, digits, - and _.")
    return name


AccountName = Annotated[str, AfterValidator(reads(_read_account_name))]


class _FileKeys(BaseModel):
    """The settings file as it stands in TOML; the fields of an account are checked by its provider."""

    model_config = ConfigDict(extra="forbid", strict=True)

    database: Text | None = None
    accounts: dict[AccountName, dict[str, str]] = {}


_FILE_SHAPE: Final = Shape(
    noun="the settings file",
    examples={
        "": {"database": 'database = "/srv/campaigns/ledger.db"', "accounts": "[accounts.soluno]"},
        "accounts.soluno": {name: f'{name} = "..."' for name in (*PLAIN_FIELDS, "password")}
        | {"rate": 'rate = "20/s"'},
    },
)


def _read_settings_file(file: Path) -> tuple[_FileKeys, Mapping[str, str]]:
    try:
        if not file.exists():
            return _FileKeys(), {}
        toml = read_toml(file)
        return check_keys(_FileKeys, toml.values, _FILE_SHAPE, toml.places), toml.places
    except InputError as error:
        raise SettingsError(error.what, where=error.where, fix=error.fix, also=error.also) from error
    except OSError as error:  # a folder that is not ours to enter
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error


def _accounts(
    environ: Mapping[str, str], keys: _FileKeys, places: Mapping[str, str], installed: Sequence[str], file: Path
) -> dict[str, Account]:
    """The built-in account, then what the file says, over it what the environment says."""
    found: dict[str, list[_Setting]] = {SANDBOX: [_Setting(*setting, "") for setting in _SANDBOX_FIELDS]}
    for name, fields in keys.accounts.items():
        settings = (_Setting(key, value, places[f"accounts.{name}.{key}"]) for key, value in fields.items() if value)
        found.setdefault(name, []).extend(settings)
    for name, setting in _from_environment(environ, {*installed, *found}):
        found.setdefault(name, []).append(setting)
    return {name: _account(name, settings, str(file)) for name, settings in found.items()}


class _Setting(NamedTuple):
    field: str
    value: str
    place: str


def _from_environment(environ: Mapping[str, str], known: Collection[str]) -> Iterator[tuple[str, _Setting]]:
    """Each CAMPAIGNS_<NAME>_<FIELD> of a known account, or of one that CAMPAIGNS_<NAME>_TYPE makes."""
    typed = re.compile("CAMPAIGNS_([A-Z0-9][A-Z0-9_]*)_TYPE")
    made = [match[1].lower().replace("_", "-") for match in map(typed.fullmatch, environ) if match]
    owners = {variable(name, ""): name for name in (*made, *known)}  # a known name wins over the same with dashes
    for name, value in environ.items():
        prefix = max((prefix for prefix in owners if name.startswith(prefix)), key=len, default="")
        if prefix and value:
            yield owners[prefix], _Setting(name.removeprefix(prefix).lower(), value, name)


def _account(name: str, settings: Sequence[_Setting], file: str) -> Account:
    values = {setting.field: setting.value for setting in settings}  # the later one wins
    return Account(
        name=name,
        type=values.get("type", SANDBOX_TYPE if name == SANDBOX else name),
        values={key: value for key, value in values.items() if key in PLAIN_FIELDS},
        secrets={key: Secret(value) for key, value in values.items() if key not in PLAIN_FIELDS},
        places={setting.field: setting.place for setting in settings if setting.place},
        settings_file=file,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
