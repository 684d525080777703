"""A model whose files someone fetched by hand: the same folder, without a network."""

import shutil
from pathlib import Path

from core.errors import PullFailed
from encoders.hub import file_selection
from encoders.hub.client import digest
from encoders.hub.manifest import PARTIAL, Manifest, StoredFile, model_folder, write_manifest
from encoders.hub.names import Source, open_clip_config
from encoders.hub.plan import TOKENIZER

__all__ = ["adopt"]


def adopt(source: Source, folder: Path) -> Manifest:
    """Copies the files of a model from `folder` into the models folder and declares it complete.

    Nobody can check them against the hub: the manifest says `by hand`. Raises `PullFailed` when weights are missing.
    """
    sizes = _sizes(folder, source)
    small = file_selection.companions(sizes)
    chosen = file_selection.weights(sizes, source.weights)
    if not chosen:
        remedy = f"It must hold files of {source.repository}, as they are called there"
        raise PullFailed(source.name, f"{folder} holds no weights that are known here", remedy)
    tower = [f"{TOKENIZER}/{name}" for name in file_selection.companions(_sizes(folder / TOKENIZER, None))]
    target = model_folder(source.name)
    stored: list[StoredFile] = []
    try:
        (target / PARTIAL).mkdir(parents=True, exist_ok=True)
        for name in (*small, *chosen, *tower):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if not (target / name).exists() or not (target / name).samefile(folder / name):
                shutil.copyfile(folder / name, target / name)
            stored.append(_stored(target, name))
        if file_selection.CONFIG not in small and (config := open_clip_config(source)) is not None:
            (target / file_selection.CONFIG).write_bytes(config)
            stored.append(_stored(target, file_selection.CONFIG))
        shutil.rmtree(target / PARTIAL)
        manifest = Manifest(source.name, source.repository, "by hand", "unknown", tuple(stored))
        write_manifest(target, manifest)
    except OSError as exc:
        raise PullFailed(
            source.name, f"{exc.filename}: {exc.strerror or exc}", "Nothing was declared complete"
        ) from exc
    return manifest


def _sizes(folder: Path, source: Source | None) -> dict[str, int]:
    try:
        return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    except OSError as exc:
        if source is None:
            return {}
        raise PullFailed(source.name, f"{folder}: {exc.strerror or exc}", "Name the folder with its files") from exc


def _stored(folder: Path, name: str) -> StoredFile:
    return StoredFile(name, (folder / name).stat().st_size, digest(folder / name))
