"""Model files on disk: which are loaded, what their digest depends on, and which are refused."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadCheckpoint, ModelUnavailable, UnknownModel
from encoders import checkpoint, registry
from encoders.clipseg import load_segmenter
from encoders.hub.manifest import Manifest, ModelFile, write_manifest
from encoders.placement import Placement

torch = pytest.importorskip("torch")

EXACT = Placement("cpu", "fp32")
WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were hashed."""
    names: list[str] = []

    def digest(file: Any, algorithm: str) -> Any:
        names.append(Path(file.name).name)
        return hashlib.new(algorithm, file.read())

    monkeypatch.setattr(checkpoint.hashlib, "file_digest", digest)  # type: ignore[attr-defined]
    return names


def declare(folder: Path, name: str) -> None:
    """Write `sightline.json`, as a pull does at its end."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    stored = [
        ModelFile(str(file.relative_to(folder)), file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest())
        for file in files
    ]
    write_manifest(folder, Manifest(name, name, "0" * 40, "mit", tuple(stored)))


def test_a_file_of_weights_needs_its_architecture(tiny: dict[str, Path]) -> None:
    weights = tiny["vit"] / WEIGHTS
    with pytest.raises(BadCheckpoint, match="ViT-B-32:"):
        registry.load(str(weights))
    with pytest.raises(BadCheckpoint, match="no architecture 'ViT-Z'"):
        registry.load(f"ViT-Z:{weights}")
    encoder = registry.load(f"ViT-B-32:{weights}", EXACT)
    assert (encoder.space.dim, encoder.preprocess.size) == (512, 224)


def test_the_tokenizer_next_to_a_file_of_weights_counts_for_its_digest(tiny: dict[str, Path], tmp_path: Path) -> None:
    shutil.copy(tiny["xlmr"] / WEIGHTS, tmp_path / WEIGHTS)
    name = f"xlm-roberta-base-ViT-B-32:{tmp_path / WEIGHTS}"
    bare = registry.load(name).space.weights
    (tmp_path / "tokenizer").mkdir()
    for file in ("tokenizer.json", "config.json"):
        shutil.copy(tiny["xlmr"] / file, tmp_path / "tokenizer" / file)
    whole = registry.load(name).space.weights
    assert whole != bare
    (tmp_path / "letter.json").write_text("{}")  # an unrelated file
    assert registry.load(name).space.weights == whole
    with (tmp_path / "tokenizer" / "tokenizer.json").open("a") as tokenizer:
        tokenizer.write("\n")
    assert registry.load(name).space.weights != whole


def test_a_pulled_model_is_loaded_by_its_name(
    tiny: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="its files") as caught:
        registry.load("tiny/one")
    assert caught.value.pull == "tiny/one"
    assert str(tmp_path / "tiny--one") in str(caught.value)
    shutil.copytree(tiny["vit"], tmp_path / "tiny--one")
    encoder = registry.load("tiny/one", EXACT)
    assert encoder.space.model == "tiny/one"
    assert encoder.space.weights == registry.load(str(tiny["vit"])).space.weights
    with pytest.raises(UnknownModel):
        registry.load("nonsense")


def test_a_partly_downloaded_model_is_refused(
    tiny: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGHTLINE_MODELS", str(tmp_path))
    folder = shutil.copytree(tiny["xlmr"], tmp_path / "tiny--one")
    (folder / ".partial").mkdir()
    with pytest.raises(ModelUnavailable, match="some are missing") as caught:
        registry.load("tiny/one")
    assert caught.value.pull == "tiny/one"
    assert registry.load(str(tiny["vit"]))  # a folder outside the models folder needs no manifest
    with pytest.raises(ModelUnavailable, match="some are missing"):
        load_segmenter("tiny/one")
    (folder / ".partial").rmdir()
    declare(folder, "tiny/one")
    assert registry.load("tiny/one")
    (folder / WEIGHTS).write_bytes(b"cut")
    with pytest.raises(ModelUnavailable, match="some are missing"):
        registry.load("tiny/one")


def test_pulled_files_are_not_hashed_again_until_they_change(
    tiny: dict[str, Path], tmp_path: Path, hashed: list[str]
) -> None:
    folder = shutil.copytree(tiny["vit"], tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
    digest = registry.load(str(folder)).space.weights
    assert WEIGHTS in hashed
    (folder / ".sightline-digests.json").unlink()
    declare(folder, "tiny/one")
    hashed.clear()
    assert registry.load(str(folder)).space.weights == digest
    assert not hashed
    weights = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))  # as large as before
    (folder / ".sightline-digests.json").unlink(missing_ok=True)
    assert registry.load(str(folder)).space.weights != digest
    assert hashed == [WEIGHTS]


def test_the_digest_changes_with_any_file_and_is_cached(
    tiny: dict[str, Path], tmp_path: Path, hashed: list[str]
) -> None:
    folder = shutil.copytree(tiny["xlmr"], tmp_path / "copy")
    before = registry.load(str(folder)).space.weights
    assert (folder / ".sightline-digests.json").is_file()
    hashed.clear()
    assert registry.load(str(folder)).space.weights == before
    assert not hashed
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + "\n")
    assert registry.load(str(folder)).space.weights != before


def test_unusable_folders_and_weights_are_refused(tiny: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load, save_file

    with pytest.raises(BadCheckpoint, match="neither"):
        registry.load(str(tmp_path))
    with pytest.raises(ModelUnavailable, match="does not exist"):
        registry.load(str(tmp_path / "absent"))
    folder = shutil.copytree(tiny["vit"], tmp_path / "broken")
    weights = folder / WEIGHTS
    state = load(weights.read_bytes())  # not mapped: the file is cut
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BadCheckpoint):
        registry.load(str(folder), EXACT).encode_texts(["a"])
    state["visual.proj"] = torch.zeros(3, 3)
    save_file(state, weights)
    with pytest.raises(BadCheckpoint):
        registry.load(str(folder), EXACT).encode_texts(["a"])
    (folder / "open_clip_config.json").write_text("{")
    with pytest.raises(BadCheckpoint, match="cannot be read"):
        registry.load(str(folder))


def test_pickled_tensors_are_read_and_pickled_code_is_refused(tiny: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = shutil.copytree(tiny["vit"], tmp_path / "pickled")
    state = load_file(folder / WEIGHTS)
    expected = registry.load(str(folder), EXACT).encode_texts(["a"])
    (folder / WEIGHTS).unlink()
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, folder / "epoch_1.pt")
    assert (registry.load(str(folder), EXACT).encode_texts(["a"]) == expected).all()
    torch.save({"state_dict": Path("/")}, folder / "epoch_1.pt")  # any class but tensors
    with pytest.raises(BadCheckpoint, match="save it again as safetensors"):
        registry.load(str(folder), EXACT).encode_texts(["a"])


def test_a_missing_tokenizer_is_reported(tiny: dict[str, Path], tmp_path: Path) -> None:
    for kind in ("xlmr", "altclip"):
        folder = shutil.copytree(tiny[kind], tmp_path / kind)
        (folder / "tokenizer.json").unlink()
        with pytest.raises(ModelUnavailable, match="tokenizer"):
            registry.load(str(folder), EXACT).encode_texts(["a"])


def test_a_missing_text_tower_configuration_is_reported(tiny: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(tiny["mt5"], tmp_path / "mt5")
    (folder / "config.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"https://huggingface\.co/google/mt5-base has it"):
        registry.load(str(folder), EXACT).encode_texts(["a"])
