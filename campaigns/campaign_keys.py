"""The keys of a campaign file: how each is written, its type, and what it may hold."""

import codecs
import re
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from campaigns.durations import read_duration
from campaigns.errors import InputError
from campaigns.model import Rate
from campaigns.senders import read_sender
from campaigns.toml_keys import Shape, Text, check_keys, read_text_value, reads

MOST_REQUESTS_AT_ONCE: Final = 512
LONGEST_NAME: Final = 100

Purpose = Literal["service", "marketing"]
OnEmpty = Literal["send", "skip"]

CAMPAIGN_SHAPE: Final = Shape(
    noun="a campaign",
    examples={
        "": {
            "name": 'name = "Summer sale"',
            "purpose": 'purpose = "marketing"',
            "provider": 'provider = "soluno"',
            "from": 'from = "Butiken"',
            "rate": 'rate = "50/s"',
            "concurrency": "concurrency = 128",
            "message": 'message = "Hej {{ förnamn }}"',
            "message_file": 'message_file = "text.txt"',
            "on_empty": 'on_empty = "send"',
            "not_within": 'not_within = "24h"',
            "reports": 'reports = ["reports/summer.csv"]',
            "max_failures": "max_failures = 25",
            "recipients": 'recipients = "customers.csv"',
        },
        "recipients": {
            "file": 'file = "customers.csv"',
            "sheet": 'sheet = "Blad1"',
            "phone_column": 'phone_column = "Mobilnummer"',
            "region": 'region = "SE"',
            "encoding": 'encoding = "cp1252"',
            "where": "where = 'ort == \"Lund\"'",
            "skip_hidden": "skip_hidden = true",
            "allow_landline": "allow_landline = true",
        },
    },
)


def check_campaign(values: Mapping[str, Any], places: Mapping[str, str]) -> "CampaignKeys":
    """The keys with their values in normal form; one InputError with all that is wrong, each at its place."""
    return check_keys(CampaignKeys, values, CAMPAIGN_SHAPE, places)


def fault_of_name(name: str) -> str:
    """Why this cannot be the name of a campaign, which is typed in commands and names files; "" where it can."""
    if not name:
        return "it is empty"
    if name.isdigit():
        return "digits alone are the id of a campaign"
    if name[0] in "-.":
        return f"a command would misread the {name[0]} it begins with"
    if "/" in name or "\\" in name:
        return "it names files too, so it cannot hold / or \\"
    if not name.isprintable():
        return "it holds a character that cannot be seen"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name)} characters, and {LONGEST_NAME} are the most"
    return ""


def _read_name(text: str) -> str:
    name = unicodedata.normalize("NFC", text).strip()
    if fault := fault_of_name(name):
        what = f'"{name}"' if name.isprintable() and len(name) <= LONGEST_NAME else "This"
        raise InputError(f"{what} cannot be the name of a campaign: {fault}.", fix='Write name = "Summer sale"')
    return name


def _read_rate(value: object) -> object:
    return Rate.parse(value) if isinstance(value, str) else value


def _read_not_within(value: object) -> object:
    return read_duration(value) if isinstance(value, str) else value


def _read_concurrency(value: int) -> int:
    if not 1 <= value <= MOST_REQUESTS_AT_ONCE:
        raise InputError(
            f"{value} requests at once are not possible.", fix=f"Write a number from 1 to {MOST_REQUESTS_AT_ONCE}."
        )
    return value


def _read_max_failures(value: int) -> int:
    if value < 0:
        raise InputError(f"{value} failures cannot be counted.", fix="Write max_failures = 25, or 0 to never pause.")
    return value


def _read_message(text: str) -> str:
    if not text.strip():
        raise InputError("The text of the message is empty.", fix='Write message = "Vi ses kl. 18."')
    return read_text_value(text)


def _read_region(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{2}", text):
        raise InputError(f'"{text}" is no region.', fix='Write the ISO code of a country: region = "SE"')
    return text.upper()


def _read_encoding(text: str) -> str:
    try:
        codecs.lookup(text)
    except (LookupError, ValueError) as error:
        raise InputError(
            f'"{text}" is no encoding that is known.', fix='Write "utf-8" or "cp1252", or leave it to be found.'
        ) from error
    return text


def _as_table(value: object) -> object:
    """recipients = "customers.csv" is short for a table with a file."""
    return {"file": value} if isinstance(value, str) else value


class _RecipientKeys(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    file: Annotated[str, Field(min_length=1)]  # that it exists is looked at too
    sheet: Text | None = None
    phone_column: Text | None = None
    region: Annotated[str, AfterValidator(reads(_read_region))] = "SE"
    encoding: Annotated[str, AfterValidator(reads(_read_encoding))] | None = None
    where: Text | None = None
    skip_hidden: bool = False
    allow_landline: bool = False


class CampaignKeys(BaseModel):
    """A campaign file as it stands in TOML, once it was found to be right."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, AfterValidator(reads(_read_name))] | None = None
    purpose: Purpose = "service"
    provider: Text | None = None
    sender: Annotated[str, AfterValidator(reads(read_sender))] | None = Field(default=None, alias="from")
    rate: Annotated[Rate, BeforeValidator(reads(_read_rate))] | None = None
    concurrency: Annotated[int, AfterValidator(reads(_read_concurrency))] = 128
    message: Annotated[str, AfterValidator(reads(_read_message))] | None = None
    message_file: Text | None = None
    on_empty: OnEmpty = "send"
    not_within: Annotated[timedelta, BeforeValidator(reads(_read_not_within))] | None = None
    reports: list[Text] = []
    max_failures: Annotated[int, AfterValidator(reads(_read_max_failures))] = 25
    recipients: Annotated[_RecipientKeys, BeforeValidator(_as_table)]
