"""What each status and each reason means, and what to do about it: one table for the page and the workbook."""

from dataclasses import dataclass, replace
from typing import Final

from campaigns.model import MessageState, SkipReason
from campaigns.reporting.figures import READY


@dataclass(frozen=True, slots=True)
class Meaning:
    """One word of the report, explained."""

    means: str
    what_to_do: str = ""
    mends_list: bool = False  #: whether the recipient file can be mended for it


STATUSES: Final = {
    READY: Meaning("Nothing stands against sending it. Nothing was sent yet."),
    MessageState.SKIPPED: Meaning("Not sent, for the reason given. Costs nothing."),
    MessageState.PLANNED: Meaning("Waits to be sent.", "Go on with: campaigns resume NAME"),
    MessageState.SENDING: Meaning("On its way to the provider when the figures were taken.", "Make the report again."),
    MessageState.ACCEPTED: Meaning("The provider took the message and has not said what became of it."),
    MessageState.DELIVERED: Meaning("The network says that the phone received it. Not that anyone read it."),
    MessageState.UNDELIVERED: Meaning(
        "The network says that it could not be delivered. Final.",
        "Take numbers that are no longer in use off the list.",
    ),
    MessageState.EXPIRED: Meaning(
        "The network gave up: the phone was not reached in time. Final.",
        "Nothing, or send to these people again: the phone was off or out of reach.",
    ),
    MessageState.REJECTED: Meaning(
        "The provider refused it, and says why. Final, costs nothing.",
        "The detail holds the provider's words. Correct the number or the sender, and send to these rows again.",
    ),
    MessageState.FAILED: Meaning(
        "Never taken by the provider, and all tries are used up.",
        "The provider could not be reached. Send to these rows again later.",
    ),
    MessageState.UNKNOWN: Meaning(
        "May have been taken: the request left, but no answer came. Never sent again by itself.",
        "Ask the provider, or the person, before you send it again: it may arrive twice.",
    ),
    MessageState.CANCELLED: Meaning("Taken back before it was sent."),
}

REASONS: Final = {
    SkipReason.MISSING: Meaning("The cell of the phone number is empty.", "Fill in the number.", mends_list=True),
    SkipReason.INVALID: Meaning(
        "The cell holds no phone number of its region.",
        "Correct the number. One of another country begins with + and that country's code.",
        mends_list=True,
    ),
    SkipReason.TOO_SHORT: Meaning("The number has too few digits.", "Correct the number.", mends_list=True),
    SkipReason.TOO_LONG: Meaning("The number has too many digits.", "Correct the number.", mends_list=True),
    SkipReason.NOT_MOBILE: Meaning(
        "The number is no mobile number, so it gets no texts.", "Give a mobile number.", mends_list=True
    ),
    SkipReason.DIGITS_LOST: Meaning(
        "A spreadsheet program cut the digits (4.67E+10).",
        "Format the column as Text and paste these numbers again.",
        mends_list=True,
    ),
    SkipReason.SEVERAL_NUMBERS: Meaning(
        "The cell holds more than one number.",
        "Keep one number in the cell; give the other a row of its own.",
        mends_list=True,
    ),
    SkipReason.EMERGENCY: Meaning(
        "An emergency or service number, which is never sent to.", "Take it off the list.", mends_list=True
    ),
    SkipReason.DUPLICATE: Meaning(
        "An earlier row holds the same number.", "Nothing: the first row of each number is used."
    ),
    SkipReason.HIDDEN: Meaning(
        "The workbook hides the row, and hidden rows are left out.", "Nothing, or show the row in the workbook."
    ),
    SkipReason.FILTERED: Meaning(
        "The campaign's condition leaves the row out.", "Nothing, where the condition is meant so."
    ),
    SkipReason.RENDER_ERROR: Meaning(
        "No text could be made for this row, or it came out empty.",
        "The detail says why. Correct the cells that the text uses.",
        mends_list=True,
    ),
    SkipReason.EMPTY_FIELD: Meaning(
        "A cell that the text uses is empty, and this campaign skips such rows.",
        "Fill in the cell, or give the field a default in the text.",
        mends_list=True,
    ),
    SkipReason.RECENTLY_REACHED: Meaning(
        "Another message reached the number shortly before, and this campaign leaves such numbers out (not_within).",
        "Nothing, or send to these rows later.",
    ),
}


DELIVERY_REASONS: Final = {  # ours; all other codes of messages are the provider's or the network's
    "rejected": Meaning("The provider refused it and gave no code."),
    "not_taken": Meaning("The provider surely did not take it: no connection, or it was too busy."),
    "no_answer": Meaning("The request left, and no usable answer came back."),
    "interrupted": Meaning("The sending was stopped while the request was on its way."),
    "restored": Meaning("The ledger was restored from a backup, and it may have been sent since that was made."),
    "crashed": Meaning("The sending program ended while the request was on its way."),
}


def meaning_of(status: str, reason: str) -> Meaning:
    """What a row with this status and reason is told; a provider's own code is told by its status."""
    if status == MessageState.SKIPPED and reason in REASONS:
        return REASONS[SkipReason(reason)]
    if reason in DELIVERY_REASONS:
        return replace(STATUSES[status], means=DELIVERY_REASONS[reason].means)
    return STATUSES[status]
