"""Vectors made elsewhere, evaluated without a library: the numbers of plain NumPy, and mistakes by row."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import BadVectorFile, EvaluationError
from search.evaluate.datasets import Dataset, open_dataset
from search.evaluate.measurement import measure_vectors
from search.evaluate.metrics import parse_metrics
from search.evaluate.scoring import EvaluationSettings
from search.evaluate.vector_systems import VectorSystem, open_vector_system, paired_dataset

Write = Callable[..., Path]
Floats = NDArray[np.floating]

METRICS = ("recall@1", "recall@5", "mrr", "median_rank")


def numpy_metrics(images: Floats, texts: Floats, per_picture: int) -> dict[str, tuple[float, float]]:
    """Both directions in a few lines of NumPy with a full matrix of scores in 64 bits."""
    images, texts = (side.astype(np.float64) for side in (images, texts))
    images, texts = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (images, texts))
    scores = texts @ images.T  # (C, N)
    owner = np.arange(len(texts)) // per_picture
    own = scores[np.arange(len(texts)), owner]
    there = 1 + (scores > own[:, None]).sum(axis=1)
    best = np.array([scores[owner == image, image].max() for image in range(len(images))])
    back = 1 + (best[:, None] < scores.T).sum(axis=1)
    return {
        "recall@1": ((there <= 1).mean(), (back <= 1).mean()),
        "recall@5": ((there <= 5).mean(), (back <= 5).mean()),
        "mrr": ((1 / there).mean(), (1 / back).mean()),
        "median_rank": (np.median(there), np.median(back)),
    }


def make_vectors(count: int, per_picture: int, dim: int = 32) -> tuple[Floats, Floats]:
    """Vectors of any length; each caption is near its picture."""
    random = np.random.default_rng(0)
    images = random.normal(size=(count, dim)) * random.uniform(0.5, 20, (count, 1))
    unit = images / np.linalg.norm(images, axis=1, keepdims=True)
    texts = np.repeat(unit, per_picture, axis=0) + random.normal(0, 0.3, (count * per_picture, dim))
    return images, texts


def save(folder: Path, images: Floats, texts: Floats) -> tuple[Path, Path]:
    np.save(folder / "img.npy", images)
    np.save(folder / "txt.npy", texts)
    return folder / "img.npy", folder / "txt.npy"


def scores_of(system: VectorSystem, direction: int) -> dict[str, float]:
    settings = EvaluationSettings(parse_metrics(METRICS))
    measured = measure_vectors(
        system.dataset, system.name, system.captions, system.images, ["text-to-picture", "picture-to-text"], settings
    )
    return dict(measured[direction].pooled.scores)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
@pytest.mark.parametrize("per_picture", [1, 5])
def test_numbers_equal_those_of_numpy(tmp_path: Path, dtype: str, per_picture: int) -> None:
    images, texts = (side.astype(dtype) for side in make_vectors(230, per_picture))
    dataset = paired_dataset("data", 230, 230 * per_picture)
    system = open_vector_system("theirs", dataset, *save(tmp_path, images, texts))
    for direction in (0, 1):
        found = scores_of(system, direction)
        for name, expected in numpy_metrics(images, texts, per_picture).items():
            assert found[name] == pytest.approx(expected[direction], abs=1e-12), (name, direction)
    assert system.images.were_normalised


@pytest.fixture
def captions(write: Write) -> Dataset:
    """Three pictures that are first named in the order c, a, b."""
    named = [("c", "c1"), ("a", "a1"), ("c", "c2"), ("b", "b1")]
    path = write("captions.jsonl", *({"image": f"{image}.jpg", "caption": text, "id": text} for image, text in named))
    return open_dataset(path, check_files=False)


AXES = np.eye(3, dtype=np.float32)


def test_rows_are_in_the_order_in_which_captions_name_pictures(tmp_path: Path, captions: Dataset) -> None:
    system = open_vector_system("theirs", captions, *save(tmp_path, AXES, AXES[[0, 1, 0, 2]]))
    assert system.dataset.images == ("c.jpg", "a.jpg", "b.jpg")
    assert scores_of(system, 0)["recall@1"] == scores_of(system, 1)["recall@1"] == 1
    (notice,) = system.notices
    assert notice.endswith(f"img.npy: row 0 is c.jpg, row 2 is b.jpg, in the order of {captions.name}.")
    assert not system.images.were_normalised


def test_rows_with_ids_can_be_in_any_order_and_of_more_pictures(tmp_path: Path, captions: Dataset) -> None:
    images, texts = save(tmp_path, np.eye(5, dtype=np.float32), np.eye(5, dtype=np.float32)[[3, 1, 1, 4]])
    (tmp_path / "img.txt").write_text("x.jpg\nc.jpg\ny.jpg\na.jpg\nB.JPG\n")  # B.JPG is b.jpg
    (tmp_path / "txt.txt").write_text("a1\nc2\nc1\nb1\n")
    system = open_vector_system("theirs", captions, images, texts, tmp_path / "img.txt", tmp_path / "txt.txt")
    assert system.dataset.images == ("c.jpg", "a.jpg", "b.jpg")
    assert len(system.images) == 3
    assert scores_of(system, 0)["recall@1"] == scores_of(system, 1)["recall@1"] == 1
    assert "2 vectors are of pictures that are not in" in system.notices[0]


@pytest.mark.parametrize(
    ("images", "texts", "complaint"),
    [
        (np.eye(4, 3), AXES[[0, 1, 0, 2]], "img.npy: 4 vectors, but .* has 3 pictures with a caption"),
        (AXES, AXES, "txt.npy: 3 vectors, but .* has 4 captions"),
        (AXES, np.ones((4, 2)), "img.npy has 3 dimensions, but .*txt.npy has 2"),
    ],
)
def test_files_that_do_not_belong_together_are_named(
    tmp_path: Path, captions: Dataset, images: Floats, texts: Floats, complaint: str
) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        open_vector_system("theirs", captions, *save(tmp_path, images, texts))


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "not finite"), (np.inf, "not finite"), (0, "zero")])
@pytest.mark.parametrize("file", ["img", "txt"])
def test_rows_without_a_direction_are_named(
    tmp_path: Path, captions: Dataset, value: float, kind: str, file: str
) -> None:
    images, texts = AXES.copy(), AXES[[0, 1, 0, 2]]
    (images if file == "img" else texts)[2] = value
    with pytest.raises(BadVectorFile, match=rf"{file}\.npy: the vector in row 2 \(from 0\) is {kind}"):
        scores_of(open_vector_system("theirs", captions, *save(tmp_path, images, texts)), 0)


def test_ids_that_do_not_match_are_named(tmp_path: Path, captions: Dataset) -> None:
    files = save(tmp_path, AXES, AXES[[0, 1, 0, 2]])
    (tmp_path / "ids.txt").write_text("a.jpg\nb.jpg\nd.jpg\n")
    with pytest.raises(EvaluationError, match=r"no vectors for 1 of 3 pictures: c\.jpg\. The first ids .*: a\.jpg"):
        open_vector_system("theirs", captions, *files, tmp_path / "ids.txt")
    (tmp_path / "ids.txt").write_text("a.jpg\nb.jpg\na.jpg\n")
    with pytest.raises(BadVectorFile, match=r"rows 0 and 2 \(from 0\) have the same id 'a.jpg'"):
        open_vector_system("theirs", captions, *files, tmp_path / "ids.txt")


def test_pictures_without_a_caption_need_ids(tmp_path: Path, write: Write) -> None:
    write("queries.txt", "q1\tfirst")
    write("qrels.txt", "q1 0 a.jpg 1")
    write("pictures.txt", "a.jpg", "b.jpg")
    dataset = open_dataset(tmp_path, check_files=False)
    with pytest.raises(EvaluationError, match="1 pictures without a caption, so the order of the rows"):
        open_vector_system("theirs", dataset, *save(tmp_path, AXES[:1], AXES[:1]))
    (tmp_path / "ids.txt").write_text("b.jpg\na.jpg\n")
    system = open_vector_system("theirs", dataset, *save(tmp_path, AXES[:2], AXES[1:2]), tmp_path / "ids.txt")
    assert scores_of(system, 0)["mrr"] == 1


def test_pairs_that_do_not_fit_are_refused() -> None:
    assert [list(caption.images) for caption in paired_dataset("x", 2, 4).captions] == [["0"], ["0"], ["1"], ["1"]]
    with pytest.raises(EvaluationError, match="5 vectors of captions for 2 vectors of pictures"):
        paired_dataset("x", 2, 5)
    with pytest.raises(EvaluationError, match="2 vectors of pictures with 5 captions each need 10 vectors of captions"):
        paired_dataset("x", 2, 4, 5)


def test_vectors_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same numbers, and no block is larger than allowed."""
    images, texts = make_vectors(100, 1)
    files = save(tmp_path, images, texts)
    expected = scores_of(open_vector_system("theirs", paired_dataset("x", 100, 100), *files), 0)
    monkeypatch.setattr("store.exchange.npy.BLOCK_SIZE", 7)
    system = open_vector_system("theirs", paired_dataset("x", 100, 100), *files)
    assert [len(block) for block in system.images] == [7] * 14 + [2]
    assert scores_of(system, 0) == expected
