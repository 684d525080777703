"""The recipe from end to end on a few rendered scenes, too short to learn anything."""

from pathlib import Path

import numpy as np
import pytest

from encoders.mini.encoder import MiniEncoder
from encoders.mini.tokenizer import Tokenizer
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
    from training.caption_sampler import CaptionSampler
    from training.pictures import PictureSet, Sampler
    from training.views import random_boxes

    rng = np.random.default_rng(0)
    names, images = zip(*scene_pictures(COUNT), strict=True)
    pixels = np.stack([np.asarray(image.resize((SIDE, SIDE))) for image in images])
    boxes = np.stack([random_boxes(rng, VIEWS) for _ in names])
    grids = rng.normal(size=(COUNT, VIEWS, 7, 7, DIM)).astype(np.float16)
    pictures = PictureSet(pixels, boxes, grids, list(names))
    return Sampler(pictures, CaptionSampler(captions, pictures.names, tokenizer), pictures, batch=4, extra=2, drawn=2)


def make_trainer(tokenizer: Tokenizer):  # type: ignore[no-untyped-def]
    from training.model import Shape
    from training.student import Student
    from training.train import Trainer, TrainSettings

    torch.manual_seed(0)
    shape = Shape(len(tokenizer), dim=DIM, text_width=16, text_layers=1, widths=(8, 16, 32), blocks=(1, 1, 1))
    return Trainer(Student(shape), TrainSettings(small_side=64, small_until=0.5), steps=4)


def test_a_resumed_run_equals_an_uninterrupted_one(
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


def test_exported_graphs_equal_the_trained_model(captions: list[Caption], tokenizer_file: Path, tmp_path: Path) -> None:
    from training.caption_sampler import tensors
    from training.export import export
    from training.model import PatchHead
    from training.train import train_epoch

    tokenizer = Tokenizer(tokenizer_file)
    trainer = make_trainer(tokenizer)
    train_epoch(trainer, make_sampler(captions, tokenizer))
    student, where = trainer.average, PatchHead(trainer.average.shape).eval()
    differences = export(student, where, tokenizer_file, tmp_path)
    assert differences.keys() == {"image", "cells", "text"}
    assert max(differences.values()) < 0.01  # float16 and int8 rounding

    mini = MiniEncoder(tmp_path)
    squares = np.stack([mini.preprocess.pixels(image) for _, image in scene_pictures(3)])
    with torch.no_grad():
        fine, coarse, grid = student.backbone.maps(torch.from_numpy(mini.preprocess.normalise(squares)))
        expected, cells = student.head(grid)[0], where(fine, coarse).permute(0, 2, 3, 1)
    np.testing.assert_allclose(mini.encode_pixels(squares), expected.numpy(), atol=0.01)
    np.testing.assert_allclose(mini.encode_patches(squares), cells.numpy(), atol=0.01)
    texts = ["a dog", "", "一辆红色汽车"]  # the last in Chinese: "a red car"
    with torch.no_grad():
        wanted = torch.cat([student.text(*tensors([tokenizer(text)])) for text in texts])
    np.testing.assert_allclose(mini.encode_texts(texts), wanted.numpy(), atol=0.01)


def test_pairs_of_chinese_characters_have_their_own_vectors(tokenizer_file: Path) -> None:
    from training.caption_sampler import tensors
    from training.model import Shape
    from training.train_text import JointSpace

    tokenizer = Tokenizer(tokenizer_file)
    tower = JointSpace.fresh(Shape(len(tokenizer), dim=DIM, text_width=16), tokenizer, seed=0).tower
    assert tower.pairs is not None
    ids = tokenizer("红色 red car 红色")
    rows, there = tower.pairs.rows(tensors([ids])[0])
    pairs = there[0].nonzero().flatten().tolist()
    assert pairs == [2, len(ids) - 1]  # the second character of each
    assert rows[0, 2] == rows[0, -1]


def test_the_patch_head_learns_to_locate_subjects(tokenizer_file: Path) -> None:
    from training.caption_sampler import CaptionSampler
    from training.masked_scenes import render_masked_scenes
    from training.model import Shape
    from training.pictures import PictureSet
    from training.student import PREPROCESS, Student
    from training.train_patches import PatchSettings, PatchTrainer, Photos, Scenes

    torch.manual_seed(0)
    tokenizer = Tokenizer(tokenizer_file)
    student = Student(
        Shape(len(tokenizer), dim=DIM, text_width=16, widths=(8, 16, 32), blocks=(1, 1, 1), cell_width=16)
    )
    student.eval().requires_grad_(False)
    names, images = zip(*scene_pictures(4), strict=True)
    grids = np.random.default_rng(0).normal(size=(4, 1, 7, 7, DIM)).astype(np.float16)
    squares = np.stack([np.asarray(image.resize((SIDE, SIDE))) for image in images])
    pictures = PictureSet(squares, np.zeros((4, 1, 4), np.float32), grids, list(names))
    scenes = Scenes(student, tokenizer, render_masked_scenes(4, PREPROCESS.size // 8, PREPROCESS))
    photos = Photos(student, student.head, pictures, CaptionSampler(scene_captions(4), pictures.names, tokenizer))

    trainer = PatchTrainer(student.shape, PatchSettings(), steps=60)
    rng, rows = np.random.default_rng(0), np.arange(4)
    fine, coarse = (torch.cat(pair) for pair in zip(scenes.maps.of_rows(rows), photos.maps.of_rows(rows), strict=True))
    places = [
        trainer.train_step((fine, coarse), scenes.ask(rows, 0.2, rng), photos.ask(rows, rng))["place"]
        for _ in range(60)
    ]
    assert np.mean(places[-5:]) < np.mean(places[:5]) - 0.5


def test_the_text_step_trains_on_maps(captions: list[Caption], tokenizer_file: Path) -> None:
    from training.caption_sampler import CaptionSampler
    from training.model import Shape
    from training.train_text import Aligned, JointSpace, TextSettings, train_text

    tokenizer = Tokenizer(tokenizer_file)
    names = sorted({caption.image for caption in captions})
    grids = np.random.default_rng(0).normal(size=(COUNT, VIEWS, 7, 7, DIM)).astype(np.float16)
    aligned = Aligned([{"en": "a dog", "de": "ein Hund", "fr": "un chien", "cs": "pes"}] * 4, tokenizer)
    seen: list[object] = []
    space = JointSpace.fresh(Shape(len(tokenizer), dim=DIM, text_width=16), tokenizer, seed=0)
    settings = TextSettings(epochs=2, batch=4, drawn=2, aligned=4)
    train_text(grids, CaptionSampler(captions, names, tokenizer), aligned, space, settings, seen.append)
    assert len(seen) == 2
    assert all(torch.isfinite(parameter).all() for parameter in space.parameters())
    assert 1 < space.scale.exp() < 100
