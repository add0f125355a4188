"""How our APIs say that something is wrong: {"error": code, "error_description": sentence}."""

from typing import Any, Final

from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from pydantic import ValidationError

MAX_BODY: Final = 1_000_000  #: bytes of one request

AnyRequest = Request[Any, Any, Any]


class ApiError(HTTPException):
    """An answer that is no success; `retry_after` is the wait in seconds that it asks for."""

    def __init__(self, status: int, code: str, sentence: str, *, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        super().__init__(status_code=status, detail=sentence, headers=headers)
        self.code = code


def answer_error(_: AnyRequest, error: Exception) -> Response[dict[str, str]]:
    """Every error in the API's own form, those of the framework and those that nobody expected too."""
    if isinstance(error, ApiError):
        return _error_answer(error.status_code, error.code, error.detail, error.headers)
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    code, sentence = FRAMEWORK_ERRORS.get(status, ("invalid_request", "The request cannot be read."))
    return _error_answer(status, code, sentence, headers)


def from_validation(error: ValidationError, steps: int = 1) -> ApiError:
    """The first thing that is wrong, without the value: it may be somebody's number or text.

    Its place is named by so many steps: 1 for "to", 3 for "messages[7].to".
    """
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    named = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"][:steps])
    place = "".join(named).lstrip(".")
    return ApiError(400, "invalid_request", f'"{place}": {first["msg"]}.' if place else f"{first['msg']}.")


FRAMEWORK_ERRORS: Final = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    413: ("too_large", f"The request is larger than {MAX_BODY:,} bytes."),
    500: ("server_error", "Something went wrong here; the request may have been taken."),
}


def _error_answer(status: int, code: str, sentence: str, headers: dict[str, str] | None) -> Response[dict[str, str]]:
    content = {"error": code, "error_description": sentence}
    return Response(content, status_code=status, headers=headers, media_type=MediaType.JSON)
