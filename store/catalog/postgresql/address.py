"""The URL of a catalogue on a server: how it is recognised, shown and kept apart from others."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode

from core.errors import LibraryUnusable
from core.settings import local_folder

__all__ = ["ServerAddress", "is_server_url"]

_SCHEME = re.compile(r"postgres(ql)?(\+psycopg)?:(?P<slashes>/{1,3})", re.IGNORECASE)
_PARTS = re.compile(
    r"postgresql://((?P<user>[^@/:]*)(:[^@/]*)?@)?(?P<hosts>[^/?]*)(/(?P<database>[^?]*))?(\?(?P<query>.*))?", re.DOTALL
)
"""As libpq reads it: a password may have `?` and `#`, but neither `/` nor `@`."""
_SECRETS = re.compile("pass|secret|scram", re.IGNORECASE)
"""Parts of the names of parameters of a URL that are not shown, such as `sslpassword` and `scram_client_key`."""
UNSHOWN = "postgresql://..."
"""What a URL is called that may have a password anywhere."""


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
        if slashes == "/" and not re.match(r"[^@/]*@|[^?]*/", rest):  # a database without a host
            slashes = "///"
        url = "postgresql:" + ("//" if slashes == "/" else slashes) + rest
        parts = _PARTS.fullmatch(url)
        if parts is None or "@" in parts["hosts"] or "@" in (parts["database"] or ""):
            raise LibraryUnusable(UNSHOWN, "its URL cannot be read. `/` and `@` in a password are written %2F and %40")
        if not url.isprintable():  # as are the bytes of an argument that is not UTF-8
            raise LibraryUnusable(UNSHOWN, "its URL has characters that cannot be shown. Write them as %XX")
        return cls(url)

    @property
    def shown(self) -> str:
        """The URL without secrets."""
        parts = self._parts
        kept = [(name, value) for name, value in parse_qsl(parts["query"] or "") if not _SECRETS.search(name)]
        user = "" if parts["user"] is None else f"{parts['user']}@"
        database = "" if parts["database"] is None else f"/{parts['database']}"
        query = urlencode(kept, quote_via=quote, safe="/")
        return f"postgresql://{user}{parts['hosts']}{database}{'?' * bool(query)}{query}"

    @property
    def folder(self) -> Path:
        """The folder of this machine for files that are derived from the library.

        Raises `HomeFolderNotFound`.
        """
        digest = hashlib.sha256(self.shown.encode()).hexdigest()[:16]
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", self._parts["database"] or "")[:40] or "library"
        return local_folder() / f"{name}-{digest}"

    @property
    def _parts(self) -> re.Match[str]:
        parts = _PARTS.fullmatch(self.url)
        if parts is None:
            raise ValueError("This is no URL of PostgreSQL.")
        return parts

    def __repr__(self) -> str:
        return f"ServerAddress({self.shown!r})"
