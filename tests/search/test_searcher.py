"""Searches in a library of plain colours, whose scores can be computed by hand."""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from core.errors import InvalidQuery, NothingIndexed, SpaceMismatch
from encoders.fake import FakeEncoder
from indexer import index
from search import Filters, Query, Searcher, SearchOptions
from search.results import Hit
from store import Library
from store.catalog.tables import Content, Embedding, Picture, PictureState
from store.library import mark_changed
from store.queries import load_content_records
from store.spaces import index_cache
from store.spaces.registry import StoredSpace, active_space
from tests.support.announced import only_announced

Paint = Callable[..., Path]
FLOOR2 = 0.1**2


def names(hits: Sequence[Hit]) -> list[str]:
    return [hit.path.name for hit in hits]


def cosine(a: list[float], b: list[float]) -> float:
    """Return the cosine of two plain colours in the fake space: four equal quadrants and a constant."""
    dot = 4 * float(np.dot(a, b)) + FLOOR2
    return dot / float(np.sqrt(4 * np.dot(a, a) + FLOOR2) * np.sqrt(4 * np.dot(b, b) + FLOOR2))


def test_scores_equal_hand_computed_cosines(searcher: Searcher) -> None:
    hits = searcher.search("red")
    assert names(hits)[:2] == ["red.png", "yellow.png"]
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert hits[0].score == pytest.approx(1, abs=1e-3)  # the stored vector is rounded to 16 bits
    assert hits[1].score == pytest.approx(cosine([1, 0, 0], [1, 1, 0]), abs=1e-3)
    assert hits[2].score == pytest.approx(cosine([1, 0, 0], [0, 0, 1]), abs=1e-3)


def test_hit_describes_picture(searcher: Searcher, album: Path) -> None:
    (hit,) = searcher.search("yellow", k=1)
    assert hit.path == album / "more" / "yellow.png"
    assert (hit.record.width, hit.record.height, hit.record.format) == (8, 8, "PNG")
    assert hit.record.size == hit.path.stat().st_size
    assert (hit.copies, hit.taken_at) == ((), None)


def test_ranking_equals_numpy(library: Library, tmp_path: Path, paint: Paint, encoder: FakeEncoder) -> None:
    colours = np.random.default_rng(5).integers(0, 256, (40, 3))
    for number, colour in enumerate(colours):
        paint(tmp_path / "many" / f"{number:02}.png", tuple(map(int, colour)))
    index(library, [tmp_path / "many"], encoder)
    searcher = Searcher(library, encoder)
    pictures = [Image.open(tmp_path / "many" / f"{number:02}.png") for number in range(40)]
    vectors = encoder.encode_images(pictures).astype("<f2").astype(np.float32)
    for text in ("red", "blue and green", "nothing"):
        scores = vectors @ encoder.encode_texts([text])[0]
        best = np.argsort(-scores, kind="stable")[:15]
        hits = searcher.search(text, k=15)
        assert names(hits) == [f"{number:02}.png" for number in best]
        np.testing.assert_allclose([hit.score for hit in hits], np.minimum(scores[best], 1), atol=1e-6)


@pytest.mark.parametrize(("k", "found"), [(1, 1), (3, 3), (4, 4), (100, 4)])
def test_k_limits_number_of_hits(searcher: Searcher, k: int, found: int) -> None:
    assert len(searcher.search("red", k=k)) == found


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_raises(searcher: Searcher, album: Path, k: int) -> None:
    with pytest.raises(InvalidQuery):
        searcher.search("red", k=k)
    with pytest.raises(InvalidQuery):
        searcher.similar(album / "red.png", k=k)


def test_min_score_excludes_lower_scores(searcher: Searcher) -> None:
    assert names(searcher.search("red", SearchOptions(min_score=0.9))) == ["red.png"]
    assert names(searcher.search("red", SearchOptions(min_score=0.5))) == ["red.png", "yellow.png"]
    assert searcher.search("white", SearchOptions(min_score=0.999)).hits == ()
    assert len(searcher.search("red", SearchOptions(min_score=-1))) == 4


