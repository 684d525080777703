"""How Sightline is served: to whom, and within which limits."""

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from core.errors import ServeRefused

__all__ = ["LOOPBACK_HOSTS", "ServeSettings", "is_loopback"]

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""What a browser on this machine calls it."""


TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
"""What `Authorization: Bearer` can carry (RFC 6750), and so can a cookie and an address."""


def _cache_folder() -> Path:
    return platformdirs.user_cache_path("sightline", appauthor=False)


@dataclass(frozen=True)
class ServeSettings:
    """Whom to answer and what to refuse.

    `host` and `port` are where to listen; any host but a loopback one needs a `token` (`ServeRefused` otherwise).
    `names` are further host names that a browser may use, a reverse proxy's for example. `upload_bytes` and
    `upload_pixels` bound a picture that is sent as a query, `json_bytes` all that is sent without a picture, and
    `upload_seconds` the time that either may take to arrive; `threads` how many requests are worked on at a time, and
    with them the memory. `cache` is where thumbnails are kept, at most `cache_bytes` of them. `index_folders` lets the
    page index folders that the library does not cover yet; None lets it where no token is needed.
    """

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    names: frozenset[str] = frozenset()
    upload_bytes: int = 30_000_000
    upload_pixels: int = 100_000_000
    upload_seconds: float = 60.0
    json_bytes: int = 2_000_000
    threads: int = 8
    cache: Path = field(default_factory=_cache_folder)
    cache_bytes: int = 2_000_000_000
    index_folders: bool | None = None

    def __post_init__(self) -> None:
        if self.token is not None and not TOKEN.fullmatch(self.token):
            raise ServeRefused(
                "a token is a secret: give at least 16 letters and digits, as `openssl rand -hex 16` does"
            )
        reachable = [self.host] if not is_loopback(self.host) else sorted(self.names - LOOPBACK_HOSTS)
        if self.token is None and reachable:
            raise ServeRefused(
                f"{reachable[0]} can be reached from other machines: give a token (--token, SIGHTLINE_TOKEN), and put "
                "a server that speaks TLS before it"
            )

    @property
    def may_index_folders(self) -> bool:
        """Whether folders that are no part of the library yet may be indexed from the page."""
        return self.token is None if self.index_folders is None else self.index_folders

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which a request may ask for this server."""
        own = frozenset() if self.host in {"0.0.0.0", "::"} else frozenset({self.host.lower()})
        return LOOPBACK_HOSTS | own | {name.lower() for name in self.names}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
