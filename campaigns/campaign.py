"""A campaign: one description of what to send, to whom and how, from a TOML file, options or Python.

Only its shape is checked here: whether the columns, the provider and the text fit is for the stages that use them.
"""

import os
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self, TypedDict, Unpack, overload

from campaigns.campaign_keys import LONGEST_NAME, CampaignKeys, OnEmpty, Purpose, check_campaign, fault_of_name
from campaigns.errors import InputError
from campaigns.input_file import existing_file, read_text
from campaigns.model import Rate
from campaigns.toml_file import read_toml
from campaigns.toml_keys import collected, together

RECIPIENT_SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_SOURCES: Final = f"Give a campaign file (.toml) or a recipient file ({' '.join(RECIPIENT_SUFFIXES)})."
_RECIPIENT_OPTIONS: Final = (
    "sheet", "phone_column", "region", "encoding", "where", "skip_hidden", "allow_landline",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecipientsSource:
    """Where the people of a campaign are, and how their file is read; what is None is found by looking at the file."""

    file: Path  #: a text file or workbook; a relative one starts at the current folder
    _: KW_ONLY
    sheet: str | None = None
    phone_column: str | None = None  #: the header of the column that holds the numbers
    region: str = "SE"  #: ISO 3166 code of the country whose national numbers are meant
    encoding: str | None = None
    where: str | None = None  #: an expression over the columns; rows for which it is false are skipped
    skip_hidden: bool = False  #: leave out the rows that a workbook hides
    allow_landline: bool = False  #: send to every valid number, whatever its type


class _Recipients:
    """The field `recipients`: given as a path or a RecipientsSource, kept as a RecipientsSource."""

    @overload
    def __get__(self, campaign: None, owner: type) -> Self: ...
    @overload
    def __get__(self, campaign: object, owner: type) -> RecipientsSource: ...
    def __get__(self, campaign: object | None, owner: type) -> RecipientsSource | Self:
        if campaign is None:
            raise AttributeError("recipients")  # so that dataclass takes the field for one without a default
        source: RecipientsSource = campaign.__dict__["recipients"]
        return source

    def __set__(self, campaign: object, value: RecipientsSource | Path | str) -> None:
        source = value if isinstance(value, RecipientsSource) else RecipientsSource(Path(value))
        campaign.__dict__["recipients"] = source


class CampaignOptions(TypedDict, total=False):
    """What may be said beside a source: the keys of a campaign file, all at one level. None means not said."""

    name: str | None
    purpose: str | None
    provider: str | None
    from_: str | None  #: the key `from`
    rate: Rate | str | None
    concurrency: int | None
    message: str | None
    message_file: Path | str | None  #: relative to the current folder
    on_empty: str | None
    not_within: timedelta | str | None
    max_failures: int | None
    report: Sequence[Path | str] | None  #: added to the key `reports`
    reports: Sequence[Path | str] | None  #: the same
    sheet: str | None
    phone_column: str | None
    region: str | None
    encoding: str | None
    where: str | None
    skip_hidden: bool | None
    allow_landline: bool | None


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What to send, to whom and how. A value that cannot be used is an InputError that names all wrong ones.

    Campaign(recipients="customers.csv", message="Hej {{ förnamn }}", sender="Butiken")
    """

    recipients: _Recipients = _Recipients()  #: a path or a RecipientsSource; always read as a RecipientsSource
    name: str | None = None  #: None: called after its file, see `default_name`
    purpose: Purpose = "service"
    provider: str | None = None  #: the account's name; None: the one that is set up
    sender: str | None = None  #: the key `from`: 1 to 11 letters, a number or a short code; None: the account's
    rate: Rate | None = None  #: at most, in the account's unit; None: the account's
    concurrency: int = 128  #: requests at once at most, 1 to 512; as many go as the rate needs
    message: str | None = None  #: the text with its {{ fields }}; None is enough for a check
    on_empty: OnEmpty = "send"  #: what an empty field without a default does with its message
    not_within: timedelta | None = None  #: leave out whom any campaign reached so lately; None: nobody
    reports: tuple[Path, ...] = ()  #: where to write reports; relative to the current folder; (): in reports/
    max_failures: int = 25  #: this many refused, failed or unknown in a row pause the campaign; 0: never
    file: Path | None = None  #: the campaign file it was read from
    places: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where a key stands, for errors: "recipients.where" -> "lista.toml, line 9"; options have no place."""

    def __post_init__(self) -> None:
        """Check all values and bring them to their normal form: "se" to "SE", a name without outer spaces."""
        keys = check_campaign({**self.settings(), "rate": self.rate, "not_within": self.not_within}, self.places)
        for key in ("name", "sender", "rate", "not_within"):
            object.__setattr__(self, key, getattr(keys, key))
        object.__setattr__(self, "reports", tuple(map(Path, keys.reports)))
        object.__setattr__(self, "recipients", replace(self.recipients, region=keys.recipients.region))
        self.check_reports(self.reports, where=self.places.get("reports", ""))

    @classmethod
    def load(cls, source: Path | str, **options: Unpack[CampaignOptions]) -> Self:
        """Read a campaign file (.toml), or make a campaign of a recipient file; options win over the file's keys.

        Raises InputError, with the line of each wrong key, for what cannot be read or used and for a missing file.
        """
        draft = _with_options(_read_source(Path(source)), options)
        problems: list[InputError] = []
        with collected(problems):
            check_campaign(draft.values, draft.places)
        with collected(problems):
            _check_recipient_file(draft)
        with collected(problems):
            draft = _with_text(draft)
        if problems:
            raise together(problems)
        keys = check_campaign(draft.values, draft.places)
        return cls(**_fields(keys, draft.folder), file=draft.file, places=draft.places)

    @property
    def given_name(self) -> str | None:
        """The name that somebody chose; one that is taken is an error, while a default name gets -2."""
        return self.name

    @property
    def default_name(self) -> str:
        """The name where none was given: the stem of the campaign file, else of the recipient file."""
        stem = unicodedata.normalize("NFC", (self.file or self.recipients.file).stem)
        shown = "".join(letter if letter.isprintable() and letter not in "/\\" else "-" for letter in stem)
        name = shown.strip()[: LONGEST_NAME - 10]  # room for "-2"
        return f"campaign-{name}".rstrip("-") if fault_of_name(name) else name

    def check_reports(self, paths: Iterable[Path], *, where: str = "") -> None:
        """Refuse a report that would take the place of the list or of the campaign file, with an InputError."""
        for path in paths:
            if any(source and path.resolve() == source.resolve() for source in (self.recipients.file, self.file)):
                raise InputError(
                    f"{path} is what the campaign is read from, so no report can be written there.",
                    where=where,
                    fix=f"Give another name: {path.with_name(f'{path.stem}-report{path.suffix}')}",
                )

    def settings(self) -> dict[str, object]:
        """The campaign as JSON may hold it, under the keys of a campaign file; what is None is left out. No secrets."""
        recipients = {"file": str(self.recipients.file)} | {
            key: getattr(self.recipients, key) for key in _RECIPIENT_OPTIONS
        }
        values = {
            "name": self.name,
            "purpose": self.purpose,
            "provider": self.provider,
            "from": self.sender,
            "rate": None if self.rate is None else str(self.rate),
            "concurrency": self.concurrency,
            "message": self.message,
            "on_empty": self.on_empty,
            "not_within": _in_seconds(self.not_within),
            "reports": [str(path) for path in self.reports],
            "max_failures": self.max_failures,
            "recipients": _without_none(recipients),
        }
        return _without_none(values)


def _in_seconds(length: timedelta | None) -> str | None:
    return f"{length.total_seconds():.15g}s" if isinstance(length, timedelta) else length  # a text is not read yet


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


# --- From a source and options to the keys of a campaign ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Draft:
    """The keys as they were given, not yet checked."""

    values: dict[str, Any]
    places: dict[str, str]
    folder: Path = Path()  #: where a relative recipient file starts
    text_folder: Path = Path()  #: where a relative message_file starts
    file: Path | None = None


def _read_source(path: Path) -> _Draft:
    existing_file(path, otherwise=_SOURCES)
    suffix = path.suffix.lower()
    if suffix in RECIPIENT_SUFFIXES:
        return _Draft({"recipients": {"file": str(path)}}, {})
    if suffix != ".toml":
        raise InputError(f"{path} is neither a campaign file nor a recipient file.", fix=_SOURCES)
    toml = read_toml(path)
    values, places = dict(toml.values), dict(toml.places)
    if isinstance(values.get("recipients"), str):
        values["recipients"] = {"file": values["recipients"]}
        places["recipients.file"] = places["recipients"]
    return _Draft(values, places, folder=path.parent, text_folder=path.parent, file=path)


_OTHER_TEXT: Final = {"message": "message_file", "message_file": "message"}


def _with_options(draft: _Draft, options: Mapping[str, Any]) -> _Draft:
    """The draft with the options laid over it; a key that an option replaces has no place any more."""
    given = {name.rstrip("_"): _plain(value) for name, value in _without_none(options).items()}
    reports = [path for name in ("report", "reports") for path in _as_list(given.pop(name, []))]
    table = {name: given.pop(name) for name in _RECIPIENT_OPTIONS if name in given}
    void = {other for name, other in _OTHER_TEXT.items() if name in given}
    values = {key: value for key, value in draft.values.items() if key not in void} | given
    if reports and isinstance(values.get("reports", []), list):  # what is no list is named as wrong later
        values["reports"] = [*values.get("reports", []), *reports]
    if table and isinstance(values.get("recipients", {}), dict):
        values["recipients"] = values.get("recipients", {}) | table
    replaced = {*given, *void, *(f"recipients.{name}" for name in table)}
    return replace(
        draft,
        values=values,
        places={key: place for key, place in draft.places.items() if key not in replaced},
        text_folder=Path() if "message_file" in given else draft.text_folder,
    )


def _plain(value: object) -> object:
    """An option as TOML would say it: a path as text, several paths as a list."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _check_recipient_file(draft: _Draft) -> None:
    table = draft.values.get("recipients")
    written = table.get("file") if isinstance(table, dict) else None
    if isinstance(written, str) and written:
        short = draft.places.get("recipients.file") == draft.places.get("recipients")
        existing_file(
            Path(written),
            folder=draft.folder,
            where=draft.places.get("recipients.file", ""),
            fix=f'Write {"recipients" if short else "file"} = "{{path}}"',
        )


def _with_text(draft: _Draft) -> _Draft:
    """The draft with the text of its message_file as its message."""
    written, where = draft.values.get("message_file"), draft.places.get("message_file", "")
    if not isinstance(written, str) or not written:
        return draft
    if "message" in draft.values:
        raise InputError(
            "Both message and message_file are given.", where=where, fix="Keep one of the two; the other goes."
        )
    path = existing_file(Path(written), folder=draft.text_folder, where=where, fix='Write message_file = "{path}"')
    values = {key: value for key, value in draft.values.items() if key != "message_file"}
    values["message"] = read_text(path, where=where).removesuffix("\n")
    return replace(draft, values=values, places=draft.places | {"message": written})


def _fields(keys: CampaignKeys, folder: Path) -> dict[str, Any]:
    """What Campaign is made of, from keys that were found to be right."""
    recipients = keys.recipients.model_dump()
    fields = {name: getattr(keys, name) for name in CampaignKeys.model_fields if name != "message_file"}
    fields["recipients"] = RecipientsSource(folder / recipients.pop("file"), **recipients)
    fields["reports"] = tuple(Path(path) for path in keys.reports)
    return fields
