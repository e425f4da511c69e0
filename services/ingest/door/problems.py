"""What the door answers when it takes nothing, as RFC 9457 problem documents; nothing internal is ever said."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from starlette.responses import JSONResponse

from services.core.errors import PlatformError

_MEDIA_TYPE: Final = "application/problem+json"
_PROBLEMS: Final = "/problems/"


class DoorError(PlatformError):
    """The request cannot be taken."""

    slug: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be taken"
    status: ClassVar[int] = 400

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.facts = dict(facts or {})
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


class UnauthenticatedError(DoorError):
    """Show the publisher's secret as 'Authorization: Basic …' or 'Bearer …', or sign the body."""

    slug = "unauthenticated"
    title = "Nobody that we know"
    status = 401

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.headers["WWW-Authenticate"] = 'Basic realm="alatau", Bearer realm="alatau"'


class ForeignPublisherError(DoorError):
    """These credentials are of another publisher than the path names."""

    slug = "forbidden"
    title = "This publisher may not send here"
    status = 403


class NoSuchFormatError(DoorError):
    """There is no such format here: /ingest/v1/{publisher}/data takes native JSON."""

    slug = "not-found"
    title = "There is no such thing here"
    status = 404


class TooSlowError(DoorError):
    """The body did not come in time: send it again."""

    slug = "too-slow"
    title = "The body came too slowly"
    status = 408


class TooLargeError(DoorError):
    """The body is too large: send fewer messages at once."""

    slug = "too-large"
    title = "The body is too large"
    status = 413


class UnknownEncodingError(DoorError):
    """Bodies are sent as they are, or with 'Content-Encoding: gzip'."""

    slug = "unknown-encoding"
    title = "The body's encoding is not known here"
    status = 415


class AllRejectedError(DoorError):
    """Nothing of it can be stored; sending it again changes nothing. The rejected inbox keeps what it has room for."""

    slug = "all-rejected"
    title = "Nothing of it can be stored"
    status = 422


class TooManyRequestsError(DoorError):
    """Too much at once: send again after as many seconds as Retry-After says."""

    slug = "too-many-requests"
    title = "Too many requests"
    status = 429


class UnavailableError(DoorError):
    """The database does not answer. What was sent may be stored still; sending it again is safe."""

    slug = "unavailable"
    title = "A part of the platform does not answer"
    status = 503

    def __init__(self, message: str = "") -> None:
        super().__init__(message, retry_after=5)


def problem_response(path: str, error: DoorError) -> JSONResponse:
    document = {
        **error.facts,
        "type": _PROBLEMS + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "instance": path,
    }
    return JSONResponse(
        document,
        status_code=error.status,
        headers=error.headers,
        media_type=_MEDIA_TYPE,
    )
