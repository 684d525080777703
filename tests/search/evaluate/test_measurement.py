"""`evaluate` on a library, and the vectors of captions from an encoder or a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import (
    CaptionVectorsRequired,
    EvaluationError,
    MissingVectors,
    NothingIndexed,
    SpaceMismatch,
    UnknownMetric,
    UnknownSpace,
)
from core.space import Space
from encoders.fake import FakeEncoder
from indexer import index
from search.evaluate import evaluate
from search.evaluate.datasets import open_dataset
from search.evaluate.systems import CaptionVectorFile, caption_vectors, library_system
from store import Library
from store.exchange import import_vectors, open_vectors

Write = Callable[..., Path]

NAMES = ("blue", "green", "red")


@pytest.fixture
def captions(album: Path, write: Write) -> Path:
    """One caption for each of three pictures; "blue" is also a wrong caption of the red picture."""
    records = [{"image": f"{name}.png", "caption": name, "lang": "en"} for name in NAMES]
    wrong = {"image": "red.png", "caption": "blue", "lang": "en"}
    path = write("captions.jsonl", *records, wrong)
    target = album / "captions.jsonl"
    path.rename(target)
    return target


def test_evaluate_uses_the_active_model(library: Library, album: Path, captions: Path) -> None:
    index(library, [album], FakeEncoder())
    (evaluation,) = evaluate(captions, library)
    assert evaluation.subject.space.startswith("fake (")
    assert evaluation.first_ranks.tolist()[:3] == [1, 1, 1]
    assert evaluation.first_ranks[3] > 1


def test_evaluate_gives_the_same_result_for_path_dataset_name_and_encoder(
    library: Library, album: Path, captions: Path
) -> None:
    index(library, [album], FakeEncoder())
    expected = evaluate(captions, library)[0].as_dict()
    assert evaluate(str(captions), library, "fake")[0].as_dict() == expected
    assert evaluate(open_dataset(captions), library, FakeEncoder())[0].as_dict() == expected


def test_evaluate_options(library: Library, album: Path, captions: Path) -> None:
    index(library, [album], FakeEncoder())
    (evaluation,) = evaluate(
        captions, library, direction="picture-to-text", metrics=["map"], templates=["{}", "a photo of {}"]
    )
    assert evaluation.subject.direction == "picture-to-text"
    assert list(evaluation.scores) == ["map"]
    with pytest.raises(UnknownMetric):
        evaluate(captions, library, metrics=["accuracy"])


def test_evaluate_needs_indexed_pictures(library: Library, album: Path, captions: Path) -> None:
    with pytest.raises(NothingIndexed):
        evaluate(captions, library)
    with pytest.raises(NothingIndexed):
        evaluate(captions, library, FakeEncoder())
    (album / "red.png").rename(album.parent / "red.png")
    index(library, [album], FakeEncoder())
    (album.parent / "red.png").rename(album / "red.png")
    with pytest.raises(MissingVectors, match=r"red\.png"):
        evaluate(captions, library)


def test_evaluate_rejects_models_that_are_not_in_the_library(
    library: Library, album: Path, captions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], FakeEncoder())
    with pytest.raises(UnknownSpace):
        evaluate(captions, library, "other")
    other = FakeEncoder()
    monkeypatch.setattr(other, "space", Space("fake", "other", 13, {}))
    with pytest.raises(SpaceMismatch):
        evaluate(captions, library, other)


def test_imported_space_needs_caption_vectors(library: Library, captions: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "ids.txt").write_text("".join(f"{name}.png\n" for name in NAMES))
    import_vectors(library, open_vectors(tmp_path / "vectors.npy", tmp_path / "ids.txt"), "theirs")
    dataset = open_dataset(captions)
    with pytest.raises(CaptionVectorsRequired, match=r"The vectors of theirs .* were imported"):
        library_system(library, "theirs")
    np.save(tmp_path / "texts.npy", 2 * np.eye(3, dtype=np.float32)[[0, 1, 2, 0]])
    file = CaptionVectorFile(tmp_path / "texts.npy")
    for files in ({"theirs": file}, {"": file}):
        vectors = caption_vectors(library_system(library, "theirs", files), dataset)
        assert vectors.tolist() == np.eye(3)[[0, 1, 2, 0]].tolist()
    np.save(tmp_path / "texts.npy", np.zeros((4, 3), np.float32))
    with pytest.raises(EvaluationError, match="zero or not finite"):
        caption_vectors(library_system(library, "theirs", {"": file}), dataset)


def test_caption_vectors_report_progress(library: Library, album: Path, captions: Path) -> None:
    index(library, [album], FakeEncoder())
    reports: list[tuple[int, int]] = []
    system = library_system(library)
    vectors = caption_vectors(system, open_dataset(captions), ["{}", "a {}"], lambda *report: reports.append(report))
    assert reports == [(0, 8), (4, 8), (8, 8)]
    assert vectors.shape == (4, system.stored.space.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
