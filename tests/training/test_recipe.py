"""The recipe from end to end on a handful of rendered scenes, far too short to learn anything."""

from pathlib import Path

import numpy as np
import pytest

from encoders.mini.encoder import MiniEncoder
from encoders.mini.tokens import Tokenizer
from training.corpora import Caption
from training.scenes import scene_captions, scene_pictures
from training.tokenizer import train_tokenizer

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytestmark = pytest.mark.slow

COUNT, VIEWS, DIM, SIDE = 8, 2, 32, 160


@pytest.fixture(scope="module")
def captions() -> list[Caption]:
    return scene_captions(COUNT)


@pytest.fixture(scope="module")
def tokenizer_file(captions: list[Caption], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    train_tokenizer((caption.text for caption in captions), 700, file)
    return file


def make_sampler(captions: list[Caption], tokenizer: Tokenizer):  # type: ignore[no-untyped-def]
    from training.captioned import Captioned
    from training.pictures import PictureSet, Sampler
    from training.views import random_boxes

    rng = np.random.default_rng(0)
    names, images = zip(*scene_pictures(COUNT), strict=True)
    pixels = np.stack([np.asarray(image.resize((SIDE, SIDE))) for image in images])
    boxes = np.stack([random_boxes(rng, VIEWS) for _ in names])
    grids = rng.normal(size=(COUNT, VIEWS, 7, 7, DIM)).astype(np.float16)
    pictures = PictureSet(pixels, boxes, grids, list(names))
    return Sampler(pictures, Captioned(captions, pictures.names, tokenizer), pictures, batch=4, extra=2, drawn=2)


def make_trainer(tokenizer: Tokenizer):  # type: ignore[no-untyped-def]
    from training.model import Shape
    from training.student import Student
    from training.train import Settings, Trainer

    torch.manual_seed(0)
    shape = Shape(len(tokenizer), dim=DIM, text_width=16, text_layers=1, widths=(8, 16, 32), blocks=(1, 1, 1))
    return Trainer(Student(shape), Settings(small_side=64, small_until=0.5), steps=4)


def test_an_interrupted_run_ends_like_one_that_was_not(
    captions: list[Caption], tokenizer_file: Path, tmp_path: Path
) -> None:
    from training.train import save, train_epoch

    tokenizer = Tokenizer(tokenizer_file)
    sampler, whole = make_sampler(captions, tokenizer), make_trainer(tokenizer)
    losses = train_epoch(whole, sampler)
    assert all(np.isfinite(loss) for loss in losses.values())
    save(whole.state(), tmp_path / "checkpoint.pt")
    train_epoch(whole, sampler)

    resumed = make_trainer(tokenizer)
    resumed.restore(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    assert resumed.side() == 128
    train_epoch(resumed, sampler)
    for name, value in whole.average.state_dict().items():
        torch.testing.assert_close(resumed.average.state_dict()[name], value, msg=name)


def test_what_is_exported_is_what_was_trained(captions: list[Caption], tokenizer_file: Path, tmp_path: Path) -> None:
    from training.export import export
    from training.train import train_epoch

    tokenizer = Tokenizer(tokenizer_file)
    trainer = make_trainer(tokenizer)
    train_epoch(trainer, make_sampler(captions, tokenizer))
    assert max(export(trainer.average, tokenizer_file, tmp_path).values()) < 0.01  # float16 and int8 rounding

    mini = MiniEncoder(tmp_path)
    images = [image for _, image in scene_pictures(3)]
    pixels = torch.from_numpy(mini.preprocess.normalise(np.stack([mini.preprocess.pixels(i) for i in images])))
    with torch.no_grad():
        expected, _ = trainer.average.head(trainer.average.backbone(pixels))
    np.testing.assert_allclose(mini.encode_images(images), expected.numpy(), atol=0.01)
    assert mini.encode_texts(["a dog", ""]).shape == (2, DIM)


def test_the_text_step_runs_on_maps_alone(captions: list[Caption], tokenizer_file: Path) -> None:
    from training.captioned import Captioned
    from training.model import Shape
    from training.train_text import Aligned, TextSettings, train_text

    tokenizer = Tokenizer(tokenizer_file)
    names = sorted({caption.image for caption in captions})
    grids = np.random.default_rng(0).normal(size=(COUNT, VIEWS, 7, 7, DIM)).astype(np.float16)
    aligned = Aligned([{"en": "a dog", "de": "ein Hund", "fr": "un chien", "cs": "pes"}] * 4, tokenizer)
    seen: list[object] = []
    space = train_text(
        grids,
        Captioned(captions, names, tokenizer),
        aligned,
        Shape(len(tokenizer), dim=DIM, text_width=16),
        TextSettings(epochs=2, batch=4, drawn=1, aligned=4),
        seen.append,
    )
    assert len(seen) == 2
    assert all(torch.isfinite(parameter).all() for parameter in space.parameters())
    assert 1 < space.scale.exp() < 100
