"""PyTorch is only imported by models that run on it."""

from pathlib import Path

import pytest

from tests.support.imports import imported_modules

HEAVY = {"torch", "open_clip", "transformers", "huggingface_hub", "timm"}


@pytest.mark.parametrize("arguments", [["models", "list"], ["models", "info", "mini"], ["search", "--help"]])
def test_commands_without_a_model_import_no_pytorch(arguments: list[str], tmp_path: Path) -> None:
    found = imported_modules(
        f"from cli.main import sightline\nsightline.main({arguments}, standalone_mode=False)",
        SIGHTLINE_MODELS=str(tmp_path),
    )
    assert not found & HEAVY


def test_building_an_encoder_imports_no_pytorch(tiny: dict[str, Path]) -> None:
    """The space depends only on files, so that it is available without waiting for PyTorch."""
    folders = [str(folder) for folder in tiny.values()]
    found = imported_modules(f"from encoders import registry\nprint([registry.load(name).space for name in {folders}])")
    assert not found & HEAVY


def test_the_built_in_model_imports_no_pytorch() -> None:
    found = imported_modules("from encoders import registry\nregistry.load('mini').encode_texts(['a dog'])")
    assert not found & HEAVY
