"""The Text API as a server: log in, send a text. One router, for whatever stands behind it.

    POST /token         form grant_type=password&username=...&password=...  ->  a bearer token
    POST /sms/skicka    JSON {"from", "to", "message"}  ->  {"messages": [{"to", "id", "accepted", "code", "reason"}]}

Whatever else is answered is {"error": code, "error_description": sentence}.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, Final, Literal, Protocol
from urllib.parse import parse_qs

from litestar import MediaType, Request, Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.params import SkipValidation
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from campaigns.clock import Clock
from campaigns.model import Submission

MAX_BODY: Final = 1_000_000  #: bytes of one request
MAX_NUMBERS: Final = 1_000  #: of one request
MAX_TEXT: Final = 255 * 153  #: characters: what 255 joined GSM-7 parts hold (3GPP TS 23.040)
TOKEN_LIFE: Final = timedelta(hours=24)
SCHEME: Final = "bearer"


class TextService(Protocol):
    """What stands behind the API: our own campaigns, or a simulated network."""

    async def log_in(self, username: str, password: str) -> str | None:
        """A new token that holds for TOKEN_LIFE; None where the log-in is refused."""

    async def user_of(self, token: str) -> str | None:
        """The user to whom a token was given; None where it holds no longer, or never did."""

    async def send(self, user: str, sender: str, numbers: Sequence[str], text: str) -> Sequence[Submission]:
        """Take one text for these numbers, each of which is named once; a Submission for each."""


class TextApiError(HTTPException):
    """An answer that is no success; `retry_after` is the wait in seconds that it asks for."""

    def __init__(self, status: int, code: str, sentence: str, *, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        super().__init__(status_code=status, detail=sentence, headers=headers)
        self.code = code


class TokenAnswer(BaseModel):
    """A log-in that was taken."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int  #: seconds
    username: str = Field(serialization_alias="userName")
    issued: str = Field(serialization_alias=".issued")
    expires: str = Field(serialization_alias=".expires")


class TextRequest(BaseModel):
    """One text for one or many."""

    model_config = ConfigDict(strict=True)

    sender: Annotated[str, StringConstraints(min_length=1, max_length=16)] = Field(alias="from")
    to: str | list[str]
    message: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]

    def numbers(self) -> list[str]:
        """Each number once, in the order given: within one request nobody gets a text twice."""
        return list(dict.fromkeys([self.to] if isinstance(self.to, str) else self.to))


class MessageAnswer(BaseModel):
    """What became of one number."""

    to: str
    id: str | None
    accepted: bool
    code: str | None
    reason: str | None


class TextAnswer(BaseModel):
    """What became of a request that was taken."""

    messages: list[MessageAnswer]


AnyRequest = Request[Any, Any, Any]
Service = NamedDependency[SkipValidation[TextService]]
TheClock = NamedDependency[SkipValidation[Clock]]


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


@post("/token", status_code=200)
async def log_in(request: AnyRequest, service: Service, clock: TheClock) -> Response[bytes]:
    """Give a token for a user name and a password."""
    username, password = _credentials(await _body(request, "application/x-www-form-urlencoded"))
    token = await service.log_in(username, password)
    if token is None:
        raise TextApiError(400, "invalid_grant", "The user name or the password is wrong.")
    issued = clock.now()
    return _json(
        TokenAnswer(
            access_token=token,
            token_type=SCHEME,
            expires_in=int(TOKEN_LIFE.total_seconds()),
            username=username,
            issued=_http_date(issued),
            expires=_http_date(issued + TOKEN_LIFE),
        )
    )


@post("/sms/skicka", status_code=200)
async def send(request: AnyRequest, service: Service) -> Response[bytes]:
    """Take one text for one or many; one bad number among them stops no other."""
    user = await _user(request, service)
    asked = _text_request(await _body(request, "application/json"))
    answers = await service.send(user, asked.sender, asked.numbers(), asked.message)
    return _json(TextAnswer(messages=[_message_answer(answer) for answer in answers]))


def answer_error(_: AnyRequest, error: Exception) -> Response[dict[str, str]]:
    """Every error in the API's own form, those of the framework and those that nobody expected too."""
    if isinstance(error, TextApiError):
        return _error_answer(error.status_code, error.code, error.detail, error.headers)
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    code, sentence = FRAMEWORK_ERRORS.get(status, ("invalid_request", "The request cannot be read."))
    return _error_answer(status, code, sentence, headers)


FRAMEWORK_ERRORS: Final = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("too_large", f"The request is larger than {MAX_BODY:,} bytes."),
    500: ("server_error", "Something went wrong here; the request may have been taken."),
}


def _error_answer(status: int, code: str, sentence: str, headers: dict[str, str] | None) -> Response[dict[str, str]]:
    content = {"error": code, "error_description": sentence}
    return Response(content, status_code=status, headers=headers, media_type=MediaType.JSON)


async def _body(request: AnyRequest, content_type: str) -> bytes:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise TextApiError(400, "invalid_request", f"The Content-Type is not {content_type}.")
    return await request.body()


def _credentials(form: bytes) -> tuple[str, str]:
    try:
        fields = parse_qs(form.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise TextApiError(400, "invalid_request", "The form is not percent-encoded UTF-8.") from error
    if fields.get("grant_type", ["password"]) != ["password"]:
        raise TextApiError(400, "unsupported_grant_type", "The only grant_type is password.")
    wrong = [name for name in ("grant_type", "username", "password") if len(fields.get(name, ())) != 1]
    if wrong:
        raise TextApiError(400, "invalid_request", f"The form needs each of these once: {', '.join(wrong)}.")
    return fields["username"][0], fields["password"][0]


async def _user(request: AnyRequest, service: TextService) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    user = await service.user_of(token.strip()) if scheme.lower() == SCHEME else None
    if user is None:
        raise TextApiError(401, "invalid_token", "A valid bearer token is needed: log in at /token.")
    return user


def _text_request(body: bytes) -> TextRequest:
    try:
        asked = TextRequest.model_validate_json(body)
    except ValidationError as error:
        raise TextApiError(400, "invalid_request", _sentence(error)) from error
    numbers = asked.numbers()
    if not numbers:
        raise TextApiError(400, "invalid_request", '"to" names nobody.')
    if len(numbers) > MAX_NUMBERS:
        raise TextApiError(413, "too_large", f'"to" names {len(numbers):,} numbers; {MAX_NUMBERS:,} are allowed.')
    return asked


def _sentence(error: ValidationError) -> str:
    """The first thing that is wrong, without the value: it may be somebody's number or text."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    place = f'"{first["loc"][0]}": ' if first["loc"] else ""
    return f"{place}{first['msg']}."


def _message_answer(answer: Submission) -> MessageAnswer:
    return MessageAnswer(
        to=answer.number,
        id=answer.provider_id,
        accepted=answer.accepted is True,
        code=answer.code or None,
        reason=answer.reason or None,
    )


def _json(answer: BaseModel) -> Response[bytes]:
    return Response(answer.model_dump_json(by_alias=True).encode(), media_type=MediaType.JSON)


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
