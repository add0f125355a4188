"""The nouns that travel between the stages: values only, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, NewType, Self

import pyarrow as pa

from campaigns.errors import InputError, ProviderError

Msisdn = NewType("Msisdn", str)
"""An E.164 number with its plus sign: "+46701740605"."""
CampaignId = NewType("CampaignId", int)
ProviderMessageId = NewType("ProviderMessageId", str)


class MessageState(StrEnum):
    """Where a message is; the words of the report's column `status`."""

    PLANNED = "planned"
    SENDING = "sending"  #: on disk before the request leaves
    ACCEPTED = "accepted"  #: the provider has it
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"  #: the network gave up
    REJECTED = "rejected"  #: the provider refused it
    FAILED = "failed"  #: tries used up, surely not taken
    UNKNOWN = "unknown"  #: may have been taken
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class MessageEvent(StrEnum):
    """What can happen to a message."""

    CLAIM = "claim"  #: a sender takes it; the request may leave from here on
    GIVE_BACK = "give_back"  #: surely not taken, and no try is used: never requested, or a 429
    ACCEPT = "accept"
    REJECT = "reject"
    RETRY = "retry"  #: surely not taken, tries are left
    FAIL = "fail"  #: surely not taken, no tries are left
    LOSE = "lose"  #: may have been taken: time-out, reset, crash
    SEND_AGAIN = "send_again"  #: by the user's word, under the provider's own key, or since it was never taken
    DELIVER = "deliver"
    NOT_DELIVER = "not_deliver"
    EXPIRE = "expire"
    SKIP = "skip"
    CANCEL = "cancel"
    RESTORE = "restore"  #: its ledger came back from a backup: it may have been sent since that was made


_S, _E = MessageState, MessageEvent
# (from, event, to): all there are. A late or repeated report finds no line here, and changes nothing.
TRANSITIONS: Final = (
    (_S.PLANNED, _E.CLAIM, _S.SENDING),
    (_S.PLANNED, _E.SKIP, _S.SKIPPED),
    (_S.PLANNED, _E.CANCEL, _S.CANCELLED),
    (_S.SENDING, _E.GIVE_BACK, _S.PLANNED),
    (_S.SENDING, _E.ACCEPT, _S.ACCEPTED),
    (_S.SENDING, _E.REJECT, _S.REJECTED),
    (_S.SENDING, _E.RETRY, _S.PLANNED),
    (_S.SENDING, _E.FAIL, _S.FAILED),
    (_S.SENDING, _E.LOSE, _S.UNKNOWN),
    (_S.UNKNOWN, _E.SEND_AGAIN, _S.PLANNED),
    (_S.UNKNOWN, _E.CANCEL, _S.CANCELLED),  # never taken, as the provider says, and its campaign was cancelled
    *(
        (before, event, after)
        for before in (_S.SENDING, _S.UNKNOWN, _S.ACCEPTED)  # a report may come before the answer to its send
        for event, after in (
            (_E.DELIVER, _S.DELIVERED),
            (_E.NOT_DELIVER, _S.UNDELIVERED),
            (_E.EXPIRE, _S.EXPIRED),
        )
    ),
    (_S.UNKNOWN, _E.ACCEPT, _S.ACCEPTED),  # a late answer
    (_S.UNKNOWN, _E.REJECT, _S.REJECTED),
    (_S.ACCEPTED, _E.CANCEL, _S.CANCELLED),  # scheduled at the provider
    (_S.PLANNED, _E.RESTORE, _S.UNKNOWN),
    (_S.SENDING, _E.RESTORE, _S.UNKNOWN),
)


def states_before(event: MessageEvent, after: MessageState) -> tuple[MessageState, ...]:
    """The states in which `event` leads to `after`: what stands in the WHERE of a change."""
    return tuple(state for state, what, to in TRANSITIONS if (what, to) == (event, after))


class CampaignState(StrEnum):
    """Where a campaign is."""

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    READY = "ready"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class PauseReason(StrEnum):
    """Why a campaign is paused: the word before the colon in its `reason`."""

    STOPPED = "stopped"  #: Ctrl-C or SIGTERM in the command that sent it
    LIMIT = "limit"  #: only a pilot was to go
    SEND_AGAIN = "send_again"  #: it was done, but messages that were unknown are to be sent again
    ACCOUNT_PROBLEM = "account_problem"  #: log-in, credit, wrong address
    TOO_MANY_FAILURES = "too_many_failures"
    RESTORED = "restored"  #: its ledger came back from a backup
    BY_HAND = "by_hand"  #: `campaigns pause`; also why a campaign is cancelled

    def with_detail(self, detail: str) -> str:
        """The reason with a sentence for people behind it."""
        return f"{self}: {detail}"

    def is_in(self, reason: str) -> bool:
        """Whether a campaign's `reason` is this one."""
        return reason.partition(":")[0] == self


