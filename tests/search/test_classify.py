"""Zero-shot classification, compared with numpy."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import update

from core.errors import InvalidQuery
from encoders.base import Vectors
from encoders.fake import FakeEncoder
from indexer import index
from search.classify import Classification, Classifier, classify_library, classify_pictures
from search.prompt_templates import apply_templates
from store import Library
from store.catalog.tables import Embedding
from store.spaces.embeddings import searchable_ids
from store.spaces.registry import active_space
from tests.support.frames import add_pages

COLOURS = ("red", "green", "blue", "yellow")


@pytest.fixture
def classified(library: Library, album: Path) -> list[Classification]:
    """The four pictures of the album, classified by colour from stored vectors."""
    index(library, [album], FakeEncoder())
    stored = active_space(library)
    assert stored is not None
    classifier = Classifier(FakeEncoder(logit_scale=10.0), COLOURS, ["{}"])
    with library.read() as connection:
        ids = searchable_ids(connection, stored)
    return [each for batch in classify_library(library, stored, classifier, ids) for each in batch]


def test_pictures_are_classified_by_colour(classified: list[Classification]) -> None:
    assert {each.paths[0].stem: each.label for each in classified} == {colour: colour for colour in COLOURS}


def test_probabilities_are_softmax_of_scaled_cosines(classified: list[Classification]) -> None:
    """The fake vector of a colour is (r, g, b) four times and 0.1, at unit length."""
    rgb = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
    rows = np.array([[*rgb[colour] * 4, 0.1] for colour in COLOURS])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    for each in classified:
        cosines = rows @ rows[COLOURS.index(each.paths[0].stem)]
        powers = np.exp(10.0 * cosines)
        assert each.probabilities is not None
        np.testing.assert_allclose(each.cosines, cosines, atol=1e-3)  # stored in 16 bits
        np.testing.assert_allclose(each.probabilities, powers / powers.sum(), atol=2e-3)


def test_label_vector_is_mean_of_its_templates() -> None:
    encoder = FakeEncoder(logit_scale=1.0)
    templates = ["{}", "{} and blue", "white {}"]
    classifier = Classifier(encoder, ["red", "green"], templates)
    for label, vector in zip(("red", "green"), classifier.vectors, strict=True):
        mean = encoder.encode_texts([label, f"{label} and blue", f"white {label}"]).astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-7)


def test_label_vectors_do_not_depend_on_batch_size() -> None:
    at_once = Classifier(FakeEncoder(), COLOURS).vectors
    np.testing.assert_array_equal(Classifier(FakeEncoder(), COLOURS, batch_size=3).vectors, at_once)


def test_default_templates_are_those_of_the_language() -> None:
    asked: list[str] = []

    class Listening(FakeEncoder):
        def forward_texts(self, texts):  # type: ignore[no-untyped-def]
            asked.extend(texts)
            return super().forward_texts(texts)

    Classifier(Listening(), ["Hund", "Katze"], language="de")
    assert asked == [*apply_templates("Hund", "de"), *apply_templates("Katze", "de")]


def test_model_without_logit_scale_has_no_probabilities(album: Path) -> None:
    encoder = FakeEncoder(logit_scale=None)
    classifier = Classifier(encoder, COLOURS, ["{}"])
    (batch,) = classify_pictures(None, None, encoder, classifier, [album / "red.png", album / "blue.png"])
    assert [each.label for each in batch] == ["red", "blue"]
    assert [(each.probability, each.probabilities, each.content_id) for each in batch] == [(None, None, None)] * 2


def test_stored_pictures_are_not_embedded_again(
    library: Library, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index(library, [album], FakeEncoder())
    encoder = FakeEncoder(logit_scale=10.0)
    (tmp_path / "new.png").write_bytes((album / "red.png").read_bytes() + b"more")
    seen: list[int] = []
    encode = encoder.encode_images

    def counting(images: Sequence[Image.Image]) -> Vectors:
        seen.append(len(images))
        return encode(images)

    monkeypatch.setattr(encoder, "encode_images", counting)
    classifier = Classifier(encoder, COLOURS, ["{}"])
    paths = [album / "blue.png", tmp_path / "new.png", album / "more" / "yellow.png"]
    (batch,) = classify_pictures(library, active_space(library), encoder, classifier, paths)
    assert [each.label for each in batch] == ["blue", "red", "yellow"]
    assert [each.content_id is None for each in batch] == [False, True, False]
    assert seen == [1]


@pytest.mark.parametrize("limits", [{"max_pictures": 3}, {"max_cosines": 3 * len(COLOURS)}])
def test_large_library_is_classified_in_batches(library: Library, album: Path, limits: dict[str, int]) -> None:
    index(library, [album], FakeEncoder())
    stored = active_space(library)
    assert stored is not None
    with library.read() as connection:
        ids = searchable_ids(connection, stored)
    classifier = Classifier(FakeEncoder(), COLOURS)
    assert [len(batch) for batch in classify_library(library, stored, classifier, ids, **limits)] == [3, 1]


@pytest.mark.parametrize("limit", [1, 4, 4096])
@pytest.mark.parametrize("scale", [10.0, None])
def test_picture_is_classified_by_its_most_certain_frame(
    library: Library, album: Path, scale: float | None, limit: int
) -> None:
    encoder = FakeEncoder(logit_scale=scale)
    index(library, [album], encoder)
    stored = active_space(library)
    assert stored is not None
    with library.read() as connection:
        ids = searchable_ids(connection, stored)
    classifier = Classifier(encoder, COLOURS, ["{}"])
    before = [each for batch in classify_library(library, stored, classifier, ids) for each in batch]
    red, green = encoder.encode_texts(["red", "green"])
    mixed = (red + green) / np.linalg.norm(red + green)
    scan = next(each for each in before if each.label == "blue").content_id
    other = next(each for each in before if each.label == "yellow").content_id
    assert scan is not None
    assert other is not None
    with library.transaction() as connection:  # the first page of one of them is the least certain
        connection.execute(update(Embedding).where(Embedding.content_id == scan).values(vector=stored.to_bytes(mixed)))
    add_pages(library, stored, scan, np.stack([mixed, red, mixed]))
    add_pages(library, stored, other, np.stack([mixed]))
    batches = list(classify_library(library, stored, classifier, ids[::-1], max_pictures=limit))
    after = [each for batch in batches for each in batch]
    assert [each.content_id for each in after] == ids[::-1].tolist()
    labels = {each.content_id: each.label for each in after}
    assert labels == {each.content_id: "red" if each.content_id == scan else each.label for each in before}
    (found,) = (each for each in after if each.content_id == scan)
    np.testing.assert_allclose(found.cosines, classifier.cosines(red[None])[0], atol=1e-3)


@given(
    scale=st.floats(0.01, 1e4),
    cosines=st.lists(st.lists(st.floats(-1, 1), min_size=2, max_size=2), min_size=1, max_size=5),
)
def test_probabilities_sum_to_one_for_any_scale(scale: float, cosines: list[list[float]]) -> None:
    likely = Classifier(FakeEncoder(logit_scale=scale), ["red", "blue"]).probabilities(np.array(cosines))
    assert likely is not None
    np.testing.assert_allclose(likely.sum(axis=1), 1)
    assert np.isfinite(likely).all()
    assert all(
        np.array(row)[np.argmax(chances)] >= max(row) - 1e-9 for row, chances in zip(cosines, likely, strict=True)
    )


@pytest.mark.parametrize(
    ("labels", "fault"),
    [
        ([], "at least two"),
        (["red"], "at least two"),
        (["red", " "], "None of them may be empty"),
        (["red", "blue", "blue"], "Duplicate label 'blue'"),
        (["red", " red "], "Duplicate label 'red'"),
    ],
)
def test_invalid_labels_raise(labels: list[str], fault: str) -> None:
    with pytest.raises(InvalidQuery, match=fault):
        Classifier(FakeEncoder(), labels)


@pytest.mark.parametrize("template", ["a photo", "{} and {}", ""])
def test_template_without_one_placeholder_raises(template: str) -> None:
    with pytest.raises(InvalidQuery, match=r"\{\} exactly once"):
        Classifier(FakeEncoder(), ["red", "blue"], [template])
