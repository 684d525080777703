"""Access control, in front of everything else.

Every page that the user has open in a browser can reach a server on loopback. Three checks keep other sites out: the
Host header must name this server (which stops DNS rebinding), an Origin must be this server's own, and a request that
the browser marks as cross-site may only open the page. Access from other machines requires a token.
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

from web.problems import problem_response
from web.settings import ServeSettings

__all__ = ["TOKEN_COOKIE", "GuardMiddleware"]

TOKEN_COOKIE = "sightline_token"
"""Name of the cookie for browsers; scripts and other sites cannot read it."""

HEALTH_PATHS = frozenset({"/health", "/health/live", "/health/ready"})
"""Paths that reveal nothing. They need no token, and balancers may ask for them under any host name."""

UPLOAD_PATHS = frozenset({"/api/v1/uploads", "/api/v1/search/form", "/knn-service"})
"""Paths that accept pictures. All others accept JSON, which takes many times its length in memory once parsed."""

HOST_HEADER = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
"""A Host header in lower case: a name or an address, and optionally a port."""

SECURITY_HEADERS: Mapping[str, str] = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:{tiles}; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def security_headers(settings: ServeSettings) -> Mapping[str, str]:
    """Return the headers of every response. Images may also come from the server of map tiles, if there is one."""
    tiles = "" if settings.map_tiles is None else f" {settings.map_tiles.origin}"
    return {"Content-Security-Policy": CONTENT_SECURITY_POLICY.format(tiles=tiles), **SECURITY_HEADERS}


class GuardMiddleware:
    """ASGI middleware that rejects requests without access, and adds security headers to every response."""

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._settings = settings
        self._security_headers = security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._security_headers.items():
                    headers.setdefault(name, value)
            await send(message)

        rejection = self._rejection(scope)
        await (rejection or self._app)(scope, self._limited(scope, receive), send_with_headers)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Wrap `receive` to raise an `HTTPException` when the body is too large or takes too long to arrive."""
        limit, deadline = self._max_body_bytes(scope), monotonic() + self._settings.upload_seconds
        received, is_complete = 0, False

        async def receive_limited() -> Message:
            nonlocal received, is_complete
            if is_complete:
                return await receive()  # returns when the client disconnects, at any time
            try:
                with anyio.fail_after(max(0, deadline - monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.") from None
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit))
            is_complete = not message.get("more_body", False)
            return message

        return receive_limited

    def _max_body_bytes(self, scope: Scope) -> int:
        return self._settings.upload_bytes if scope["path"] in UPLOAD_PATHS else self._settings.json_bytes

    def _rejection(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _hostname(host) not in self._settings.hosts and scope["path"] not in HEALTH_PATHS:
            return problem_response(HTTPStatus.MISDIRECTED_REQUEST, "UnknownHost", "Unknown host name.")
        if not _same_site(scope, headers, host):
            return problem_response(HTTPStatus.FORBIDDEN, "CrossSite", "Requests from other sites are not allowed.")
        return self._token_rejection(scope, headers) or self._length_rejection(scope, headers)

    def _length_rejection(self, scope: Scope, headers: Headers) -> Response | None:
        """Reject a body whose Content-Length is too large; without the header, bytes are counted as they arrive."""
        length, limit = headers.get("content-length", ""), self._max_body_bytes(scope)
        if length.isdecimal() and int(length[:20]) > limit:
            return problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", _too_large(limit))
        return None

    def _token_rejection(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._settings.token
        if token is None or scope["path"] in HEALTH_PATHS:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if given and scope["path"] == "/":
            is_valid = _equals(given[0].replace(" ", "+"), token)  # in a URL, a plus sign means a blank
            return _set_cookie(token, headers) if is_valid else _wrong_token()
        if _equals(_bearer(headers), token) or _equals(_cookie(headers), _cookie_value(token)):
            return None
        return _wrong_token()


def _too_large(limit: int) -> str:
    return f"The request is larger than {limit:,} bytes."


def _hostname(host: str) -> str | None:
    """Return the name in a Host header, without its port."""
    match = HOST_HEADER.fullmatch(host.lower())
    return match[1].strip("[]") if match else None


def _same_site(scope: Scope, headers: Headers, host: str) -> bool:
    """Return whether the request comes from this server's own page, from no page at all, or only opens the page."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return False
    if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        return True
    # A link on another page may open the page, and nothing else.
    return bool(
        scope["method"] in {"GET", "HEAD"} and scope["path"] == "/" and headers.get("sec-fetch-dest") == "document"
    )


def _bearer(headers: Headers) -> str:
    """Return the token in the Authorization header."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _cookie(headers: Headers) -> str:
    """Return the value of the browser's cookie."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return ""
    return cookies[TOKEN_COOKIE].value if TOKEN_COOKIE in cookies else ""


def _cookie_value(token: str) -> str:
    """Return the value of the cookie, which gives access without revealing the token."""
    return hmac.new(token.encode(), TOKEN_COOKIE.encode(), "sha256").hexdigest()


def _equals(given: str, token: str) -> bool:
    """Compare in constant time, so that the time reveals nothing about the token."""
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


def _set_cookie(token: str, headers: Headers) -> Response:
    """Set the browser's cookie, and redirect to remove the token from the address bar."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    is_tls = headers.get("x-forwarded-proto") == "https"  # set by a proxy; a client that fakes it harms only itself
    response.set_cookie(
        TOKEN_COOKIE,
        _cookie_value(token),
        max_age=30 * 24 * 3600,
        httponly=True,
        samesite="strict",
        secure=is_tls,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _wrong_token() -> Response:
    detail = "This server requires a token: open /?token=..., or send `Authorization: Bearer ...`."
    return problem_response(HTTPStatus.UNAUTHORIZED, "TokenNeeded", detail, {"WWW-Authenticate": "Bearer"})
