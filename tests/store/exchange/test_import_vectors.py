"""Importing vectors: every bit is kept, imports are atomic, and other spaces are not affected."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from core.errors import BadVectorFile, ExchangeError, SpaceExists
from encoders.fake import FakeEncoder
from indexer import IndexSettings, index
from search import Searcher
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState, Root, SpaceRow
from store.check import repair, verify
from store.exchange import ImportSummary
from store.exchange.vector_file import BLOCK_SIZE
from store.forget import forget
from store.queries import count_by_state, count_documents
from store.roots import ensure_root, list_roots
from store.spaces import drop
from store.spaces.drop import forget_space
from store.spaces.registry import active_space, list_spaces, named_space
from tests.support.vectors import Vectors, unit_vectors

ImportSpace = Callable[..., ImportSummary]


def rows(library: Library) -> list[int]:
    """The number of rows in each table that an import changes."""
    with library.read() as connection:
        return [
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (SpaceRow, Root, Content, Picture, Embedding)
        ]


def stored_vectors(library: Library, done: ImportSummary) -> list[bytes]:
    """The vectors in the catalogue, by content."""
    statement = select(Embedding.vector).where(Embedding.space_id == done.stored.id).order_by(Embedding.content_id)
    with library.read() as connection:
        return list(connection.execute(statement).scalars())


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_unit_vectors_keep_every_bit(library: Library, import_space: ImportSpace, dtype: str) -> None:
    vectors = unit_vectors(BLOCK_SIZE + 7, 16, dtype)
    done = import_space(vectors)
    assert done.stored.dtype == dtype
    assert (done.vectors, done.documents, done.pictures, done.copies) == (BLOCK_SIZE + 7, BLOCK_SIZE + 7, 0, 0)
    assert b"".join(stored_vectors(library, done)) == vectors.tobytes()
    assert verify(library) == []


@pytest.mark.parametrize(
    ("dtype", "asked", "stored"),
    [("float64", None, "float32"), ("float32", "float16", "float16"), ("float16", "float32", "float32")],
)
def test_dtype_of_stored_vectors(
    library: Library, import_space: ImportSpace, dtype: str, asked: str | None, stored: str
) -> None:
    vectors = unit_vectors(20, 16, dtype)
    done = import_space(vectors, dtype=asked)
    assert done.stored.dtype == stored
    assert b"".join(stored_vectors(library, done)) == vectors.astype(stored).tobytes()
    assert verify(library) == []


def test_fingerprint_depends_on_the_vectors(library: Library, import_space: ImportSpace) -> None:
    vectors = unit_vectors(5)
    first, second, third = (
        import_space(vectors),
        import_space(vectors, space="again"),
        import_space(vectors[::-1], space="other way"),
    )
    assert first.stored.space.is_imported
    assert first.stored.space.weights == second.stored.space.weights != third.stored.space.weights
    assert first.stored.space.fingerprint != second.stored.space.fingerprint
    assert named_space(library, "elsewhere") == first.stored
    assert named_space(library, first.stored.space.fingerprint[:8]) == first.stored


def test_search_agrees_with_numpy(library: Library, import_space: ImportSpace) -> None:
    vectors = unit_vectors(1000, 24) * np.linspace(0.5, 2, 1000, dtype=np.float32)[:, None]
    import_space(vectors, [b"n%d" % number for number in range(1000)])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    searcher = Searcher(library)
    for query in unit_vectors(5, 24, seed=9):
        scores = unit @ query
        best = np.argsort(-scores, kind="stable")[:20]
        hits = searcher.nearest(query * 3, k=20)
        assert [hit.record.document for hit in hits] == [f"n{number}" for number in best]
        np.testing.assert_allclose([hit.score for hit in hits], scores[best], atol=1e-6)


# --- pictures and documents


@pytest.fixture
def indexed(library: Library, album: Path) -> Library:
    """A library with an active space of four colours."""
    index(library, [album], FakeEncoder())
    return library


def test_vectors_named_by_indexed_paths_belong_to_these_pictures(
    indexed: Library, import_space: ImportSpace, album: Path
) -> None:
    vectors = unit_vectors(4)
    names = [b"red.png", os.fsencode(album / "blue.png"), b"./more/../more/yellow.png", b"not/here.png"]
    done = import_space(vectors, names, as_paths=True, root=album)
    assert (done.pictures, done.documents, done.active) == (3, 1, False)
    import_space(vectors, names, as_paths=True, root=album, activate=True, replace=True)
    hits = Searcher(indexed).nearest(vectors[1], k=4)
    assert hits[0].path == album / "blue.png"
    known = (album / "red.png", album / "blue.png", album / "more" / "yellow.png")
    assert {hit.name for hit in hits} == {*known, "not/here.png"}
    assert verify(indexed) == []


def test_relative_paths_start_at_the_current_folder(
    indexed: Library, import_space: ImportSpace, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(album / "more")
    assert import_space(unit_vectors(1), [b"yellow.png"], as_paths=True).pictures == 1


def test_ids_are_not_looked_up_as_paths(indexed: Library, import_space: ImportSpace, album: Path) -> None:
    assert import_space(unit_vectors(1), [b"red.png"], root=album).documents == 1


def test_copies_share_the_first_vector(library: Library, import_space: ImportSpace, album: Path) -> None:
    (album / "again.png").write_bytes((album / "red.png").read_bytes())
    index(library, [album], FakeEncoder())
    vectors = unit_vectors(2)
    done = import_space(vectors, [b"red.png", b"again.png"], as_paths=True, root=album)
    assert (done.vectors, done.pictures, done.copies) == (2, 1, 1)
    assert stored_vectors(library, done) == [vectors[0].tobytes()]


def test_missing_pictures_are_found_again_when_their_files_return(
    indexed: Library, import_space: ImportSpace, album: Path, tmp_path: Path
) -> None:
    (album / "red.png").rename(tmp_path / "red.png")
    index(indexed, [album], FakeEncoder())
    done = import_space(unit_vectors(2), [b"red.png", b"blue.png"], as_paths=True, root=album)
    assert done.pictures == 2
    assert repair(indexed) == []
    (tmp_path / "red.png").rename(album / "red.png")
    index(indexed, [album], FakeEncoder())
    assert verify(indexed) == []  # including the index of the imported space
    assert [summary.vectors for summary in list_spaces(indexed)] == [4, 2]


def test_path_of_a_failed_file_becomes_a_document(library: Library, import_space: ImportSpace, album: Path) -> None:
    (album / "bad.png").write_bytes(b"no picture")
    index(library, [album], FakeEncoder())
    assert import_space(unit_vectors(1), [b"bad.png"], as_paths=True, root=album).documents == 1


@pytest.mark.parametrize("value", [b"caf\xe9", b"a//b/", b"../up", b" ", "雪".encode(), b"imported:x", b"%_", b"."])
def test_ids_may_be_any_bytes(library: Library, import_space: ImportSpace, value: bytes) -> None:
    import_space(unit_vectors(2), [b"other", value])
    searcher = Searcher(library)
    (hit,) = searcher.similar("other", k=2)
    assert os.fsencode(hit.name) == value
    assert [other.name for other in searcher.similar(os.fsdecode(value))] == ["other"]
    assert verify(library) == []


# --- failed imports


def with_bad_row(count: int, row: int, value: float) -> Vectors:
    vectors = unit_vectors(count)
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "names", "fault"),
    [
        (
            with_bad_row(BLOCK_SIZE + 5, BLOCK_SIZE + 2, np.nan),
            None,
            rf"row {BLOCK_SIZE + 2} \({BLOCK_SIZE + 2}\) has values that are not finite",
        ),
        (with_bad_row(BLOCK_SIZE + 5, BLOCK_SIZE + 2, 0), None, rf"row {BLOCK_SIZE + 2} .* is zero"),
        (unit_vectors(3), [b"a", b"b", b"a"], "The name a occurs twice"),
        (
            unit_vectors(BLOCK_SIZE + 1),
            [b"%d" % (number % BLOCK_SIZE) for number in range(BLOCK_SIZE + 1)],
            "The name 0 occurs twice",
        ),
        (unit_vectors(BLOCK_SIZE + 1), [b"%d" % number for number in range(BLOCK_SIZE)], "5,000 names for 5,001"),
        (unit_vectors(BLOCK_SIZE), [b"%d" % number for number in range(BLOCK_SIZE + 1)], "5,001 names for 5,000"),
    ],
)
def test_invalid_vectors_or_names_import_nothing(
    library: Library, import_space: ImportSpace, vectors: Vectors, names: Sequence[bytes] | None, fault: str
) -> None:
    with pytest.raises(BadVectorFile, match=fault):
        import_space(vectors, names)
    assert rows(library) == [0] * 5
    assert active_space(library) is None
    assert import_space(unit_vectors(3)).active
    assert verify(library) == []


@pytest.mark.parametrize(
    "names",
    [[b"red.png", b"./red.png"], [b"red.png", *(b"%d" % number for number in range(BLOCK_SIZE)), b"more/../red.png"]],
)
def test_two_names_of_the_same_picture_are_rejected(
    indexed: Library, import_space: ImportSpace, album: Path, names: list[bytes]
) -> None:
    before = rows(indexed)
    with pytest.raises(BadVectorFile, match=r"red\.png occurs twice"):
        import_space(unit_vectors(len(names)), names, as_paths=True, root=album)
    assert rows(indexed) == before


def test_importing_under_an_existing_name_is_rejected(library: Library, import_space: ImportSpace) -> None:
    import_space(unit_vectors(3))
    before = rows(library)
    for vectors in (unit_vectors(3), unit_vectors(2, seed=5)):
        with pytest.raises(SpaceExists, match="already exists"):
            import_space(vectors)
    assert rows(library) == before


def test_replace_drops_the_space_of_the_same_name(library: Library, import_space: ImportSpace) -> None:
    old = import_space(unit_vectors(3))
    new = import_space(unit_vectors(2, 5, seed=5), [b"0", b"x"], replace=True)
    assert (new.active, new.stored.space.dim) == (True, 5)
    assert rows(library) == [1, 1, 2, 2, 2]
    assert [summary.stored.space for summary in list_spaces(library)] == [new.stored.space] != [old.stored.space]
    assert len(list(library.indexes.glob("*.faiss"))) == 1
    assert verify(library) == []


def test_failed_replacement_keeps_the_old_space(library: Library, import_space: ImportSpace) -> None:
    old = import_space(unit_vectors(3))
    with pytest.raises(BadVectorFile):
        import_space(with_bad_row(3, 1, 0), replace=True)
    assert active_space(library) == old.stored
    assert len(Searcher(library)) == 3
    assert verify(library) == []


def test_space_of_a_model_is_never_replaced(indexed: Library, import_space: ImportSpace) -> None:
    with pytest.raises(SpaceExists, match="a model"):
        import_space(unit_vectors(3), space="fake", replace=True)


def test_name_may_be_the_prefix_of_a_fingerprint(library: Library, import_space: ImportSpace) -> None:
    first = import_space(unit_vectors(3)).stored
    assert import_space(unit_vectors(3), space=first.space.fingerprint[:6]).vectors == 3


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\udcff"])
def test_invalid_space_names_are_rejected(library: Library, import_space: ImportSpace, name: str) -> None:
    with pytest.raises(ExchangeError, match="Invalid name"):
        import_space(unit_vectors(1), space=name)


# --- together with indexed pictures


def test_indexing_and_forgetting_work_next_to_an_imported_space(
    indexed: Library, import_space: ImportSpace, album: Path, tmp_path: Path
) -> None:
    done = import_space(
        unit_vectors(1000), [b"red.png", *(b"doc%d" % number for number in range(999))], as_paths=True, root=album
    )
    assert not done.active
    assert [hit.path.name for hit in Searcher(indexed).search("red", k=1)] == ["red.png"]
    assert len(Searcher(indexed)) == 4
    assert (sum(count_by_state(indexed).values()), count_documents(indexed)) == (4, 999)
    assert [root.path for root in list_roots(indexed)] == [album]
    (album / "red.png").unlink()
    summary = index(indexed, [album], FakeEncoder())
    assert (summary.missing, summary.unchanged) == (1, 3)
    assert verify(indexed) == []
    for path in album.glob("*.png"):
        path.unlink()
    (album / "more" / "yellow.png").unlink()
    assert index(indexed, [album], FakeEncoder(), IndexSettings(accept_missing=True)).missing == 3
    assert forget(indexed, tmp_path) == 4
    assert (sum(count_by_state(indexed).values()), count_documents(indexed)) == (0, 999)
    assert verify(indexed) == []


def test_active_imported_space_may_lack_pictures(indexed: Library, import_space: ImportSpace) -> None:
    assert import_space(unit_vectors(3), activate=True).active
    assert verify(indexed) == []
    assert len(Searcher(indexed)) == 3


def test_indexing_the_root_folder_ignores_documents(library: Library, import_space: ImportSpace) -> None:
    import_space(unit_vectors(3))
    with library.exclusive() as writer:
        ensure_root(writer, Path("/"))
    assert count_documents(library) == 3


def test_forgetting_an_imported_space_removes_its_documents(library: Library, import_space: ImportSpace) -> None:
    stored = import_space(unit_vectors(3)).stored
    assert forget_space(library, stored, dry_run=True) == 3
    assert rows(library) == [1, 1, 3, 3, 3]
    assert forget_space(library, stored) == 3
    assert rows(library) == [0] * 5
    assert active_space(library) is None
    assert list(library.indexes.iterdir()) == []


def test_forgetting_the_active_space_activates_another(
    indexed: Library, import_space: ImportSpace, album: Path
) -> None:
    done = import_space(unit_vectors(2), [b"red.png", b"x"], as_paths=True, root=album, activate=True)
    assert forget_space(indexed, done.stored) == 2
    assert len(Searcher(indexed, FakeEncoder())) == 4
    assert rows(indexed) == [1, 1, 4, 4, 4]
    assert verify(indexed) == []


def test_forgetting_the_space_of_a_model_keeps_its_pictures(
    indexed: Library, import_space: ImportSpace, album: Path
) -> None:
    import_space(unit_vectors(2), [b"red.png", b"x"], as_paths=True, root=album)
    assert forget_space(indexed, named_space(indexed, "fake")) == 4
    assert count_by_state(indexed)[PictureState.PRESENT] == 4
    assert len(Searcher(indexed)) == 2
    assert verify(indexed) == []


@pytest.mark.parametrize("nth", [1, 2, 4])
def test_removal_of_a_space_is_done_in_batches_and_continues(
    indexed: Library, import_space: ImportSpace, album: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    names = [b"red.png", *(b"document %d" % number for number in range(5))]
    done = import_space(unit_vectors(6), names, as_paths=True, root=album, activate=True)
    monkeypatch.setattr(drop, "BATCH_SIZE", 2)
    held = 0

    def exclusive(library: Library, *args: Any) -> Any:
        nonlocal held
        held += 1
        if held > nth:
            raise KeyboardInterrupt
        return original(library, *args)

    original = Library.exclusive
    monkeypatch.setattr(Library, "exclusive", exclusive)
    with pytest.raises(KeyboardInterrupt):
        forget_space(indexed, done.stored)
    monkeypatch.setattr(Library, "exclusive", original)
    assert len(Searcher(indexed, FakeEncoder())) == 4  # from the first batch on, another space answers
    assert verify(indexed) == []
    forget_space(indexed, done.stored)
    assert rows(indexed) == [1, 1, 4, 4, 4]
    assert verify(indexed) == []
