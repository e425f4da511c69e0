"""What can go wrong, as RFC 9457 problem documents; nothing internal is ever said."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from services.core.errors import PlatformError, StorageUnavailableError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_PROBLEMS = "/problems/"


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(
        description="The part: query, path, header or body, and its name.",
        examples=["query limit"],
    )
    detail: str = Field(
        description="What is wrong with it.",
        examples=["Input should be less than or equal to 1000"],
    )


class Problem(BaseModel):
    """An RFC 9457 problem document, sent with every answer that is not a success."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "type": "/problems/not-found",
                    "title": "There is no such thing here",
                    "status": 404,
                    "detail": "There is no thing 'arna-110'.",
                    "instance": "/api/v1/things/arna-110",
                }
            ]
        },
    )

    type: str = Field(
        description="The kind of problem; it is also the address of its description."
    )
    title: str = Field(
        description="The kind of problem in words, always the same for a type."
    )
    status: int = Field(description="The HTTP status code.", ge=400, le=599)
    detail: str = Field(description="What went wrong this time, and how to mend it.")
    instance: str = Field(description="The path that was asked for.")
    errors: list[FieldProblem] | None = Field(
        default=None,
        description="With invalid-request: each wrong part of the request.",
    )


class RequestError(PlatformError):
    """The request cannot be answered."""

    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be answered"
    status: ClassVar[int] = 400

    def __init__(
        self, message: str = "", *, facts: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.facts = dict(facts or {})
        self.headers: dict[str, str] = {}


class BadCursorError(RequestError):
    """The cursor is none of ours, or belongs to another request: start again without it."""

    slug = "bad-cursor"
    title = "The cursor cannot be used"


class BadRangeError(RequestError):
    """The time range cannot be used."""

    slug = "bad-range"
    title = "The time range cannot be used"


class TooMuchError(RequestError):
    """The request asks for too much at once."""

    slug = "too-much"
    title = "The request asks for too much at once"


class UnauthenticatedError(RequestError):
    """Log in with POST /api/v1/login and send the token as 'Authorization: Bearer …'."""

    slug = "unauthenticated"
    title = "Nobody is logged in"
    status = 401

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.headers["WWW-Authenticate"] = 'Bearer realm="alatau"'


class ForbiddenError(RequestError):
    """You may not do this."""

    slug = "forbidden"
    title = "This user may not do that"
    status = 403


class NotFoundError(RequestError):
    """There is nothing here."""

    slug = "not-found"
    title = "There is no such thing here"
    status = 404


class NoCityError(NotFoundError):
    """No city file has been applied yet: describe your city (docs/city-file.md), then `alatau city apply FILE`."""

    slug = "no-city"
    title = "No city file has been applied yet"


class OutdatedError(RequestError):
    """It has changed since you read it: read it again, then decide."""

    slug = "outdated-version"
    title = "It has changed in the meantime"
    status = 409


class ConflictError(RequestError):
    """Its state does not allow that."""

    slug = "conflict"
    title = "Its state does not allow that"
    status = 409


class TooManyRequestsError(RequestError):
    """You ask too often: wait as long as Retry-After says."""

    slug = "too-many-requests"
    title = "Too many requests"
    status = 429

    def __init__(self, message: str = "", *, retry_after: int) -> None:
        super().__init__(message)
        self.headers["Retry-After"] = str(retry_after)


class QueryTooSlowError(RequestError):
    """The answer took too long to compute: ask for a shorter range or fewer datastreams."""

    slug = "too-slow"
    title = "The answer takes too long to compute"
    status = 503


class UnavailableError(RequestError):
    """The database does not answer: try again in a moment."""

    slug = "unavailable"
    title = "A part of the platform does not answer"
    status = 503

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.headers["Retry-After"] = "2"


class TooLargeError(RequestError):
    """The body of the request is too large."""

    slug = "too-large"
    title = "The request is too large"
    status = 413


class InvalidRequestError(RequestError):
    """A parameter or the body is not as documented: errors says which and why."""

    slug = "invalid-request"
    title = "A parameter or the body is not as documented"
    status = 422


class BadQueryError(RequestError):
    """A path or a query option of SensorThings is not as the standard wants it: detail says which and why."""

    slug = "bad-query"
    title = "The path or a query option cannot be used"


class NotOfferedError(RequestError):
    """SensorThings has this, and this service does not: /docs says what there is."""

    slug = "not-offered"
    title = "This part of the standard is not offered here"
    status = 501


class InternalError(RequestError):
    """Something unexpected went wrong on our side; it has been logged."""

    slug = "internal"
    title = "Something went wrong on our side"
    status = 500


KINDS: tuple[type[RequestError], ...] = (
    RequestError,
    BadCursorError,
    BadRangeError,
    TooMuchError,
    BadQueryError,
    UnauthenticatedError,
    ForbiddenError,
    NotFoundError,
    NoCityError,
    OutdatedError,
    ConflictError,
    TooLargeError,
    InvalidRequestError,
    TooManyRequestsError,
    QueryTooSlowError,
    UnavailableError,
    NotOfferedError,
    InternalError,
)


def problem_response(path: str, error: RequestError) -> JSONResponse:
    return _response(
        {
            **error.facts,
            "type": _PROBLEMS + error.slug,
            "title": error.title,
            "status": error.status,
            "detail": str(error),
            "instance": path,
        },
        error.headers,
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for these problems."""
    return {
        status: {
            "description": "; ".join(
                kind.title for kind in KINDS if kind.status == status
            )
            or HTTPStatus(status).phrase,
            "content": {
                MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}
            },
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every failure of this application with a problem document."""
    app.exception_handler(RequestError)(_on_request_error)
    app.exception_handler(StorageUnavailableError)(_on_storage_unavailable)
    app.exception_handler(RequestValidationError)(_on_invalid_request)
    app.exception_handler(HTTPException)(_on_http_exception)


def _response(
    body: dict[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    return JSONResponse(
        body, status_code=body["status"], headers=headers, media_type=MEDIA_TYPE
    )


async def _on_request_error(request: Request, error: RequestError) -> JSONResponse:
    return problem_response(request.url.path, error)


async def _on_storage_unavailable(request: Request, _error: Exception) -> JSONResponse:
    return problem_response(request.url.path, UnavailableError())


async def _on_invalid_request(
    request: Request, error: RequestValidationError
) -> JSONResponse:
    problem = InvalidRequestError(
        facts={
            "errors": [
                {
                    "where": " ".join(str(part) for part in fault["loc"]),
                    "detail": fault["msg"],
                }
                for fault in error.errors()
            ]
        }
    )
    return problem_response(request.url.path, problem)


async def _on_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    """What the framework itself refuses: no such path, another method, too large a body."""
    if error.status_code == NotFoundError.status:
        return problem_response(
            request.url.path,
            NotFoundError("There is nothing at this path; /docs lists all there is."),
        )
    if error.status_code == RequestError.status:
        return problem_response(
            request.url.path, InvalidRequestError("The body is not UTF-8 JSON.")
        )
    if error.status_code == TooLargeError.status:
        return problem_response(request.url.path, TooLargeError(str(error.detail)))
    return _response(
        {
            "type": "about:blank",
            "title": HTTPStatus(error.status_code).phrase,
            "status": error.status_code,
            "detail": str(error.detail),
            "instance": request.url.path,
        },
        error.headers,
    )
