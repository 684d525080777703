"""Who may ask, and what a browser may do with the answer. Stands before everything else.

A server on loopback is reachable by every page that the user has open in a browser. Three checks keep those out: the
Host header must name this server (a forged name is how DNS rebinding comes in), an Origin must be this server's own,
and what a browser itself calls cross-site is only ever allowed to open the page. From elsewhere, a token is needed.
"""

import hmac
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import problem_response
from web.settings import ServeSettings

__all__ = ["COOKIE", "Guard"]

COOKIE = "sightline_token"
"""The cookie that keeps a browser's token, out of the reach of scripts and of other sites."""

OPEN = frozenset({"/health"})
"""What needs no token: it tells nothing."""

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
        await (refusal or self._app)(scope, self._counted(receive), send_marked)

    def _counted(self, receive: Receive) -> Receive:
        """`receive`, which ends with a refusal once more came than is ever read."""
        came = 0

        async def receive_counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._settings.upload_bytes:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large())
            return message

        return receive_counted

    def _too_large(self) -> str:
        return f"more than {self._settings.upload_bytes:,} bytes are not read"

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _hostname(host) not in self._settings.hosts:
            return _refused(HTTPStatus.MISDIRECTED_REQUEST, "UnknownHost", "no server of this name is here")
        if not _same_site(scope, headers, host):
            return _refused(HTTPStatus.FORBIDDEN, "CrossSite", "other sites may not ask this server")
        return self._token_refusal(scope, headers) or self._length_refusal(headers)

    def _length_refusal(self, headers: Headers) -> Response | None:
        """For a body that is too large by its own account; one that does not say is counted as it comes."""
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length[:20]) > self._settings.upload_bytes:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "RequestEntityTooLarge", self._too_large())
        return None

    def _token_refusal(self, scope: Scope, headers: Headers) -> Response | None:
        token = self._settings.token
        if token is None or scope["path"] in OPEN:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        if given and scope["path"] == "/":
            return _welcome(token) if _same(given[0], token) else _wrong_token()
        if any(_same(candidate, token) for candidate in _tokens(headers)):
            return None
        return _wrong_token()


def _hostname(host: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


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


def _tokens(headers: Headers) -> list[str]:
    """Every token that a request brings."""
    found = []
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found.append(value.strip())
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return found
    if COOKIE in cookies:
        found.append(cookies[COOKIE].value)
    return found


def _same(given: str, token: str) -> bool:
    # In constant time: how long a comparison takes must not tell how much of a guess was right.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


def _welcome(token: str) -> Response:
    """Keeps the token in a cookie, and takes it out of the address bar."""
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    response.set_cookie(COOKIE, token, max_age=30 * 24 * 3600, httponly=True, samesite="strict")
    return response


def _wrong_token() -> Response:
    detail = "this server needs its token: open /?token=..., or send `Authorization: Bearer ...`"
    return problem_response(HTTPStatus.UNAUTHORIZED, "TokenNeeded", detail, {"WWW-Authenticate": "Bearer"})


def _refused(status: HTTPStatus, title: str, detail: str) -> Response:
    return problem_response(status, title, detail)
