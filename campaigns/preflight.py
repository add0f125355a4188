"""Everything but sending: from a campaign to its rows as they would be sent, and what there is to know of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import repeat
from os.path import realpath  # a path whose links form a circle has one too
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from campaigns.campaign import Campaign
from campaigns.clock import SYSTEM_CLOCK, Clock
from campaigns.errors import InputError
from campaigns.messages import Filter, Template, compile_filter, compile_template, keep, render
from campaigns.model import COUNT_KEYS, CampaignStatus, Chunk, MessageState, ReportRow
from campaigns.recipients import Layout, NumberList, RecipientFile, from_numbers, mark_duplicates, open_recipients
from campaigns.recipients.countries import countries_of
from campaigns.reporting import ReportFacts, cleaned_paths, open_cleaned, open_reports
from campaigns.reporting.destinations import other_name
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
    fixed: Path | None = None,
    problems: int | None = 100,
    on_rows: Callable[[int, int], None] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Preflight:
    """Go through the whole campaign and send nothing; no ledger is made.

    `reports` get every row with the status `ready` or `skipped`, `fixed` the cleaned list and the rows to mend.
    `problems` bounds the list (None: all); `on_rows` is told how many rows were read, and how many there may be.
    """
    _keep_apart(fixed, campaign, reports)
    preparation = prepare(campaign)
    recipients = preparation.recipients
    if fixed and recipients.doubt is not None:  # in a new file nobody could see any more that letters may be wrong
        raise recipients.doubt
    tally = Tally(recipients, has_text=preparation.template is not None, problems=problems)
    cleaning = open_cleaned(fixed, recipients.columns, recipients.phone_column) if fixed else nullcontext()
    with open_reports(reports, recipients.columns) as report, cleaning as cleaned:
        for chunk in preparation.chunks():
            tally.add(chunk)
            if reports:
                report.add(report_rows(chunk))
            if cleaned is not None:
                cleaned.add(chunk)
            if on_rows is not None:
                on_rows(tally.rows, recipients.height)
        preflight = tally.result()
        if reports:
            report.finish(_status(campaign, preparation, preflight), clock.now(), _facts(campaign, preparation))
        return preflight if cleaned is None else replace(preflight, cleaned=cleaned.finish())


def report_rows(chunk: Chunk) -> Iterator[ReportRow]:
    """The rows of a Chunk for the report of a check."""
    table = chunk.table
    digits = pc.cast(table["number"].combine_chunks(), pa.string())
    columns = {
        "to": pc.binary_join_element_wise("+", digits, ""),
        "status": pc.if_else(pc.is_null(table["skip_reason"]), READY, MessageState.SKIPPED.value),
        "reason": pc.coalesce(table["skip_reason"], ""),
        **{name: table[name] for name in ("row", "phone", "segments")},
        **{name: pc.coalesce(table[name], "") for name in ("detail", "text", "encoding")},
    }
    values: dict[str, Iterable[object]] = {name: column.to_pylist() for name, column in columns.items()}
    values |= {"country": countries_of(digits), "cells": _lines(chunk.cells)}
    same = {"provider": "", "provider_id": "", "tries": 0, "sent_at": None, "updated_at": None}
    values |= {name: repeat(value, len(chunk)) for name, value in same.items()}
    return map(ReportRow._make, zip(*(values[name] for name in ReportRow._fields), strict=True))


def _keep_apart(fixed: Path | None, campaign: Campaign, reports: Sequence[Path]) -> None:
    """No cleaned list takes the place of what the campaign is read from, or of a report."""
    sources = [path for path in (campaign.recipients.file, campaign.file) if path]
    taken = {realpath(path): "is a report" for path in reports} | {
        realpath(path): "is what the campaign is read from" for path in sources
    }
    for path in cleaned_paths(fixed) if fixed else ():
        if use := taken.get(realpath(path)):
            raise InputError(
                f"{path} {use}, so no cleaned list can be written there.",
                fix=f"Give another name: --fixed {other_name(fixed or path)}",
            )


def _lines(cells: pa.Table) -> Iterable[Sequence[str]]:
    """The cells of each row."""
    columns = [column.to_pylist() for column in cells.columns]
    return zip(*columns, strict=True) if columns else repeat((), cells.num_rows)


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
