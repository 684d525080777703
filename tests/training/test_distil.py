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


class Sides:
    """A model that sees the mean brightness of the left and the right half, and the side of a picture."""

    def trunk(self, pixels: Any) -> Any:
        """Return the pixels."""
        return pixels

    def head(self, pixels: Any) -> Any:
        """Map (N, 3, S, S) to unit vectors (N, 3)."""
        half, side = pixels.shape[3] // 2, pixels.shape[3]
        parts = [pixels[..., :half].mean((1, 2, 3)), pixels[..., half:].mean((1, 2, 3))]
        return torch.nn.functional.normalize(torch.stack([*parts, torch.full_like(parts[0], side / 64)], 1), dim=1)


def test_means_are_over_sizes_and_mirror_images() -> None:
    from training.cache_means import Averaged

    squares = np.full((1, 64, 64, 3), 127, np.uint8)  # zero after normalisation
    squares[:, :, :32] = 255  # one
    views = [(left, right, side / 64) for side in SIZES for left, right in ((1, 0), (0, 1))]
    expected = np.sum([np.array(view) / np.linalg.norm(view) for view in views], axis=0)
    model: Any = Sides()
    found = Averaged(model, SIZES, True, CPU)(squares)
    np.testing.assert_allclose(found[0], expected / np.linalg.norm(expected), atol=0.01)  # the edge is blurred
    alone = Averaged(model, SIZES[:1], False, CPU)(squares)
    np.testing.assert_allclose(alone[0], np.array([1, 0, 1]) / np.sqrt(2), atol=0.01)


def test_means_of_photos_and_scenes_have_unit_length(runs: Path) -> None:
    for name in ("train", "extra", "scenes"):
        means = np.load(runs / "means" / name / "means.npy")
        assert means.shape == (6, 16)
        np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1, atol=1e-5)


def test_means_are_computed_again_for_other_weights_or_pictures(runs: Path, tmp_path: Path) -> None:
    from training.cache_means import Averaged, cache_means

    def means(model: Any, pictures: str) -> Any:
        cache_means(runs / "prepared" / pictures, Averaged(model, SIZES[:1], False, CPU), tmp_path)
        return np.load(tmp_path / "means.npy").copy()

    first = means(folded(), "train")
    np.save(tmp_path / "means.npy", np.zeros_like(first))
    assert not means(folded(), "train").any()  # nothing is computed twice
    other = folded()
    other.head.out.bias.data += 1
    changed = means(other, "train")
    assert changed.any()
    assert np.abs(changed - first).max() > 0.01
    names = runs / "prepared" / "extra" / "names.json"
    renamed = json.loads(names.read_text())[::-1]
    np.save(tmp_path / "means.npy", np.zeros_like(first))
    names.write_text(json.dumps(renamed))
    try:
        assert means(other, "extra").any()
    finally:
        names.write_text(json.dumps(renamed[::-1]))


def test_distilling_continues_exactly(runs: Path, tmp_path: Path) -> None:
    from tests.training.test_train import assert_equal_states, run_twice

    whole, continued = run_twice(trainer, sampler(runs).batch, tmp_path)
    assert_equal_states(whole.average, continued.average)


def test_only_the_image_tower_learns_without_its_first_blocks_and_depthwise_filters(runs: Path) -> None:
    student, begun = trainer(), folded().state_dict()
    learning = {name for name, parameter in student.model.named_parameters() if parameter.requires_grad}
    assert not {name for name in learning if name.startswith(tuple(f"trunk.blocks.{block}." for block in range(4)))}
    student.train_step(sampler(runs).batch(0), 0, 0.0)
    changed = {name for name, value in student.model.state_dict().items() if not torch.equal(value, begun[name])}
    assert not {name for name in changed if name.startswith(("text.", "trunk.stem."))}
    assert not {name for name in changed for block in range(4) if name.startswith(f"trunk.blocks.{block}.")}
    assert not {name for name in changed if name.endswith("filter.conv.weight")}
    some = {"trunk.blocks.4.filter.conv.bias", "trunk.blocks.4.expand.conv.weight", "head.out.weight"}
    assert some <= changed <= learning


def test_vectors_move_towards_the_means(runs: Path) -> None:
    student, draws = trainer(scores=0.0, captions=0.0, ranking=0.0), sampler(runs)
    wanted = torch.nn.functional.normalize(torch.ones(1, 16), dim=1)
    losses = []
    for step in range(8):
        batch = draws.batch(step)
        batch = replace(batch, means=wanted.expand(len(batch.pixels), -1))
        losses.append(student.train_step(batch, step, 0.0)["means"])
    assert losses[-1] < 0.8 * losses[0]


def test_photos_are_mirrored_and_cropped_and_scenes_are_not(runs: Path) -> None:
    from training.pixels import normalise

    photos, others, scenes = (
        normalise(torch.from_numpy(np.load(runs / "prepared" / name / "pixels.npy")).permute(0, 3, 1, 2))
        for name in ("train", "extra", "scenes")
    )
    whole = sampler(runs, photos=6, others=6, scenes=6, area=(1.0, 1.0), stretch=1.0, jitter=0.0).batch(0)
    expected, mirrored = torch.cat([photos, others]), torch.cat([photos, others]).flip(3)
    same, turned = ((whole.pixels[:12] - each).abs().amax((1, 2, 3)) < 0.02 for each in (expected, mirrored))
    assert same.any()
    assert turned.any()
    torch.testing.assert_close(whole.pixels[12:], scenes, atol=1e-3, rtol=0)
    cropped = sampler(runs, photos=6, others=6, scenes=6, area=(0.3, 0.4), jitter=0.0).batch(0)
    differences = [(cropped.pixels[:12] - each).abs().amax((1, 2, 3)) for each in (expected, mirrored)]
    assert torch.stack(differences).min() > 0.1
    torch.testing.assert_close(cropped.pixels[12:], scenes, atol=1e-3, rtol=0)
    means = np.concatenate([np.load(runs / "means" / name / "means.npy") for name in ("train", "extra", "scenes")])
    np.testing.assert_array_equal(whole.means, means)


def test_photos_without_words_are_learned_from(runs: Path) -> None:
    batch = replace(sampler(runs).batch(0), words=[], shares=torch.empty(3, 0))
    assert set(trainer().train_step(batch, 0, 0.0)) == {"means", "scores", "captions"}


def test_means_of_other_pictures_are_refused(runs: Path, tmp_path: Path) -> None:
    from training.distil import AveragedSet

    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "names.json").write_text(json.dumps(["another.jpg"]))
    with pytest.raises(ValueError, match="is about other pictures"):
        AveragedSet.load(runs / "prepared", tmp_path, "train")