class CampaignKind(StrEnum):
    """What a campaign was made from; `api` and `inbox` are standing ones, to which messages are appended."""

    FILE = "file"
    TEXT = "text"
    API = "api"
    INBOX = "inbox"


class SkipReason(StrEnum):
    """Why a row got no message; the words of the report's column `reason`."""

    MISSING = "missing"
    INVALID = "invalid"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_MOBILE = "not_mobile"
    DIGITS_LOST = "digits_lost"
    SEVERAL_NUMBERS = "several_numbers"
    EMERGENCY = "emergency"
    DUPLICATE = "duplicate"
    HIDDEN = "hidden"
    FILTERED = "filtered"
    RENDER_ERROR = "render_error"
    EMPTY_FIELD = "empty_field"
    RECENTLY_REACHED = "recently_reached"  #: known to the ledger alone, so `check` never says it


class Remark(StrEnum):
    """What somebody should know of a row that is sent all the same; a word of `check`, beside the skip reasons."""

    EMPTY_FIELD = "empty_field"  #: the text uses a cell that is empty
    RAGGED = "ragged"  #: the row has more or fewer cells than the header
    ERROR_CELL = "error_cell"  #: a cell of a workbook holds an error such as #N/A, and is read as empty
    AS_STORED = "as_stored"  #: a number of a workbook whose format cannot be known, and is read as it is stored
    MERGED_CELL = "merged_cell"  #: a cell got its value from the merged one above it
    HIDDEN_ROW = "hidden_row"  #: the row is hidden in the workbook


class Encoding(StrEnum):
    """The alphabet that a text is sent in."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most this many units a second, in the account's unit."""

    per_second: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "50/s", "600/min" (10 in any second) or "3600/h"; a bare number counts per second."""
        amount, _, unit = text.partition("/")
        seconds = {"": 1, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}.get(unit.strip().lower())
        try:
            per_second = float(amount) / (seconds or 0)
        except (ValueError, ZeroDivisionError):
            per_second = 0.0
        if not 0 < per_second < 1_000_000:
            raise InputError(f'"{text}" is no rate.', fix="Write 50/s, 600/min or 3600/h.")
        return cls(per_second)

    def __str__(self) -> str:
        return f"{self.per_second:g}/s" if self.per_second >= 1 else f"{self.per_second * 60:g}/min"


# --- Up to the ledger: columns --------------------------------------------------------------------------------------

CHUNK_ROWS: Final = 20_000  #: the most rows in one Chunk

CHUNK_SCHEMA: Final = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # as a spreadsheet program shows it for the file
        pa.field("phone", pa.string(), nullable=False),  # as given; "" where the cell is empty
        pa.field("number", pa.int64()),  # E.164 digits; null where none is known
        pa.field("skip_reason", pa.string()),  # a SkipReason; null for a row that may be sent
        pa.field(
            "detail", pa.string()
        ),  # one sentence for people, also on a row that may be sent; null: nothing to say
        pa.field("column", pa.string()),  # header of the column that `detail` speaks of; null: none, or the whole row
        pa.field("text", pa.string()),  # as it will be sent; null before rendering, and for skipped rows
        pa.field("encoding", pa.string()),  # an Encoding; null where text is null
        pa.field("segments", pa.int32()),  # null where text is null
        pa.field("empty_field", pa.string()),  # header of an empty column that the text uses; null: none
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing about one row that somebody could mend."""

    row: int
    column: str | None  #: its header; None: the whole row
    value: str  #: the cell as given
    reason: str  #: a SkipReason, or a Remark where the row is sent all the same
    detail: str  #: one sentence for people


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to 20,000 rows of a recipient file, all of them: a skipped row is here with its reason.

    `table` has CHUNK_SCHEMA, `cells` one string column for each column of the file, in its order and with its header
    (made unique); both have the same number of rows. Empty cells are "", never null. `problems` are the remarks that
    the reader makes on cells and rows, several on one row where there are several.
    """

    table: pa.Table
    cells: pa.Table
    problems: Sequence[Problem] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def with_columns(self, **columns: pa.Array | pa.ChunkedArray) -> "Chunk":
        """The same rows with these columns of `table` replaced."""
        table = self.table
        for name, values in columns.items():
            place = CHUNK_SCHEMA.get_field_index(name)
            table = table.set_column(place, CHUNK_SCHEMA.field(place), values)
        return Chunk(table, self.cells, self.problems)


# --- From a claimed row on: one value a message ---------------------------------------------------------------------
# Tuples, with names: some of each are made for every message, and a frozen dataclass takes three times as long.


class Message(NamedTuple):
    """One text to one number, as a provider gets it."""

    id: str  #: "c<campaign>-<row>", our name for it everywhere
    reference: str  #: `id` behind the ledger's own prefix: unique at a provider over ledgers
    number: Msisdn
    text: str
    sender: str  #: alphanumeric, short code or number
    encoding: Encoding
    segments: int
    expires_at: datetime | None = None  #: never sent after this moment; aware UTC
    send_at: datetime | None = None  #: held by the provider until then, within its horizon; None: sent at once


class Submission(NamedTuple):
    """What a provider answered for one message."""

    number: Msisdn
    accepted: bool | None  #: None: no answer for this one of the batch; `error` then says what is known
    provider_id: ProviderMessageId | None = None
    code: str = ""  #: the provider's own code for a refusal
    reason: str = ""  #: the same in words
    error: ProviderError | None = None  #: to be treated for this message as if `submit` had raised it


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What the network said of one message, by call-back or look-up."""

    number: Msisdn
    provider_id: ProviderMessageId | None  #: None: a look-up of what was refused, which got none
    event: MessageEvent
    code: str = ""
    reason: str = ""  #: the same in words
    reference: str = ""  #: ours, as the message had it; only a look-up tells it
    at: datetime | None = None  #: the network's own time; aware UTC


