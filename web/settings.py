"""Settings of the server: its address, its token and its limits."""

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from core.errors import UnsafeServerSettings
from web.map_tiles import MapTiles

__all__ = ["LOOPBACK_HOSTS", "ServeSettings", "default_places", "is_loopback"]

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names under which a browser on the same machine reaches the server."""

MOUNT_FOLDERS = tuple(map(Path, ("/media", "/run/media", "/mnt", "/Volumes")))
"""Where Linux and macOS mount disks."""

VALID_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*")
"""What `Authorization: Bearer` (RFC 6750), a cookie and a URL can carry."""


def _cache_folder() -> Path:
    return platformdirs.user_cache_path("sightline", appauthor=False)


@dataclass(frozen=True)
class ServeSettings:
    """Settings of the server. Raises `UnsafeServerSettings` for a reachable address without a token.

    Attributes:
        host: Address to listen on. Any address but a loopback one requires a `token`.
        port: Port to listen on; 0 for any free one.
        token: Secret that clients must send.
        names: Further host names under which browsers reach the server, such as that of a reverse proxy.
        upload_bytes: Largest request with a picture.
        upload_pixels: Largest uploaded picture, in pixels.
        upload_seconds: How long a request may take to arrive.
        json_bytes: Largest request without a picture.
        threads: Number of requests that are processed at a time, which also bounds memory.
        cache: Folder for thumbnails.
        shared: Folder that several servers use at the same time, for thumbnails and uploads. By default each server
            keeps its own uploads, and thumbnails are in `cache`.
        cache_bytes: Size limit of the thumbnails.
        index_folders: Whether clients may add folders to the library, remove them, and download models. By default they
            may if the server has no token, or if it has `allowed_folders`.
        allowed_folders: Folders at or below which clients may look for folders to add. Without any, they may look
            below `default_places`, and add any folder by its path.
        run_jobs: Whether this server runs jobs, when no other one does.
        watch: Whether pictures are indexed as soon as they change.
        map_tiles: Where the map of the page loads its tiles from. Without it, the page draws an outline.
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
    shared: Path | None = None
    index_folders: bool | None = None
    allowed_folders: tuple[Path, ...] = ()
    map_tiles: MapTiles | None = None
    watch: bool = False
    run_jobs: bool = True

    def __post_init__(self) -> None:
        if self.token is not None and not VALID_TOKEN.fullmatch(self.token):
            raise UnsafeServerSettings(
                "The token is too short or has invalid characters. Use at least 16 letters and digits, such as the "
                "output of `openssl rand -hex 16`."
            )
        reachable = [self.host] if not is_loopback(self.host) else sorted(self.names - LOOPBACK_HOSTS)
        if self.token is None and reachable:
            raise UnsafeServerSettings(
                f"{reachable[0]} can be reached from other machines, so the server needs a token, and a reverse "
                "proxy with TLS in front of it.",
                host=reachable[0],
            )

    @property
    def may_index_folders(self) -> bool:
        """Whether clients may add folders to the library, remove them, and download models."""
        if self.index_folders is not None:
            return self.index_folders
        return self.token is None or bool(self.allowed_folders)

    @property
    def may_use_any_folder(self) -> bool:
        """Whether clients may add folders, and use models in folders, without regard to where these are."""
        return self.may_index_folders and not self.allowed_folders

    @property
    def places(self) -> tuple[Path, ...]:
        """The folders below which clients may look for folders to add."""
        if not self.may_index_folders:
            return ()
        return self.allowed_folders or default_places()

    @property
    def hosts(self) -> frozenset[str]:
        """The host names that a request may use."""
        own = frozenset() if self.host in {"0.0.0.0", "::"} else frozenset({self.host.lower()})
        return LOOPBACK_HOSTS | own | {name.lower() for name in self.names}


def default_places() -> tuple[Path, ...]:
    """Return the home folder of the user that runs the server, and the folders in which systems mount other disks.

    A home folder that is the root of the file system, as of some services, is left out; so are empty folders.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 (Path.home raises if there is none)
    own = [home] if home.is_absolute() and home != home.parent else []
    return tuple(place for place in (*own, *MOUNT_FOLDERS) if _has_entries(place))


def _has_entries(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