def same_vector(folder: Path, number: int) -> None:
    """Write different files with the same pixels: different contents, equal scores."""
    folder.mkdir(exist_ok=True)
    for name in range(number):
        image = Image.new("RGB", (8, 8), "red")
        image.info["n"] = name
        image.save(folder / f"{name}.png", compress_level=9)
        with (folder / f"{name}.png").open("ab") as file:
            file.write(b"%d" % name)  # after the end of the picture


@pytest.mark.parametrize("k", [1, 2, 3, 6, 9])
def test_equal_scores_are_ordered_by_id(library: Library, tmp_path: Path, encoder: FakeEncoder, k: int) -> None:
    same_vector(tmp_path / "same", 6)
    index(library, [tmp_path / "same"], encoder)
    hits = Searcher(library, encoder).search("red", k=k)
    assert [hit.id for hit in hits] == sorted(hit.id for hit in hits)
    assert names(hits) == [f"{number}.png" for number in range(min(k, 6))]


def test_order_of_equal_scores_survives_reindexing(library: Library, tmp_path: Path, encoder: FakeEncoder) -> None:
    same_vector(tmp_path / "same", 6)
    index(library, [tmp_path / "same"], encoder)
    (tmp_path / "same" / "0.png").rename(tmp_path / "away.png")
    index(library, [tmp_path / "same"], encoder)
    (tmp_path / "away.png").rename(tmp_path / "same" / "0.png")
    index(library, [tmp_path / "same"], encoder)
    assert names(Searcher(library, encoder).search("red", k=3)) == ["0.png", "1.png", "2.png"]


def test_query_vector_is_mean_of_parts(searcher: Searcher, tmp_path: Path, paint: Paint, encoder: FakeEncoder) -> None:
    blue = paint(tmp_path / "query.png", "blue", (40, 30))
    query = Query.of(["red", "yellow"], [blue])
    parts = encoder.encode_texts(["red", "yellow", "blue"])
    mean = parts.mean(axis=0) / np.linalg.norm(parts.mean(axis=0))
    np.testing.assert_allclose(searcher.embed(query), mean, atol=1e-6)
    (first, *_) = searcher.search(query)
    assert first.score == pytest.approx(
        max(float(mean @ vector) for vector in encoder.encode_texts(["red", "green", "blue", "yellow"])), abs=1e-3
    )


