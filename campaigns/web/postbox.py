"""What the sandbox was given over /v1/messages: kept by id and reference, held until it is due, taken back if asked."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from campaigns.clock import Clock
from campaigns.model import MessageState
from campaigns.web.carrier import Carrier, Refusal
from campaigns.web.errors import ApiError
from campaigns.web.messages_api import KeptMessage, NewMessage, RequestKey

DUPLICATE = Refusal("duplicate", "Another message of this request is for the same number")


@dataclass(slots=True)
class _Entry:
    """One message, and the timer that lets it leave."""

    message: KeptMessage
    leaving: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class _Box:
    """What one user has here."""

    by_reference: dict[str, _Entry] = field(default_factory=dict)
    by_id: dict[str, _Entry] = field(default_factory=dict)
    by_key: dict[str, tuple[str, list[KeptMessage]]] = field(default_factory=dict)  # digest of the body, first answer


class Postbox:
    """The messages of all users. No method waits between its first look and its last change, so that of two requests
    with the same reference that come at once the second finds what the first did."""

    def __init__(self, carrier: Carrier, clock: Clock) -> None:
        self._carrier = carrier
        self._clock = clock
        self._boxes: dict[str, _Box] = {}

    def take(self, user: str, messages: Sequence[NewMessage], key: RequestKey | None) -> list[KeptMessage]:
        """Take what is new, and answer the rest as it stands; a number gets one message of a request."""
        box = self._boxes.setdefault(user, _Box())
        if key and key.value in box.by_key:
            digest, answer = box.by_key[key.value]
            if digest != key.body_digest:
                raise ApiError(422, "key_reused", "This Idempotency-Key came before with another body.")
            return answer
        numbers: set[str] = set()
        answer = [self._entry(box, message, numbers).message for message in messages]
        if key:
            box.by_key[key.value] = (key.body_digest, answer)
        return answer

    def find(self, user: str, references: Sequence[str]) -> list[KeptMessage]:
        """What came under these references."""
        known = self._boxes.get(user, _Box()).by_reference
        return [known[reference].message for reference in references if reference in known]

    def cancel(self, user: str, message_id: str) -> KeptMessage | None:
        """Take back what has not left."""
        entry = self._boxes.get(user, _Box()).by_id.get(message_id)
        if entry is None:
            return None
        if entry.leaving is not None:
            entry.leaving.cancel()
            self._move(entry, MessageState.CANCELLED)
        return entry.message

    def forget(self) -> None:
        """Forget all of it; what is held never leaves."""
        for box in self._boxes.values():
            for entry in box.by_id.values():
                if entry.leaving is not None:
                    entry.leaving.cancel()
        self._boxes.clear()

    def _entry(self, box: _Box, new: NewMessage, numbers: set[str]) -> _Entry:
        entry = box.by_reference.get(new.reference) if new.reference else None
        if entry is None:
            entry = self._new_entry(new, is_first=new.to not in numbers)
            if new.reference:
                box.by_reference[new.reference] = entry
            if entry.message.id:
                box.by_id[entry.message.id] = entry
        numbers.add(new.to)
        return entry

    def _new_entry(self, new: NewMessage, *, is_first: bool) -> _Entry:
        now = self._clock.now()
        kept = KeptMessage(
            id=None,
            to=new.to,
            reference=new.reference,
            state=MessageState.REJECTED,
            code=DUPLICATE.code,
            reason=DUPLICATE.reason,
            send_at=new.send_at,
            created_at=now,
            updated_at=now,
        )
        if not is_first:
            return _Entry(kept)
        admitted = self._carrier.admit(new.to)
        kept = replace(kept, id=admitted.provider_id, code=admitted.code, reason=admitted.reason)
        if admitted.provider_id is None:
            return _Entry(kept)
        entry = _Entry(replace(kept, state=MessageState.PLANNED))
        wait_s = (new.send_at - now).total_seconds() if new.send_at else 0.0
        if wait_s > 0:
            entry.leaving = asyncio.get_running_loop().call_later(wait_s, self._leave, entry, new)
        else:
            self._leave(entry, new)
        return entry

    def _leave(self, entry: _Entry, new: NewMessage) -> None:
        self._carrier.carry(new.sender, new.to, new.text, entry.message.id or "")
        self._move(entry, MessageState.ACCEPTED)

    def _move(self, entry: _Entry, state: MessageState) -> None:
        entry.message = replace(entry.message, state=state, updated_at=self._clock.now())
        entry.leaving = None
