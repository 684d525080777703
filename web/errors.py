"""Errors as HTTP problem documents (RFC 9457)."""

import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import errors
from core.errors import SightlineError

__all__ = [
    "INTERNAL_ERROR",
    "INTERNAL_ERROR_DETAIL",
    "PROBLEM_MEDIA_TYPE",
    "Busy",
    "FrameNotFound",
    "InternalErrorMiddleware",
    "NotAllowed",
    "NotFound",
    "Problem",
    "StorageFull",
    "hint_for",
    "install_error_handlers",
    "printable",
    "problem_name",
    "problem_response",
    "status_of",
]

PROBLEM_MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = "1"
"""When a client may repeat a request that failed for a passing reason."""

INTERNAL_ERROR, INTERNAL_ERROR_DETAIL = "InternalError", "An unexpected error occurred in Sightline."
"""Name and detail of the problem that an unexpected exception becomes."""

MAX_REPORTED_FAULTS = 10
"""How many faults of an invalid request its problem document lists."""


class NotFound(SightlineError):
    """The resource does not exist, or the client may not see it; the response is the same for both."""

    def __init__(self, message: str = "Not found.") -> None:
        super().__init__(message)


class FrameNotFound(NotFound):
    """The picture has no frame with the number `frame`, only `count`. The frame of a still picture has the number 0."""

    def __init__(self, frame: int, count: int) -> None:
        numbers = "0 is the only one" if count == 1 else f"its frames have the numbers 0 to {count - 1}"
        super().__init__(f"The picture has no frame {frame}; {numbers}.")
        self.frame, self.count = frame, count


class NotAllowed(SightlineError):
    """The server does not allow this request; the message says why."""


class Busy(SightlineError):
    """Something else has to finish first."""

    def __init__(self, message: str = "A job is already running, and only one can run at a time.") -> None:
        super().__init__(message)


class StorageFull(SightlineError):
    """The data that was sent cannot be stored: the disk is full or cannot be written."""

    def __init__(self) -> None:
        super().__init__("The server cannot store what was sent: its disk is full or cannot be written.")


