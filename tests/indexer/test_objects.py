"""Indexing the objects of a store. The store is in memory; `test_objects_on_server.py` uses one that speaks S3."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import FolderNotFound, FolderUnreadable, RootUnavailable, SpaceIncomplete
from core.object_paths import object_path
from core.root_files.object_store import ObjectChanged
from indexer import IndexSettings, Progress, fill, index
from indexer.absent_disks import count_away
from indexer.scan import ScanSettings, scan
from indexer.watch.changes import PendingChanges
from indexer.watch.watched_root import Method, WatchedRoot
from indexer.xmp_writing import SidecarResult, write_sidecars
from store import Library
from store.catalog.tables import PictureState
from store.check import verify
from store.exchange.export import export_space
from store.exchange.import_vectors import import_vectors
from store.exchange.sources import open_vectors
from store.failures import list_failures
from store.moved_roots import move_roots
from store.queries import count_by_state
from store.roots import list_roots
from store.spaces.registry import active_space
from store.written_sidecars import said_files
from tests.support.indexing import CountingEncoder, nonzero_counts, vectors_by_path
from tests.support.merging import merge_into
from tests.support.object_stores import MemoryStore, use_store

ROOT = "s3://bucket/photos"


class Warnings(Progress):
    def __init__(self) -> None:
        self.given: list[str] = []

    def warn(self, message: str) -> None:
        self.given.append(message)


def picture(colour: str, form: str = "BMP") -> bytes:
    """Return a picture of one colour. Those in BMP all have the same size."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, form)
    return file.getvalue()


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """Four pictures below `photos/`, and one beside it."""
    store = MemoryStore(page_size=2)
    for key in ("red.png", "green.png", "more/blue.png", "more/deep/yellow.png"):
        store.put("bucket", f"photos/{key}", picture(Path(key).stem))
    store.put("bucket", "photos-private/white.png", picture("white"))
    use_store(monkeypatch, store)
    return store


def test_objects_are_indexed_and_then_skipped(
    library: Library, objects: MemoryStore, counting: CountingEncoder, tmp_path: Path
) -> None:
    assert nonzero_counts(index(library, ROOT + "/", counting)) == {"new": 4, "embedded": 4}
    for key, (data, _) in objects.buckets["bucket"].items():
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(data)
    with Library.open(tmp_path / "of-folder", create=True) as of_folder:
        index(of_folder, tmp_path / "photos", counting)
        expected = vectors_by_path(of_folder)
    held = vectors_by_path(library)
    assert held.keys() == expected.keys() == {"red.png", "green.png", "more/blue.png", "more/deep/yellow.png"}
    for name, vector in held.items():
        np.testing.assert_array_equal(vector, expected[name])
    assert [(str(root.path), root.present) for root in list_roots(library)] == [(ROOT, 4)]
    assert verify(library) == []
    objects.requests.clear()
    assert nonzero_counts(index(library, Path("S3://bucket/photos"), counting)) == {"unchanged": 4}
    assert {request for request, _ in objects.requests} == {"list"}


def test_part_of_a_root_is_indexed_alone(library: Library, objects: MemoryStore, counting: CountingEncoder) -> None:
    index(library, ROOT, counting)
    objects.put("bucket", "photos/more/white.png", picture("white"))
    objects.put("bucket", "photos/black.png", picture("black"))
    assert nonzero_counts(index(library, ROOT + "/more", counting)) == {"new": 1, "embedded": 1, "unchanged": 2}
    assert nonzero_counts(index(library, "s3://bucket", counting)) == {
        "new": 2,
        "embedded": 1,
        "duplicates": 1,
        "unchanged": 5,
    }
    assert [str(root.path) for root in list_roots(library)] == ["s3://bucket"]


