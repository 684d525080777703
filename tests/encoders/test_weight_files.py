"""Which files make up a model: the same ones when it is downloaded and when it is loaded."""

from itertools import combinations
from pathlib import Path

import pytest

from core.errors import BadCheckpoint
from encoders.checkpoint import find_weights
from encoders.weight_files import companion_files, select_weights, transformers_weights

SINGLE_FILES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "model.safetensors",
    "pytorch_model.bin",
)


@pytest.mark.parametrize("names", [pair for size in (1, 2, 5) for pair in combinations(SINGLE_FILES, size)])
def test_the_file_that_is_downloaded_is_the_file_that_is_loaded(names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert [find_weights(tmp_path).name] == list(select_weights(names))


def test_open_clip_weights_win_over_those_of_transformers() -> None:
    assert select_weights(["model.safetensors", "open_clip_pytorch_model.bin"]) == ("open_clip_pytorch_model.bin",)


def test_safetensors_win_over_pickles() -> None:
    assert select_weights(["pytorch_model.bin", "model.safetensors"]) == ("model.safetensors",)
    assert select_weights(["a.bin", "a.safetensors"], "a.bin") == ("a.safetensors",)
    assert select_weights(["a.bin"], "b.bin") == ()


def test_all_shards_are_selected() -> None:
    names = ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert select_weights(reversed(names)) == tuple(names)


def test_a_single_file_under_another_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "epoch_1.pt").touch()
    assert find_weights(tmp_path).name == "epoch_1.pt"
    (tmp_path / "epoch_2.pt").touch()
    with pytest.raises(BadCheckpoint, match=r"epoch_1\.pt, epoch_2\.pt"):
        find_weights(tmp_path)


def test_variants_of_transformers_weights_count_for_the_fingerprint() -> None:
    names = ["model.fp16.safetensors", "model.safetensors", "pytorch_model.bin"]
    assert transformers_weights(names) == ("model.fp16.safetensors", "model.safetensors")
    assert transformers_weights(names[2:]) == ("pytorch_model.bin",)
    assert transformers_weights(["weights.pt"]) == ()


def test_companions_are_small_files_without_code() -> None:
    sizes = {
        "config.json": 10,
        "LICENSE": 10,
        "modeling.py": 10,
        ".gitattributes": 10,
        "a/b.json": 10,
        "big.json": 2**30,
    }
    assert companion_files(sizes) == ("LICENSE", "config.json")
