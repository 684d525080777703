"""Answer every error of a request with an HTTP problem document (RFC 9457)."""

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import errors
from core.errors import SightlineError
from web.errors import Busy, NotFound, hint_for, problem_name, status_of
from web.printable import printable
from web.request_faults import allowed_methods, describe_fault, method_hint

__all__ = ["PROBLEM_MEDIA_TYPE", "InternalErrorMiddleware", "Problem", "install_error_handlers", "problem_response"]

PROBLEM_MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = "1"
"""When a client may repeat a request that failed for a passing reason."""


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
            detail = "An unexpected error occurred in Sightline."
            response = problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", detail)
            await response(scope, receive, send)


class _ResponseInterrupted(Exception):
    """A response could not be sent to its end; the cause has been logged."""