class Claim(NamedTuple):
    """A message that this process alone may send now; `tries` starts at 1 and fences its result."""

    campaign_id: CampaignId
    row: int
    tries: int
    message: Message


class Outcome(NamedTuple):
    """What became of one claim."""

    claim: Claim
    event: MessageEvent
    reason: str = ""  #: a code, the report's column `reason`
    detail: str = ""  #: one sentence for people
    provider_id: ProviderMessageId | None = None
    sent_at: datetime | None = None  #: when its request left; None: it never left
    retry_in_s: float = 0.0  #: for RETRY: not due again before


# --- After it: what people are told ---------------------------------------------------------------------------------

COUNT_KEYS: Final = ("rows", *(state.value for state in MessageState))
"""The keys of a campaign's counts; `rows` is the sum of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStatus:
    """One campaign and its counts, as `status --json` and the head of each report show it."""

    id: CampaignId | None  #: None for a check, which makes no campaign
    name: str
    state: CampaignState | None
    reason: str  #: why it is paused or cancelled; "" otherwise
    counts: Mapping[str, int]  #: keys are COUNT_KEYS, zeros included
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  #: by state, then reason; only what occurs
    kind: CampaignKind = CampaignKind.FILE
    account: str = ""
    sender: str = ""
    source: str = ""  #: file, and sheet where it has several
    source_sha256: str = ""
    columns: Sequence[str] = ()  #: the headers of the file's own columns
    reports: Sequence[str] = ()  #: where its reports go; () for the usual places
    created_at: datetime | None = None
    created_by: str = ""
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None

    @property
    def unsent(self) -> int:
        """How many messages have no outcome yet and can still go; of a cancelled campaign none."""
        if self.state is CampaignState.CANCELLED:
            return 0
        return self.counts[MessageState.PLANNED] + self.counts[MessageState.SENDING]


class ReportRow(NamedTuple):
    """One row of the file and what became of it; the report's columns, in their order and with their names.

    A tuple, for it is made once for every row of a report: a frozen dataclass costs ten times as much.
    """

    row: int
    phone: str
    to: Msisdn | None
    country: str  #: ISO 3166 code of the number, "" where none is known
    status: str  #: a MessageState, or "ready" in the report of a check
    reason: str
    detail: str
    text: str
    encoding: str
    segments: int | None
    provider: str  #: the account's name
    provider_id: str
    tries: int
    sent_at: datetime | None
    updated_at: datetime | None
    cells: Sequence[str] = ()  #: the file's own, aligned with CampaignStatus.columns


REPORT_COLUMNS: Final = ReportRow._fields[:-1]
RESERVED_COLUMNS: Final = (  # written between updated_at and the file's own, each once its feature exists
    "assigned_code", "variant", "cost", "currency", "delivered_at", "replies", "opted_out_at",
)  # fmt: skip
