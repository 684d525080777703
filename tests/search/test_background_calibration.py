import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DeviceUnavailable, RelevanceNotCalibrated
from core.settings import MODELS_VARIABLE
from encoders.background import background
from encoders.base import Encoder
from encoders.fake import FakeEncoder
from encoders.preprocess import Preprocess
from indexer import index
from search import Searcher, SearchOptions, background_calibration
from search.background_calibration import can_calibrate, fit_calibration, known_outcome, make_calibration
from search.kept_calibrations import calibrating, is_calibrating, kept_failure, kept_file
from search.relevance import Calibration
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
    assert not can_calibrate(FakeEncoder())


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
    assert known_outcome(encoder) is None
    made = make_calibration(encoder).calibration
    assert made is not None
    assert encoder.runs == 1
    again = KnowingEncoder()
    known = make_calibration(again).calibration
    assert known is not None
    assert known.as_json() == made.as_json()
    assert again.runs == 0
    assert known_outcome(KnowingEncoder("other weights")) is None


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calibrate without the fit, which takes seconds: no kind gets a scale."""

    def embed_photos(encoder: Encoder, _: Sequence[str]) -> Calibration:
        photos = encoder.encode_images([photo.open() for photo in CONTENT.photos])
        return Calibration(encoder.space.weights, photos.mean(0), {})

    monkeypatch.setattr(background_calibration, "fit_calibration", embed_photos)


@pytest.mark.usefixtures("quick")
def test_a_model_without_verdicts_is_not_calibrated_again() -> None:
    make_calibration(StubEncoder())
    known = known_outcome(StubEncoder())
    assert known is not None
    assert known.calibration is not None
    assert known.calibration.scales == {}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b'{"weights": "stub", "scales": {}, "background": [1]}'])
@pytest.mark.usefixtures("quick")
def test_a_damaged_calibration_is_made_again(models: Path, damage: bytes) -> None:
    make_calibration(StubEncoder())
    (file,) = models.rglob("*.json")
    file.write_bytes(damage)
    assert known_outcome(StubEncoder()) is None
    make_calibration(StubEncoder())
    assert known_outcome(StubEncoder()) is not None


@pytest.mark.usefixtures("quick")
def test_a_calibration_by_another_method_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    make_calibration(StubEncoder())
    monkeypatch.setattr(background_calibration, "METHOD", background_calibration.METHOD + 1)
    assert known_outcome(StubEncoder()) is None


class Reworded(StubEncoder):
    """A later release of the model, whose vectors of texts changed."""

    text_version = "2"


@pytest.mark.usefixtures("quick")
def test_a_calibration_of_other_vectors_of_texts_is_made_again() -> None:
    make_calibration(StubEncoder())
    assert known_outcome(Reworded()) is None
    make_calibration(Reworded())
    assert known_outcome(Reworded()) is not None


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_written_is_ignored(models: Path) -> None:
    models.write_text("a file where the folder would be")
    assert make_calibration(KnowingEncoder()).calibration is not None
    assert known_outcome(KnowingEncoder()) is None
    assert not is_calibrating(KnowingEncoder().space)


class FailingEncoder(StubEncoder):
    def photos(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        raise RuntimeError(f"no memory\nfor {len(pixels)} photos")


class BadEncoder(StubEncoder):
    def text(self, text: str) -> NDArray[np.float32]:
        return np.full(DIM, np.nan, np.float32) * len(text)


@pytest.mark.parametrize(
    ("failing", "reason"), [(FailingEncoder, "RuntimeError: no memory for 85 photos"), (BadEncoder, "BadVectors: ")]
)
def test_the_failure_of_a_model_is_kept_with_its_reason(failing: type[StubEncoder], reason: str) -> None:
    made = make_calibration(failing())
    assert made.calibration is None
    assert made.failure is not None
    assert made.failure.startswith(reason)
    assert kept_failure(failing().space) == made.failure
    again = failing()
    assert make_calibration(again) == made
    assert again.runs == 0
    kept_file(again.space).unlink()
    assert known_outcome(again) is None


class UnpluggedEncoder(StubEncoder):
    def photos(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        raise DeviceUnavailable("cuda", f"its memory is too small for {len(pixels)} photos")


def test_a_failure_of_the_device_is_not_kept() -> None:
    made = make_calibration(UnpluggedEncoder())
    assert made.failure is not None
    assert "too small for 85 photos" in made.failure
    assert kept_failure(UnpluggedEncoder().space) is None
    assert known_outcome(UnpluggedEncoder()) is None


@pytest.mark.usefixtures("quick")
def test_two_threads_calibrate_a_model_once() -> None:
    begun, go = Event(), Event()

    class Slow(StubEncoder):
        def forward_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
            begun.set()
            assert go.wait(60)
            return super().forward_images(pixels)

    first, second = Slow(), Slow()
    assert not is_calibrating(first.space)
    with ThreadPoolExecutor() as pool:
        made = [pool.submit(make_calibration, first)]
        assert begun.wait(60)
        made.append(pool.submit(make_calibration, second))
        during = is_calibrating(second.space)
        go.set()
        assert all(outcome.result(60).calibration is not None for outcome in made)
    assert (during, is_calibrating(first.space)) == (True, False)
    assert (first.runs, second.runs) == (1, 0)


HOLD_LOCK = "import sys; from filelock import FileLock\nwith FileLock(sys.argv[1]): print(flush=True); sys.stdin.read()"


@pytest.mark.usefixtures("quick")
def test_a_model_that_another_process_calibrates_is_waited_for() -> None:
    encoder = StubEncoder()
    lock = kept_file(encoder.space).with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    with (
        subprocess.Popen(
            [sys.executable, "-c", HOLD_LOCK, lock], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other,
        ThreadPoolExecutor() as pool,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        during = is_calibrating(encoder.space)
        made = pool.submit(make_calibration, encoder)
        time.sleep(0.2)
        runs = encoder.runs
        other.stdin.close()
        assert made.result(60).calibration is not None
    assert (during, runs, encoder.runs) == (True, 0, 1)
    assert not is_calibrating(encoder.space)


@contextmanager
def indexed(folder: Path, encoder: Encoder) -> Iterator[Library]:
    """Yield a library of one photo."""
    (folder / "photos").mkdir()
    CONTENT.photos[0].open().save(folder / "photos" / "a.png")
    with Library.open(folder / "library", create=True) as library:
        index(library, folder / "photos", encoder)
        yield library


def test_answers_say_that_the_model_is_being_calibrated(tmp_path: Path) -> None:
    with indexed(tmp_path, StubEncoder()) as library:
        searcher = Searcher(library, StubEncoder())
        assert searcher.search("a dog").notices == ()
        with calibrating(searcher.space.space):
            assert searcher.is_calibrating
            (notice,) = searcher.search("a dog").notices
            assert (notice.name, notice.data) == ("calibrating", {"model": "stub"})
            assert str(notice).startswith("The relevance of stub is being calibrated.")
            assert searcher.similar(tmp_path / "photos" / "a.png").notices == ()  # pictures are not calibrated
            with pytest.raises(RelevanceNotCalibrated, match="is being calibrated for the model stub"):
                searcher.search("a dog", SearchOptions(relevant=True))
        with pytest.raises(RelevanceNotCalibrated, match="is not calibrated for the model stub"):
            searcher.search("a dog", SearchOptions(relevant=True))


def test_a_searcher_does_not_repeat_a_failed_calibration(tmp_path: Path) -> None:
    with indexed(tmp_path, BadEncoder()) as library:
        searcher = Searcher(library, BadEncoder())
        before = searcher.needs_calibration, searcher.calibration_failure
        searcher.calibrate()
        assert before == (True, None)
        for opened in (searcher, Searcher(library, BadEncoder())):
            assert not opened.needs_calibration
            assert opened.calibration_failure is not None


@pytest.mark.usefixtures("quick")
def test_a_searcher_calibrates_its_model_once(tmp_path: Path) -> None:
    with indexed(tmp_path, StubEncoder()) as library:
        searcher = Searcher(library, StubEncoder())
        before = searcher.needs_calibration
        searcher.calibrate()
        assert (before, searcher.needs_calibration) == (True, False)
        assert not Searcher(library, StubEncoder()).needs_calibration
        assert searcher.search("a dog").hits[0].relevance is None  # random weights get no scale
