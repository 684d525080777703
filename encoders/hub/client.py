"""The hub: what a repository holds, and the bytes of a file, from where an earlier attempt stopped.

huggingface_hub speaks the protocol (`HF_ENDPOINT`, `HF_TOKEN` and `HF_HUB_OFFLINE` are its own). Its download keeps
nothing of a file that was cut off, which for gigabytes over a weak line is what matters; so only its HTTP is used.
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

from core.errors import ExtraMissing, PullFailed
from core.version import __version__

__all__ = ["Damaged", "Listing", "RemoteFile", "digest", "endpoint", "fetch", "is_whole", "look"]

BLOCK = 2**20

AGENT = f"sightline/{__version__}"
RETRY_PAUSE = 0.5
"""Seconds; doubled each time."""
RETRIES = 5
"""Of a request that brings nothing; as long as something comes, there is no end to them."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository."""

    name: str
    size: int
    sha256: str | None
    """Of its bytes, for those that git keeps elsewhere (LFS), as weights are."""
    git_oid: str | None
    """Its name in git, a SHA-1 over a header and its bytes, for the small rest."""


@dataclass(frozen=True)
class Listing:
    """A repository at one commit."""

    repository: str
    commit: str
    licence: str
    files: tuple[RemoteFile, ...]


class Damaged(Exception):
    """What arrived is not what the hub says it is."""


def endpoint() -> str:
    """The address of the hub."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def look(name: str, repository: str, revision: str | None = None) -> Listing:
    """What `repository` holds, for the model `name`. Raises `PullFailed`; `ExtraMissing` without huggingface_hub."""
    hub = _library()
    with _as_failure(name, repository):
        api = hub.HfApi(endpoint=endpoint(), headers={"user-agent": AGENT})
        found = api.model_info(repository, revision=revision, files_metadata=True, timeout=30)
    files = tuple(
        RemoteFile(item.rfilename, item.size, _hash(item.lfs.sha256 if item.lfs else None), _hash(item.blob_id))
        for item in found.siblings or ()
        if item.size is not None and _is_inside(item.rfilename)
    )
    return Listing(repository, str(found.sha), _licence(found.card_data), files)


def fetch(name: str, listing: Listing, file: RemoteFile, partial: Path, advance: Callable[[int], None]) -> None:
    """The bytes of `file` into `partial`, after those that it holds already; `advance` hears how many came.

    What breaks off is tried a few times. Raises `PullFailed`, `Damaged` when the bytes are not those that they should
    be (`partial` is gone then), and `OSError` when they cannot be written.
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
                if failures > RETRIES or not _is_passing(exc):
                    raise
                time.sleep(RETRY_PAUSE * 2**failures)
        out.flush()
        os.fsync(out.fileno())
    if not is_whole(partial, file):
        partial.unlink()
        raise Damaged(file.name)


def is_whole(path: Path, file: RemoteFile) -> bool:
    """Whether `path` holds the very bytes of `file`."""
    try:
        size = path.stat().st_size
    except OSError:
        return False
    if size != file.size:
        return False
    if file.sha256 is not None:
        return digest(path) == file.sha256
    header = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)  # as git names it
    return file.git_oid is None or digest(path, header) == file.git_oid


def digest(path: Path, into: "hashlib._Hash | None" = None) -> str:
    """The SHA-256 of a file, or what `into` makes of it."""
    hashed = into or hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            hashed.update(block)
    return hashed.hexdigest()


def _stream(hub: Any, listing: Listing, file: RemoteFile, out: BinaryIO, advance: Callable[[int], None]) -> None:
    """One request for what `out` lacks, and whatever of it arrives."""
    url = hub.hf_hub_url(listing.repository, file.name, revision=listing.commit, endpoint=endpoint())
    headers = {**hub.utils.build_hf_headers(), "user-agent": AGENT, "accept-encoding": "identity"}
    if start := out.tell():
        headers["range"] = f"bytes={start}-"
    with hub.get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=30) as response:
        hub.utils.hf_raise_for_status(response)
        if start and response.status_code != 206:  # it sends all of it again
            out.truncate(0)
            advance(-start)
        for block in response.iter_bytes():
            out.write(block)
            advance(len(block))


def _is_passing(error: Exception) -> bool:
    """Whether the same request may well succeed a little later."""
    response = getattr(error, "response", None)
    return response is None or response.status_code in (408, 429, 500, 502, 503, 504)


def _library() -> Any:
    """huggingface_hub, which nothing may hear of from us that is not a file we want."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import huggingface_hub.errors
        import huggingface_hub.utils
    except ImportError as exc:
        raise ExtraMissing("pulling a model", "clip") from exc
    return huggingface_hub


def _licence(card: Any) -> str:
    """As the card of a repository states it; where that is `other`, by its name."""
    stated = getattr(card, "license", None)
    named = getattr(card, "license_name", None)
    chosen = named if stated in (None, "other") and named else stated
    return str(chosen[0] if isinstance(chosen, list) and chosen else chosen or "unknown")


def _hash(text: str | None) -> str | None:
    """A hash as the hub writes it; whatever else that may be is none, and never becomes the name of a file."""
    return text if text and re.fullmatch("[0-9a-f]{40,64}", text) else None


def _is_inside(name: str) -> bool:
    """Whether a file of this name stays in the folder that it is put into."""
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


@contextmanager
def _as_failure(name: str, repository: str, *, writing: bool = False) -> Iterator[None]:
    """What the hub or the network says, in words."""
    from huggingface_hub import errors

    there = f"{endpoint()}/{repository}"
    try:
        yield
    except errors.OfflineModeIsEnabled as exc:
        raise PullFailed(name, "HF_HUB_OFFLINE forbids the network", "Unset it, or go by hand") from exc
    except errors.GatedRepoError as exc:
        remedy = f"Accept its terms at {there} and set HF_TOKEN to a token of your account"
        raise PullFailed(name, f"{repository} is given only to those who accept its terms", remedy) from exc
    except errors.RepositoryNotFoundError as exc:
        remedy = f"Check the name at {there}; a private one needs HF_TOKEN"
        raise PullFailed(name, f"the hub has no repository {repository} that you may see", remedy) from exc
    except errors.EntryNotFoundError as exc:
        raise PullFailed(name, f"a file is gone from {repository}", f"Look at {there}") from exc
    except errors.RevisionNotFoundError as exc:
        raise PullFailed(name, f"{repository} has no such revision", f"Look at {there}") from exc
    except errors.HfHubHTTPError as exc:
        status = exc.response.status_code if exc.response is not None else "no"
        raise PullFailed(name, f"the hub answered with status {status}", "Try again later") from exc
    except errors.HTTPError as exc:  # of the HTTP library: no connection, no answer in time
        fault = f"cannot reach {endpoint()} ({exc})".replace("\n", " ")
        raise PullFailed(name, fault, "What came so far is kept: try again when the network is there") from exc
    except OSError as exc:
        if writing and exc.errno is not None:
            raise  # our disk, not their network
        remedy = "What came so far is kept: try again"
        raise PullFailed(name, f"the connection broke off ({type(exc).__name__})", remedy) from exc
