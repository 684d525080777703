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
from web.request_faults import allowed_methods, describe_fault, method_hint

__all__ = [
    "INTERNAL_ERROR",
    "INTERNAL_ERROR_DETAIL",
    "PROBLEM_MEDIA_TYPE",
    "Busy",
    "FrameNotFound",
    "InternalErrorMiddleware",
    "NotAllowed",
    "NotFound",
    "PictureNotUploaded",
    "Problem",
    "StorageFull",
    "describe_failure",
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


class PictureNotUploaded(errors.InvalidQuery):
    """The query names a file by its path, which would say whether that file exists on the server."""

    def __init__(self) -> None:
        super().__init__("A picture has to be uploaded; it cannot be named by its path.")


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
        errors.InvalidJob: HTTPStatus.BAD_REQUEST,
        errors.PictureError: HTTPStatus.BAD_REQUEST,
        errors.BadCheckpoint: HTTPStatus.BAD_REQUEST,
        errors.UnknownModelOption: HTTPStatus.BAD_REQUEST,
        errors.BadVectorFile: HTTPStatus.BAD_REQUEST,
        # The request names something that does not exist.
        errors.PathNotIndexed: HTTPStatus.NOT_FOUND,
        errors.FolderNotFound: HTTPStatus.NOT_FOUND,
        errors.UnknownSpace: HTTPStatus.NOT_FOUND,
        errors.UnknownModel: HTTPStatus.NOT_FOUND,
        errors.UnknownAlbum: HTTPStatus.NOT_FOUND,
        errors.UnknownJob: HTTPStatus.NOT_FOUND,
        # The request conflicts with the state of the library or of its folders.
        errors.NothingIndexed: HTTPStatus.CONFLICT,
        errors.AlbumExists: HTTPStatus.CONFLICT,
        errors.AlbumIsSearch: HTTPStatus.CONFLICT,
        errors.NotInAlbum: HTTPStatus.CONFLICT,
        errors.SnapshotError: HTTPStatus.CONFLICT,
        errors.RootBusy: HTTPStatus.CONFLICT,
        errors.ForeignRoot: HTTPStatus.CONFLICT,
        errors.MergeWithItself: HTTPStatus.CONFLICT,
        errors.TargetNotEmpty: HTTPStatus.CONFLICT,
        errors.RootElsewhere: HTTPStatus.CONFLICT,
        errors.RootMismatch: HTTPStatus.CONFLICT,
        errors.RootNotHere: HTTPStatus.CONFLICT,
        errors.RootOverlaps: HTTPStatus.CONFLICT,
        errors.UnknownRoot: HTTPStatus.NOT_FOUND,
        errors.JobError: HTTPStatus.CONFLICT,
        errors.SpaceMismatch: HTTPStatus.CONFLICT,
        errors.SpaceIncomplete: HTTPStatus.CONFLICT,
        errors.ExchangeError: HTTPStatus.CONFLICT,
        errors.EvaluationError: HTTPStatus.CONFLICT,
        errors.RootUnavailable: HTTPStatus.CONFLICT,
        errors.FolderExcluded: HTTPStatus.CONFLICT,
        errors.FolderUnreadable: HTTPStatus.CONFLICT,
        errors.LicenceNotAccepted: HTTPStatus.CONFLICT,
        # The machine lacks something, for now or until it is installed.
        errors.ClusterError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.EncoderError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.ExtraMissing: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.PluginError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.LibraryError: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.LibraryReadOnly: HTTPStatus.FORBIDDEN,
        errors.IndexFault: HTTPStatus.SERVICE_UNAVAILABLE,
        errors.IndexEngineUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
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
        errors.InvalidJob: "NotAllowed",
        errors.IncomparableEvaluations: "Incomparable",
        errors.LibraryBusy: "Busy",
        errors.LicenceNotAllowed: "LicenceRefused",
        errors.PathNotIndexed: "NothingKnown",
        errors.RelevanceNotCalibrated: "InvalidQuery",
        errors.UnknownJob: "NotThere",
        errors.UnknownJobKind: "NotAllowed",
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
        errors.LibraryDamaged: lambda error: (
            "Restore the database of the library from a backup."
            if isinstance(error.path, str)
            else "Stop the server and run `sightline repair`: it saves what can be read."
        ),
        errors.LibraryReadOnly: lambda error: (
            "Give the user in the URL of the library permission to write, or use the server that others follow."
            if isinstance(error.path, str)
            else "Give the user that runs the server permission to write to its folder, or serve a copy of it."
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


class QueryFault(BaseModel):
    """Why a query cannot be parsed."""

    name: str
    """A stable name, to translate it by."""
    data: dict[str, str | int | bool]
    """What the message mentions."""


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
    fault: QueryFault | None = None
    """Why a query cannot be parsed; left out for other problems."""


def install_error_handlers(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document."""
    app.add_exception_handler(SightlineError, _handle_sightline_error)
    app.add_exception_handler(RequestValidationError, _handle_invalid_request)
    app.add_exception_handler(HTTPException, _handle_http_exception)


def problem_response(
    status: int,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    *,
    hint: str | None = None,
    fault: QueryFault | None = None,
) -> JSONResponse:
    """Return a problem document as a response."""
    name = f"urn:sightline:{title}"
    problem = Problem(type=name, title=title, status=status, detail=detail, hint=hint, fault=fault)
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


def describe_failure(error: SightlineError) -> tuple[str, str]:
    """Return the name of `error`, and its message with what can be done about it, for a job that failed."""
    return problem_name(error), " ".join(filter(None, (printable(error), hint_for(error))))


def hint_for(error: SightlineError) -> str | None:
    """Return what an HTTP client can do about `error`, if there is anything to say."""
    for kind in type(error).__mro__:
        if kind in HINTS:
            return HINTS[kind](error)
    return None


def _handle_sightline_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SightlineError)
    passing = isinstance(error, Busy | errors.LibraryBusy | errors.LibraryUnusable)
    lasting = isinstance(error, errors.LibraryDamaged | errors.LibraryReadOnly)
    headers = {"Retry-After": RETRY_AFTER_SECONDS} if passing and not lasting else None
    fault = None
    if isinstance(error, errors.QuerySyntax):
        data = {key: printable(value) if isinstance(value, str) else value for key, value in error.fault.data.items()}
        fault = QueryFault(name=error.fault.name, data=data)
    title, hint = problem_name(error), hint_for(error)
    return problem_response(status_of(error), title, printable(error), headers, hint=hint, fault=fault)


def _handle_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    status, title, detail, hint = describe_fault(request, error)
    return problem_response(status, title, printable(detail), hint=hint)


def _handle_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return _handle_sightline_error(request, NotFound())
    title = HTTPStatus(error.status_code).phrase.title().replace(" ", "").replace("-", "")
    headers, hint = error.headers, None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers, hint = {"Allow": ", ".join(allowed_methods(request))}, method_hint(request)
    return problem_response(error.status_code, title, printable(error.detail), headers, hint=hint)


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
