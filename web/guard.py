"""Who may ask, and what a browser may do with the answer. Stands before everything else.

A server on loopback is reachable by every page that the user has open in a browser. Three checks keep those out: the
Host header must name this server (a forged name is how DNS rebinding comes in), an Origin must be this server's own,
and what a browser itself calls cross-site is only ever allowed to open the page. From elsewhere, a token is needed.
"""

import hmac
import re
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from time import monotonic
from urllib.parse import parse_qs

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.errors import problem_response
from web.settings import ServeSettings

__all__ = ["COOKIE", "Guard"]

COOKIE = "sightline_token"
"""The cookie that keeps a browser's token, out of the reach of scripts and of other sites."""

OPEN = frozenset({"/health"})
"""What needs no token: it tells nothing."""

TAKE_PICTURES = frozenset({"/api/v1/uploads", "/api/v1/search/form", "/knn-service"})
"""Where pictures come in; all else is JSON, which takes many times its length in memory once it is read."""

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
"""A Host header, its letters small: a name or an address, and perhaps a port."""

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """ASGI middleware: refuses what should not be answered, and marks every answer as not for other sites."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, self._bounded(scope, receive), send_marked)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, which ends with a refusal once more came than is ever read, or took longer than it may."""
        limit, until = self._most(scope), monotonic() + self._settings.upload_seconds
        came, is_whole = 0, False

        async def receive_bounded() -> Message:
            nonlocal came, is_whole
            if is_whole:
                return await receive()  # tells that the client went, whenever that is
            try:
                with anyio.fail_after(max(0, until - monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive") from None
            came += len(message.get("body", b""))
            if came > limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit))
            is_whole = not message.get("more_body", False)
            return message

        return receive_bounded

    def _most(self, scope: Scope) -> int:
        """The bytes of the largest body that is read."""
        return self._settings.upload_bytes if scope["path"] in TAKE_PICTURES else self._settings.json_bytes

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _hostname(host) not in self._settings.hosts:
            return _refused(HTTPStatus.MISDIRECTED_REQUEST, "UnknownHost", "no server of this name is here")
        if not _same_site(scope, headers, host):
            return _refused(HTTPStatus.FORBIDDEN, "CrossSite", "other sites may not ask this server")
        return self._token_refusal(scope, headers) or self._length_refusal(scope, headers)

    def _length_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """For a body that is too large by its own account; one that does not say is counted as it comes."""
        length, limit = headers.get("content-length", ""), self._most(scope)
        if length.isdecimal() and int(length[:20]) > limit:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", _too_large(limit))
        return None

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._settings.token
        if token is None or scope["path"] in OPEN:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if given and scope["path"] == "/":
            is_right = _same(given[0].replace(" ", "+"), token)  # a plus sign means a blank in an address
            return _welcome(token, headers) if is_right else _wrong_token()
        if _same(_bearer(headers), token) or _same(_cookie(headers), _kept(token)):
            return None
        return _wrong_token()


def _too_large(limit: int) -> str:
    return f"more than {limit:,} bytes are not read"


def _hostname(host: str) -> str | None:
    """The name in a Host header, without its port."""
    said = HOST.fullmatch(host.lower())
    return said[1].strip("[]") if said else None


def _same_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Whether the request comes from this server's own page, from no page at all, or only opens the page."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return False
    if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return True
    # A link on another page, or a bookmark: to open the page is all it may do.
    return bool(
        scope["method"] in {"GET", "HEAD"} and scope["path"] == "/" and headers.get("sec-fetch-dest") == "document"
    )


def _bearer(headers: Headers) -> str:
    """The token that a program sends."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str:
    """What a browser was told to keep in the place of the token."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def _kept(token: str) -> str:
    """What a browser keeps: it opens this server, and does not tell the token to whoever finds it."""
    return hmac.new(token.encode(), COOKIE.encode(), "sha256").hexdigest()


def _same(given: str, token: str) -> bool:
    # In constant time: how long a comparison takes must not tell how much of a guess was right.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


def _welcome(token: str, headers: Headers) -> Response:
    """Lets the browser keep a cookie, and takes the token out of the address bar."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    is_tls = headers.get("x-forwarded-proto") == "https"  # as a proxy says; who lies here harms only themselves
    response.set_cookie(COOKIE, _kept(token), max_age=30 * 24 * 3600, httponly=True, samesite="strict", secure=is_tls)
    response.headers["Cache-Control"] = "no-store"
    return response


def _wrong_token() -> Response:
    detail = "this server needs its token: open /?token=..., or send `Authorization: Bearer ...`"
    return problem_response(HTTPStatus.UNAUTHORIZED, "TokenNeeded", detail, {"WWW-Authenticate": "Bearer"})


def _refused(status: HTTPStatus, title: str, detail: str) -> Response:
    return problem_response(status, title, detail)
