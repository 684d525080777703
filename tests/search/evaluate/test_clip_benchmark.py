"""Results in CLIP_benchmark's layout: the numbers of its own functions, called with the same vectors.

Its function for accuracy fails with NumPy 2.4, so its logits go to functions of scikit-learn, which it uses as well.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from clip_benchmark.metrics import zeroshot_classification, zeroshot_retrieval
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, top_k_accuracy_score

from core.errors import DatasetError
from search.evaluate.clip_benchmark import benchmark_results, mean_class_recall
from search.evaluate.datasets import Caption, Dataset
from search.evaluate.measurement import measure_vectors
from search.evaluate.metrics import parse_metrics
from search.evaluate.scoring import EvaluationSettings
from search.evaluate.text_lists import read_text_list

RECALLS = EvaluationSettings(metrics=parse_metrics("R@1,5,10"))


class Identity:
    """A model whose pictures and texts are vectors already."""

    def encode_image(self, images: torch.Tensor) -> torch.Tensor:
        return images

    def encode_text(self, texts: torch.Tensor) -> torch.Tensor:
        return texts


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def random_pictures(classes: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Return vectors of classes, and of pictures near them, with the class of each; classes differ in size."""
    random = np.random.default_rng(seed)
    labels = np.concatenate([np.full(size, number) for number, size in enumerate(random.integers(1, 30, classes))])
    texts = unit(random.normal(size=(classes, 16)))
    return texts, unit(texts[labels] + 0.6 * random.normal(size=(len(labels), 16))), labels


@pytest.mark.parametrize("classes", [3, 12])
def test_classification_has_the_numbers_of_clip_benchmark(classes: int) -> None:
    texts, pictures, labels = random_pictures(classes)
    names = [f"c{number:02}" for number in range(classes)]
    images = tuple(f"{names[label]}/{row:03}.jpg" for row, label in enumerate(labels))
    captions = tuple(
        Caption(name, name, "en", {image: 1 for image in images if image.startswith(name)}) for name in names
    )
    dataset = Dataset("birds", "all", Path(), images, captions, task="classification")
    measured = measure_vectors(dataset, "ViT-B-32/laion2b", texts, pictures, ["text-to-picture", "picture-to-text"])
    (result,) = benchmark_results(measured)

    batches = [
        (torch.from_numpy(pictures[rows]), torch.from_numpy(labels[rows])) for rows in (slice(9), slice(9, None))
    ]
    logits, target = zeroshot_classification.run_classification(
        Identity(), torch.from_numpy(texts.T), batches, "cpu", amp=False
    )
    top1 = logits.argmax(axis=1)
    assert result.metrics["acc1"] == pytest.approx(accuracy_score(target, top1), abs=1e-12)
    assert result.metrics["mean_per_class_recall"] == pytest.approx(balanced_accuracy_score(target, top1), abs=1e-12)
    if classes < 5:
        assert result.metrics["acc5"] is None
    else:
        top5 = top_k_accuracy_score(target, logits, k=5, labels=range(classes))
        assert result.metrics["acc5"] == pytest.approx(top5, abs=1e-12)
    assert {**result.as_dict(), "metrics": {}} == {
        "dataset": "birds", "model": "ViT-B-32", "pretrained": "laion2b", "task": "zeroshot_classification",
        "metrics": {}, "language": "en",
    }  # fmt: skip


def test_retrieval_has_the_numbers_of_clip_benchmark() -> None:
    random = np.random.default_rng(1)
    pictures = unit(random.normal(size=(40, 12)))
    texts = unit(np.repeat(pictures, 3, axis=0) + 0.7 * random.normal(size=(120, 12)))
    images = tuple(f"{row:02}.jpg" for row in range(40))
    captions = tuple(Caption(f"t{row}", "text", "en", {images[row // 3]: 1}) for row in range(120))
    dataset = Dataset("pairs", "all", Path(), images, captions)
    measured = measure_vectors(dataset, "mini 3", texts, pictures, ["text-to-picture", "picture-to-text"], RECALLS)
    (result,) = benchmark_results(measured)

    rows = [[str(3 * picture + number) for number in range(3)] for picture in range(40)]
    batches = [(torch.from_numpy(pictures[start : start + 20]), rows[start : start + 20]) for start in (0, 20)]
    theirs = zeroshot_retrieval.evaluate(
        Identity(), batches, lambda said: torch.from_numpy(texts[[int(text) for text in said]]), "cpu", amp=False,
        recall_k_list=[1, 5, 10],
    )  # fmt: skip
    assert result.metrics == pytest.approx(theirs, abs=1e-6)
    assert (result.task, result.model, result.pretrained) == ("zeroshot_retrieval", "mini 3", "")


def test_each_language_has_a_result_of_its_own_and_the_pool_has_none() -> None:
    pictures = unit(np.eye(3))
    captions = tuple(
        Caption(f"{lang}{row}", "text", lang, {f"{row}.jpg": 1}) for lang in ("de", "en") for row in range(3)
    )
    dataset = Dataset("few", "all", Path(), ("0.jpg", "1.jpg", "2.jpg"), captions)
    texts = np.concatenate([pictures, pictures[::-1]])  # German finds everything, English only the picture between
    measured = measure_vectors(dataset, "m", texts, pictures, ["text-to-picture"], RECALLS)
    results = {result.language: result.metrics["image_retrieval_recall@1"] for result in benchmark_results(measured)}
    assert results == {"de": 1.0, "en": pytest.approx(1 / 3)}


def test_classes_count_alike_in_the_mean_recall() -> None:
    dataset = Dataset(
        "two", "all", Path(), ("a/1", "a/2", "a/3", "b/1"),
        (Caption("a", "a", "en", {"a/1": 1, "a/2": 1, "a/3": 1}), Caption("b", "b", "en", {"b/1": 1})),
        task="classification",
    )  # fmt: skip
    texts = unit(np.eye(2))
    pictures = unit(np.array([[1.0, 0.1], [1.0, 0.2], [0.1, 1.0], [1.0, 0.1]]))  # a, a, taken for b, taken for a
    (measured,) = measure_vectors(dataset, "m", texts, pictures, ["picture-to-text"])
    assert mean_class_recall(measured.pooled, ["a", "a", "a", "b"]) == pytest.approx((2 / 3 + 0) / 2)


def test_lists_of_texts_are_lines_arrays_or_objects(tmp_path: Path) -> None:
    lines, array, table = tmp_path / "t.txt", tmp_path / "t.json", tmp_path / "en.json"
    lines.write_text("a photo of a {}\n\n  a drawing of a {}\n")
    array.write_text(json.dumps(["a", "b"]))
    table.write_text(json.dumps({"birds": ["a bird: {c}"], "cars": ["{c}"]}))
    assert read_text_list(lines, "birds") == ["a photo of a {}", "a drawing of a {}"]
    assert read_text_list(array, "birds") == ["a", "b"]
    assert read_text_list(table, "birds") == ["a bird: {c}"]
    with pytest.raises(DatasetError, match="there is no 'boats'; it has birds, cars"):
        read_text_list(table, "boats")
    for wrong in ([], [1], "text", {"birds": "text"}):
        array.write_text(json.dumps(wrong))
        with pytest.raises(DatasetError, match="a list of texts was expected"):
            read_text_list(array, "birds")
