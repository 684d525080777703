"""Errors as HTTP says them: problem documents (RFC 9457), named as the library's exceptions are."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from sightline import errors
from sightline.errors import SightlineError

__all__ = [
    "MEDIA_TYPE",
    "Busy",
    "NotAllowed",
    "NotThere",
    "NothingIndexed",
    "Problem",
    "install",
    "printable",
    "problem_response",
    "status_of",
]

MEDIA_TYPE = "application/problem+json"


class NotThere(SightlineError):
    """Nothing is there, or nothing that may be seen: to a client both look the same."""

    def __init__(self) -> None:
        super().__init__("nothing is there")


class NothingIndexed(SightlineError):
    """There is no picture yet, and no space to ask."""

    def __init__(self) -> None:
        super().__init__("nothing is indexed yet; the page's library panel and `sightline index FOLDER` do that")


class NotAllowed(SightlineError):
    """What was asked cannot be had here; the message says why."""


class Busy(SightlineError):
    """Something else is going on that must end first."""

    def __init__(self) -> None:
        super().__init__("a job is running already; there is one at a time")


STATUS: Mapping[type[SightlineError], HTTPStatus] = {
    NotThere: HTTPStatus.NOT_FOUND,
    NothingIndexed: HTTPStatus.CONFLICT,
    NotAllowed: HTTPStatus.BAD_REQUEST,
    Busy: HTTPStatus.CONFLICT,
    errors.InvalidQuery: HTTPStatus.BAD_REQUEST,
    errors.PictureError: HTTPStatus.BAD_REQUEST,
    errors.NothingKnown: HTTPStatus.NOT_FOUND,
    errors.NoSuchFolder: HTTPStatus.NOT_FOUND,
    errors.UnknownSpace: HTTPStatus.NOT_FOUND,
    errors.UnknownModel: HTTPStatus.NOT_FOUND,
    errors.SpaceMismatch: HTTPStatus.CONFLICT,
    errors.RootUnavailable: HTTPStatus.CONFLICT,
    errors.FolderPassedOver: HTTPStatus.CONFLICT,
    errors.FolderUnreadable: HTTPStatus.CONFLICT,
    errors.ModelUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ExtraMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LibraryUnusable: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""What an exception means to a client; a subclass means what its nearest ancestor does, the rest are ours (500)."""


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    """`urn:sightline:` and the name of the exception."""
    title: str
    """The name of the exception."""
    status: int
    detail: str


def install(app: FastAPI) -> None:
    """Lets `app` answer every error with a problem document."""
    app.add_exception_handler(SightlineError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_request)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(PoolTimeout, _of_pool)
    app.add_exception_handler(Exception, _of_anything)


def problem_response(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document as a response."""
    problem = Problem(type=f"urn:sightline:{title}", title=title, status=status, detail=detail)
    return JSONResponse(problem.model_dump(), status, headers, MEDIA_TYPE)


def status_of(error: SightlineError) -> HTTPStatus:
    """What `error` means to a client."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _of_ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SightlineError)
    return problem_response(status_of(error), type(error).__name__, printable(str(error)))


def _of_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", printable(faults))


def _of_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase.title().replace(" ", "").replace("-", "")
    if error.status_code == HTTPStatus.NOT_FOUND:
        title, error.detail = NotThere.__name__, str(NotThere())
    return problem_response(error.status_code, title, printable(error.detail), error.headers)


def _of_pool(_request: Request, _error: Exception) -> JSONResponse:
    return problem_response(HTTPStatus.SERVICE_UNAVAILABLE, "Busy", "too many requests at a time", {"Retry-After": "1"})


def _of_anything(_request: Request, _error: Exception) -> JSONResponse:
    # What went wrong is for the log: a trace would tell a stranger about the machine.
    return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", "this is a fault of Sightline's")


def printable(text: object) -> str:
    """`text` with names that are not UTF-8 as people see them elsewhere: `\\xNN`."""
    return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
