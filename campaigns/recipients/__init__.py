"""From a recipient file to recipients: every data row with its number in E.164, or with the reason why it has none."""

from campaigns.recipients.advice import Advice, advise
from campaigns.recipients.duplicates import mark_duplicates
from campaigns.recipients.layout import Layout
from campaigns.recipients.reading import NumberList, RecipientFile, from_numbers, open_recipients

__all__ = [
    "Advice",
    "Layout",
    "NumberList",
    "RecipientFile",
    "advise",
    "from_numbers",
    "mark_duplicates",
    "open_recipients",
]
