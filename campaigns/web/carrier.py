"""A simulated network behind the sandbox: takes texts, reaches nobody, and remembers what it was given."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final, NamedTuple

from campaigns.clock import Clock
from campaigns.model import Msisdn, ProviderMessageId, Submission


class Refusal(NamedTuple):
    """Why the network does not take a number."""

    code: str
    reason: str


REFUSALS: Final[Mapping[str, Refusal]] = {  # by the last two digits of a number, for those who ask for refusals
    "90": Refusal("number_blocked", "The number is blocked"),
    "91": Refusal("sender_not_allowed", "The sender is not registered in the country of the number"),
    "92": Refusal("unknown_subscriber", "Nobody has this number"),
    "93": Refusal("barred", "The subscriber has barred such messages"),
    "94": Refusal("no_route", "There is no route to the network of the number"),
    "95": Refusal("land_line", "The number is a land line"),
    "96": Refusal("content_refused", "The network refuses the text"),
    "97": Refusal("ported", "The number has moved to a network that is not known"),
    "98": Refusal("country_not_allowed", "The account may not send to the country of the number"),
    "99": Refusal("quota_exceeded", "The number has had too many messages today"),
}

NO_NUMBER: Final = Refusal("invalid_number", "This is no E.164 number, such as +46701740605")
E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message that the network took."""

    at: datetime  #: aware UTC
    sender: str
    to: str
    text: str
    id: str


class Carrier:
    """The network of one sandbox; read from any thread."""

    def __init__(self, clock: Clock, refusals: Mapping[str, Refusal]) -> None:
        self._clock = clock
        self._refusals = refusals
        self._received: list[Received] = []
        self._run = secrets.token_hex(4)  # so that two sandboxes never give the same id
        self._count = count(1)

    @property
    def messages(self) -> Sequence[Received]:
        """What was taken so far, in the order in which it came."""
        return tuple(self._received)

    def take(self, sender: str, numbers: Sequence[str], text: str) -> list[Submission]:
        """Take one text for each of these numbers, but for those that are refused."""
        answers = [self.admit(number) for number in numbers]
        for answer in answers:
            if answer.provider_id is not None:
                self.carry(sender, answer.number, text, answer.provider_id)
        return answers

    def admit(self, number: str) -> Submission:
        """Say whether a message to this number would be taken, and under which id; nothing is sent yet."""
        refusal = self._refusals.get(number[-2:]) if E164.fullmatch(number) else NO_NUMBER
        if refusal:
            return Submission(number=Msisdn(number), accepted=False, code=refusal.code, reason=refusal.reason)
        given = ProviderMessageId(f"{self._run}-{next(self._count)}")
        return Submission(number=Msisdn(number), accepted=True, provider_id=given)

    def carry(self, sender: str, number: str, text: str, message_id: str) -> None:
        """Take a message that was admitted."""
        self._received.append(Received(at=self._clock.now(), sender=sender, to=number, text=text, id=message_id))

    def forget(self) -> None:
        """Forget what was taken."""
        self._received.clear()
