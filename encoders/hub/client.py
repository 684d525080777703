"""The client of the hub: lists the files of a repository, and downloads files with resumption.

huggingface_hub implements the protocol (`HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` are its variables). Its download
function discards an interrupted file, which matters for gigabytes over a slow connection; so only its HTTP is used.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from core.errors import DownloadFailed, ExtraMissing
from core.version import __version__

__all__ = [
    "CorruptDownload",
    "RemoteFile",
    "RepositoryListing",
    "digest",
    "download",
    "endpoint",
    "has_content",
    "list_repository",
]

BLOCK_BYTES = 2**20

USER_AGENT = f"sightline/{__version__}"
RETRY_PAUSE_SECONDS = 0.5
"""Seconds; doubled with each retry."""
MAX_RETRIES = 5
"""Consecutive attempts without new bytes. Attempts that receive bytes are not limited."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository."""

    name: str
    size: int
    sha256: str | None
    """Hash of the content, for files in LFS, such as weights."""
    git_oid: str | None
    """Git object ID, a SHA-1 over a header and the content, for other files."""


@dataclass(frozen=True)
class RepositoryListing:
    """A repository at one commit."""

    repository: str
    commit: str
    licence: str
    files: tuple[RemoteFile, ...]


class CorruptDownload(Exception):
    """The downloaded bytes do not have the hash that the hub states."""


def endpoint() -> str:
    """Return the address of the hub."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def list_repository(name: str, repository: str, revision: str | None = None) -> RepositoryListing:
    """List the files of `repository`, for the model `name`.

    Raises `DownloadFailed`, and `ExtraMissing` without huggingface_hub.
    """
    hub = _library()
    with _as_failure(name, repository):
        api = hub.HfApi(endpoint=endpoint(), headers={"user-agent": USER_AGENT})
        found = api.model_info(repository, revision=revision, files_metadata=True, timeout=30)
    files = tuple(
        RemoteFile(item.rfilename, item.size, _hash(item.lfs.sha256 if item.lfs else None), _hash(item.blob_id))
        for item in found.siblings or ()
        if item.size is not None and _is_inside(item.rfilename)
    )
    return RepositoryListing(repository, str(found.sha), _licence(found.card_data), files)


def download(
    name: str, listing: RepositoryListing, file: RemoteFile, partial: Path, advance: Callable[[int], None]
) -> None:
    """Append the missing bytes of `file` to `partial`, and call `advance` with the number of bytes as they arrive.

    Broken connections are retried. Raises `DownloadFailed`, `CorruptDownload` if the hash is wrong (`partial` is then
    deleted), and `OSError` if the bytes cannot be written.
    """
    hub = _library()
    with partial.open("ab") as out, _as_failure(name, listing.repository, writing=True):
        advance(out.tell())
        failures = 0
        while out.tell() < file.size:
            before = out.tell()
            try:
                _stream(hub, listing, file, out, advance)
            except hub.errors.HTTPError as exc:
                failures = 1 if out.tell() > before else failures + 1
                if failures > MAX_RETRIES or not _is_transient(exc):
                    raise
                time.sleep(RETRY_PAUSE_SECONDS * 2**failures)
        out.flush()
        os.fsync(out.fileno())
    if not has_content(partial, file):
        partial.unlink()
        raise CorruptDownload(file.name)


def has_content(path: Path, file: RemoteFile) -> bool:
    """Return whether the content of `path` has the size and the hash of `file`."""
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if size != file.size:
        return False
    if file.sha256 is not None:
        return digest(path) == file.sha256
    header = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)  # as in git
    return file.git_oid is None or digest(path, header) == file.git_oid


def digest(path: Path, into: "hashlib._Hash | None" = None) -> str:
    """Return the SHA-256 of a file in hexadecimal, or the digest of `into` updated with it."""
    hashed = into or hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            hashed.update(block)
    return hashed.hexdigest()


def _stream(
    hub: Any, listing: RepositoryListing, file: RemoteFile, out: BinaryIO, advance: Callable[[int], None]
) -> None:
    """Request the bytes that `out` lacks, and append the ones that arrive."""
    url = hub.hf_hub_url(listing.repository, file.name, revision=listing.commit, endpoint=endpoint())
    headers = {**hub.utils.build_hf_headers(), "user-agent": USER_AGENT, "accept-encoding": "identity"}
    if start := out.tell():
        headers["range"] = f"bytes={start}-"
    with hub.get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=30) as response:
        hub.utils.hf_raise_for_status(response)
        if start and response.status_code != 206:  # the server sends the whole file again
            out.truncate(0)
            advance(-start)
        for block in response.iter_bytes():
            out.write(block)
            advance(len(block))


def _is_transient(error: Exception) -> bool:
    """Return whether the same request may succeed a little later."""
    response = getattr(error, "response", None)
    return response is None or response.status_code in (408, 429, 500, 502, 503, 504)


def _library() -> Any:
    """Import huggingface_hub. Raises `ExtraMissing`."""
    try:
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as exc:
        raise ExtraMissing("Pulling a model", "clip") from exc
    return huggingface_hub


def _licence(card: Any) -> str:
    """Return the licence in the card of a repository; its name if the card states `other`."""
    stated = getattr(card, "license", None)
    named = getattr(card, "license_name", None)
    chosen = named if stated in (None, "other") and named else stated
    return str(chosen[0] if isinstance(chosen, list) and chosen else chosen or "unknown")


def _hash(text: str | None) -> str | None:
    """Return `text` if it is a hexadecimal hash. Anything else must not become the name of a file."""
    return text if text and re.fullmatch("[0-9a-f]{40,64}", text) else None


def _is_inside(name: str) -> bool:
    """Return whether a file of this name stays in its target folder."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


