"""Errors as HTTP says them: problem documents (RFC 9457), named as the library's exceptions are."""

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import errors
from core.errors import SightlineError

__all__ = [
    "FAULT",
    "INTERNAL_ERROR",
    "MEDIA_TYPE",
    "Busy",
    "Faults",
    "NoRoom",
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

RETRY_AFTER = "1"
"""Seconds after which a client may try again what is refused for now only."""

INTERNAL_ERROR, FAULT = "InternalError", "this is a fault of Sightline's"
"""Title and detail of what nobody meant to happen."""

MOST_FAULTS = 10
"""Faults of a request that are told."""


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

    def __init__(self, message: str = "a job is running already; there is one at a time") -> None:
        super().__init__(message)


class NoRoom(SightlineError):
    """What was sent cannot be kept for now: the disk is full, or cannot be written."""

    def __init__(self) -> None:
        super().__init__("there is no room for what was sent")


STATUS: Mapping[type[SightlineError], HTTPStatus] = {
    NotThere: HTTPStatus.NOT_FOUND,
    NothingIndexed: HTTPStatus.CONFLICT,
    NotAllowed: HTTPStatus.BAD_REQUEST,
    Busy: HTTPStatus.CONFLICT,
    NoRoom: HTTPStatus.INSUFFICIENT_STORAGE,
    # What was asked cannot be asked.
    errors.InvalidQuery: HTTPStatus.BAD_REQUEST,
    errors.InvalidTag: HTTPStatus.BAD_REQUEST,
    errors.PictureError: HTTPStatus.BAD_REQUEST,
    errors.BadCheckpoint: HTTPStatus.BAD_REQUEST,
    errors.BadVectorFile: HTTPStatus.BAD_REQUEST,
    # What was named is not there.
    errors.NothingKnown: HTTPStatus.NOT_FOUND,
    errors.NoSuchFolder: HTTPStatus.NOT_FOUND,
    errors.UnknownSpace: HTTPStatus.NOT_FOUND,
    errors.UnknownModel: HTTPStatus.NOT_FOUND,
    errors.UnknownAlbum: HTTPStatus.NOT_FOUND,
    # It does not go with how the library, or what lies beside it, stands.
    errors.SpaceMismatch: HTTPStatus.CONFLICT,
    errors.SpaceIncomplete: HTTPStatus.CONFLICT,
    errors.ExchangeError: HTTPStatus.CONFLICT,
    errors.EvaluationError: HTTPStatus.CONFLICT,
    errors.RootUnavailable: HTTPStatus.CONFLICT,
    errors.FolderPassedOver: HTTPStatus.CONFLICT,
    errors.FolderUnreadable: HTTPStatus.CONFLICT,
    # Something that this machine lacks, for now or until somebody installs it.
    errors.EncoderError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ExtraMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.LibraryError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.IndexFault: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NoHomeFolder: HTTPStatus.SERVICE_UNAVAILABLE,
    # Faults of ours.
    errors.BadVectors: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ServeRefused: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""What an exception means to a client; a subclass means what its nearest ancestor does."""


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
    status = status_of(error)
    headers = {"Retry-After": RETRY_AFTER} if isinstance(error, Busy | errors.LibraryUnusable) else None
    return problem_response(status, type(error).__name__, printable(error), headers)


def _of_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    told = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:MOST_FAULTS]]
    if len(faults) > MOST_FAULTS:
        told.append(f"and {len(faults) - MOST_FAULTS:,} more")
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", printable("; ".join(told)))


def _of_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase.title().replace(" ", "").replace("-", "")
    if error.status_code == HTTPStatus.NOT_FOUND:
        title, error.detail = NotThere.__name__, str(NotThere())
    return problem_response(error.status_code, title, printable(error.detail), error.headers)


def _of_pool(_request: Request, _error: Exception) -> JSONResponse:
    return problem_response(
        HTTPStatus.SERVICE_UNAVAILABLE, Busy.__name__, "too many requests at a time", {"Retry-After": RETRY_AFTER}
    )


class Faults:
    """ASGI middleware: a fault of ours as a problem document, like every other answer, and a trace for the log.

    Neither holds the exception's message: what people asked for may be in it, and names of files.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        began = False

        async def send_noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except ClientDisconnect:
            return  # nobody waits for an answer
        except Exception as exc:
            where = "".join(traceback.format_tb(exc.__traceback__))
            logging.getLogger("uvicorn.error").error("%s\n%s", type(exc).__qualname__, where)
            if began:
                raise _Broken from None  # the connection is cut: half an answer must not look like a whole one
            answer = problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, FAULT)
            await answer(scope, receive, send)


class _Broken(Exception):
    """An answer could not be sent to its end; why has been logged."""


def printable(text: object) -> str:
    """`text` with names that are not UTF-8 as people see them elsewhere: `\\xNN`."""
    try:
        return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # halves of surrogate pairs, which no name has: somebody sent them
        return str(text).encode("utf-8", "backslashreplace").decode()
