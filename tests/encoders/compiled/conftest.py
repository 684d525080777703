"""Compiled models of tiny weights."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from encoders import registry
from encoders.compiled import store
from encoders.compiled.runtime import RuntimeEncoder
from encoders.torch_encoder import TorchEncoder
from tests.support.compiled_models import EXACT


@pytest.fixture(scope="package")
def exports(tmp_path_factory: pytest.TempPathFactory, tiny: dict[str, Path]) -> Callable[[str], Path]:
    """Compile the tiny model of a kind, once, and return the models folder."""
    folders: dict[str, Path] = {}

    def compile_once(kind: str) -> Path:
        from encoders.compiled.export import export

        if kind not in folders:
            folders[kind] = tmp_path_factory.mktemp("models")
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SIGHTLINE_MODELS", str(folders[kind]))
                patch.setenv("SIGHTLINE_RUNTIME", "torch")
                encoder = registry.load(str(tiny[kind]), EXACT)
                assert isinstance(encoder, TorchEncoder)
                with store.exporting(encoder.space) as may_export:
                    assert may_export
                    export(encoder)
        return folders[kind]

    return compile_once


@pytest.fixture
def compiled(exports: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Install the compiled model of a kind for this test, and return its folder. Nothing is compiled any more."""

    def install(kind: str) -> Path:
        shutil.copytree(exports(kind), tmp_path / "models", dirs_exist_ok=True)
        monkeypatch.setenv("SIGHTLINE_RUNTIME", "auto")
        monkeypatch.setattr(RuntimeEncoder, "_compile", lambda _: None)
        return next((tmp_path / "models" / store.SUBFOLDER).glob(f"*/{store.CARD}")).parent

    return install