STATUS: Mapping[type[SightlineError], HTTPStatus] = MappingProxyType(
    {
        NotFound: HTTPStatus.NOT_FOUND,
        NotAllowed: HTTPStatus.BAD_REQUEST,
        Busy: HTTPStatus.CONFLICT,
        StorageFull: HTTPStatus.INSUFFICIENT_STORAGE,
        # The request is wrong.
        errors.InvalidQuery: HTTPStatus.BAD_REQUEST,
        errors.InvalidTag: HTTPStatus.BAD_REQUEST,
        errors.PictureError: HTTPStatus.BAD_REQUEST,
        errors.BadCheckpoint: HTTPStatus.BAD_REQUEST,
        errors.BadVectorFile: HTTPStatus.BAD_REQUEST,
        # The request names something that does not exist.
        errors.PathNotIndexed: HTTPStatus.NOT_FOUND,
        errors.FolderNotFound: HTTPStatus.NOT_FOUND,
        errors.UnknownSpace: HTTPStatus.NOT_FOUND,
        errors.UnknownModel: HTTPStatus.NOT_FOUND,
        errors.UnknownAlbum: HTTPStatus.NOT_FOUND,
        # The request conflicts with the state of the library or of its folders.
        errors.NothingIndexed: HTTPStatus.CONFLICT,
        errors.SpaceMismatch: HTTPStatus.CONFLICT,
        errors.SpaceIncomplete: HTTPStatus.CONFLICT,
        errors.ExchangeError: HTTPStatus.CONFLICT,
        errors.EvaluationError: HTTPStatus.CONFLICT,
        errors.RootUnavailable: HTTPStatus.CONFLICT,
        errors.FolderExcluded: HTTPStatus.CONFLICT,
        errors.FolderUnreadable: HTTPStatus.CONFLICT,
        # The machine lacks something, for now or until it is installed.
        errors.EncoderError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.ExtraMissing: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.PluginError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.LibraryError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.IndexFault: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.UnknownIndexEngine: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.HomeFolderNotFound: HTTPStatus.SERVICE_UNAVAILABLE,
        # The server or a model is at fault.
        errors.BadVectors: HTTPStatus.INTERNAL_SERVER_ERROR,
        errors.UnsafeServerSettings: HTTPStatus.INTERNAL_SERVER_ERROR,
        errors.AddressUnavailable: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
"""Exception class to its HTTP status; a subclass without an entry has its base class's."""

NAMES: Mapping[type[SightlineError], str] = MappingProxyType(
    {
        NotFound: "NotThere",
        StorageFull: "NoRoom",
        errors.AddressUnavailable: "ServeRefused",
        errors.AlbumIsRanked: "InvalidQuery",
        errors.CheckpointIsSegmenter: "BadCheckpoint",
        errors.ContentNotEmbedded: "InvalidQuery",
        errors.DamagedVectors: "ExchangeError",
        errors.DownloadFailed: "PullFailed",
        errors.EmptyQuery: "InvalidQuery",
        errors.FolderExcluded: "FolderPassedOver",
        errors.FolderNotFound: "NoSuchFolder",
        errors.HomeFolderNotFound: "NoHomeFolder",
        errors.ImportedSpaceHasNoModel: "ModelUnavailable",
        errors.IncomparableEvaluations: "Incomparable",
        errors.LibraryBusy: "Busy",
        errors.LicenceNotAllowed: "LicenceRefused",
        errors.PathNotIndexed: "NothingKnown",
        errors.RelevanceNotCalibrated: "InvalidQuery",
        errors.UnsafeServerSettings: "ServeRefused",
    }
)
"""Problem names that differ from the name of the class. Clients rely on them, so they stay when a class is renamed."""

HINTS: Mapping[type[SightlineError], Callable[[Any], str | None]] = MappingProxyType(
    {
        errors.NothingIndexed: lambda _: "Index a folder first (a job of kind `index`).",
        errors.SpaceMismatch: lambda _: "Change the model of the library first (a job of kind `space`).",
        errors.RootUnavailable: lambda _: (
            "If the pictures are really gone, run `sightline index FOLDER --accept-missing` on the server."
        ),
        errors.SpaceIncomplete: lambda _: "Start the job again when the files are available.",
        errors.ModelUnavailable: lambda error: (
            f"`sightline models pull {error.pull}` on the server downloads what is missing." if error.pull else None
        ),
        errors.QuerySyntax: lambda error: 'Set "plain" to search for the text as it is.' if error.is_operator else None,
        errors.ContentNotEmbedded: lambda _: "POST /api/v1/search without a query lists the pictures and their IDs.",
    }
)
"""Exception class to what an HTTP client can do about it."""


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    """`urn:sightline:` and the name of the problem."""
    title: str
    """The name of the problem, which does not change between versions."""
    status: int
    detail: str
    hint: str | None = None
    """What the client can do about it; left out when there is nothing to say."""


def install_error_handlers(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document."""
    app.add_exception_handler(SightlineError, _handle_sightline_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_exception)


def problem_response(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, *, hint: str | None = None
) -> JSONResponse:
    """Return a problem document as a response."""
    problem = Problem(type=f"urn:sightline:{title}", title=title, status=status, detail=detail, hint=hint)
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, PROBLEM_MEDIA_TYPE)


def status_of(error: SightlineError) -> HTTPStatus:
    """Return the HTTP status for `error`."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_name(error: SightlineError) -> str:
    """Return the stable name of `error` in problem documents and in failed jobs."""
    return NAMES.get(type(error), type(error).__name__)


def hint_for(error: SightlineError) -> str | None:
    """Return what an HTTP client can do about `error`, if there is anything to say."""
    for kind in type(error).__mro__:
        if kind in HINTS:
            return HINTS[kind](error)
    return None


def _handle_sightline_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SightlineError)
    passing = isinstance(error, Busy | errors.LibraryBusy | errors.LibraryUnusable)
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if passing else None
    return problem_response(status_of(error), problem_name(error), printable(error), headers, hint=hint_for(error))


def _handle_invalid_request(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    lines = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:MAX_REPORTED_FAULTS]]
    if len(faults) > MAX_REPORTED_FAULTS:
        lines.append(f"and {len(faults) - MAX_REPORTED_FAULTS:,} more")
    return problem_response(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", printable("; ".join(lines)))


def _handle_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _handle_sightline_error(request, NotFound())
    title = HTTPStatus(error.status_code).phrase.title().replace(" ", "").replace("-", "")
    return problem_response(error.status_code, title, printable(error.detail), error.headers)


class InternalErrorMiddleware:
    """ASGI middleware that answers an unexpected exception with a problem document and logs its traceback.

    Neither contains the exception's message, which may include queries and file names.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        has_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            return
        except Exception as exc:
            trace = "".join(traceback.format_tb(exc.__traceback__))
            logging.getLogger("uvicorn.error").error("%s\n%s", type(exc).__qualname__, trace)
            if has_started:
                raise _ResponseInterrupted from None  # uvicorn cuts the connection: half a response must not look whole
            response = problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR, INTERNAL_ERROR_DETAIL)
            await response(scope, receive, send)


class _ResponseInterrupted(Exception):
    """A response could not be sent to its end; the cause has been logged."""


def printable(text: object) -> str:
    """Return `text` with bytes that are not UTF-8 written as `\\xNN`."""
    try:
        return str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # unpaired surrogates, which no file name contains but a client may send
        return str(text).encode("utf-8", "backslashreplace").decode()
