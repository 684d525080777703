"""What a client has already, or wants a part of: entity tags and byte ranges (RFC 9110), and HEAD."""

import re
from collections.abc import Mapping

import anyio.lowlevel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Heads", "byte_range", "is_known"]

RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
"""One range; of several, the whole is sent instead, as RFC 9110 allows."""


def is_known(headers: Mapping[str, str], tag: str) -> bool:
    """Whether the client says that it has what `tag` names, so that 304 is answer enough."""
    said = headers.get("if-none-match", "")
    return said.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in said.split(","))


def byte_range(headers: Mapping[str, str], size: int, tag: str) -> range | None:
    """Which of `size` bytes the client wants; None for all, an empty range for what cannot be had (416)."""
    said = RANGE.fullmatch(headers.get("range", "").strip())
    if said is None or said[0] == "bytes=-" or headers.get("if-range", tag) != tag:
        return None
    first, last = said[1], said[2]
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(min(int(first), size), min(int(last) + 1 if last else size, size))


class Heads:
    """ASGI middleware: answers HEAD as GET, without the body. What would make the body is told to stop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            else:
                await send({"type": "http.response.body", "body": b""})
                enough.cancel()
                await anyio.lowlevel.checkpoint()

        with anyio.CancelScope() as enough:
            await self._app({**scope, "method": "GET"}, receive, send_head)
