"""The log-in of our APIs: a user name and a password for a bearer token, and the token for a user.

POST /token    form grant_type=password&username=...&password=...  ->  a bearer token
"""

from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final, Literal, Protocol
from urllib.parse import parse_qs

from litestar import MediaType, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from pydantic import BaseModel, Field

from campaigns.clock import Clock
from campaigns.web.errors import AnyRequest, ApiError

TOKEN_LIFE: Final = timedelta(hours=24)
SCHEME: Final = "bearer"


class Users(Protocol):
    """Who may use the API."""

    async def log_in(self, username: str, password: str) -> str | None:
        """A new token that holds for TOKEN_LIFE; None where the log-in is refused."""

    async def user_of(self, token: str) -> str | None:
        """The user to whom a token was given; None where it holds no longer, or never did."""


class TokenAnswer(BaseModel):
    """A log-in that was taken."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int  #: seconds
    username: str = Field(serialization_alias="userName")
    issued: str = Field(serialization_alias=".issued")
    expires: str = Field(serialization_alias=".expires")


Service = NamedDependency[SkipValidation[Users]]
TheClock = NamedDependency[SkipValidation[Clock]]


@post("/token", status_code=200)
async def log_in(request: AnyRequest, service: Service, clock: TheClock) -> Response[bytes]:
    """Give a token for a user name and a password."""
    username, password = _credentials(await body_of(request, "application/x-www-form-urlencoded"))
    token = await service.log_in(username, password)
    if token is None:
        raise ApiError(400, "invalid_grant", "The user name or the password is wrong.")
    issued = clock.now()
    return as_json(
        TokenAnswer(
            access_token=token,
            token_type=SCHEME,
            expires_in=int(TOKEN_LIFE.total_seconds()),
            username=username,
            issued=_http_date(issued),
            expires=_http_date(issued + TOKEN_LIFE),
        )
    )


async def user_of(request: AnyRequest, users: Users) -> str:
    """Whose request this is; a 401 where it has no token that holds."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    user = await users.user_of(token.strip()) if scheme.lower() == SCHEME else None
    if user is None:
        raise ApiError(401, "invalid_token", "A valid bearer token is needed: log in at /token.")
    return user


async def body_of(request: AnyRequest, content_type: str) -> bytes:
    """The body, which must be of this type."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != content_type:
        raise ApiError(400, "invalid_request", f"The Content-Type is not {content_type}.")
    return await request.body()


def as_json(answer: BaseModel) -> Response[bytes]:
    """A model as an answer."""
    return Response(answer.model_dump_json(by_alias=True).encode(), media_type=MediaType.JSON)


def _credentials(form: bytes) -> tuple[str, str]:
    try:
        fields = parse_qs(form.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise ApiError(400, "invalid_request", "The form is not percent-encoded UTF-8.") from error
    if fields.get("grant_type", ["password"]) != ["password"]:
        raise ApiError(400, "unsupported_grant_type", "The only grant_type is password.")
    wrong = [name for name in ("grant_type", "username", "password") if len(fields.get(name, ())) != 1]
    if wrong:
        raise ApiError(400, "invalid_request", f"The form needs each of these once: {', '.join(wrong)}.")
    return fields["username"][0], fields["password"][0]


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)
