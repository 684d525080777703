"""The patch head on random maps: runs continue exactly, and units of pictures are cut at the right places."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the caches of two photos, a mosaic, and a photo without captions, and of two scenes."""
    from training.cache_patches import Item

    out, rng = tmp_path_factory.mktemp("maps512"), np.random.default_rng(0)
    names = [f"flickr8k/images/scene-{10_000 + number}" for number in range(6)]
    whole = (0.0, 0.0, 1.0, 1.0)
    items = [Item("photo", [names[0]], whole), Item("mosaic", names[2:], whole), Item("photo", [names[1]], whole)]
    items.append(Item("extra", ["unlabelled/a.jpg"], whole))
    (out / "items.json").write_text(json.dumps([asdict(item) for item in items]))
    (out / "scenes").mkdir()
    for where, count in ((out, 4), (out / "scenes", 2)):
        np.save(where / "fine.npy", rng.normal(size=(count, 120, 32, 32)).astype(np.float16))
        np.save(where / "coarse.npy", rng.normal(size=(count, 1280, 16, 16)).astype(np.float16))
    np.save(out / "teacher.npy", rng.dirichlet(np.ones(1000), (4, 20, 20)).transpose(0, 3, 1, 2).astype(np.float16))
    return out


def make_sampler(folder: Path, tmp_path: Path):  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.cache_patches import FINER, FIRST_SCENE
    from training.captions import CaptionSampler
    from training.masked_scenes import mask_scenes
    from training.patch_batches import PatchCounts, PatchSampler
    from training.scenes import scene_captions, scene_names
    from training.words import Word, WordSampler

    tokenizer = tiny_data.write_tokenizer(tmp_path / "tokenizer.model")
    names = scene_names(6)
    captions = CaptionSampler(scene_captions(6), names, tokenizer)
    words = WordSampler([Word(["red"], {0: 1.0, 3: 0.4}), Word(["blue"], {1: 1.0})], 6, tokenizer)
    texts = {name: row for row, name in enumerate(names)}, captions, words
    counts = PatchCounts(photos=2, mosaics=1, others=1, scenes=2, points=5, classes=10, words=2, subjects=3)
    scenes = mask_scenes(2, FINER, FIRST_SCENE)
    return PatchSampler(folder, scenes, texts, tiny_data.language(tokenizer), tokenizer, counts, seed=5)


@pytest.mark.slow
def test_training_the_patch_head_continues_exactly(folder: Path, tmp_path: Path) -> None:
    from tests.training import tiny_data
    from training.loop import Budget, Run
    from training.model import PatchHead
    from training.train_patches import PatchSettings, PatchTrainer, Remembered

    sampler, text = make_sampler(folder, tmp_path), tiny_data.model().text.requires_grad_(False)

    def trainer() -> PatchTrainer:
        torch.manual_seed(0)
        settings = replace(PatchSettings(), warmup=1)
        return PatchTrainer(PatchHead(tiny_data.SHAPE), Remembered(text), settings, torch.device("cpu"))

    whole, begun, continued = trainer(), trainer(), trainer()
    Run(tmp_path / "whole.pt", Budget(steps=4), seed=5).train(whole, sampler.batch)
    Run(tmp_path / "parts.pt", Budget(steps=4), seed=5).train(begun, sampler.batch, limit=2)
    Run(tmp_path / "parts.pt", Budget(steps=4), seed=5).train(continued, sampler.batch)
    for name, value in whole.average.state_dict().items():
        torch.testing.assert_close(continued.average.state_dict()[name], value, rtol=0, atol=0, msg=name)


def test_captions_and_words_belong_to_photos_and_then_to_quarters(folder: Path, tmp_path: Path) -> None:
    batch = make_sampler(folder, tmp_path).batch(0)
    assert (batch.photos, batch.mosaics, len(batch.captions)) == (2, 1, 6)
    assert batch.fine.shape == (6, 120, 32, 32)
    assert batch.teacher.shape == (4, 1000, 20, 20)
    assert batch.cover.shape[2:] == (32, 32)
    column = int(batch.shares.sum(0).argmax())  # "red", of photo 0 and of the second quarter
    assert sorted(batch.shares[:2, column].tolist()) == [0, 1]
    np.testing.assert_allclose(batch.shares[2:, column], [0, 0.4, 0, 0])


def test_units_are_whole_photos_and_quarters_of_mosaics() -> None:
    from training.train_patches import _units

    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    mosaic = torch.stack([rows, columns])[None]  # (1, 2, 32, 32)
    units = _units(torch.ones(1, 2, 32, 32), mosaic)
    assert units.shape == (5, 256, 2)
    firsts = [[0.0, 0.0], [0.0, 16.0], [16.0, 0.0], [16.0, 16.0]]  # (row, column) of the first patch of a quarter
    assert units[1:, 0].tolist() == firsts
    assert units[1, 17].tolist() == [1.0, 1.0]


def test_places_are_sampled_at_points() -> None:
    from training.train_patches import _sample

    maps = torch.arange(4.0).reshape(1, 1, 2, 2)
    points = torch.tensor([[[-0.5, -0.5], [0.5, -0.5], [0.0, 0.0]]])  # (x, y)
    assert _sample(maps, points).flatten().tolist() == [0, 1, 1.5]
