import hashlib
import io
import random

import pytest

from core.root_files.object_store import ObjectChanged, ObjectStatus
from core.root_files.opened_object import KEPT_BLOCKS, OpenedObject
from tests.support.object_stores import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.put("bucket", "a.mp4", random.Random(1).randbytes(100))
    return store


def reads(store: MemoryStore) -> int:
    return sum(request == "read" for request, _ in store.requests)


def test_small_object_takes_one_request(store: MemoryStore) -> None:
    file = OpenedObject(store, "bucket", "a.mp4")
    data = file.read(64)
    file.seek(0)
    assert file.read()[:64] == data
    assert store.requests == [("read", "a.mp4")]


def test_nothing_is_read_ahead_unless_it_is_asked_for(store: MemoryStore) -> None:
    file = OpenedObject(store, "bucket", "a.mp4", ahead=False, block_bytes=10)
    assert file.status.size == 100
    assert store.requests == [("status", "a.mp4")]
    file.seek(95)
    assert len(file.read()) == 5
    assert reads(store) == 1


def test_few_blocks_are_kept_however_large_the_object_is(store: MemoryStore) -> None:
    file = OpenedObject(store, "bucket", "a.mp4", block_bytes=10)
    whole = file.read()
    assert hashlib.md5(whole).hexdigest() == file._etag.strip('"')
    assert len(file._blocks) == KEPT_BLOCKS
    chance, before = random.Random(2), reads(store)
    for _ in range(50):
        start, size = chance.randrange(100), chance.randrange(40)
        file.seek(start)
        assert file.read(size) == whole[start : start + size]
    file.seek(99)
    file.read()
    again = reads(store)
    file.seek(98)
    file.read(1)
    assert before < reads(store) == again


def test_object_that_is_replaced_fails_instead_of_mixing_versions(store: MemoryStore) -> None:
    file = OpenedObject(store, "bucket", "a.mp4", block_bytes=10)
    store.put("bucket", "a.mp4", b"y" * 100)
    assert len(file.read(10)) == 10
    assert file.failure is None
    with pytest.raises(ObjectChanged):
        file.read()
    assert isinstance(file.failure, ObjectChanged)


def test_invalid_positions_and_closed_files_are_errors(store: MemoryStore) -> None:
    file = OpenedObject(store, "bucket", "a.mp4")
    with pytest.raises(ValueError, match="negative"):
        file.seek(-1)
    with pytest.raises(io.UnsupportedOperation):
        file.fileno()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.read()


def test_store_that_does_not_compare_entity_tags_mixes_no_versions(store: MemoryStore) -> None:
    class Careless(MemoryStore):
        def read(
            self, bucket: str, key: str, start: int, stop: int, _etag: str | None = None
        ) -> tuple[bytes, ObjectStatus]:
            return super().read(bucket, key, start, stop)

    careless = Careless(store.buckets)
    file = OpenedObject(careless, "bucket", "a.mp4", block_bytes=10)
    careless.put("bucket", "a.mp4", b"y" * 100)
    with pytest.raises(ObjectChanged):
        file.read()
