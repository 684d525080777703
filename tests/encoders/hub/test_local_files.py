"""A model whose files came without a hub."""

from pathlib import Path

import pytest

from core.errors import PullFailed
from encoders.hub import adopt, read_manifest, resolve


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    (folder / "tokenizer").mkdir(parents=True)
    for name in ("open_clip_config.json", "open_clip_model.safetensors", "notes.pdf", "tokenizer/tokenizer.json"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_files_fetched_by_hand_become_a_model(fetched: Path, models: Path) -> None:
    manifest = adopt(resolve("hf-hub:tiny/clip"), fetched)
    folder = models / "hf-hub:tiny--clip"
    assert read_manifest(folder) == manifest
    assert manifest.revision == "by hand"
    assert {file.path for file in manifest.files} == {
        "open_clip_config.json", "open_clip_model.safetensors", "tokenizer/tokenizer.json",
    }  # fmt: skip
    assert (folder / "tokenizer" / "tokenizer.json").read_bytes() == b"tokenizer/tokenizer.json"


def test_the_folder_may_be_the_very_one(fetched: Path, models: Path) -> None:
    models.mkdir()
    fetched.rename(models / "hf-hub:tiny--clip")
    adopt(resolve("hf-hub:tiny/clip"), models / "hf-hub:tiny--clip")
    assert read_manifest(models / "hf-hub:tiny--clip") is not None


def test_without_weights_it_is_none(fetched: Path, models: Path) -> None:
    (fetched / "open_clip_model.safetensors").unlink()
    with pytest.raises(PullFailed, match="holds no weights"):
        adopt(resolve("hf-hub:tiny/clip"), fetched)
    with pytest.raises(PullFailed, match="No such file"):
        adopt(resolve("hf-hub:tiny/clip"), fetched / "nowhere")
    assert not models.exists()
