"""The training steps on tiny data: a run that was interrupted gives the same weights as one that was not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

STEPS = 4


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.training import tiny_data

    folder = tmp_path_factory.mktemp("prepared")
    tiny_data.write_pictures(folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    from tests.training import tiny_data

    return tiny_data.write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.model")


def run_twice(make_trainer, draw, folder: Path, steps: int = STEPS):  # type: ignore[no-untyped-def]
    """Train without and with an interruption after half of the steps, and return both trainers."""
    from training.loop import Budget, Run

    whole, begun, continued = (make_trainer() for _ in range(3))
    budget = Budget(steps=steps)
    Run(folder / "whole.pt", budget, seed=5).train(whole, draw)
    Run(folder / "parts.pt", budget, seed=5).train(begun, draw, limit=steps // 2)
    second = Run(folder / "parts.pt", budget, seed=5)
    second.train(continued, draw)
    assert second.step == steps
    return whole, continued


def assert_equal_states(first, second) -> None:  # type: ignore[no-untyped-def]
    for name, value in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[name], value, rtol=0, atol=0, msg=name)


@pytest.mark.slow
def test_training_on_pixels_continues_exactly(prepared: Path, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.objective import LossWeights
    from training.pictures import PixelSource
    from training.train import PIXELS, Trainer

    cpu, teacher = torch.device("cpu"), tiny_data.teacher()
    photos, scenes, others = (
        PixelSource(prepared / name, 32, judge, cpu)
        for name, judge in (("train", teacher), ("scenes", None), ("extra", teacher))
    )
    sampler = tiny_data.sampler((photos, scenes, others), tokenizer)
    settings = replace(PIXELS, counts=tiny_data.COUNTS, weights=LossWeights(), side=32, part=4, warmup=1)
    whole, continued = run_twice(lambda: Trainer(tiny_data.model(), settings, cpu), sampler.batch, tmp_path)
    assert_equal_states(whole.average, continued.average)
    begun = tiny_data.model().trunk.stem.conv.weight
    assert not torch.equal(whole.model.trunk.stem.conv.weight, begun)  # the whole trunk learns


@pytest.fixture(scope="module")
def maps(prepared: Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """Maps of photos, scenes and photos without captions."""
    from tests.training import tiny_data
    from training.cache_maps import Cache, cache_maps
    from training.pictures import MapSource

    cpu, teacher, folder = torch.device("cpu"), tiny_data.teacher(), tmp_path_factory.mktemp("maps")
    for name, judge in (("train", teacher), ("scenes", None), ("extra", teacher)):
        cache_maps(prepared / name, Cache(folded().trunk.eval(), judge, 2, cpu, side=64), folder / name)
    return tuple(MapSource(folder / name, cpu) for name in ("train", "scenes", "extra"))


def test_maps_are_computed_again_for_another_trunk_or_teacher(prepared: Path, tmp_path: Path) -> None:
    from tests.training import tiny_data
    from training.cache_maps import Cache, cache_maps

    trunk, teacher = folded().trunk.eval(), tiny_data.teacher()

    def computed() -> bool:
        """Fill the files once more, and return whether they do not have the zeros that were written into them."""
        file = tmp_path / "fine.npy"
        if file.exists():
            np.save(file, np.zeros_like(np.load(file)))
        cache_maps(prepared / "train", Cache(trunk, teacher, 1, torch.device("cpu"), side=64), tmp_path)
        return bool(np.load(file).any())

    assert [computed(), computed()] == [True, False]
    trunk.stem.conv.bias.data += 1
    assert [computed(), computed()] == [True, False]
    teacher.linear.bias += 1
    assert [computed(), computed()] == [True, False]


def folded() -> Any:
    from tests.training import tiny_data

    model = tiny_data.model()
    model.fold()
    return model


def test_training_on_maps_continues_exactly(maps, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.train import MAPS, Trainer

    sampler = tiny_data.sampler(maps, tokenizer)
    settings = replace(MAPS, counts=tiny_data.COUNTS, warmup=1)
    whole, continued = run_twice(lambda: Trainer(folded(), settings, torch.device("cpu")), sampler.batch, tmp_path)
    assert_equal_states(whole.average, continued.average)
    begun, trunk = folded().trunk, whole.model.trunk
    assert torch.equal(trunk.stem.conv.weight, begun.stem.conv.weight)  # frozen
    assert not torch.equal(trunk.last.conv.weight, begun.last.conv.weight)


def test_training_on_scenes_continues_exactly_and_freezes_the_trunk(maps, tokenizer, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.train import SCENES, Trainer

    sampler = tiny_data.sampler(maps, tokenizer)
    settings = replace(SCENES, counts=tiny_data.COUNTS, warmup=1)
    whole, continued = run_twice(lambda: Trainer(folded(), settings, torch.device("cpu")), sampler.batch, tmp_path)
    assert_equal_states(whole.average, continued.average)
    assert_equal_states(whole.model.trunk, folded().trunk)
    assert not torch.equal(whole.model.head.out.weight, folded().head.out.weight)


def test_texts_about_scenes_may_move(maps, tokenizer) -> None:  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.train import SCENES, Trainer

    batch = tiny_data.sampler(maps, tokenizer).batch(0)
    trainer = Trainer(folded(), replace(SCENES, counts=tiny_data.COUNTS), torch.device("cpu"))
    places = trainer._anchors(batch, np.random.default_rng(0))
    parts = batch.queries.parts()
    about_scenes = {id(text) for name in ("captions", "others") for text in parts[name][batch.photos :]}
    about_scenes |= {id(text) for text in parts["subjects"]}
    flat = [text for part in parts.values() for text in part]
    assert len(places) == len(flat) - len(about_scenes)
    assert not about_scenes & {id(flat[place]) for place in places}


def test_a_share_of_the_change_is_kept() -> None:
    from training.train import interpolate

    begun, model = folded().state_dict(), folded()
    for value in model.state_dict().values():
        value.add_(1)
    interpolate(begun, model, 0.25)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, begun[name] + 0.25, rtol=0, atol=1e-5)


def test_the_batch_of_a_step_does_not_depend_on_earlier_steps(prepared: Path, tokenizer) -> None:  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.pictures import PixelSource

    cpu, teacher = torch.device("cpu"), tiny_data.teacher()
    photos, scenes, others = (PixelSource(prepared / name, 32, teacher, cpu) for name in ("train", "scenes", "extra"))
    fresh, used = (tiny_data.sampler((photos, scenes, others), tokenizer) for _ in range(2))
    used.batch(0)
    one, other = fresh.batch(1), used.batch(1)
    assert torch.equal(one.inputs, other.inputs)
    assert one.queries == other.queries
    assert one.inputs.shape == (7, 3, 32, 32)
    assert (one.photos, one.captioned) == (3, 5)
    assert one.members.shape == (1000, 21)
    assert not torch.equal(one.inputs, fresh.batch(0).inputs)


def test_an_epoch_shows_each_picture_once() -> None:
    from training.loop import epoch_rows

    epochs = [np.concatenate([epoch_rows(6, 2, 3 * epoch + step, seed=1) for step in range(3)]) for epoch in range(2)]
    assert [sorted(epoch.tolist()) for epoch in epochs] == [[0, 1, 2, 3, 4, 5]] * 2
    assert epochs[0].tolist() != epochs[1].tolist()


def test_a_budget_is_in_steps_or_minutes() -> None:
    from training.loop import Budget

    assert Budget(steps=10).progress(step=5, seconds=999) == 0.5
    assert Budget(minutes=2).progress(step=5, seconds=30) == 0.25
    with pytest.raises(ValueError, match="either steps or minutes"):
        Budget(steps=10, minutes=2)


def test_learning_rates_rise_and_fall() -> None:
    from training.optim import schedule

    assert schedule(step=0, warmup=4, progress=0) == 0.25
    assert schedule(step=10, warmup=4, progress=0.5) == pytest.approx(0.5)
    assert schedule(step=20, warmup=4, progress=1) == pytest.approx(0)


def test_filled_rows_are_not_computed_again(tmp_path: Path) -> None:
    from training.progress import fill

    asked: list[int] = []

    def compute(rows: range):  # type: ignore[no-untyped-def]
        asked.extend(rows)
        yield "squares", np.array([row * row for row in rows])

    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {"squares": ((), np.int64)}
    assert next(fill(tmp_path, "a source", shapes, 5, 2, compute)) == 2  # then it is killed
    assert list(fill(tmp_path, "a source", shapes, 5, 2, compute)) == [4, 5]
    assert asked == [0, 1, 2, 3, 4]
    assert np.load(tmp_path / "squares.npy").tolist() == [0, 1, 4, 9, 16]


@pytest.mark.parametrize(
    ("source", "rows", "dtype"),
    [(["a"], 3, np.int64), (["a"], 6, np.int64), (["a"], 5, np.int32), (["b"], 5, np.int64)],
)
def test_files_with_other_rows_are_filled_from_the_start(
    tmp_path: Path, source: list[str], rows: int, dtype: type[np.generic]
) -> None:
    from training.progress import fill

    def squares(rows: range):  # type: ignore[no-untyped-def]
        yield "squares", np.array([row * row for row in rows])

    def zeros(rows: range):  # type: ignore[no-untyped-def]
        yield "squares", np.zeros(len(rows))

    assert list(fill(tmp_path, ["a"], {"squares": ((), np.int64)}, 5, 5, zeros)) == [5]
    assert list(fill(tmp_path, source, {"squares": ((), dtype)}, rows, 5, squares))[-1] == rows
    filled = np.load(tmp_path / "squares.npy")
    assert (filled.dtype, filled.tolist()) == (dtype, [row * row for row in range(rows)])


def test_files_of_an_earlier_record_are_filled_from_the_start(tmp_path: Path) -> None:
    from training.progress import fill

    np.save(tmp_path / "squares.npy", np.zeros(2, np.int64))
    (tmp_path / "rows.json").write_text("2")
    shapes: dict[str, tuple[tuple[int, ...], type[np.generic]]] = {"squares": ((), np.int64)}
    assert list(fill(tmp_path, "a source", shapes, 2, 2, lambda rows: iter([("squares", np.array(rows))]))) == [2]
    assert np.load(tmp_path / "squares.npy").tolist() == [0, 1]


def test_means_in_the_log_are_right_after_a_resume(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from training.loop import Budget, Run

    class Constant:
        def train_step(self, _batch: int, _step: int, _progress: float) -> dict[str, float]:
            return {"loss": 2.0}

        def state(self) -> dict[str, int]:
            return {}

        def restore(self, _state: dict[str, int]) -> None:
            pass

    with caplog.at_level("INFO", logger="sightline.training"):
        Run(tmp_path / "run.pt", Budget(steps=20), seed=1).train(Constant(), lambda step: step, limit=7)
        Run(tmp_path / "run.pt", Budget(steps=20), seed=1).train(Constant(), lambda step: step)
    lines = [record.getMessage() for record in caplog.records if "loss" in record.getMessage()]
    assert [line.split(": ")[1] for line in lines] == ["loss 2.000", "loss 2.000"]


def test_tokens_are_dropped_but_never_the_first_one() -> None:
    from training.texts import UNKNOWN, drop_tokens

    rng = np.random.default_rng(0)
    assert drop_tokens([[2, 7, 8], [2]], 1.0, rng) == [[2, UNKNOWN, UNKNOWN], [2]]
    assert drop_tokens([[2, 7, 8], [2]], 0.0, rng) == [[2, 7, 8], [2]]


def test_texts_come_back_in_their_order(tokenizer) -> None:  # type: ignore[no-untyped-def]
    from tests.training import tiny_data
    from training.texts import encode

    tower = tiny_data.model().text.eval()
    texts = [tokenizer(text) for text in ("a red car in front of a tree", "a dog", "", "a blue ball")]
    with torch.no_grad():
        together = encode(tower, texts, chunk=2)
        alone = torch.cat([encode(tower, [text]) for text in texts])
    torch.testing.assert_close(together, alone)