def test_parts_that_cancel_out_raise(searcher: Searcher, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    opposite = np.array([[1.0] + [0.0] * 12, [-1.0] + [0.0] * 12], np.float32)
    monkeypatch.setattr(encoder, "encode_texts", lambda _: opposite)
    with pytest.raises(InvalidQuery, match="cancel"):
        searcher.search(Query.of(["a", "b"]))


def test_image_query(searcher: Searcher, tmp_path: Path, paint: Paint) -> None:
    query = paint(tmp_path / "query.png", (250, 5, 5), (300, 200))
    assert names(searcher.search(Query.of(images=[query]), k=2)) == ["red.png", "yellow.png"]
    assert names(searcher.similar(query, k=2)) == ["red.png", "yellow.png"]


def test_similar_excludes_picture_and_its_copies(
    library: Library, album: Path, tmp_path: Path, encoder: FakeEncoder
) -> None:
    shutil.copy(album / "red.png", album / "again.png")
    index(library, [album], encoder)
    searcher = Searcher(library, encoder)
    outside = shutil.copy(album / "red.png", tmp_path / "outside.png")
    for query in (album / "red.png", str(album / "again.png"), outside):
        hits = searcher.similar(query, k=3)
        assert names(hits) == ["yellow.png", "blue.png", "green.png"]
        assert [hit.rank for hit in hits] == [1, 2, 3]
        assert len(searcher.similar(query, k=50)) == 3


def test_similar_to_stored_picture_needs_no_model(
    searcher: Searcher, album: Path, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "encode_images", lambda _: pytest.fail("its vector is in the catalogue"))
    assert names(searcher.similar(album / "red.png", k=1)) == ["yellow.png"]


def test_unreadable_query_image_raises(searcher: Searcher, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    for path in (tmp_path / "none.png", tmp_path / "broken.png", tmp_path):
        with pytest.raises(InvalidQuery, match=path.name):
            searcher.search(Query.of(images=[path]))
        with pytest.raises(InvalidQuery, match=path.name):
            searcher.similar(path)


def test_copies_are_one_hit(library: Library, album: Path, encoder: FakeEncoder) -> None:
    for name in ("0.png", "more/z.png"):
        shutil.copy(album / "red.png", album / name)
    index(library, [album], encoder)
    searcher = Searcher(library, encoder)
    assert len(searcher) == 4
    (hit,) = searcher.search("red", k=1)
    assert sorted([hit.path, *hit.copies]) == [album / name for name in ("0.png", "more/z.png", "red.png")]
    assert len(searcher.search("red")) == 4
    hit.path.unlink()
    index(library, [album], encoder)
    (again,) = searcher.search("red", k=1)
    assert again.id == hit.id
    assert hit.path not in [again.path, *again.copies]


def test_searcher_sees_changes_of_library(library: Library, album: Path, paint: Paint, encoder: FakeEncoder) -> None:
    index(library, [album], encoder)
    with Library.open(library.path) as other:
        searcher = Searcher(other, encoder)
        assert names(searcher.search("white", k=1)) != ["white.png"]
        paint(album / "white.png", "white")
        index(library, [album], encoder)
        assert names(searcher.search("white", k=1)) == ["white.png"]
        (album / "white.png").rename(album / "snow.png")
        index(library, [album], encoder)
        assert names(searcher.search("white", k=1)) == ["snow.png"]
        (album / "snow.png").unlink()
        index(library, [album], encoder)
        assert "snow.png" not in names(searcher.search("white"))
        assert len(searcher) == 4


def test_search_excludes_missing_and_failed_files(searcher: Searcher, library: Library, album: Path) -> None:
    (album / "red.png").unlink()
    (album / "blue.png").write_bytes(b"broken")
    index(library, [album], FakeEncoder())
    assert sorted(names(searcher.search("red"))) == ["green.png", "yellow.png"]
    assert names(searcher.similar(album / "green.png")) == ["yellow.png"]


def test_picture_lost_during_search_is_replaced_by_next(
    searcher: Searcher, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    (best, second, *_) = searcher.search("red")

    def gone_by_now(_library: Library, ids: list[int]) -> object:
        with library.transaction() as writer:
            writer.execute(update(Picture).where(Picture.content_id == best.id).values(state=PictureState.MISSING))
        return load_content_records(library, ids)

    monkeypatch.setattr("search.hit_selection.load_content_records", gone_by_now)
    (hit,) = searcher.search("red", k=1)
    assert (hit.id, hit.rank) == (second.id, 1)


def test_threads_load_changed_index_once(
    searcher: Searcher, library: Library, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (album / "red.png").unlink()
    index(library, album, FakeEncoder())
    load, loads = index_cache.load, []

    def slow(
        library: Library, stored: StoredSpace, before: index_cache.CurrentIndex | None = None
    ) -> index_cache.CurrentIndex:
        loads.append(stored)
        time.sleep(0.1)
        return load(library, stored, before)

    monkeypatch.setattr(index_cache, "load", slow)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: names(searcher.search("red", k=1)), range(8)))
    assert answers == [["yellow.png"]] * 8
    assert len(loads) == 1


def damage(library: Library) -> None:
    path = only_announced(library).path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_damaged_index_still_answers_and_heals(searcher: Searcher, library: Library, encoder: FakeEncoder) -> None:
    expected = [(hit.id, hit.score) for hit in searcher.search("red")]
    assert searcher.fault is None
    assert not searcher.heal()  # nothing to repair
    damage(library)
    wary = Searcher(library, encoder)
    assert wary.fault is not None
    assert [(hit.id, hit.score) for hit in wary.search("red")] == expected
    assert wary.heal()
    healed = Searcher(library, encoder)
    assert healed.fault is None
    assert [(hit.id, hit.score) for hit in healed.search("red")] == expected


@pytest.mark.sqlite("its index files belong to writers")
def test_heal_does_nothing_while_another_process_writes(
    searcher: Searcher, library: Library, encoder: FakeEncoder
) -> None:
    damage(library)
    wary = Searcher(library, encoder)
    with Library.open(library.path) as other, other.exclusive():
        assert not wary.heal()
    assert wary.heal()


def test_empty_library_raises(library: Library, encoder: FakeEncoder) -> None:
    with pytest.raises(NothingIndexed):
        Searcher(library, encoder)


def test_library_with_only_missing_files_finds_nothing(searcher: Searcher, library: Library, album: Path) -> None:
    with library.transaction() as connection:
        connection.execute(update(Picture).values(state=PictureState.MISSING))
        mark_changed(connection)
    assert searcher.search("red").hits == ()
    assert searcher.similar(album / "red.png").hits == ()


def test_model_defaults_to_that_of_library(searcher: Searcher, library: Library) -> None:
    assert names(Searcher(library).search("red", k=1)) == ["red.png"]


def test_encoder_of_another_space_raises(searcher: Searcher, library: Library) -> None:
    class Other(FakeEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.space = SimpleNamespace(fingerprint="0" * 64)  # type: ignore[assignment]

    with pytest.raises(SpaceMismatch):
        Searcher(library, Other())


def test_damaged_vector_is_excluded(searcher: Searcher, library: Library, album: Path, encoder: FakeEncoder) -> None:
    (red, *_) = searcher.search("red", k=1)
    with library.transaction() as connection:
        connection.execute(update(Embedding).where(Embedding.content_id == red.id).values(vector=b"\0" * 7))
        mark_changed(connection)
    damage(library)
    fresh = Searcher(library, encoder)
    assert sorted(names(fresh.search("red"))) == ["blue.png", "green.png", "yellow.png"]
    assert names(fresh.similar(album / "red.png", k=1)) == ["yellow.png"]  # embedded again, and excluded


def test_search_excludes_contents_without_file(searcher: Searcher, library: Library) -> None:
    stored: StoredSpace | None = active_space(library)
    assert stored is not None
    with library.transaction() as connection:
        extra = Content.__table__.insert().values(digest=b"x" * 32, size=1, format="PNG", width=1, height=1)  # type: ignore[attr-defined]
        content_id = connection.execute(extra.returning(Content.id)).scalar_one()
        blob = stored.to_bytes(np.eye(13, dtype=np.float32)[0])
        connection.execute(
            Embedding.__table__.insert().values(space_id=stored.id, content_id=content_id, vector=blob)  # type: ignore[attr-defined]
        )
        mark_changed(connection)
    assert len(searcher.search("red")) == 4


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_min_score_must_be_finite(searcher: Searcher, score: float) -> None:
    with pytest.raises(InvalidQuery, match="is not a score"):
        searcher.search("red", SearchOptions(min_score=score))
    with pytest.raises(InvalidQuery, match="is not a score"):
        searcher.search_many([("red", SearchOptions(min_score=score))])


@pytest.mark.parametrize("shape", [(), (1, 13), (2, 13)])
def test_query_vector_must_have_one_dimension(searcher: Searcher, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidQuery, match="one dimension"):
        searcher.nearest(np.ones(shape, np.float32))


def test_search_many_equals_single_searches(searcher: Searcher, album: Path) -> None:
    few = Filters(within=(album / "more",))
    for min_score in (None, 0.9):
        plain = SearchOptions(k=3, min_score=min_score)
        queries: list[tuple[Query | str, SearchOptions]] = [
            (Query.of("red"), plain),
            ("blue", replace(plain, filters=few)),
            (Query.of(["red", "green"]), plain),
            ("red", replace(plain, min_score=-1, sort="date")),
            ("green", replace(plain, diverse=0.3)),
        ]
        assert searcher.search_many(queries) == [searcher.search(query, options) for query, options in queries]
    assert searcher.search_many([]) == []
