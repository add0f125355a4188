"""The Text API as a server: log in, send a text. One router, for whatever stands behind it.

    POST /token         form grant_type=password&username=...&password=...  ->  a bearer token
    POST /sms/skicka    JSON {"from", "to", "message"}  ->  {"messages": [{"to", "id", "accepted", "code", "reason"}]}

Whatever else is answered is {"error": code, "error_description": sentence}.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Protocol

from litestar import Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from campaigns.clock import Clock
from campaigns.model import Submission
from campaigns.web.errors import MAX_BODY, AnyRequest, ApiError, answer_error, from_validation
from campaigns.web.log_in import Users, as_json, body_of, log_in, user_of

MAX_NUMBERS: Final = 1_000  #: of one request
MAX_TEXT: Final = 255 * 153  #: characters: what 255 joined GSM-7 parts hold (3GPP TS 23.040)

Sender = Annotated[str, StringConstraints(min_length=1, max_length=16)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]


class TextService(Users, Protocol):
    """What stands behind the API: our own campaigns, or a simulated network."""

    async def send(self, user: str, sender: str, numbers: Sequence[str], text: str) -> Sequence[Submission]:
        """Take one text for these numbers, each of which is named once; a Submission for each."""


class TextRequest(BaseModel):
    """One text for one or many."""

    model_config = ConfigDict(strict=True)

    sender: Sender = Field(alias="from")
    to: str | list[str]
    message: Text

    def numbers(self) -> list[str]:
        """Each number once, in the order given: within one request nobody gets a text twice."""
        return list(dict.fromkeys([self.to] if isinstance(self.to, str) else self.to))


class NumberAnswer(BaseModel):
    """What became of one number."""

    to: str
    id: str | None
    accepted: bool
    code: str | None
    reason: str | None


class TextAnswer(BaseModel):
    """What became of a request that was taken."""

    messages: list[NumberAnswer]


Service = NamedDependency[SkipValidation[TextService]]


def text_api(service: TextService, clock: Clock) -> Router:
    """The routes of the Text API over `service`."""
    return Router(
        path="/",
        route_handlers=[log_in, send],
        dependencies={
            "service": Provide(lambda: service, sync_to_thread=False),
            "clock": Provide(lambda: clock, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_error},
        request_max_body_size=MAX_BODY,
    )


@post("/sms/skicka", status_code=200)
async def send(request: AnyRequest, service: Service) -> Response[bytes]:
    """Take one text for one or many; one bad number among them stops no other."""
    user = await user_of(request, service)
    asked = _text_request(await body_of(request, "application/json"))
    answers = await service.send(user, asked.sender, asked.numbers(), asked.message)
    return as_json(TextAnswer(messages=[_number_answer(answer) for answer in answers]))


def _text_request(body: bytes) -> TextRequest:
    try:
        asked = TextRequest.model_validate_json(body)
    except ValidationError as error:
        raise from_validation(error) from error
    numbers = asked.numbers()
    if not numbers:
        raise ApiError(400, "invalid_request", '"to" names nobody.')
    if len(numbers) > MAX_NUMBERS:
        raise ApiError(413, "too_large", f'"to" names {len(numbers):,} numbers; {MAX_NUMBERS:,} are allowed.')
    return asked


def _number_answer(answer: Submission) -> NumberAnswer:
    return NumberAnswer(
        to=answer.number,
        id=answer.provider_id,
        accepted=answer.accepted is True,
        code=answer.code or None,
        reason=answer.reason or None,
    )
