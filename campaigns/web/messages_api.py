"""Our own API for messages, each with its own text and reference. One router, for whatever stands behind it.

    POST /v1/messages                {"messages": [{"to", "text", "from", "reference", "send_at"}, ...]}, 1 to 100
    GET  /v1/messages?reference=a    as many references as are asked for, 1 to 100; what was never taken is left out
    POST /v1/messages/ID/cancel      takes back what has not left yet; 409 where it has

All three answer with messages: {"id", "reference", "to", "state", "code", "reason", "send_at", "created_at",
"updated_at"}. A reference that was seen before is answered as it was the first time, and nothing is sent again. So is
a whole request under the header `Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header-07: another body
under the same key is a 422). The log-in is that of the Text API, and so is the form of errors.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Protocol

from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from campaigns.clock import Clock
from campaigns.model import MessageState
from campaigns.web.errors import MAX_BODY, AnyRequest, ApiError, answer_error, from_validation
from campaigns.web.log_in import Users, as_json, body_of, user_of
from campaigns.web.text_api import Sender, Text

MAX_MESSAGES: Final = 100  #: of one request
HORIZON: Final = timedelta(days=90)  #: how far ahead a message may be scheduled
KEY: Final = re.compile(r'"([\x20-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')  # a structured string, or as most write it

Reference = Annotated[str, StringConstraints(min_length=1, max_length=128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """One message that a client wants sent."""

    to: str
    text: str
    sender: str
    reference: str | None  #: the client's own name for it; None: it has none, and cannot be asked for
    send_at: datetime | None  #: not before; aware; None: at once


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """One message as it is now."""

    id: str | None  #: None where it was refused
    to: str
    reference: str | None
    state: MessageState  #: PLANNED until it leaves
    code: str = ""  #: of a refusal
    reason: str = ""  #: the same in words
    send_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The `Idempotency-Key` of a request, and a digest that tells its body from another."""

    value: str
    body_digest: str


class MessageService(Users, Protocol):
    """What stands behind the API: our own campaigns, or a simulated network. Each user sees only what is theirs."""

    async def take(self, user: str, messages: Sequence[NewMessage], key: RequestKey | None) -> Sequence[KeptMessage]:
        """Take what was not taken before; one KeptMessage for each, in their order.

        A number gets one message of a request. Taking must be one step: of two requests that bring the same reference
        or key at once, one takes it, and the other is answered as the first (or with a 409 while that is not known).
        A key that came with another body is a 422.
        """

    async def find(self, user: str, references: Sequence[str]) -> Sequence[KeptMessage]:
        """What was taken under these references, in any order."""

    async def cancel(self, user: str, message_id: str) -> KeptMessage | None:
        """Take a message back if it has not left; the message as it then is, None where there is none of that id."""


class MessageRequest(BaseModel):
    """One message of a request. An unknown key is refused: with `sent_at` for `send_at` it would leave at once."""

    model_config = ConfigDict(strict=True, extra="forbid")

    to: str
    text: Text
    sender: Sender = Field(alias="from")
    reference: Reference | None = None
    send_at: AwareDatetime | None = None


class MessagesRequest(BaseModel):
    """One or many messages."""

    model_config = ConfigDict(strict=True, extra="forbid")

    messages: Annotated[list[MessageRequest], Field(min_length=1)]


class MessageAnswer(BaseModel):
    """One message as it is now."""

    id: str | None
    reference: str | None
    to: str
    state: str
    code: str | None
    reason: str | None
    send_at: datetime | None
    created_at: datetime
    updated_at: datetime


class MessagesAnswer(BaseModel):
    """The messages of a request, or those that were asked for."""

    messages: list[MessageAnswer]


Service = NamedDependency[SkipValidation[MessageService]]
TheClock = NamedDependency[SkipValidation[Clock]]


def messages_api(service: MessageService, clock: Clock) -> Router:
    """The routes of the API over `service`, which `text_api` lets log in."""
    return Router(
        path="/v1/messages",
        route_handlers=[take, find, cancel],
        dependencies={
            "service": Provide(lambda: service, sync_to_thread=False),
            "clock": Provide(lambda: clock, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_error},
        request_max_body_size=MAX_BODY,
    )


@post("/", status_code=200)
async def take(request: AnyRequest, service: Service, clock: TheClock) -> Response[bytes]:
    """Take messages; one that is refused stops no other."""
    user = await user_of(request, service)
    body = await body_of(request, "application/json")
    messages = _new_messages(body, latest=clock.now() + HORIZON)
    return _answer(await service.take(user, messages, _key(request, body)))


@get("/")
async def find(request: AnyRequest, service: Service) -> Response[bytes]:
    """The messages that were taken under these references."""
    user = await user_of(request, service)
    references = list(dict.fromkeys(request.query_params.getall("reference", [])))
    if not references:
        raise ApiError(400, "invalid_request", "Which messages? Ask with ?reference=a&reference=b.")
    if len(references) > MAX_MESSAGES:
        raise ApiError(413, "too_large", f"{len(references):,} references are asked for; {MAX_MESSAGES} are allowed.")
    return _answer(await service.find(user, references))


@post("/{message_id:str}/cancel", status_code=200)
async def cancel(request: AnyRequest, message_id: FromPath[str], service: Service) -> Response[bytes]:
    """Take a message back that has not left."""
    message = await service.cancel(await user_of(request, service), message_id)
    if message is None:
        raise ApiError(404, "unknown_message", "There is no message of this id.")
    if message.state is not MessageState.CANCELLED:
        raise ApiError(409, "has_left", f"The message is {message.state} and cannot be taken back.")
    return _answer([message])


def _new_messages(body: bytes, latest: datetime) -> list[NewMessage]:
    try:
        asked = MessagesRequest.model_validate_json(body).messages
    except ValidationError as error:
        raise from_validation(error, steps=3) from error
    if len(asked) > MAX_MESSAGES:
        raise ApiError(413, "too_large", f"The request has {len(asked):,} messages; {MAX_MESSAGES} are allowed.")
    for place, one in enumerate(asked):
        if one.send_at is not None and one.send_at > latest:
            raise ApiError(400, "too_far_ahead", f'"messages[{place}].send_at": more than {HORIZON.days} days ahead.')
    return [
        NewMessage(to=one.to, text=one.text, sender=one.sender, reference=one.reference, send_at=one.send_at)
        for one in asked
    ]


def _key(request: AnyRequest, body: bytes) -> RequestKey | None:
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    match = KEY.fullmatch(given.strip())
    if match is None:
        raise ApiError(400, "invalid_request", "The Idempotency-Key is not 1 to 255 ASCII characters in quotes.")
    return RequestKey(match[1] or match[2], hashlib.sha256(body).hexdigest())


def _answer(messages: Sequence[KeptMessage]) -> Response[bytes]:
    return as_json(MessagesAnswer(messages=[_message_answer(message) for message in messages]))


def _message_answer(message: KeptMessage) -> MessageAnswer:
    return MessageAnswer(
        id=message.id,
        reference=message.reference,
        to=message.to,
        state=message.state,
        code=message.code or None,
        reason=message.reason or None,
        send_at=message.send_at,
        created_at=message.created_at,
        updated_at=message.updated_at,
    )
