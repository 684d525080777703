"""The URL of a catalogue on a server: how it is recognised, shown and kept apart from others."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from core.errors import LibraryUnusable
from core.settings import local_folder

__all__ = ["ServerAddress", "is_server_url"]

_SCHEME = re.compile(r"postgres(ql)?(\+psycopg)?:(?P<slashes>/{1,3})", re.IGNORECASE)
_SECRETS = ("password", "sslpassword")
"""Parameters of a URL that are not shown."""


def is_server_url(place: str) -> bool:
    """Return whether a text names a library on a server, and not a folder."""
    return _SCHEME.match(place) is not None


@dataclass(frozen=True)
class ServerAddress:
    """Where a catalogue is. `url` is as libpq reads it, with the password if it has one."""

    url: str

    @classmethod
    def parse(cls, text: str) -> "ServerAddress":
        """Return the address that a URL names. A `Path` made of one, which has lost a slash, is understood too.

        Raises `LibraryUnusable` if the text is no URL.
        """
        match = _SCHEME.match(text)
        slashes, rest = ("//", text) if match is None else (match["slashes"], text[match.end() :])
        if slashes == "/" and "/" not in rest.partition("?")[0]:  # a database without a host
            slashes = "///"
        url = "postgresql:" + ("//" if slashes == "/" else slashes) + rest
        try:
            urlsplit(url)
        except ValueError as exc:  # the text may contain a password
            raise LibraryUnusable("postgresql://...", f"its URL cannot be read ({exc})") from exc
        return cls(url)

    @property
    def shown(self) -> str:
        """The URL without secrets."""
        parts = urlsplit(self.url)
        user, at, host = parts.netloc.rpartition("@")
        kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in _SECRETS]
        query = urlencode(kept, quote_via=quote, safe="/")
        return f"postgresql://{user.partition(':')[0]}{at}{host}{parts.path}{'?' * bool(query)}{query}"

    @property
    def folder(self) -> Path:
        """The folder of this machine for files that are derived from the library.

        Raises `HomeFolderNotFound`.
        """
        digest = hashlib.sha256(self.shown.encode()).hexdigest()[:16]
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", urlsplit(self.url).path.strip("/"))[:40] or "library"
        return local_folder() / f"{name}-{digest}"

    def __repr__(self) -> str:
        return f"ServerAddress({self.shown!r})"
