"""Merges that are killed, and libraries that change while they are merged."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from core.errors import (
    LibraryBusy,
)
from store import Library
from store.catalog.tables import Picture
from store.check import verify
from store.content_digests import digests_of
from store.exchange import import_vectors, open_vectors
from store.merge import loading
from store.merge.merging import MergeHooks, merge
from store.merge.pictures import write_pictures
from store.queries import count_documents
from store.spaces.drop import forget_space
from store.spaces.registry import list_spaces
from store.tags import tags_of
from tests.support.merging import OtherEncoder, files_of, ids_of, merge_into, tag, vectors_of

Paint = Callable[..., Path]


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("nth", [1, 2, 4])
def test_merge_that_stopped_anywhere_is_valid_and_continues(
    make: Callable[..., Library], tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    for number in range(5):
        paint(tmp_path / "b" / f"{number}.png", (40 * number, 9, 250 - 40 * number))
    paint(tmp_path / "a" / "red.png", "red")
    (tmp_path / "b" / "broken.png").write_text("no picture")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "b")
    tag(other, "rome", ids_of(other, "3.png"))
    expected = files_of(library) | files_of(other), vectors_of(library) | vectors_of(other)
    monkeypatch.setattr(loading, "BATCH_SIZE", 2)
    calls = 0

    def stopping(*args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise _Killed
        write_pictures(*args)

    monkeypatch.setattr("store.merge.merging.write_pictures", stopping)
    with pytest.raises(_Killed):  # three batches of contents, and one of files without
        merge_into(library, other)
    assert len(files_of(library)) == min(1 + 2 * (nth - 1), 6)
    assert [fault for fault in verify(library) if fault.kind != "index"] == []
    monkeypatch.setattr("store.merge.merging.write_pictures", write_pictures)
    merge_into(library, other)
    assert (files_of(library), vectors_of(library)) == expected
    assert [tag.name for tag in tags_of(library, ids_of(library, "3.png"))[ids_of(library, "3.png")[0]]] == ["rome"]
    assert not verify(library)


def test_other_library_is_merged_while_its_owner_has_it_open(two: tuple[Library, Library]) -> None:
    library, other = two
    with other.connect() as connection, Library.open_to_read(other.path) as opened:
        assert connection.scalar(select(func.count()).select_from(Picture)) == 2
        assert merge(library, opened).pictures == {"new": 2}
        assert opened.read_only == "it is only read here"
    assert digests_of(other, ids_of(other, "green.png"))


@pytest.mark.sqlite("reads its file without locks, as a disk that is read-only requires")
@pytest.mark.parametrize("changes", [1, 9])
def test_batch_is_read_again_if_the_owner_changes_the_library(
    two: tuple[Library, Library], monkeypatch: pytest.MonkeyPatch, changes: int
) -> None:
    library, other = two
    left = [changes]

    def change(*arguments: Any) -> Any:
        found = real(*arguments)
        if left[0]:
            left[0] -= 1
            with Library.open(other.path) as owner:
                tag(owner, f"while it is read {left[0]}", ids_of(owner, "green.png"))
        return found

    real = loading._content_batch
    monkeypatch.setattr(loading, "_content_batch", change)
    monkeypatch.setattr(loading, "PAUSES", (0, 0))
    if changes == 1:
        assert merge_into(library, other).pictures == {"new": 2}
        assert not verify(library)
    else:
        with pytest.raises(LibraryBusy):
            merge_into(library, other)


@pytest.mark.parametrize("is_imported", [False, True])
def test_a_space_that_is_dropped_during_a_merge_stays_so(
    make: Callable[..., Library], tmp_path: Path, paint: Paint, monkeypatch: pytest.MonkeyPatch, is_imported: bool
) -> None:
    for number in range(5):
        paint(tmp_path / "b" / f"{number}.png", (40 * number, 9, 250 - 40 * number))
    paint(tmp_path / "a" / "red.png", "red")
    library, other = make("one", tmp_path / "a"), make("other", tmp_path / "b", encoder=OtherEncoder())
    if is_imported:
        np.save(tmp_path / "v.npy", np.eye(4, dtype=np.float32))
        import_vectors(other, open_vectors(tmp_path / "v.npy"), "clip")
    monkeypatch.setattr(loading, "BATCH_SIZE", 2)
    dropped = list[int]()

    def drop(_: int) -> None:
        for summary in list_spaces(library):
            if not summary.is_active and not dropped and summary.stored.space.is_imported == is_imported:
                dropped.append(forget_space(library, summary.stored))

    other.close()
    with Library.open_to_read(other.path) as opened:
        merge(library, opened, hooks=MergeHooks(advance=drop))
    assert dropped == [0 if is_imported else 2]
    kept = {"fake"} | ({"fake"} if is_imported else set())
    assert {summary.stored.space.model for summary in list_spaces(library)} == kept
    assert len(list_spaces(library)) == (2 if is_imported else 1)
    assert len(files_of(library)) == 6
    assert count_documents(library) == 0
    assert [fault for fault in verify(library) if fault.kind != "unembedded"] == []
