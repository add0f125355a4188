"""Everything but sending: from a campaign to its rows as they would be sent, and what there is to know of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.messages import Filter, Template, compile_filter, compile_template, keep, render
from campaigns.model import COUNT_KEYS, CampaignStatus, Chunk, MessageState, Msisdn, ReportRow
from campaigns.recipients import Layout, NumberList, RecipientFile, from_numbers, mark_duplicates, open_recipients
from campaigns.recipients.numbers import country_of
from campaigns.reporting import ReportFacts, open_reports
from campaigns.tally import Preflight, Tally

READY: Final = "ready"  #: the status of a row that would be sent, in the report of a check


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """A campaign whose file was looked at and whose text was read: ready to go through its rows."""

    recipients: RecipientFile | NumberList
    template: Template | None
    where: Filter | None
    on_empty: str

    def chunks(self) -> Iterator[Chunk]:
        """The rows as they would be sent: read, filtered, rendered, and only the first of each number."""
        chunks = self.recipients.chunks()
        if self.where is not None:
            chunks = keep(chunks, self.where)
        if self.template is not None:
            chunks = render(chunks, self.template, on_empty="skip" if self.on_empty == "skip" else "send")
        return mark_duplicates(chunks, self.recipients.phone_column)


def prepare(campaign: Campaign) -> Preparation:
    """Look at the campaign's file and read its text; InputError where either cannot be used."""
    source = campaign.recipients
    layout = Layout(
        phone_column=source.phone_column,
        region=source.region,
        sheet=source.sheet,
        encoding=source.encoding,
        skip_hidden=source.skip_hidden,
        allow_landline=source.allow_landline,
    )
    return _preparation(campaign, open_recipients(source.file, layout))


def prepare_numbers(numbers: Sequence[str], campaign: Campaign) -> Preparation:
    """The same for a few numbers that were typed instead of a file."""
    source = campaign.recipients
    return _preparation(campaign, from_numbers(numbers, source.region, allow_landline=source.allow_landline))


def check(
    campaign: Campaign,
    *,
    reports: Sequence[Path] = (),
    problems: int | None = 100,
    on_rows: Callable[[int], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Preflight:
    """Go through the whole campaign and send nothing; no ledger is made.

    `reports` get every row with the status `ready` or `skipped`. `problems` bounds the list (None: all); `on_rows` is
    told how many rows were read.
    """
    preparation = prepare(campaign)
    tally = Tally(preparation.recipients, has_text=preparation.template is not None, problems=problems)
    with open_reports(reports, preparation.recipients.columns) as report:
        for chunk in preparation.chunks():
            tally.add(chunk)
            if reports:
                for row in report_rows(chunk):
                    report.add(row)
            if on_rows is not None:
                on_rows(tally.rows)
        preflight = tally.result()
        if reports:
            report.finish(_status(campaign, preparation, preflight), clock.now(), _facts(campaign, preparation))
    return preflight


def report_rows(chunk: Chunk) -> Iterator[ReportRow]:
    """The rows of a Chunk for the report of a check."""
    columns = [column.to_pylist() for column in chunk.cells.columns]
    for place, line in enumerate(chunk.table.to_pylist()):
        number = Msisdn(f"+{line['number']}") if line["number"] is not None else None
        yield ReportRow(
            row=line["row"],
            phone=line["phone"],
            to=number,
            country=country_of(number) if number else "",
            status=READY if line["skip_reason"] is None else MessageState.SKIPPED,
            reason=line["skip_reason"] or "",
            detail=line["detail"] or "",
            text=line["text"] or "",
            encoding=line["encoding"] or "",
            segments=line["segments"],
            provider="",
            provider_id="",
            tries=0,
            sent_at=None,
            updated_at=None,
            cells=[column[place] for column in columns],
        )


def _preparation(campaign: Campaign, recipients: RecipientFile | NumberList) -> Preparation:
    columns = recipients.columns
    where = campaign.recipients.where
    return Preparation(
        recipients=recipients,
        template=None
        if campaign.message is None
        else compile_template(
            campaign.message, columns, where=campaign.places.get("message", ""), source=recipients.name
        ),
        where=None
        if where is None
        else compile_filter(where, columns, where=campaign.places.get("recipients.where", ""), source=recipients.name),
        on_empty=campaign.on_empty,
    )


def _status(campaign: Campaign, preparation: Preparation, preflight: Preflight) -> CampaignStatus:
    skipped = preflight.rows - preflight.recipients
    return CampaignStatus(
        id=None,
        name=campaign.default_name,
        state=None,
        reason="",
        counts=dict.fromkeys(COUNT_KEYS, 0) | {"rows": preflight.rows, MessageState.SKIPPED: skipped},
        reasons={MessageState.SKIPPED: preflight.skipped},
        sender=campaign.sender or "",
        source=preparation.recipients.name,
        source_sha256=preparation.recipients.sha256,
        columns=preparation.recipients.columns,
    )


def _facts(campaign: Campaign, preparation: Preparation) -> ReportFacts:
    recipients = preparation.recipients
    return ReportFacts(
        region=recipients.region,
        phone_column=recipients.phone_column,
        header_row=recipients.header_row,
        purpose=campaign.purpose,
    )
