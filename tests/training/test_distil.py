"""Mean vectors of pictures, and the training step in which the image tower learns them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

CPU = torch.device("cpu")
SIZES = (64, 96)


def folded() -> Any:
    from tests.training import tiny_data

    model = tiny_data.model().eval()
    model.fold()
    return model


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared pictures, their mean vectors, and a tokenizer."""
    from tests.training import tiny_data
    from training.cache_means import Averaged, cache_means

    folder = tmp_path_factory.mktemp("runs")
    tiny_data.write_pictures(folder / "prepared")
    tiny_data.write_tokenizer(folder / "tokenizer.model")
    photos, scenes = Averaged(folded(), SIZES, True, CPU), Averaged(folded(), SIZES[:1], False, CPU)
    for name, averaged in (("train", photos), ("extra", photos), ("scenes", scenes)):
        cache_means(folder / "prepared" / name, averaged, folder / "means" / name)
    return folder


def settings() -> Any:
    from tests.training.tiny_data import SIDE
    from training.distil import DistilSettings

    return DistilSettings(photos=3, others=2, scenes=2, probes=5, side=SIDE, warmup=1, rate=1e-3, head_rate=1e-3)


def sampler(runs: Path, **changes: Any) -> Any:
    from encoders.mini.tokenizer import Tokenizer
    from tests.training import tiny_data
    from training.captions import CaptionSampler
    from training.distil import AveragedSet, Sampler
    from training.scenes import scene_captions, scene_names
    from training.words import Word, WordSampler

    tokenizer = Tokenizer(runs / "tokenizer.model", tiny_data.SHAPE.max_tokens)
    photos, others, scenes = (
        AveragedSet.load(runs / "prepared", runs / "means", name) for name in ("train", "extra", "scenes")
    )
    captions = CaptionSampler(scene_captions(tiny_data.PICTURES), scene_names(tiny_data.PICTURES), tokenizer)
    words = WordSampler(
        [Word(["red"], {0: 1.0, 1: 0.4, 2: 1.0, 3: 1.0, 4: 1.0, 5: 1.0})], tiny_data.PICTURES, tokenizer
    )
    return Sampler((photos, others, scenes), captions, words, 7, replace(settings(), **changes))


def trainer(**changes: Any) -> Any:
    from tests.training.tiny_data import SHAPE
    from training.distil import Distiller

    torch.manual_seed(2)
    probes = torch.nn.functional.normalize(torch.randn(7, SHAPE.dim), dim=1)
    return Distiller(folded(), probes, replace(settings(), **changes), CPU)


def test_means_are_over_sizes_and_mirror_images(runs: Path) -> None:
    from training.pixels import normalise

    squares = np.load(runs / "prepared" / "train" / "pixels.npy")
    found = np.load(runs / "means" / "train" / "means.npy")
    pixels, model = torch.from_numpy(squares[1:2]).permute(0, 3, 1, 2).float(), folded()
    total = np.zeros(found.shape[1])
    for size in SIZES:
        view = torch.nn.functional.interpolate(pixels, (size, size), mode="bicubic", antialias=True).clamp(0, 255)
        for each in (view, torch.from_numpy(view.numpy()[..., ::-1].copy())):
            total += model(normalise(each)).detach().numpy()[0]
    np.testing.assert_allclose(found[1], total / np.linalg.norm(total), atol=0.03)  # bfloat16 on some processors
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_scenes_are_seen_in_one_size_and_not_mirrored(runs: Path) -> None:
    from training.pixels import normalise

    squares = np.load(runs / "prepared" / "scenes" / "pixels.npy")
    expected = folded()(normalise(torch.from_numpy(squares).permute(0, 3, 1, 2))).detach().numpy()
    np.testing.assert_allclose(np.load(runs / "means" / "scenes" / "means.npy"), expected, atol=0.03)


def test_distilling_continues_exactly(runs: Path, tmp_path: Path) -> None:
    from tests.training.test_train import assert_equal_states, run_twice

    whole, continued = run_twice(trainer, sampler(runs).batch, tmp_path)
    assert_equal_states(whole.average, continued.average)


def test_only_the_image_tower_learns_without_its_first_blocks_and_depthwise_filters(runs: Path) -> None:
    student, begun = trainer(), folded().state_dict()
    student.train_step(sampler(runs).batch(0), 0, 0.0)
    changed = {name for name, value in student.model.state_dict().items() if not torch.equal(value, begun[name])}
    assert not {name for name in changed if name.startswith(("text.", "trunk.stem."))}
    assert not {name for name in changed for block in range(4) if name.startswith(f"trunk.blocks.{block}.")}
    assert not {name for name in changed if name.endswith("filter.conv.weight")}
    assert {"trunk.blocks.4.expand.conv.weight", "trunk.last.conv.weight", "head.out.weight"} <= changed


def test_vectors_move_towards_the_means(runs: Path) -> None:
    student, draws = trainer(scores=0.0, captions=0.0, ranking=0.0), sampler(runs)
    wanted = torch.nn.functional.normalize(torch.ones(1, 16), dim=1)
    losses = []
    for step in range(8):
        batch = draws.batch(step)
        batch = replace(batch, means=wanted.expand(len(batch.pixels), -1))
        losses.append(student.train_step(batch, step, 0.0)["means"])
    assert losses[-1] < 0.8 * losses[0]


def test_only_photos_are_cropped_and_mirrored(runs: Path) -> None:
    from training.pixels import normalise

    batch = sampler(runs, photos=6, others=6, scenes=6).batch(0)
    expected = [
        normalise(torch.from_numpy(np.load(runs / "prepared" / name / "pixels.npy")).permute(0, 3, 1, 2))
        for name in ("train", "extra", "scenes")
    ]
    torch.testing.assert_close(batch.pixels[12:], expected[2], atol=1e-3, rtol=0)
    assert (batch.pixels[:12] - torch.cat(expected[:2])).abs().amax((1, 2, 3)).min() > 0.05
    means = np.concatenate([np.load(runs / "means" / name / "means.npy") for name in ("train", "extra", "scenes")])
    np.testing.assert_array_equal(batch.means, means)


def test_means_of_other_pictures_are_refused(runs: Path, tmp_path: Path) -> None:
    from training.distil import AveragedSet

    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "names.json").write_text(json.dumps(["another.jpg"]))
    with pytest.raises(ValueError, match="is about other pictures"):
        AveragedSet.load(runs / "prepared", tmp_path, "train")
