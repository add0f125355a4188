"""What a sender may look like: a word, a short code or a number."""

import re
import unicodedata
from typing import Final

from campaigns.errors import InputError

#: Letters of the GSM-7 default alphabet (3GPP TS 23.038) beside a to z; networks carry a sender in that alphabet.
_LETTERS: Final = "A-Za-zÄÖÑÜäöñüàèéùìòÇØøÅåÆæßÉΔΦΓΛΩΠΨΣΘΞ"
_ALPHANUMERIC: Final = re.compile(rf"(?=.*[{_LETTERS}])[{_LETTERS}0-9 .\-_&]{{1,11}}")
_SHORT_CODE: Final = re.compile(r"[0-9]{3,8}")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_NUMBER_AS_WRITTEN: Final = re.compile(r"\+?[0-9][0-9 ()./-]*")


def read_sender(text: str) -> str:
    """A sender without outer spaces, its letters composed (NFC); an InputError says what is allowed."""
    sender = unicodedata.normalize("NFC", text).strip()
    sender_kind(sender)
    return sender


def sender_kind(sender: str) -> str:
    """One of "alphanumeric", "short_code" and "number"; an InputError says what is allowed.

    An alphanumeric sender has 1 to 11 characters and a letter, a short code 3 to 8 digits, a number is E.164.
    """
    kinds = {"alphanumeric": _ALPHANUMERIC, "short_code": _SHORT_CODE, "number": _NUMBER}
    for kind, form in kinds.items():
        if form.fullmatch(sender):
            return kind
    if _NUMBER_AS_WRITTEN.fullmatch(sender):
        raise InputError(
            f'"{sender}" is no sender: a number needs its country code, a short code has 3 to 8 digits.',
            fix="Write a number with its plus sign and no spaces, such as +46701740605.",
        )
    raise InputError(
        f'"{sender}" is no sender: {_what_is_wrong(sender)}.',
        fix="Use 1 to 11 letters, digits, spaces and . - _ &, a number such as +46701740605, or a short code.",
    )


def _what_is_wrong(sender: str) -> str:
    wrong = dict.fromkeys(re.findall(rf"[^{_LETTERS}0-9 .\-_&]", sender))
    if wrong:
        return f"it holds {' '.join(wrong)}"
    if len(sender) > 11:
        return f"it has {len(sender)} characters, and 11 are the most"
    return "it has no letter" if sender else "it is empty"
