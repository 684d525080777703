from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.settings import MODELS_VARIABLE
from encoders.background import background
from encoders.base import Encoder
from encoders.fake import FakeEncoder
from encoders.preprocess import Preprocess
from indexer import index
from search import Searcher
from search.background_calibration import (
    fit_calibration,
    known_calibration,
    make_calibration,
    needs_calibration,
)
from store import Library

CONTENT = background()
WORDS = list(CONTENT.words)
DIM = len(WORDS) + len(CONTENT.photos) + 2


class StubEncoder(Encoder):
    """Vectors of `DIM` numbers; counts how often it is asked for photos."""

    def __init__(self, weights: str = "stub") -> None:
        preprocess = Preprocess(size=16, mean=(0, 0, 0), std=(1, 1, 1), fit="squash")
        super().__init__(model="stub", weights=weights, dim=DIM, preprocess=preprocess, batch_size=1000)
        self.runs = 0
        self.texts: list[str] = []

    def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        self.runs += 1
        return self.photos(pixels)

    def forward_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts += texts
        return np.stack([self.text(text) for text in texts]).astype(np.float32)

    def photos(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """A random projection of the pixels."""
        random = np.random.default_rng(1).normal(size=(pixels[0].size, DIM))
        return (pixels.reshape(len(pixels), -1) @ random).astype(np.float32)

    def text(self, text: str) -> NDArray[np.float32]:
        """A random vector."""
        return np.random.default_rng(list(text.encode())).normal(size=DIM).astype(np.float32)


class KnowingEncoder(StubEncoder):
    """Knows the words of each photo and its English texts, with some noise."""

    def photos(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        named = [[word in photo.words for word in WORDS] for photo in CONTENT.photos]
        shared = np.ones((len(pixels), 2))
        return self._noisy(np.concatenate([named, np.eye(len(pixels)), shared], axis=1), 1)

    def text(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros((1, DIM))
        vector[0, -2:] = 0.3
        for row, photo in enumerate(CONTENT.photos):
            vector[0, len(WORDS) + row] = text in (photo.phrases["en"], photo.sentences["en"])
        if text in CONTENT.words:
            vector[0, WORDS.index(text)] = 1
        return np.asarray(self._noisy(vector, sum(text.encode()))[0])

    def _noisy(self, vectors: NDArray[np.float64], seed: int) -> NDArray[np.float32]:
        noise = np.random.default_rng(seed).normal(scale=0.03, size=vectors.shape)
        return np.asarray(vectors + noise, np.float32)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


def test_a_model_with_random_weights_gets_no_scale() -> None:
    assert fit_calibration(StubEncoder()).scales == {}


def test_the_encoder_of_colours_gets_no_scale() -> None:
    assert fit_calibration(FakeEncoder()).scales == {}
    assert not needs_calibration(FakeEncoder())


def test_a_model_that_knows_the_photos_gets_scales_for_texts_only() -> None:
    encoder = KnowingEncoder()
    calibration = fit_calibration(encoder)
    assert set(calibration.scales) == {"word", "phrase", "sentence"}
    photos = encoder.encode_images([photo.open() for photo in CONTENT.photos])
    np.testing.assert_allclose(calibration.background, photos.mean(0), rtol=1e-6)
    tiger = next(row for row, photo in enumerate(CONTENT.photos) if photo.file == "tiger.jpg")
    query = encoder.encode_texts(["tiger"])[0]
    relevance = calibration.relevance(photos @ query, query, "word")
    scale = calibration.scales["word"]
    assert scale.verdict(relevance[tiger]) is True
    assert sum(scale.verdict(value) is True for value in relevance.tolist()) == 1
    assert scale.unlikely <= scale.likely


def test_texts_are_in_the_languages_of_the_model() -> None:
    encoder = StubEncoder()
    fit_calibration(encoder, ("de", "ja"))
    assert "Hund" in encoder.texts
    assert "dog" not in encoder.texts
    encoder = StubEncoder()
    fit_calibration(encoder, ("ja",))
    assert "dog" in encoder.texts


def test_a_calibration_is_made_once() -> None:
    encoder = KnowingEncoder()
    assert needs_calibration(encoder)
    made = make_calibration(encoder)
    assert made is not None
    assert encoder.runs == 1
    assert not needs_calibration(encoder)
    known = known_calibration(KnowingEncoder())
    assert known is not None
    assert known.as_json() == made.as_json()
    assert needs_calibration(KnowingEncoder("other weights"))


def test_a_model_without_verdicts_is_not_calibrated_again() -> None:
    make_calibration(StubEncoder())
    assert not needs_calibration(StubEncoder())


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"weights": "stub", "scales": {}, "background": [1]}'])
def test_a_damaged_calibration_is_made_again(models: Path, damage: bytes) -> None:
    make_calibration(StubEncoder())
    (file,) = models.rglob("*.json")
    file.write_bytes(damage)
    assert needs_calibration(StubEncoder())
    make_calibration(StubEncoder())
    assert not needs_calibration(StubEncoder())


def test_a_folder_that_cannot_be_written_is_ignored(models: Path) -> None:
    models.write_text("a file where the folder would be")
    assert make_calibration(KnowingEncoder()) is not None
    assert needs_calibration(KnowingEncoder())


def test_a_model_that_fails_gets_no_calibration(models: Path) -> None:
    class FailingEncoder(StubEncoder):
        def photos(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            raise RuntimeError(f"no memory for {pixels.shape}")

    class BadEncoder(StubEncoder):
        def text(self, text: str) -> NDArray[np.float32]:
            return np.full(DIM, np.nan, np.float32) * len(text)

    assert make_calibration(FailingEncoder()) is None
    assert make_calibration(BadEncoder()) is None
    assert not list(models.rglob("*.json"))


def test_a_searcher_calibrates_its_model_once(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    CONTENT.photos[0].open().save(tmp_path / "photos" / "a.png")
    with Library.open(tmp_path / "library", create=True) as library:
        index(library, tmp_path / "photos", StubEncoder())
        searcher = Searcher(library, StubEncoder())
        before = searcher.needs_calibration
        searcher.calibrate()
        assert (before, searcher.needs_calibration) == (True, False)
        assert not Searcher(library, StubEncoder()).needs_calibration
        assert searcher.search("a dog").hits[0].relevance is None  # random weights get no scale