def test_replaced_and_deleted_objects_are_noticed(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    index(library, ROOT, counting)
    time = objects.buckets["bucket"]["photos/red.png"][1].mtime_ns
    white = picture("white")
    assert len(white) == objects.buckets["bucket"]["photos/red.png"][1].size
    objects.put("bucket", "photos/red.png", white, mtime_ns=time)  # only the entity tag differs
    del objects.buckets["bucket"]["photos/more/deep/yellow.png"]
    assert nonzero_counts(index(library, ROOT, counting)) == {"changed": 1, "embedded": 1, "unchanged": 2, "missing": 1}
    objects.put("bucket", "photos/more/deep/yellow.png", picture("yellow"))
    assert nonzero_counts(index(library, ROOT, counting))["unchanged"] == 3


@pytest.mark.parametrize(
    "error", [PermissionError(13, "access is denied"), OSError(16, "the store is busy"), TimeoutError(110, "no answer")]
)
def test_store_that_fails_changes_nothing(
    library: Library, objects: MemoryStore, counting: CountingEncoder, error: OSError
) -> None:
    index(library, ROOT, counting)
    objects.faults["list"] = error
    with pytest.raises(FolderUnreadable, match=str(error.strerror)):
        index(library, ROOT, counting)
    assert count_by_state(library)[PictureState.PRESENT] == 4
    assert count_away(library) == ({} if isinstance(error, PermissionError) else {object_path(ROOT): 4})
    objects.faults.clear()
    assert count_away(library) == {}


def test_listing_that_breaks_off_deletes_nothing(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    for number in range(5):
        objects.put("bucket", f"photos/more/{number}.png", picture("red"))
    index(library, ROOT, counting)
    del objects.buckets["bucket"]["photos/more/4.png"]
    del objects.buckets["bucket"]["photos/red.png"]
    objects.page_size = 3  # the root has three entries, and `more` needs a second page
    objects.faults["list-page"] = ConnectionError(111, "the store cannot be reached")
    summary = index(library, ROOT, counting)
    assert summary.unreadable == (f"{ROOT}/more",)
    assert nonzero_counts(summary) == {"missing": 1, "unchanged": 1}
    assert count_by_state(library)[PictureState.PRESENT] == 8
    objects.faults.clear()
    assert nonzero_counts(index(library, ROOT, counting))["missing"] == 1


def test_bucket_that_is_gone_deletes_nothing(library: Library, objects: MemoryStore, counting: CountingEncoder) -> None:
    with pytest.raises(FolderNotFound):
        index(library, "s3://other/photos", counting)
    index(library, ROOT, counting)
    gone = objects.buckets.pop("bucket")
    with pytest.raises(RootUnavailable):
        index(library, ROOT, counting)
    objects.buckets["bucket"] = {}
    with pytest.raises(RootUnavailable):
        index(library, ROOT, counting)
    assert count_by_state(library)[PictureState.PRESENT] == 4
    objects.buckets["bucket"] = gone
    assert nonzero_counts(index(library, ROOT, counting)) == {"unchanged": 4}


def test_object_in_place_of_a_folder_is_not_missing(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    index(library, ROOT, counting)
    for accept_missing in (False, True):
        with pytest.raises(FolderNotFound, match=r"red\.png is a file, not a folder"):
            index(library, f"{ROOT}/red.png", counting, IndexSettings(accept_missing=accept_missing))
    assert count_by_state(library)[PictureState.PRESENT] == 4


def test_bucket_that_goes_during_a_walk_is_unreadable(objects: MemoryStore) -> None:
    path = object_path(ROOT)
    assert path is not None
    found = scan(path)
    walk = iter(found)
    assert next(walk).relpath == b"green.png"
    objects.buckets.clear()
    assert [file.relpath for file in walk] == [b"red.png"]
    assert found.unreadable == [b"more"]


def test_bucket_that_is_emptied_is_accepted_if_told_so(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    index(library, ROOT, counting)
    objects.buckets["bucket"] = {}
    assert nonzero_counts(index(library, ROOT, counting, IndexSettings(accept_missing=True))) == {"missing": 4}


def test_object_that_cannot_be_read_is_tried_again(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    objects.faults["photos/red.png"] = PermissionError(13, "access is denied")
    objects.faults["photos/more/blue.png"] = ObjectChanged("it changed while it was read")
    assert nonzero_counts(index(library, ROOT, counting)) == {"new": 2, "embedded": 2, "failed": 2}
    assert {(str(each.path), each.reason, each.detail) for each in list_failures(library)} == {
        (f"{ROOT}/red.png", "unreadable", "access is denied"),
        (f"{ROOT}/more/blue.png", "unreadable", "it changed while it was read"),
    }
    objects.faults.clear()
    assert nonzero_counts(index(library, ROOT, counting)) == {"changed": 2, "embedded": 2, "unchanged": 2}


def test_object_that_vanishes_before_it_is_read_is_left_out(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    objects.faults["photos/red.png"] = FileNotFoundError(2, "the object does not exist")
    assert nonzero_counts(index(library, ROOT, counting)) == {"new": 3, "embedded": 3}


def test_keys_that_are_no_paths_are_left_out_and_named(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    for key in ("photos//a.png", "photos/./b.png", "photos/more/../c.png", "photos/x\0y.png"):
        objects.put("bucket", key, picture("red"))
    objects.put("bucket", "photos/", b"")
    objects.put("bucket", "photos/album/", b"")
    objects.put("bucket", "photos/more/", b"")
    warnings = Warnings()
    assert nonzero_counts(index(library, ROOT, counting, progress=warnings)) == {"new": 4, "embedded": 4}
    (warning,) = warnings.given
    assert f"those that begin with {ROOT}/./, and with 3 more" in warning


def test_odd_keys_are_read_as_they_are(library: Library, objects: MemoryStore, counting: CountingEncoder) -> None:
    odd = ["a b.png", "a%20b.png", "a+b.png", "é.png", "e\u0301.png", " .png ", "a\\b.png", "~.png", "a:b.png", "-.png"]
    for key in odd:
        objects.put("bucket", f"odd/{key}", picture("red"))
    objects.put("bucket", "odd/both.png", picture("red"))
    objects.put("bucket", "odd/both.png/inner.png", picture("blue"))
    summary = index(library, "s3://bucket/odd", counting)
    assert summary.new == len(odd) - 1 + 2  # " .png " has no suffix of pictures, but begins like one: all but none
    assert nonzero_counts(index(library, "s3://bucket/odd", counting)) == {"unchanged": summary.new}


def test_ignore_files_sidecars_and_companions_count(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    objects.put("bucket", "photos/more/.sightlineignore", b"deep/\n")
    objects.put("bucket", "photos/red.xmp", b"<x/>")
    objects.put("bucket", "photos/notes.txt", b"no picture")
    objects.put("bucket", "photos/scan", picture("white", "PNG"))  # BMP files begin like texts
    summary = index(library, ROOT, counting)
    assert nonzero_counts(summary) == {"new": 4, "embedded": 4}
    assert summary.passed_over == {"txt": 1}
    objects.requests.clear()
    index(library, ROOT, counting)
    asked = {key for request, key in objects.requests if request != "list"}
    assert asked == {"photos/more/.sightlineignore", "photos/scan"}  # nothing else is asked for one by one


def test_sidecar_that_appears_is_read(library: Library, objects: MemoryStore, counting: CountingEncoder) -> None:
    index(library, ROOT, counting)
    tagged = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>'
    )
    objects.put("bucket", "photos/red.png.xmp", tagged)
    assert index(library, ROOT, counting).metadata_updated == 1
    assert index(library, ROOT, counting).metadata_updated == 0


def test_root_is_moved_between_buckets(library: Library, objects: MemoryStore, counting: CountingEncoder) -> None:
    index(library, ROOT, counting)
    for key, (data, _) in list(objects.buckets["bucket"].items()):
        objects.put("copy", key.replace("photos/", "2024/"), data)
    new = Path("s3://copy/2024")
    with pytest.raises(FolderNotFound):
        move_roots(library, Path(ROOT), Path("s3://copy/2023"))
    (moved,) = move_roots(library, Path(ROOT), new)
    assert (moved.checked, moved.same_size) == (4, 4)
    assert [str(root.path) for root in list_roots(library)] == ["s3://copy/2024"]
    assert index(library, new, counting).embedded == 0


def test_other_stores_are_refused(library: Library, counting: CountingEncoder) -> None:
    with pytest.raises(FolderUnreadable, match="gs:// is not supported"):
        index(library, "gs://bucket/photos", counting)
    with pytest.raises(FolderUnreadable, match="https:// is not supported"):
        index(library, Path("https://host/photos"), counting)


def test_nothing_is_written_into_a_store(library: Library, objects: MemoryStore, counting: CountingEncoder) -> None:
    index(library, ROOT, counting)
    with library.transaction() as connection:
        connection.exec_driver_sql("UPDATE contents SET user_rating = 5")
    outcomes = list(write_sidecars(library, said_files(library, [1, 2, 3, 4])))
    assert {(each.result, each.reason) for each in outcomes} == {
        (SidecarResult.REFUSED, "nothing is written into a store of objects")
    }
    assert len(outcomes) == 4


def test_store_is_scanned_at_intervals_and_not_asked_in_between(objects: MemoryStore) -> None:
    path = object_path(ROOT)
    assert path is not None
    opened: list[object] = []
    root = WatchedRoot(
        path,
        PendingChanges(path, settle=1, clock=lambda: 0.0),
        lambda *given: opened.append(given),  # type: ignore[arg-type]
        poll=None,
        fallback_poll=300,
        rescan=86_400,
        clock=lambda: 0.0,
    )
    assert root.check()
    assert not root.check()
    assert (root.method, root.interval, root.is_there) == (Method.POLLING, 300, True)
    assert root.reason == "a store of objects does not report changes"
    assert opened == []
    assert objects.requests == []


def test_excluded_part_of_a_root_is_said_to_be_excluded(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    path = object_path(ROOT)
    assert path is not None
    found = scan(path, ScanSettings(exclude=("more/",)))
    assert [file.relpath for file in found] == [b"green.png", b"red.png"]


def test_object_with_another_key_keeps_what_was_said(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    index(library, ROOT, counting)
    with library.transaction() as connection:
        connection.exec_driver_sql("UPDATE contents SET user_rating = 5")
    data, _ = objects.buckets["bucket"].pop("photos/red.png")
    objects.put("bucket", "photos/more/renamed.png", data)
    assert nonzero_counts(index(library, ROOT, counting)) == {"moved": 1, "unchanged": 3}
    with library.read() as connection:
        ratings = connection.exec_driver_sql("SELECT user_rating FROM contents").scalars().all()
    assert set(ratings) == {5}


def test_model_is_changed_with_what_the_store_still_has(
    library: Library, objects: MemoryStore, counting: CountingEncoder
) -> None:
    index(library, ROOT, counting)
    other = CountingEncoder()
    other.space = replace(other.space, model="other")
    objects.faults["list"] = ConnectionError(111, "the store cannot be reached")
    with pytest.raises(SpaceIncomplete):
        fill(library, other)
    objects.faults.clear()
    assert fill(library, other).embedded == 4


def test_library_with_objects_is_merged(
    library: Library, objects: MemoryStore, counting: CountingEncoder, tmp_path: Path
) -> None:
    with Library.open(tmp_path / "other", create=True) as other:
        index(other, ROOT, counting)
        index(library, ROOT + "/more", counting)
        merge_into(library, other)
    assert [(str(root.path), root.present) for root in list_roots(library)] == [(ROOT, 4)]
    assert nonzero_counts(index(library, ROOT, counting)) == {"unchanged": 4}


def test_exported_vectors_are_imported_for_the_same_objects(
    library: Library, objects: MemoryStore, counting: CountingEncoder, tmp_path: Path
) -> None:
    index(library, ROOT, counting)
    stored = active_space(library)
    assert stored is not None
    assert export_space(library, stored, tmp_path / "out") == 4
    summary = import_vectors(library, open_vectors(tmp_path / "out"), "again")
    assert (summary.pictures, summary.documents) == (4, 0)
