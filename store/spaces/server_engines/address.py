"""The addresses of engines: `pgvector`, `pgvector:URL` and `milvus:URI`, and how messages show them."""

import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from core.errors import UnknownIndexEngine

__all__ = ["FORMS", "KINDS", "EngineAddress", "parse_address"]

KINDS = ("pgvector", "milvus")
FORMS = ("pgvector", "pgvector:postgresql://USER@HOST/DATABASE", "milvus:http://HOST:19530", "milvus:FILE.db")
"""What can be written for an engine on a server."""

UNREADABLE = "its URL cannot be read: `@` is written as %40 in a password"

_SCHEMES = {"pgvector": ("postgresql", "postgres"), "milvus": ("http", "https", "tcp")}


@dataclass(frozen=True)
class EngineAddress:
    """Where an engine is."""

    kind: str
    """One of `KINDS`."""
    location: str = field(repr=False)
    """A URL, which may have a password, or the file of Milvus Lite; empty for the database of the library."""

    @property
    def shown(self) -> str:
        """The address without a password, for messages."""
        if not self.location:
            return f"{self.kind} in the database of the library"
        if "://" not in self.location:
            return f"{self.kind} in {self.location}"
        return f"{self.kind} at {_without_secrets(urlsplit(self.location))}"

    def redacted(self, message: str) -> str:
        """Return the first line of a message of the server or its driver, without the password."""
        if self.kind == "pgvector" and urlsplit(self.location).netloc.count("@") > 1:
            return UNREADABLE  # the driver takes the rest of the password for the name of the host, and quotes it
        message = message.strip().partition("\n")[0]
        for secret in _secrets(self.location):
            message = message.replace(secret, "***")
        return message


def parse_address(name: str) -> EngineAddress | None:
    """Return the address that `name` is; None if it does not name an engine on a server.

    Raises `UnknownIndexEngine`, without what follows the name of the engine: that may be a password.
    """
    kind, _, location = name.partition(":")
    if kind not in KINDS:
        return None
    if not location and kind == "pgvector":
        return EngineAddress(kind, "")
    try:
        parts = urlsplit(location)
        is_url = parts.scheme in _SCHEMES[kind] and bool(parts.hostname or kind == "pgvector")
        is_url = is_url and (parts.port is None or parts.port > 0)
    except ValueError:  # the port is no number
        is_url = False
    if not is_url and not (kind == "milvus" and location.endswith(".db") and "://" not in location):
        raise UnknownIndexEngine(f"{kind}:..." if location else name, FORMS)
    return EngineAddress(kind, location if is_url else os.path.abspath(os.path.expanduser(location)))  # noqa: PTH100, PTH111


def _secrets(location: str) -> set[str]:
    """Return the passwords in a URL, as they are written and as they are meant."""
    if "://" not in location:
        return set()
    parts = urlsplit(location)
    options = (value for name, value in parse_qsl(parts.query) if "password" in name)
    found = {parts.password or "", unquote(parts.password or ""), *options}
    return found - {""}


def _without_secrets(parts: SplitResult) -> str:
    """Return a URL without its password and its options, which may have another one."""
    user = f"{parts.username}@" if parts.username else ""
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    return f"{parts.scheme}://{user}{host}{port}{parts.path}"
