"""Importing the files of a model from a folder."""

from pathlib import Path

import pytest

from core.errors import DownloadFailed
from encoders.hub import import_folder, read_manifest, resolve


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    (folder / "tokenizer").mkdir(parents=True)
    for name in ("open_clip_config.json", "open_clip_model.safetensors", "notes.pdf", "tokenizer/tokenizer.json"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_import_folder_copies_the_files_of_a_model(fetched: Path, models: Path) -> None:
    manifest = import_folder(resolve("hf-hub:tiny/clip"), fetched)
    folder = models / "hf-hub:tiny--clip"
    assert read_manifest(folder) == manifest
    assert manifest.revision == "by hand"
    assert {file.path for file in manifest.files} == {
        "open_clip_config.json", "open_clip_model.safetensors", "tokenizer/tokenizer.json",
    }  # fmt: skip
    assert (folder / "tokenizer" / "tokenizer.json").read_bytes() == b"tokenizer/tokenizer.json"


def test_import_folder_accepts_the_target_folder(fetched: Path, models: Path) -> None:
    models.mkdir()
    fetched.rename(models / "hf-hub:tiny--clip")
    import_folder(resolve("hf-hub:tiny/clip"), models / "hf-hub:tiny--clip")
    assert read_manifest(models / "hf-hub:tiny--clip") is not None


def test_import_folder_requires_weights(fetched: Path, models: Path) -> None:
    (fetched / "open_clip_model.safetensors").unlink()
    with pytest.raises(DownloadFailed, match="contains no weights"):
        import_folder(resolve("hf-hub:tiny/clip"), fetched)
    with pytest.raises(DownloadFailed, match="No such file"):
        import_folder(resolve("hf-hub:tiny/clip"), fetched / "nowhere")
    assert not models.exists()
