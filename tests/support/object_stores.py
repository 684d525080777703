"""A store of objects in memory, with the faults of real ones."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from PIL import Image

from core.root_files import opening
from core.root_files.object_store import ListingPage, ObjectChanged, ObjectStatus, ObjectStore

__all__ = ["MemoryStore", "png_bytes", "use_store"]

FIRST_TIME = 1_700_000_000_000_000_000


@dataclass
class MemoryStore(ObjectStore):
    """Buckets in memory. `faults` are raised by the requests of their names: `list`, `status`, or the key of an object.

    `page_size` is the number of entries of a listing's page. `requests` are those that were made.
    """

    buckets: dict[str, dict[str, tuple[bytes, ObjectStatus]]] = field(default_factory=dict)
    page_size: int = 1000
    faults: dict[str, OSError] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    _time: Iterator[int] = field(default_factory=lambda: count(FIRST_TIME, 1_000_000_000))

    def put(self, bucket: str, key: str, data: bytes = b"x", *, mtime_ns: int | None = None) -> None:
        """Create or replace an object."""
        time = next(self._time) if mtime_ns is None else mtime_ns
        status = ObjectStatus(len(data), time, f'"{hashlib.md5(data).hexdigest()}"')
        self.buckets.setdefault(bucket, {})[key] = data, status

    def list_page(self, bucket: str, prefix: str, following: str | None = None, limit: int = 1000) -> ListingPage:
        self._note("list", prefix)
        found = dict[str, ObjectStatus | None]()
        for key, (_, found_status) in sorted(self._bucket(bucket).items()):
            if key.startswith(prefix):
                name, slash, _ = key[len(prefix) :].partition("/")
                found[prefix + name + slash] = None if slash else found_status
        after = [each for each in found if following is None or each > following]
        page = after[: min(limit, self.page_size)]
        if following is not None and "list-page" in self.faults:
            raise self.faults["list-page"]
        return ListingPage(
            [(each, status) for each in page if (status := found[each]) is not None],
            [each for each in page if found[each] is None],
            page[-1] if len(page) < len(after) else None,
        )

    def status(self, bucket: str, key: str) -> ObjectStatus:
        self._note("status", key)
        return self._object(bucket, key)[1]

    def read(self, bucket: str, key: str, start: int, stop: int, etag: str | None = None) -> tuple[bytes, ObjectStatus]:
        self._note("read", key)
        data, status = self._object(bucket, key)
        if etag not in (None, status.etag):
            raise ObjectChanged("it changed while it was read")
        return data[start:stop], status

    def _note(self, request: str, key: str) -> None:
        self.requests.append((request, key))
        for name in (request, key):
            if name in self.faults:
                raise self.faults[name]

    def _bucket(self, bucket: str) -> dict[str, tuple[bytes, ObjectStatus]]:
        if bucket not in self.buckets:
            raise FileNotFoundError(2, "the bucket does not exist")
        return self.buckets[bucket]

    def _object(self, bucket: str, key: str) -> tuple[bytes, ObjectStatus]:
        found = self._bucket(bucket).get(key)
        if found is None:
            raise FileNotFoundError(2, "the object does not exist")
        return found


def png_bytes(colour: str) -> bytes:
    """Return a picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, "PNG")
    return file.getvalue()


def use_store(monkeypatch: pytest.MonkeyPatch, store: ObjectStore) -> None:
    """Have `s3://` stand for a store."""
    monkeypatch.setattr(opening, "_store_of", lambda _path: store)