@contextmanager
def _as_failure(name: str, repository: str, *, writing: bool = False) -> Iterator[None]:
    """Convert exceptions of the hub and the network to `DownloadFailed`."""
    from huggingface_hub import errors

    url = f"{endpoint()}/{repository}"
    try:
        yield
    except errors.OfflineModeIsEnabled as exc:
        raise DownloadFailed(
            name, "HF_HUB_OFFLINE forbids the network", "Unset it, or download the files by hand."
        ) from exc
    except errors.GatedRepoError as exc:
        remedy = f"Accept its terms at {url} and set HF_TOKEN to a token of your account."
        raise DownloadFailed(name, f"{repository} is only available after you accept its terms", remedy) from exc
    except errors.RepositoryNotFoundError as exc:
        remedy = f"Check the name at {url}. A private repository needs HF_TOKEN."
        raise DownloadFailed(name, f"the hub has no repository {repository} that you may see", remedy) from exc
    except errors.EntryNotFoundError as exc:
        raise DownloadFailed(name, f"a file is gone from {repository}", f"Look at {url}.") from exc
    except errors.RevisionNotFoundError as exc:
        raise DownloadFailed(name, f"{repository} has no such revision", f"Look at {url}.") from exc
    except errors.HfHubHTTPError as exc:
        status = exc.response.status_code if exc.response is not None else "no"
        raise DownloadFailed(name, f"the hub answered with status {status}", "Try again later.") from exc
    except errors.HTTPError as exc:  # of the HTTP library: no connection, or a timeout
        fault = f"cannot reach {endpoint()} ({exc})".replace("\n", " ")
        raise DownloadFailed(
            name, fault, "The files downloaded so far are kept: try again when the network is available."
        ) from exc
    except OSError as exc:
        if writing and exc.errno is not None:
            raise  # a fault of the disk, not of the network
        remedy = "The files downloaded so far are kept: try again."
        raise DownloadFailed(name, f"the connection broke off ({type(exc).__name__})", remedy) from exc
